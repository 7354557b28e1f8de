#!/bin/sh
# SPDX-License-Identifier: MIT
#
# systems.sh [musl|lto|s390x|armhf]...
#
# Builds for what this machine is not, each with the tests that it can run:
#
#	musl    static, with musl; the command's scripts
#	lto     gcc -O3 -flto, -D_FORTIFY_SOURCE=3, -Wl,-z,defs; rooms, scripts
#	s390x   big-endian, in qemu; the tests of the rooms
#	armhf   32 bits, in qemu; the tests of the rooms
#
# On Debian, whose packages it names where they are missing; after ./bootstrap.
# What the last two need of another architecture is downloaded, and installed
# nowhere. Not part of CI.

set -eu

die()
{
	printf 'systems.sh: %s\n' "$*" >&2
	exit 1
}

# need COMMAND PACKAGE...
need()
{
	command -v "$1" >/dev/null || {
		shift
		die "install these packages: $*"
	}
}

[ -f Makefile ] || die 'run it where ./bootstrap has been'
[ $# -gt 0 ] || set -- musl lto s390x armhf
jobs=-j$(getconf _NPROCESSORS_ONLN)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/retort-systems.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
make -s distdir distdir="$work/source"

# quietly LOG COMMAND...: what it says is shown only when it fails
quietly()
{
	log=$1
	shift
	"$@" >"$log" 2>&1 </dev/null || {
		grep -E '^(FAIL|ERROR|not ok)|error: ' "$log" | sort -u >&2
		tail -n 20 "$log" >&2
		die "failed: $*"
	}
}

# build NAME CONFIGURE-ARGUMENT...
build()
{
	echo "== $1"
	mkdir "$work/$1"
	cd "$work/$1"
	shift
	quietly configure.log "$work/source/configure" --enable-werror "$@"
	quietly make.log make -s "$jobs"
}

# check ARGUMENT...: of make
check()
{
	quietly check.log make "$jobs" check "$@"
	sed -n 's/^# \(TOTAL\|PASS\|SKIP\|FAIL\|ERROR\):/   &/p' check.log
}

scripts='tests/command/cli.sh tests/command/plain.sh tests/command/run.sh'
scripts="$scripts tests/command/hints.sh tests/house/layers.sh"

# rooms: the names of the rooms' tests
rooms()
{
	# shellcheck disable=SC2016 # of the Makefile
	printf 'include Makefile\nrooms:\n\t@echo $(room_tests)\n' |
		make -s -f - rooms
}

musl()
{
	need musl-gcc musl-tools
	build musl CC=musl-gcc LDFLAGS=-static --without-openssl \
		--without-jansson
	! ldd ./retort 2>/dev/null | grep '=>' || die 'it is not static'
	check check_PROGRAMS= check_LTLIBRARIES= TESTS="$scripts"
}

lto()
{
	build lto CC=gcc AR=gcc-ar RANLIB=gcc-ranlib NM=gcc-nm \
		'CFLAGS=-O3 -flto=auto' 'LDFLAGS=-Wl,-z,defs' \
		'CPPFLAGS=-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3' --enable-shared
	check check_PROGRAMS="$(rooms)" TESTS="$(rooms) $scripts"
}

# fetched ARCHITECTURE PACKAGE...: unpacked in $work/ARCHITECTURE-root, by an
# apt of its own that knows no other architecture
fetched()
{
	root=$work/$1-root
	mkdir -p "$root/state/lists/partial" "$root/cache/archives/partial"
	: >"$root/status"
	set -- "$@" -o "APT::Architecture=$1" -o "APT::Architectures=$1" \
		-o "Dir::State=$root/state" -o "Dir::Cache=$root/cache" \
		-o "Dir::State::Status=$root/status" -o Debug::NoLocking=true \
		-o APT::Sandbox::User=root
	shift
	packages=
	while [ "$1" != -o ]; do
		packages="$packages $1"
		shift
	done
	# one source that fails does not keep the others from being used
	apt-get "$@" update >"$work/apt.log" 2>&1 </dev/null || :
	# shellcheck disable=SC2086 # one word per package
	(cd "$root" && quietly "$work/apt.log" apt-get "$@" download $packages)
	for package in "$root"/*.deb; do
		dpkg-deb -x "$package" "$root"
	done
}

# emulated NAME TRIPLET QEMU
emulated()
{
	need "$2-gcc" "gcc-$2" "libc6-dev-$1-cross"
	need "$3" qemu-user
	fetched "$1" check libsubunit-dev
	lib=$root/usr/lib/$2
	[ -f "$lib/libcheck.a" ] || lib=$root/usr/lib/$(basename "$lib")
	build "$1" --host="$2" --without-openssl \
		--without-jansson CHECK_CFLAGS="-I$root/usr/include" \
		CHECK_LIBS="$lib/libcheck.a $lib/libsubunit.a -lm -lrt"
	# what the kernel does is this machine's, and qemu hands some of it on
	# otherwise
	tests=$(rooms | sed 's,tests/unit/io_send_test ,,')
	CK_TIMEOUT_MULTIPLIER=20
	export CK_TIMEOUT_MULTIPLIER
	check check_PROGRAMS="$tests" TESTS="$tests" \
		LOG_COMPILER="$3 -L /usr/$2"
}

for system; do
	case $system in
	musl | lto) (set -e; "$system") ;;
	s390x) (set -e; emulated s390x s390x-linux-gnu qemu-s390x) ;;
	armhf) (set -e; emulated armhf arm-linux-gnueabihf qemu-arm) ;;
	*) die "no such system: $system" ;;
	esac || exit 1
done
