#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The clients of tutorial/, as socket tutorials have them, against $RETORT.
# Prints TAP; skipped where there is no python3.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
clients=$source/tests/docs/tutorial

if ! python3 -c 'import socket, sys; sys.exit(sys.version_info < (3, 8))' \
	2>/dev/null; then
	skip_all 'there is no python3 of 3.8 or later'
fi

# listen ADDRESS ARG...: start() at one address; sets `port`, too
listen()
{
	address=$1
	shift
	launch "$dir/err" "$retort" --lifetime 60 -p 0 -b "$address" "$@"
	port=${url##*:}
	port=${port%/}
}

# client NAME ARG...: what it prints
client()
{
	name=$1
	shift
	python3 "$clients/$name" "$address" "$port" "$@" 2>>"$dir/err"
}

addresses=127.0.0.1
if have_v6; then
	addresses='127.0.0.1 ::1'
fi

long=$(printf '%050000d' 0)
for address in $addresses; do
	listen "$address" --tcp --echo
	equal 'Received: Hello, world' "$(client echo_client.py)" \
		"$address: TCP echo"
	equal "Received: $long" "$(client echo_client.py "$long")" \
		"$address: TCP echo of 50,000 bytes"
	stop "$address: TCP echo"

	listen "$address" --tcp --body OK --timeout idle=2
	equal 'Answer: OK
Answer: OK
Answer: OK
The server closed the connection' "$(client ok_client.py)" \
		"$address: OK, and the end of who is silent"
	stop "$address: OK"

	listen "$address" --udp --echo
	equal "Received from port $port: Hello, world" \
		"$(client udp_client.py)" "$address: UDP echo"
	equal "Received from port $port: one
Received from port $port: 
Received from port $port: $long" "$(client udp_client.py one '' "$long")" \
		"$address: UDP echo of several"
	stop "$address: UDP echo"

	listen "$address" --udp --body OK
	equal "Received from port $port: OK
Received from port $port: OK" "$(client udp_client.py one two)" \
		"$address: UDP answer"
	stop "$address: UDP answer"

	listen "$address" --body 'a page
'
	equal 'HTTP/1.1 200 OK
a page' "$(client web_client.py)" "$address: web"
	stop "$address: web"
done

conclude
