#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A shell test of a client that is curl. Run it by
#
#	retort run --scenario users.retort -- ./users_test.sh

set -u
users=${USERS:-users}
failed=0

# fetch NUMBER
fetch()
{
	curl -sf --max-time 10 "$RETORT_URL$users/$1"
}

# create NAME: tries again while the service is busy
create()
{
	curl -sf --max-time 10 --retry 2 --retry-delay 1 \
		-H 'Content-Type: application/json' \
		-d "{\"name\":\"$1\"}" "$RETORT_URL$users"
}

# equal EXPECTED GOT NAME
equal()
{
	[ "$1" = "$2" ] && return
	failed=1
	echo "$3: expected $1, got $2"
}

equal '{"id":1,"name":"Ada"}' "$(fetch 1)" 'fetches'
! fetch 2 >/dev/null
equal 0 $? 'sees a reply that is cut off by a reset'
! fetch 3 >/dev/null
equal 0 $? 'sees a reply that ends too early'
equal '{"id":4,"name":"Barbara"}' "$(fetch 4)" 'puts bytes together'
equal '{"id":7,"name":"Bob"}' "$(create Bob)" 'tries again'
exit $failed
