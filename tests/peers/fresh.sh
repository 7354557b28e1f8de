#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fresh.sh [--cache DIR] bookworm|trixie [TARGET...]
#
# The README's two commands on a fresh Debian: makes a chroot with debootstrap,
# clones this repository into it, runs `./bootstrap TARGET...` (check), then
# `./bootstrap serve`, fetches both URLs, compares, and stops the server with
# SIGTERM. Needs root and debootstrap. What is committed is what is tested.
#
# --cache DIR keeps the packages of the base system there for the next time.
# Not part of CI.

set -eu

die()
{
	printf 'fresh.sh: %s\n' "$*" >&2
	exit 1
}

usage()
{
	echo 'usage: fresh.sh [--cache DIR] bookworm|trixie [TARGET...]' >&2
	exit 2
}

cache=
if [ "${1:-}" = --cache ]; then
	[ $# -ge 2 ] || usage
	cache=$2
	shift 2
fi
case ${1:-} in
bookworm | trixie) suite=$1 ;;
*) usage ;;
esac
shift
[ $# -gt 0 ] || set -- check

[ "$(id -u)" -eq 0 ] || die 'must be root, for debootstrap and chroot'
for command in debootstrap git chroot mount umount unshare; do
	command -v "$command" >/dev/null ||
		die "$command is missing (debootstrap git coreutils mount util-linux)"
done

# All that is mounted is mounted in a mount namespace of our own, which ends
# with us: nothing can be left mounted, nothing outside can be removed.
if [ "${RETORT_FRESH:-}" != inside ]; then
	[ -z "$cache" ] || { mkdir -p "$cache" && cache=$(cd "$cache" && pwd); }
	RETORT_FRESH=inside
	export RETORT_FRESH
	exec unshare --mount --propagation private -- \
		"$0" ${cache:+--cache "$cache"} "$suite" "$@"
fi

source=$(cd "$(dirname "$0")/../.." && pwd)
base=$(mktemp -d "${TMPDIR:-/var/tmp}/retort-$suite.XXXXXX")
root=$base/root
server=
cleanup()
{
	[ -z "$server" ] || kill -KILL "$server" 2>/dev/null || :
	for mounted in dev proc; do
		if mountpoint -q "$root/$mounted"; then
			umount -R "$root/$mounted" ||
				umount -R -l "$root/$mounted" || :
		fi
	done
	if grep -q " $base/" /proc/self/mounts; then
		echo "fresh.sh: $base is left: something is mounted in it" >&2
	else
		rm -rf --one-file-system "$base"
	fi
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# The mirror of this machine's own apt, if it has one, else debootstrap's.
mirror=
if command -v apt-get >/dev/null; then
	# shellcheck disable=SC2016 # apt's own variables
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' \
		"Created-By: Packages" 2>/dev/null |
		awk '$2 == "Debian" && $1 !~ /security/ { print $1; exit }')
fi

echo "== debootstrap $suite ${mirror:-}"
# shellcheck disable=SC2086 # an empty mirror is no argument
debootstrap --variant=minbase ${cache:+--cache-dir="$cache"} \
	"$suite" "$root" $mirror >"$base/log" 2>&1 || {
	tail -n 20 "$base/log" >&2
	die 'debootstrap failed'
}

# How to reach the mirror, and whether its dates can be trusted, is the
# machine's business: its settings hold in there too.
if command -v apt-config >/dev/null; then
	apt-config dump | grep -E \
		'^Acquire::((https?|ftp)::.*|Retries|Check-(Date|Valid-Until)) ' \
		>"$root/etc/apt/apt.conf.d/90fresh" || :
fi
[ ! -e /etc/resolv.conf ] || cp -L /etc/resolv.conf "$root/etc/resolv.conf"
echo '127.0.0.1 localhost
::1 localhost' >"$root/etc/hosts"

mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
	: >"$root/dev/$node"
	mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts" &&
	ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"

echo '== git clone'
git -c safe.directory='*' clone -q --no-local "$source" "$root/root/retort"

# enter COMMAND...: runs in there with nothing of our environment
enter()
{
	chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"$@"
}

echo "== ./bootstrap $*"
enter /root/retort/bootstrap "$@" </dev/null

echo '== ./bootstrap serve'
# not through a function: $! must be the server itself
chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	/root/retort/bootstrap serve \
	</dev/null >"$base/urls" 2>"$base/serve.log" &
server=$!
tries=0
until grep -q '^http://localhost:8080/$' "$base/urls"; do
	tries=$((tries + 1))
	if [ "$tries" -gt 600 ] || ! kill -0 "$server" 2>/dev/null; then
		cat "$base/urls" "$base/serve.log" >&2
		die 'no URL from ./bootstrap serve'
	fi
	sleep 0.1
done
enter sh -c 'command -v curl >/dev/null || {
	apt-get -qq update && apt-get -qq install -y --no-install-recommends curl
} >/dev/null 2>&1'
for url in http://localhost:8080/ http://127.0.0.1:8080/ \
	'http://[::1]:8080/'; do
	enter curl -gsS --fail --max-time 10 "$url" >"$base/page"
	cmp "$base/page" "$source/www/index.html" ||
		die "$url is not www/index.html"
	echo "   $url"
done
kill -TERM "$server"
status=0
wait "$server" || status=$?
server=
[ "$status" -eq 0 ] || {
	cat "$base/serve.log" >&2
	die "the server ended with $status"
}
echo "== $suite passed"
