# SPDX-License-Identifier: MIT
#
# The target retort::retort, which is what retort.pc describes.
include(CMakeFindDependencyMacro)
find_dependency(PkgConfig)

set(retort_pkg_config_path "$ENV{PKG_CONFIG_PATH}")
set(ENV{PKG_CONFIG_PATH}
	"${CMAKE_CURRENT_LIST_DIR}/../../pkgconfig:${retort_pkg_config_path}")
pkg_check_modules(retort_pc QUIET IMPORTED_TARGET retort)
set(ENV{PKG_CONFIG_PATH} "${retort_pkg_config_path}")

if(NOT retort_pc_FOUND)
	set(retort_FOUND FALSE)
	set(retort_NOT_FOUND_MESSAGE
		"retort.pc, or a library that it names, is not found")
elseif(NOT TARGET retort::retort)
	add_library(retort::retort INTERFACE IMPORTED)
	target_link_libraries(retort::retort INTERFACE PkgConfig::retort_pc)
endif()
