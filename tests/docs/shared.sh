#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One scenario for three languages: the tests of tests/docs/shared pass, and each
# fails, and says why, when its client or the scenario is another. Prints TAP.
# $RETORT is the command, in the folder of a build, where the C test is built.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
unset USERS
shared=$source/tests/docs/shared
deadline=60 # seconds, for a test

# each SCENARIO: the test of `language` with it; its status
each()
{
	case $language in
	shell) set -- "$1" "$shared/users_test.sh" ;;
	Python) set -- "$1" python3 -B -m unittest users_test ;;
	C)
		timeout -k 5 $deadline "$program" "$1" >"$dir/out" 2>&1
		return
		;;
	esac
	scenario=$1
	shift
	PYTHONPATH=$shared timeout -k 5 $deadline "$retort" run \
		--scenario "$scenario" -- "$@" >"$dir/out" 2>&1
}

# check UNMET: passes; fails when the client asks for other users; and does not
# pass, with status UNMET, when more is expected than comes
check()
{
	program=$(dirname "$retort")/tests/docs/shared/users_test
	each "$shared/users.retort"
	report $? "$language: passes"

	program=$(dirname "$retort")/tests/docs/shared/users_test_wrong
	USERS=people
	export USERS
	each "$shared/users.retort"
	status=$?
	unset USERS
	[ $status -eq 1 ] && grep -q '/people/1.*differs from' "$dir/out"
	report $? "$language: fails with another client, and says why"

	program=$(dirname "$retort")/tests/docs/shared/users_test
	each "$dir/more.retort"
	status=$?
	[ $status -eq "$1" ] &&
		grep -q 'expected exactly 3, got 2' "$dir/out"
	report $? "$language: fails when more is expected (got $status)"
}

# build: the C test, and one of a client with a mistake
build()
{
	MAKEFLAGS='' make -s -C "$(dirname "$retort")" \
		CURL_CFLAGS="$(pkg-config --cflags libcurl)" \
		CURL_LIBS="$(pkg-config --libs libcurl)" \
		tests/docs/shared/users_test tests/docs/shared/users_test_wrong \
		>"$dir/out" 2>&1
}

# the body is a file next to it
cp "$shared/ada.json" "$dir"
sed 's/^@expect 2 /@expect 3 /' "$shared/users.retort" >"$dir/more.retort"

language=shell
if have curl; then
	check 4
else
	skip shell 'there is no curl'
fi

language=Python
if have python3; then
	check 4
else
	skip Python 'there is no python3'
fi

language=C
if ! have pkg-config || ! pkg-config --exists libcurl; then
	skip C 'there is no libcurl'
elif build; then
	check 1
else
	report 1 'C: is built'
fi

conclude
