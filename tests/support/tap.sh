# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Sourced by the scripts of the other folders: tests by TAP, and
# a server that is started and stopped. It sets
#
#	retort  the command: $RETORT, or that of this folder
#	source  the folder of the sources, which may be read-only
#	dir     a folder of the script's own, removed at the end; `out` and `err`
#	        in it are what a failure shows
#	pid     the process of start() or launch(), ended at the end
#	input   what these let the command read
#
# A script may put its own in the place of show() and of the trap.

set -u
# signals that nohup or a shell in the background has us ignore would stay
# ignored in all that is started here
if [ -z "${RETORT_SIGNALS:-}" ] &&
	env --default-signal=HUP,INT,QUIT true 2>/dev/null; then
	RETORT_SIGNALS=default
	export RETORT_SIGNALS
	exec env --default-signal=HUP,INT,QUIT sh "$0" "$@"
fi
LC_ALL=C
export LC_ALL
unset LISTEN_FDS LISTEN_PID LISTEN_FDNAMES
# an http_proxy is not for this machine
no_proxy='*'
export no_proxy
retort=${RETORT:-./retort}
# shellcheck disable=SC2034 # the scripts read it
source=${RETORT_SRCDIR:-$(dirname "$0")/../..}
count=0
failed=0
pid=
input=/dev/null

dir=$(basename "$0" .sh)
dir=$(mktemp -d "${TMPDIR:-/tmp}/retort-$dir.XXXXXX") || exit 99
trap 'test -z "$pid" || kill "$pid"; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

# curl reads these settings and no others: it opens no second connection, by the
# other family of addresses, where the first one takes long
echo 'happy-eyeballs-timeout-ms = 60000' >"$dir/.curlrc"
CURL_HOME=$dir
export CURL_HOME

# --- TAP ---

# show: what a failure was about
show()
{
	for file in out err; do
		[ ! -f "$dir/$file" ] || sed "s/^/# $file: /" "$dir/$file"
	done
}

newline='
'

# report STATUS NAME: one test
report()
{
	count=$((count + 1))
	titled=$2
	case $titled in
	*"$newline"*) titled=$(printf '%s' "$titled" | tr '\n' ' ') ;;
	esac
	if [ "$1" -eq 0 ]; then
		printf '%s\n' "ok $count - $titled"
		return
	fi
	failed=$((failed + 1))
	printf '%s\n' "not ok $count - $titled"
	show
}

# skip NAME WHY
skip()
{
	count=$((count + 1))
	printf '%s\n' "ok $count - $1 # SKIP $2"
}

# equal EXPECTED GOT NAME
equal()
{
	[ "$1" = "$2" ]
	result=$?
	report $result "$3"
	[ $result -eq 0 ] || printf 'expected: %s\ngot: %s\n' "$1" "$2" |
		sed 's/^/# /'
}

# conclude: after the last test; whether all have passed
conclude()
{
	echo "1..$count"
	[ "$failed" -eq 0 ]
}

# skip_all WHY: in the place of all tests; ends the script
skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

# says_why TEXT: `out` is empty, and `err` is one line of the command, with TEXT
# in it; by the shell alone, as hundreds of tests ask for it
says_why()
{
	[ ! -s "$dir/out" ] || return 1
	{
		IFS= read -r said && ! IFS= read -r more && [ -z "$more" ]
	} <"$dir/err" || return 1
	case $said in
	"retort: "*) ;;
	*) return 1 ;;
	esac
	case $said in
	*"$1"*) ;;
	*) return 1 ;;
	esac
}

# refused TEXT ARGUMENT...: the command ends with status 2, and says why
refused()
{
	text=$1
	shift
	timeout -k 5 120 "$retort" "$@" >"$dir/out" 2>"$dir/err" <"$input"
	status=$?
	[ $status -eq 2 ] && says_why "$text"
	report $? "refused: $* (status $status)"
}

# --- what is there ---

# have COMMAND
have()
{
	command -v "$1" >/dev/null 2>&1
}

# without NAME WHAT: a test that cannot be, since there is no WHAT: it is skipped,
# or, with RETORT_NEED_EMBED=1, a failure
without()
{
	if [ "${RETORT_NEED_EMBED:-}" = 1 ]; then
		echo "there is no $2" >"$dir/out"
		report 1 "$1"
		return
	fi
	skip "$1" "there is no $2"
}

# have_v6: whether this machine has ::1, by what the system says where it says
# it, so that a command that cannot listen there fails its tests
have_v6()
{
	if [ -e /proc/net/if_inet6 ]; then
		grep -q '^0\{31\}1 ' /proc/net/if_inet6
		return
	fi
	"$retort" -p 0 -b '[::1]' --lifetime 0 --body x >/dev/null 2>&1
}

# --- a server ---

# launch STDERR COMMAND...: in the background; `url` is the first line that it
# prints
launch()
{
	errors=$1
	shift
	rm -f "$dir/stdout"
	mkfifo "$dir/stdout"
	"$@" <"$input" >"$dir/stdout" 2>"$errors" &
	pid=$!
	url=
	# shellcheck disable=SC2034 # the scripts read it
	read -r url <"$dir/stdout"
}

# start ARG...: the command, on any port; `url` is the first of those that it
# prints
start()
{
	launch "$dir/err" "$retort" -p 0 -b 127.0.0.1 "$@"
}

# start_inspect ARG...: the same with --inspect; sets `page`, which is told soon
# after the URL
start_inspect()
{
	start --inspect "$@"
	while page=$(sed -n 's/^retort: requests are shown at //p' \
			"$dir/err") && [ -z "$page" ]; do
		kill -0 "$pid" 2>/dev/null || break
	done
}

# stop NAME: on SIGTERM, it ends well
stop()
{
	kill "$pid"
	wait "$pid"
	equal 0 $? "$1: ends well"
	pid=
}
