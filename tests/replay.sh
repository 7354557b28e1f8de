#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Replays a corpus through the whole connection: every case of requests.txt,
# as http_test writes them out. TAP.

set -eu

corpus=$(mktemp -d "${TMPDIR:-/tmp}/retort-XXXXXX")
trap 'rm -rf "$corpus"' EXIT

echo 1..2
if tests/http_test --corpus "$corpus" >&2; then
	echo 'ok 1 - http_test writes a corpus'
else
	echo 'not ok 1 - http_test wrote no corpus'
fi
if tests/fuzz_conn "$corpus"/* >&2; then
	echo 'ok 2 - each is replayed'
else
	echo "not ok 2 - fuzz_conn ended with status $?"
fi
