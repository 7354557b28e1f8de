#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One scenario for three languages: the tests of tests/shared pass, and each
# fails, and says why, when its client or the scenario is another. Prints TAP.
# $RETORT is the command, in the folder of a build, where the C test is built.

set -u
LC_ALL=C
export LC_ALL
unset LISTEN_FDS LISTEN_PID USERS
# an http_proxy is not for this machine
no_proxy='*'
export no_proxy
shared=${RETORT_SRCDIR:-$(dirname "$0")/..}/tests/shared
retort=${RETORT:-./retort}
deadline=60 # seconds, for a test
count=0
failed=0

work=$(mktemp -d "${TMPDIR:-/tmp}/retort-shared.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# report STATUS NAME: one test; on failure, what is in the file `out`
report()
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $count - $2"
	sed 's/^/# /' "$work/out"
}

# skip NAME WHAT
skip()
{
	count=$((count + 1))
	echo "ok $count - $1 # SKIP there is no $2"
}

have()
{
	command -v "$1" >/dev/null 2>&1
}

# each SCENARIO: the test of `language` with it; its status
each()
{
	case $language in
	shell) set -- "$1" "$shared/users_test.sh" ;;
	Python) set -- "$1" python3 -B -m unittest users_test ;;
	C)
		timeout -k 5 $deadline "$program" "$1" >"$work/out" 2>&1
		return
		;;
	esac
	scenario=$1
	shift
	PYTHONPATH=$shared timeout -k 5 $deadline "$retort" run \
		--scenario "$scenario" -- "$@" >"$work/out" 2>&1
}

# check UNMET: passes; fails when the client asks for other users; and does not
# pass, with status UNMET, when more is expected than comes
check()
{
	program=$(dirname "$retort")/tests/shared/users_test
	each "$shared/users.retort"
	report $? "$language: passes"

	program=$(dirname "$retort")/tests/shared/users_test_wrong
	USERS=people
	export USERS
	each "$shared/users.retort"
	status=$?
	unset USERS
	[ $status -eq 1 ] && grep -q '/people/1.*differs from' "$work/out"
	report $? "$language: fails with another client, and says why"

	program=$(dirname "$retort")/tests/shared/users_test
	each "$work/more.retort"
	status=$?
	[ $status -eq "$1" ] &&
		grep -q 'expected exactly 3, came 2' "$work/out"
	report $? "$language: fails when more is expected (got $status)"
}

# build: the C test, and one of a client with a mistake
build()
{
	MAKEFLAGS='' make -s -C "$(dirname "$retort")" \
		CURL_CFLAGS="$(pkg-config --cflags libcurl)" \
		CURL_LIBS="$(pkg-config --libs libcurl)" \
		tests/shared/users_test tests/shared/users_test_wrong \
		>"$work/out" 2>&1
}

# the body lies beside it
cp "$shared/ada.json" "$work"
sed 's/^@expect 2 /@expect 3 /' "$shared/users.retort" >"$work/more.retort"

language=shell
if have curl; then
	check 4
else
	skip shell curl
fi

language=Python
if have python3; then
	check 4
else
	skip Python python3
fi

language=C
if ! have pkg-config || ! pkg-config --exists libcurl; then
	skip C libcurl
elif build; then
	check 1
else
	report 1 'C: is built'
fi

echo "1..$count"
[ "$failed" -eq 0 ]
