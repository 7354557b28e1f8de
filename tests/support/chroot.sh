# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Sourced by scripts that need a fresh Debian, as root: a chroot by debootstrap,
# which is gone when the script ends, however it does. They call
#
#	apart "$0" "$@"   first of all: nothing that is mounted then is seen
#	                  outside, or can be left
#	choose "$@"       "[--cache DIR] bookworm|trixie ...", or usage(), which
#	                  is theirs: sets `cache`, `suite`, `source`, the folder
#	                  of this repository, and `chosen`, as many words to shift
#	make_root SUITE   sets `base`, a folder of the script's own, and `root`,
#	                  the chroot in it; with the packages of the base system
#	                  from the folder `cache` and kept there, if that is set
#	furnish ROOT      mounts what is needed in a chroot
#	enter COMMAND...  runs in `root`, with nothing of our environment
#
# A script may set `server`, a process that is to be ended.

cache=
server=
base=

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# All that is mounted is mounted in a mount namespace of our own, which ends
# with us: nothing can be left mounted, nothing outside can be removed.
apart()
{
	[ "$(id -u)" -eq 0 ] || die 'must be root, for debootstrap and chroot'
	for command in debootstrap git chroot mount umount unshare; do
		command -v "$command" >/dev/null ||
			die "$command is missing" \
				"(debootstrap git coreutils mount util-linux)"
	done
	[ "${RETORT_APART:-}" != yes ] || return 0
	RETORT_APART=yes
	export RETORT_APART
	exec unshare --mount --propagation private -- "$@"
}

# shellcheck disable=SC2034 # the scripts read them
choose()
{
	chosen=1
	if [ "${1:-}" = --cache ]; then
		[ $# -ge 2 ] || usage
		cache=$2 chosen=3
		shift 2
	fi
	case ${1:-} in
	bookworm | trixie) suite=$1 ;;
	*) usage ;;
	esac
	source=$(cd "$(dirname "$0")/../.." && pwd)
}

cleanup()
{
	[ -z "$server" ] || kill -KILL "$server" 2>/dev/null || :
	[ -n "$base" ] || return 0
	awk -v base="$base/" 'index($2, base) == 1 { print $2 }' \
		/proc/self/mounts | sort -r | while read -r mounted; do
		umount "$mounted" || umount -l "$mounted" || :
	done
	if grep -q " $base/" /proc/self/mounts; then
		echo "${0##*/}: $base is left: something is mounted in it" >&2
	else
		rm -rf --one-file-system "$base"
	fi
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

make_root()
{
	base=$(mktemp -d "${TMPDIR:-/var/tmp}/retort-$1.XXXXXX")
	root=$base/root

	# The mirror of this machine's own apt, if it has one, else
	# debootstrap's.
	mirror=
	if command -v apt-get >/dev/null; then
		# shellcheck disable=SC2016 # apt's own variables
		mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' \
			"Created-By: Packages" 2>/dev/null | awk '
			$2 == "Debian" && $1 !~ /security/ { print $1; exit }')
	fi

	echo "== debootstrap $1 ${mirror:-}"
	[ -z "$cache" ] || { mkdir -p "$cache" && cache=$(cd "$cache" && pwd); }
	# shellcheck disable=SC2086 # an empty mirror is no argument
	debootstrap --variant=minbase ${cache:+--cache-dir="$cache"} \
		"$1" "$root" $mirror >"$base/log" 2>&1 || {
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
	[ ! -e /etc/resolv.conf ] ||
		cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	echo '127.0.0.1 localhost
::1 localhost' >"$root/etc/hosts"
}

furnish()
{
	mount -t proc proc "$1/proc"
	mount -t tmpfs -o mode=755 tmpfs "$1/dev"
	for node in null zero full random urandom tty; do
		: >"$1/dev/$node"
		mount --bind "/dev/$node" "$1/dev/$node"
	done
	mkdir "$1/dev/pts" "$1/dev/shm"
	chmod 1777 "$1/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=666 devpts "$1/dev/pts" &&
		ln -s pts/ptmx "$1/dev/ptmx"
	ln -s /proc/self/fd "$1/dev/fd"
	ln -s /proc/self/fd/0 "$1/dev/stdin"
	ln -s /proc/self/fd/1 "$1/dev/stdout"
	ln -s /proc/self/fd/2 "$1/dev/stderr"
}

enter()
{
	chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"$@"
}
