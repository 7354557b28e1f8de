#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Replays a corpus through each fuzzer: through the whole connection every case
# of requests.txt, as http_test writes them out, and through the others what they
# have themselves. TAP.

set -eu

corpus=$(mktemp -d "${TMPDIR:-/tmp}/retort-XXXXXX")
trap 'rm -rf "$corpus"' EXIT
count=0

# passes NAME COMMAND...: one test
passes()
{
	name=$1
	shift
	count=$((count + 1))
	if "$@" >&2; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name: status $?"
	fi
}

mkdir "$corpus/conn"
passes 'http_test writes a corpus' tests/unit/http_test --corpus "$corpus/conn"
passes 'fuzz_conn replays it' tests/fuzz/fuzz_conn "$corpus"/conn/*
for texts in scenario body field control; do
	fuzzer=tests/fuzz/fuzz_$texts
	mkdir "$corpus/$texts"
	passes "$fuzzer writes a corpus" "$fuzzer" --corpus "$corpus/$texts"
	passes "$fuzzer replays it" "$fuzzer" "$corpus/$texts"/*
done
echo "1..$count"
