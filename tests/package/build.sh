#!/bin/sh
# SPDX-License-Identifier: MIT
#
# build.sh [--cache DIR] bookworm|trixie [TO]
#
# Debian's packages of what is committed here, on a fresh Debian. The archive is
# made twice, from two folders, and must be the same. In a chroot, as an
# ordinary user and without a network, the packages are built of it, with
# `make check`, and lintian finds nothing in them above pedantic. In another,
# where nothing else is, they are installed, and pass their tests; and a project
# of CMake is built with the two files of `make amalgamation`. Needs root and
# debootstrap; --cache is that of tests/peers/fresh.sh. The packages are left in
# the folder TO, if one is named.

set -eu
umask 022

# shellcheck source=tests/support/chroot.sh
. "$(dirname "$0")/../support/chroot.sh"

usage()
{
	echo 'usage: build.sh [--cache DIR] bookworm|trixie [TO]' >&2
	exit 2
}

apart "$0" "$@"
choose "$@"
shift "$chosen"
[ $# -le 1 ] || usage
to=${1:-}
[ -z "$to" ] || { mkdir -p "$to" && to=$(cd "$to" && pwd); }

# quietly LOG COMMAND...: what it says is shown only when it fails
quietly()
{
	log=$base/$1.log
	shift
	"$@" >"$log" 2>&1 </dev/null || {
		grep -aE '^(FAIL|ERROR|not ok|.*error: )' "$log" | sort -u >&2
		tail -n 20 "$log" >&2
		die "failed: $*"
	}
}

install()
{
	quietly install enter env DEBIAN_FRONTEND=noninteractive \
		apt-get -y --no-install-recommends "$@"
}

# archive FOLDER: makes it there, of a clone of its own
archive()
{
	quietly clone git -c safe.directory='*' clone -q --no-local "$source" "$1"
	# shellcheck disable=SC2016 # the shell inside expands it
	quietly dist sh -c 'cd "$1" && autoreconf -i && ./configure &&
		make dist' sh "$1"
}

make_root "$suite"
cp -a "$root" "$base/fresh"

echo '== the archive, twice'
archive "$base/one"
mkdir "$base/another place"
archive "$base/another place/two"
made=$(basename "$base"/one/retort-*.tar.xz)
cmp "$base/one/$made" "$base/another place/two/$made" ||
	die 'the two archives differ'
version=${made#retort-}
version=${version%.tar.xz}
sha256sum "$base/one/$made" | sed 's|  .*/|  |'

echo '== the packages'
furnish "$root"
mkdir "$root/build"
tar -C "$root/build" -xf "$base/one/$made"
mv "$root/build/retort-$version" "$root/build/retort"
cp "$base/one/$made" "$root/build/retort_$version.orig.tar.xz"
cp -R "$root/build/retort/tests/package/debian" "$root/build/retort/debian"
chown -R 65534:65534 "$root/build"
quietly update enter apt-get -q update
install install dpkg-dev lintian
install build-dep /build/retort

# by_nobody COMMAND...: in /build/retort, without a network but the loopback
by_nobody()
{
	# shellcheck disable=SC2016 # the shells inside expand them
	unshare --net -- sh -c '
		ip link set lo up 2>/dev/null || :
		root=$1
		shift
		exec chroot "$root" /usr/bin/setpriv --reuid=65534 \
			--regid=65534 --clear-groups \
			/usr/bin/env -i HOME=/nonexistent LC_ALL=C.UTF-8 \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			DEB_BUILD_OPTIONS="parallel=$(nproc)" \
			sh -c "cd /build/retort && exec \"\$@\"" sh "$@"
	' sh "$root" "$@"
}

quietly build by_nobody dpkg-buildpackage -us -uc
grep -aE '^# (TOTAL|PASS|SKIP|FAIL|ERROR):' "$base/build.log" | sed 's/^#/  /'
for package in "$root"/build/*.deb; do
	printf '   %s\n' "$(basename "$package")"
done

# Who uploads it to Debian has a bug to close and a place to watch for releases,
# and we have none; and lintian does not know of what was decided after it. It
# takes the first sixteen bytes of a longer text, which some compiler copies at
# once, for a word.
echo '== lintian'
suppressed=initial-upload-closes-no-bugs,debian-watch-file-is-missing
suppressed=$suppressed,newer-standards-version,spelling-error-in-binary
changes=$(basename "$root"/build/retort_*.changes)
by_nobody lintian --display-info --fail-on error,warning,info \
	--suppress-tags "$suppressed" "../$changes" ||
	die 'lintian finds something'

echo '== what the packages do'
mkdir "$base/fresh/packages"
for package in "$root"/build/*.deb; do
	case $package in
	*-dbgsym_*) ;;
	*) cp "$package" "$base/fresh/packages" ;;
	esac
done
[ -z "$to" ] || cp "$base/fresh/packages"/*.deb "$to"
cp -R "$root/build/retort/tests" "$base/fresh/packages"
quietly files by_nobody make -s amalgamation
project=$base/fresh/project
cp -R "$root/build/retort/tests/docs/builds/vendored" "$project"
cp "$root/build/retort/tests/docs/embed/first.c" "$project/test.c"
mkdir "$project/vendor"
cp "$root/build/retort"/amalgamation/retort.[ch] "$project/vendor"
llhttp=$(sed -n 's/^LLHTTP_SOURCES = //p' "$root/build/retort/Makefile")
header=$(sed -n 's/^LLHTTP_HEADER = //p' "$root/build/retort/Makefile")
needed=libllhttp-dev
[ -z "$llhttp" ] || needed='node-llhttp'
root=$base/fresh
furnish "$root"
begun=$(date +%s)
quietly update enter apt-get -q update
install install curl gcc libc6-dev libcurl4-openssl-dev pkgconf
quietly packages enter sh -c 'DEBIAN_FRONTEND=noninteractive exec apt-get -y \
	install --no-install-recommends /packages/*.deb'
for try in command library tls; do
	[ "$try" != tls ] || install install libssl3
	quietly "$try" enter sh -c "cd /packages &&
		exec tests/package/debian/tests/$try"
	sed 's/^/   /' "$base/$try.log"
done
printf '   %d s\n' $(($(date +%s) - begun))

echo '== the two files in a project'
begun=$(date +%s)
install install cmake make "$needed"
[ -z "$llhttp" ] || enter cp "$llhttp/api.c" "$llhttp/http.c" \
	"$llhttp/llhttp.c" "$header" /project/vendor
quietly project enter sh -c 'cd /project && cmake -B build &&
	cmake --build build && cd build && ctest --output-on-failure'
grep -a 'tests passed' "$base/project.log" | sed 's/^/   /'
printf '   %d s\n' $(($(date +%s) - begun))
echo "== $suite passed"
