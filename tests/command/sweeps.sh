#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Sweeps: what retort sweep says of clients whose faults are known, and its exit
# status. Prints TAP. $RETORT is the command.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

# sweeps STATUS ARGUMENT...: retort sweep ends so; its report is in `out`
sweeps()
{
	expected=$1
	shift
	"$retort" sweep "$@" >"$dir/out" 2>"$dir/err" <"$dir/input"
	status=$?
	[ $status -eq "$expected" ]
	report $? "$name: status $expected (got $status)"
}

# is FILE NAME: the output is that
is()
{
	diff "$1" "$dir/out" >"$dir/err" 2>&1
	report $? "$2"
}

# --- clients whose faults are known ---

echo 'not for clients' >"$dir/input"
printf 'abc' >"$dir/raw"

name='a client that does not connect'
sweeps 125 --raw "$dir/raw" -- true
grep -q '^retort: the whole reply: the client did not connect to {url}' "$dir/err"
report $? "$name: is told"

if have curl; then
	# its standard output is not part of the report
	get="curl -s --http0.9 --max-time 10 \"\$RETORT_URL\""

	name='a client that is never content'
	sweeps 1 --raw "$dir/raw" -- sh -c "$get; false"
	cat >"$dir/expected" <<-'TEXT'
		reply of 3 bytes
		whole                   1  taken for failure
		nothing else was tried
	TEXT
	is "$dir/expected" "$name: report"

	name='a client that is always content'
	sweeps 1 --raw "$dir/raw" -- sh -c "$get; true"
	cat >"$dir/expected" <<-'TEXT'
		reply of 3 bytes
		whole                   1  taken for success
		cut N fin               3  taken for success: 0-2
		cut N reset             3  taken for success: 0-2
		split N; gap 20         2  taken for failure: none
		each 1                  1  taken for success
	TEXT
	is "$dir/expected" "$name: report"

	name='input and output'
	sweeps 1 --raw "$dir/raw" -- sh -c "$get; test -z \"\$(cat)\" && echo hello"
	is "$dir/expected" 'COMMAND reads nothing, and its output is not the report'

	name='a client that knows what comes'
	# shellcheck disable=SC2016 # of that shell
	sweeps 0 --body good -H Date: -H Content-Type: -- sh -c \
		'test "$(curl -sf --max-time 10 {url})" = good'
	grep -c 'for success: none$' "$dir/out" >"$dir/err"
	[ "$(cat "$dir/err")" -eq 2 ] &&
		grep -q '^whole .*for success$' "$dir/out" &&
		grep -q '^split .* failure: none$' "$dir/out" &&
		grep -q '^each 1 .*for success$' "$dir/out"
	report $? "$name: report"

	name='a client that keeps its connection'
	# it asks again where there was no second reply, and gets no other
	# shellcheck disable=SC2016 # of that shell
	sweeps 0 --keep-alive --body ab -H Date: -H Content-Type: -- sh -c \
		'test "$(curl -sf --max-time 10 {url} {url})" = abab'
	grep -q '^reply .*, the second on its connection$' "$dir/out" &&
		grep -c 'for success: none$' "$dir/out" >"$dir/err"
	report $? "$name: report"

	name='a client that asks once'
	sweeps 125 --keep-alive --body good -- curl -sf '{url}'
	grep -q '^retort: the whole reply: the client did not make a second' \
		"$dir/err"
	report $? "$name: is told"

	name='a client that takes what it gets'
	# by its own words; of three bytes, what comes before a FIN is lost
	# neither to it nor to us
	# shellcheck disable=SC2016 # of that shell
	sweeps 1 --raw "$dir/raw" -- sh -c \
		'got=$(curl -s --http0.9 --max-time 10 {url}) &&
			case $got in (ab*) ;; (*) false ;; esac'
	grep -q '^cut N fin  *3  taken for success: 2$' "$dir/out"
	report $? "$name: the cut before the last byte"

	name='a client that crashes at one point'
	# shellcheck disable=SC2016 # of that shell
	sweeps 1 --raw "$dir/raw" -- sh -c \
		'got=$(curl -s --http0.9 --max-time 10 {url}) || exit 1
			[ "$got" != ab ] || kill -ABRT $$
			[ "$got" = abc ]'
	grep -q '^cut N fin  *3  taken for success: none$' "$dir/out" &&
		grep -q '^retort: cut 2 fin: COMMAND was ended by signal 6$' \
			"$dir/err"
	report $? "$name: is told, with the fault"

	name='exit statuses that look like signals'
	# shellcheck disable=SC2016 # of that shell
	sweeps 0 -q --raw "$dir/raw" -- sh -c \
		'case $(curl -s --http0.9 --max-time 10 {url}) in
			(abc) ;; (ab) exit 126 ;; (a) exit 127 ;; (*) exit 255
		esac'
	[ ! -s "$dir/err" ] && grep -q '^cut N fin .* none$' "$dir/out"
	report $? "$name: are failures, and no more"

	name='the whole reply taken for a failure'
	sweeps 1 --raw "$dir/raw" -- sh -c "$get; exit 3"
	grep -q '^retort: the whole reply: COMMAND ended with status 3$' \
		"$dir/err"
	report $? "$name: the status is told"

	name='a reply without a body'
	sweeps 1 -s 204 -H Date: --at 0,20 -- sh -c "$get; true"
	grep -q '^reply of 46 bytes: head 0-45; 2 tried, 0,20$' "$dir/out"
	report $? "$name: report"
else
	skip 'clients that connect' 'there is no curl'
fi

# --- what cannot be swept ---

name='no such command'
sweeps 127 -- "$dir/nowhere"
name='no program'
sweeps 126 -- "$dir/input"

refused '-- COMMAND' sweep
refused '-- COMMAND' sweep --
refused '-- COMMAND' sweep true
refused 'records: expected a server with TLS' sweep --at records -- true
refused 'sweep: not with ROOT: it takes' sweep . -- true
refused 'sweep: not with --echo: it takes' sweep --echo -- true
refused 'sweep: not with --tcp: it takes' sweep --tcp -- true
refused 'sweep: not with --udp: it takes' sweep --udp -- true
refused 'sweep: not with --html: it takes' sweep --html -- true
refused 'not with --fault:' sweep --fault 'cut 1' -- true
refused 'not with --scenario:' sweep --scenario "$dir/input" -- true
refused 'not with --lifetime:' sweep --lifetime 5 -- true
refused 'not with --verbose:' sweep -v -- true
refused "$dir/nowhere" sweep --raw "$dir/nowhere" -- true
refused 'a TCP listener' sweep -b "unix:$dir/socket" -- true

conclude
