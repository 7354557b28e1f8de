#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The ways to build with the library: the projects of tests/docs/builds, by
# CMake, Meson and Autoconf against what make install installs, and with the two
# files of make amalgamation; these compile without a warning. Each has the
# program of the README for a test, which passes. And the manual is there by the
# name of each function. Prints TAP.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
# shellcheck source=tests/support/installed.sh
. "$(dirname "$0")/../support/installed.sh"
builds=$source/tests/docs/builds

case " ${CFLAGS:-} " in
*-fsanitize=*) skip_all 'it is no matter of sanitizers' ;;
esac

# project NAME TO: with its test
project()
{
	cp -R "$builds/$1" "$2" && chmod -R u+w "$2" &&
		cp "$source/tests/docs/embed/first.c" "$2/test.c"
}

# lacks COMMAND...: the first that is not here, or "libcurl"
lacks()
{
	for command; do
		have "$command" || {
			echo "$command"
			return
		}
	done
	"$pkg_config" --exists libcurl || echo libcurl
}

by_cmake()
{
	CMAKE_PREFIX_PATH=${man%/share/man/man3} \
		cmake -S "$1" -B "$1/build" && cmake --build "$1/build" &&
		(cd "$1/build" && ctest --output-on-failure)
}

by_meson()
{
	meson setup "$1/build" "$1" && meson test -C "$1/build" -v
}

by_autoconf()
{
	(cd "$1" && ACLOCAL_PATH=$aclocal autoreconf -i && ./configure &&
		make check)
}

# build NAME WAY COMMAND...: needs the COMMANDs
build()
{
	name=$1 way=$2
	shift 2
	lack=$(lacks "$@")
	if [ -n "$lack" ]; then
		without "a project by $name" "$lack"
		return
	fi
	project "$name" "$dir/$name" && MAKEFLAGS='' quietly "$way" "$dir/$name"
	report $? "a project by $name"
}

# A prefix that make is told, and not configure.
elsewhere()
{
	# as distributions configure, folders do not follow the prefix
	if ! grep -q '^libdir = .{exec_prefix}/lib$' Makefile; then
		skip 'make install-data prefix=...' 'libdir is fixed'
		return
	fi
	MAKEFLAGS='' quietly make -s install-data prefix="$dir/elsewhere"
	report $? 'make install-data prefix=...'
	equal "$dir/elsewhere" "$(PKG_CONFIG_PATH=$dir/elsewhere/lib/pkgconfig \
		"$pkg_config" --variable=prefix retort)" \
		'retort.pc has the prefix that make was told'
}

manuals()
{
	functions=$(awk -f "$source/src/man/functions.awk" \
		"$source/src/retort.h" | sort -u)
	missing=
	for name in $functions; do
		[ "$(readlink "$man/$name.3")" = retort.3 ] ||
			missing="$missing $name"
	done
	equal '' "$missing" 'the manual is there by the name of each function'
	[ "$(echo "$functions" | grep -c '^retort_')" -gt 30 ]
	report $? 'retort.h has functions'
}

# As pages, in a folder of documentation, with links that lead somewhere.
pages()
{
	if ! have mandoc; then
		without 'make install-html' mandoc
		return
	fi
	MAKEFLAGS='' quietly make -s install-html htmldir="$dir/pages"
	report $? 'make install-html'
	missing=
	for page in retort.1.html retort.3.html retort.5.html; do
		for link in $(tr '"' '\n' <"$dir/pages/$page" |
			grep -E '^retort[.].*html|^[a-z]*[.]css$'); do
			[ -s "$dir/pages/${link%%#*}" ] ||
				missing="$missing $page:$link"
		done
	done
	equal '' "$missing" 'the pages lead to each other'
	grep -q 'href="retort.5.html' "$dir/pages/retort.1.html" &&
		grep -q 'href="manual.css' "$dir/pages/retort.1.html"
	report $? 'retort(1) has a style, and leads to retort(5)'
}

# The two files, and llhttp as its folder has it.
amalgamation()
{
	mkdir "$dir/files" && MAKEFLAGS='' quietly make -s amalgamation \
		amalgamation="$dir/files"
	report $? 'make amalgamation'
	compiles gcc -O1
	compiles clang -O0 -DRETORT_WITH_JANSSON -DRETORT_WITH_OPENSSL
}

# compiles COMPILER OPTION...
compiles()
{
	compiler=$1
	name="retort.c by $*"
	shift
	if ! have "$compiler"; then
		without "$name" "$compiler"
	elif [ $# -gt 1 ] && ! "$pkg_config" --exists jansson 'openssl >= 3'
	then
		without "$name" 'jansson or OpenSSL'
	else
		# shellcheck disable=SC2154 # tap.sh has it
		quietly "$compiler" -std=c11 -Wall -Wextra -Werror \
			${llhttp:+-I"$llhttp"} "$@" -c "$dir/files/retort.c" \
			-o "$dir/retort.o"
		report $? "$name"
	fi
}

vendored()
{
	sources=${LLHTTP_SOURCES:-}
	lack=$(lacks cmake)
	if [ -z "$sources" ] && ! "$pkg_config" --exists libllhttp; then
		skip 'a project with the two files' 'llhttp is a library here'
		return
	elif [ -n "$lack" ]; then
		without 'a project with the two files' "$lack"
		return
	fi
	project vendored "$dir/vendored" && mkdir "$dir/vendored/vendor" &&
		cp "$dir/files"/retort.[ch] "$dir/vendored/vendor" &&
		{ [ -z "$sources" ] || cp "$llhttp/llhttp.h" "$sources"/api.c \
			"$sources"/http.c "$sources"/llhttp.c \
			"$dir/vendored/vendor"; } &&
		MAKEFLAGS='' quietly by_cmake "$dir/vendored"
	report $? 'a project with the two files'
}

install_all 'tests/docs/builds'
for kind in shared static; do
	! place $kind || break
done
man=$(find "$dir/$kind" -type d -name man3)
aclocal=$(dirname "$(find "$dir/$kind" -name retort.m4)")
elsewhere
manuals
pages
build pkgconfig by_cmake cmake
build cmake by_cmake cmake
build meson by_meson meson
build autoconf by_autoconf autoreconf
llhttp=$(sed -n 's/^LLHTTP_HEADER = \(.*\)\/llhttp.h$/\1/p' Makefile)
amalgamation
vendored
conclude
