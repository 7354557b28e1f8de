# SPDX-License-Identifier: MIT
#
# RETORT_CHECK([VERSION], [IF-FOUND], [IF-NOT-FOUND])
#
# Looks for libretort, of at least that version if one is given, and sets
# RETORT_CFLAGS and RETORT_LIBS. Without IF-NOT-FOUND configure fails if it is
# not there.
AC_DEFUN([RETORT_CHECK],
[PKG_CHECK_MODULES([RETORT], [retort]m4_ifnblank([$1], [[ >= $1]]), [$2], [$3])])
