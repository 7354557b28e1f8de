#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Replays a corpus through the whole connection: every case of requests.txt,
# as http_test writes them out; one through the readers of scenarios and faults;
# and one through the readers of bodies. TAP.

set -eu

corpus=$(mktemp -d "${TMPDIR:-/tmp}/retort-XXXXXX")
trap 'rm -rf "$corpus"' EXIT

echo 1..6
if tests/unit/http_test --corpus "$corpus" >&2; then
	echo 'ok 1 - http_test writes a corpus'
else
	echo 'not ok 1 - http_test wrote no corpus'
fi
if tests/fuzz/fuzz_conn "$corpus"/* >&2; then
	echo 'ok 2 - each is replayed'
else
	echo "not ok 2 - fuzz_conn ended with status $?"
fi

mkdir "$corpus/texts"
if tests/fuzz/fuzz_scenario --corpus "$corpus/texts" >&2; then
	echo 'ok 3 - fuzz_scenario writes a corpus'
else
	echo 'not ok 3 - fuzz_scenario wrote no corpus'
fi
if tests/fuzz/fuzz_scenario "$corpus"/texts/* >&2; then
	echo 'ok 4 - each is replayed'
else
	echo "not ok 4 - fuzz_scenario ended with status $?"
fi

mkdir "$corpus/bodies"
if tests/fuzz/fuzz_body --corpus "$corpus/bodies" >&2; then
	echo 'ok 5 - fuzz_body writes a corpus'
else
	echo 'not ok 5 - fuzz_body wrote no corpus'
fi
if tests/fuzz/fuzz_body "$corpus"/bodies/* >&2; then
	echo 'ok 6 - each is replayed'
else
	echo "not ok 6 - fuzz_body ended with status $?"
fi
