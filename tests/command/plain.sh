#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The five servers of plain sockets, each one command line, as nc and socat
# have them: TCP echo, TCP that answers, TCP whose answers are typed, UDP echo,
# UDP that answers; by IPv4, IPv6 and Unix sockets. Prints TAP. $RETORT is the
# command; what needs nc (of OpenBSD) or socat is skipped where it is missing.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
patience=20 # seconds that a client may take

# listen WHERE ARG...: start() at one address; sets `host`, `port`, `path`, too
listen()
{
	case $1 in
	v4) set -- -b 127.0.0.1:0 "$@" ;;
	v6) set -- -b '[::1]:0' "$@" ;;
	unix) set -- -b "unix:$dir/socket" "$@" ;;
	esac
	bind=$2
	shift 3
	launch "$dir/err" "$retort" --lifetime 120 -b "$bind" "$@"
	path=$dir/socket
	host=127.0.0.1
	case $url in
	*'[::1]'*) host=::1 ;;
	esac
	port=${url##*:}
}

# ended NAME: it ends by itself, and well
ended()
{
	wait "$pid"
	equal 0 $? "$1: ends by itself"
	pid=
}

# stream CLIENT: standard input there, what comes back up to the end
stream()
{
	case $1:$url in
	nc:unix:*) nc -N -w "$patience" -U "$path" ;;
	nc:*) nc -N -w "$patience" "$host" "$port" ;;
	socat:unix:*) socat -t "$patience" - "UNIX-CONNECT:$path" ;;
	socat:*'[::1]'*) socat -t "$patience" - "TCP6:[::1]:$port" ;;
	socat:*) socat -t "$patience" - "TCP4:127.0.0.1:$port" ;;
	esac 2>>"$dir/out"
}

# datagram CLIENT SIZE: standard input as one, and the one of SIZE bytes that
# comes back
datagram()
{
	rm -f "$dir/own"
	case $1:$url in
	nc:unix:*) nc -W 1 -w "$patience" -u -U -s "$dir/own" "$path" ;;
	nc:*) nc -W 1 -w "$patience" -u "$host" "$port" ;;
	socat:unix:*) to="UNIX-CONNECT:$path,type=2,bind=$dir/own" ;;
	socat:*'[::1]'*) to="UDP6:[::1]:$port" ;;
	socat:*) to="UDP4:127.0.0.1:$port" ;;
	esac 2>>"$dir/out"
	[ "$1" != socat ] || socat -b 65536 -t "$patience" - \
		"$to,readbytes=$2" 2>>"$dir/out"
}

# missing CLIENT: why its tests are skipped, or nothing
missing()
{
	if ! have "$1"; then
		echo "there is no $1"
	elif [ "$1" = nc ] && ! nc -h 2>&1 | grep -q '^OpenBSD'; then
		echo 'nc is not that of OpenBSD'
	fi
}

# each WHERE CLIENT: the five servers
each()
{
	where=$1 by=$2
	name="$1, $2"
	: >"$dir/out"

	printf '@accepted\n@raw "hello\\n"\n' >"$dir/hello"
	listen "$where" --tcp --echo
	equal 'hello' "$(echo hello | stream "$by")" "$name: TCP echo"
	stream "$by" <"$dir/big" >"$dir/got"
	cmp "$dir/got" "$dir/big" >>"$dir/out" 2>&1
	report $? "$name: TCP echo of 1 MiB"
	equal '' "$(stream "$by" </dev/null)" "$name: TCP echo of nothing"
	stop "$name: TCP echo"

	listen "$where" --tcp --lines --body 'OK
'
	equal 'OK
OK
OK' "$(printf 'one\ntwo\nth' | stream "$by")" "$name: TCP answers to lines"
	stop "$name: TCP answers to lines"

	listen "$where" --tcp --body 'OK
' --scenario "$dir/hello"
	equal 'hello
OK' "$(echo x | stream "$by")" "$name: TCP answer, and greeting"
	stop "$name: TCP answer"

	input=$dir/typed
	listen "$where" --tcp --prompt -q
	input=/dev/null
	equal one "$(echo x | stream "$by")" "$name: typed"
	equal two "$(echo x | stream "$by")" "$name: typed, the next"
	equal three "$(echo x | stream "$by")" "$name: typed, the last"
	ended "$name: typed"

	listen "$where" --udp --echo
	equal hello "$(echo hello | datagram "$by" 6)" "$name: UDP echo"
	equal "$long" "$(echo "$long" | datagram "$by" 9000)" \
		"$name: UDP echo of 9,000 bytes"
	stop "$name: UDP echo"

	listen "$where" --udp --body OK
	equal OK "$(echo hello | datagram "$by" 2)" "$name: UDP answer"
	stop "$name: UDP answer"
	equal '' "$(cat "$dir/out")" "$name: no complaints"
}

# silent CLIENT: one that keeps its side open, until the server closes
silent()
{
	# it says its byte before that is over: so long it must be
	for idle in 0.5 2 8 30; do
		silent_for $idle "$1"
		[ "$got" != OK ] || break
	done
	equal OK "$got" "$1: silence is ended"
	grep -q '(timed out)$' "$dir/err"
	report $? "$1: silence is logged"
}

# silent_for TIME CLIENT: sets got
silent_for()
{
	: >"$dir/out"
	listen v4 --tcp --body OK --timeout "idle=$1"
	mkfifo "$dir/quiet"
	# holds it open for writing as long as the client lives
	exec 3<>"$dir/quiet"
	printf x >&3
	# it waits for its input after the end: not for long
	patience=2
	got=$(stream "$2" <"$dir/quiet" 3>&-)
	patience=20
	exec 3>&-
	rm "$dir/quiet"
	stop "$2: silence"
}

awk 'BEGIN { for (i = 0; i < 131072; i++) printf "%07d\n", i }' >"$dir/big"
printf 'one\ntwo\nthree' >"$dir/typed"
long=$(printf '%08999d' 0)

families='v4 unix'
if have_v6; then
	families='v4 v6 unix'
else
	skip v6 'this machine has no ::1'
fi
for client in nc socat; do
	why=$(missing "$client")
	for family in $families; do
		if [ -n "$why" ]; then
			skip "$family, $client" "$why"
		else
			each "$family" "$client"
		fi
	done
	if [ -n "$why" ]; then
		skip "$client: silence is ended" "$why"
	else
		silent "$client"
	fi
done

conclude
