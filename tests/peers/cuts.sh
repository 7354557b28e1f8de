#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The table that tests/peers/sweep makes of clients that are installed; the others
# are skipped. Prints TAP. $RETORT is the command, in the folder of a build.
# $RETORT_SWEEP may name other clients: urllib, which starts so slowly that it
# takes more time than the rest.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
sweep=$source/tests/peers/sweep
clients=${RETORT_SWEEP:-curl wget libcurl}

# --- their tables: begun, for they take their time ---

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

# --- what became of them ---

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
