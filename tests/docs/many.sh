#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Many at once: the eight retorts of tests/docs/many behind HAProxy, and how what
# each counts and expects adds up. Prints TAP. $RETORT is the command.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
many=$source/tests/docs/many

have haproxy || skip_all 'there is no haproxy'
have curl || skip_all 'there is no curl'
RETORT=$retort
export RETORT
mkfifo "$dir/said"

# fails NAME AT SCENARIO TEXT: they do not begin, say why, and leave nothing
fails()
{
	timeout 60 "$many/many" "$2" "$3" "$dir/many" >"$dir/out" 2>"$dir/err"
	equal "1 " "$? $(cat "$dir/out")" "$1: the exit status"
	grep -qF "$4" "$dir/err"
	report $? "$1: says '$4'"
	equal '' "$(find "$dir/many" -name 'sock.*' -o -name url)" \
		"$1: nothing is left"
}

# begin: until they listen
begin()
{
	"$many/many" "unix@$dir/many/front" "$many/many.retort" \
		"$dir/many" >"$dir/said" 2>"$dir/err" &
	pid=$!
	exec 3<"$dir/said"
	read -r at <&3
	equal "unix@$dir/many/front" "$at" 'they listen'
}

# ask ARGUMENT...: what curl prints of the statuses, and how often
ask()
{
	curl -sS --max-time 30 --unix-socket "$dir/many/front" -o "$dir/page" \
		-w '%{http_code}\n' "$@" 2>>"$dir/err" | sort | uniq -c |
		awk '{ printf "%s%d times %d", sep, $1, $2; sep = ", " }'
}

# end STATUS
end()
{
	kill "$pid"
	cat <&3 >"$dir/out"
	exec 3<&-
	wait "$pid"
	equal "$1" $? "their exit status is $1"
	pid=
}

printf '@on\n@fault cut 0 reset\nHTTP/1.1 200 OK\n' >"$dir/reset"
fails 'a scenario that cannot be' "unix@$dir/front" "$dir/reset" \
	'a Unix socket cannot be reset'
fails 'nowhere to listen' "unix@$dir/none/front" "$many/many.retort" \
	'cannot bind'
# it is all the same to the next one, and to that after it
begin
equal '40 times 200' "$(ask 'http://localhost/users/[1-40]')" 'requests'
equal '16 times 200, 8 times 503' "$(ask 'http://localhost/busy?[1-24]')" \
	'each counts for itself'
end 0
equal 'all: 64' "$(tail -n 1 "$dir/out")" 'the sum of all logs'
equal 8 "$(grep -c '^[1-8]: [1-9]' "$dir/out")" 'each had some of them'
equal 64 "$(find "$dir/many" -path '*/[1-8]/*.txt' | wc -l)" \
	'transcripts, apart from each other'

begin
equal '1 times 501' "$(ask -X DELETE http://localhost/users/1)" \
	'what must never come'
end 4
equal 1 "$(grep -l 'not as expected' "$dir"/many/*.log | wc -l)" \
	'it came to one of them'
conclude
