#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The clients of tutorial/, as socket tutorials have them, against $RETORT.
# Prints TAP; skipped where there is no python3.

set -u
LC_ALL=C
export LC_ALL
unset LISTEN_FDS LISTEN_PID
retort=${RETORT:-./retort}
clients=${RETORT_SRCDIR:-.}/tests/tutorial
count=0
failed=0
pid=

if ! python3 -c 'import socket, sys; sys.exit(sys.version_info < (3, 8))' \
	2>/dev/null; then
	echo '1..0 # SKIP there is no python3 of 3.8 or later'
	exit 0
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/retort-tutorial.XXXXXX") || exit 1
trap 'test -z "$pid" || kill "$pid"; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

# equal EXPECTED GOT NAME: one test
equal()
{
	count=$((count + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $count - $3"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $count - $3"
	printf 'expected: %s\ngot: %s\n' "$1" "$2" | sed 's/^/# /'
	sed 's/^/# stderr: /' "$dir/err"
}

# start ADDRESS ARG...: on any of its ports; sets `port`
start()
{
	address=$1
	shift
	mkfifo "$dir/stdout"
	"$retort" --lifetime 60 -p 0 -b "$address" "$@" </dev/null \
		>"$dir/stdout" 2>"$dir/err" &
	pid=$!
	url=
	read -r url <"$dir/stdout"
	rm "$dir/stdout"
	port=${url##*:}
	port=${port%/}
}

# stop NAME: on SIGTERM, it ends well
stop()
{
	kill "$pid"
	wait "$pid"
	equal 0 $? "$1: ends well"
	pid=
}

# client NAME ARG...: what it prints
client()
{
	name=$1
	shift
	python3 "$clients/$name" "$address" "$port" "$@" 2>>"$dir/err"
}

addresses=127.0.0.1
if "$retort" -p 0 -b ::1 --lifetime 0 --body x >/dev/null 2>&1; then
	addresses='127.0.0.1 ::1'
fi

long=$(printf '%050000d' 0)
for address in $addresses; do
	start "$address" --tcp --echo
	equal 'Received: Hello, world' "$(client echo_client.py)" \
		"$address: TCP echo"
	equal "Received: $long" "$(client echo_client.py "$long")" \
		"$address: TCP echo of 50,000 bytes"
	stop "$address: TCP echo"

	start "$address" --tcp --answer OK --idle 2
	equal 'Answer: OK
Answer: OK
Answer: OK
The server closed the connection' "$(client ok_client.py)" \
		"$address: OK, and the end of who is silent"
	stop "$address: OK"

	start "$address" --udp --echo
	equal "Received from port $port: Hello, world" \
		"$(client udp_client.py)" "$address: UDP echo"
	equal "Received from port $port: one
Received from port $port: 
Received from port $port: $long" "$(client udp_client.py one '' "$long")" \
		"$address: UDP echo of several"
	stop "$address: UDP echo"

	start "$address" --udp --answer OK
	equal "Received from port $port: OK
Received from port $port: OK" "$(client udp_client.py one two)" \
		"$address: UDP answer"
	stop "$address: UDP answer"

	start "$address" --body 'a page
'
	equal 'HTTP/1.1 200 OK
a page' "$(client web_client.py)" "$address: web"
	stop "$address: web"
done

echo "1..$count"
[ "$failed" -eq 0 ]
