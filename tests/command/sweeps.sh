#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Sweeps: what retort sweep says of clients whose faults are known, its exit
# status, and the table that tests/peers/sweep makes of clients that are installed;
# the others are skipped. Prints TAP. $RETORT is the command, in the folder of a
# build; $RETORT_SWEEP may name fewer clients.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
sweep=$source/tests/peers/sweep
clients=${RETORT_SWEEP:-curl wget libcurl urllib}

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

# --- clients as they are: begun, for they take their time ---

# lacks CLIENT
lacks()
{
	case $1 in
	libcurl) ! have pkg-config || ! pkg-config --exists libcurl ;;
	urllib) ! have python3 ;;
	*) ! have "$1" ;;
	esac
}

# only CLIENT: the one way to say where a body ends that it is tried with, if
# three would take too long
only()
{
	[ "$1" != urllib ] || echo Content-Length
}

# begin CLIENT: its table, in the background
begin()
{
	lacks "$1" || {
		framing=$(only "$1")
		"$sweep" ${framing:+-f "$framing"} "$1" >"$dir/$1.out" \
			2>"$dir/$1.err"
		echo $? >"$dir/$1.status"
	} &
}

# begin_tls CLIENT: the same over TLS, with the body whose end is a FIN
begin_tls()
{
	lacks "$1" || {
		"$sweep" -t -f none "$1" >"$dir/$1-tls.out" 2>"$dir/$1-tls.err"
		echo $? >"$dir/$1-tls.status"
	} &
}

# over TLS two are enough, of which one has OpenSSL and the other GnuTLS
tls_clients=
if "$retort" -V | grep -q 'TLS by'; then
	tls_clients=$(for client in $clients; do
		case $client in curl | wget) echo "$client" ;; esac
	done)
fi
for client in $clients; do
	begin "$client"
done
for client in $tls_clients; do
	begin_tls "$client"
done

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
	sweeps 0 --body good -- sh -c \
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
	sweeps 1 -s 204 -H Date: -- sh -c "$get; true"
	grep -q '^reply of [0-9]* bytes: head 0-[0-9]*$' "$dir/out"
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
refused 'sweep and ROOT exclude' sweep . -- true
refused 'sweep and --echo exclude' sweep --echo -- true
refused 'sweep and --tcp exclude' sweep --tcp -- true
refused 'sweep and --udp exclude' sweep --udp -- true
refused 'sweep and --html exclude' sweep --html -- true
refused 'not with --fault:' sweep --fault 'cut 1' -- true
refused 'not with --scenario:' sweep --scenario "$dir/input" -- true
refused 'not with --lifetime:' sweep --lifetime 5 -- true
refused 'not with --verbose:' sweep -v -- true
refused "$dir/nowhere" sweep --raw "$dir/nowhere" -- true
refused 'a TCP listener' sweep -b "unix:$dir/socket" -- true

# --- what became of those that were begun ---

# column N FRAMING: a cell of the table
column()
{
	awk -F ' [|] ' -v n="$1" -v framing="$2" '$2 == framing {
		sub(/ [|]$/, "")
		print $n
	}' "$dir/out"
}

# cell EXPECTED N FRAMING: it is that, or so many "of" all; what clients must
# get right does not depend on their version
cell()
{
	got=$(column "$2" "$3")
	[ "$got" = "$1" ] || [ "${got% of *}" = "$1" ]
	report $? "$client, $3: column $2 is $1 (got $got)"
}

# right FRAMING: a row
right()
{
	case $1 in
	Content-Length) cell 0 4 "$1" ;;
	none) cell '**26 of 26**' 4 "$1" ;;
	esac
	cell 0 5 "$1"
	cell 0 6 "$1"
	cell 0 7 "$1"
	cell yes 8 "$1"
}

# judge CLIENT: what was begun
judge()
{
	client=$1
	if lacks "$client"; then
		skip "$client" "there is no $client"
		return
	fi
	framings=$(only "$client")
	cp "$dir/$client.out" "$dir/out"
	cp "$dir/$client.err" "$dir/err"
	report "$(cat "$dir/$client.status")" "$client: there is a table"
	for framing in ${framings:-Content-Length chunked none}; do
		right "$framing"
	done
}

# judge_tls CLIENT: what it does with a FIN is its own; not with a RST
judge_tls()
{
	client=$1
	if lacks "$client"; then
		skip "$client over TLS" "there is no $client"
		return
	fi
	cp "$dir/$client-tls.out" "$dir/out"
	cp "$dir/$client-tls.err" "$dir/err"
	client="$client over TLS"
	report "$(cat "$dir/$1-tls.status")" "$client: there is a table"
	cell '**26 of 26**' 4 none
	for column in 7 8 10 11; do
		cell 0 $column none
	done
	cell yes 12 none
}

wait
for client in $clients; do
	judge "$client"
done
for client in $tls_clients; do
	judge_tls "$client"
done

conclude
