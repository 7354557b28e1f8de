#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fresh.sh [--cache DIR] bookworm|trixie [TARGET...]
#
# The README's two commands on a fresh Debian: makes a chroot with debootstrap,
# clones this repository into it, runs `./bootstrap TARGET...` (check), then
# `./bootstrap serve`, fetches both URLs, compares, and stops the server with
# SIGTERM. Needs root and debootstrap. What is committed is what is tested.
#
# --cache DIR keeps the packages of the base system there for the next time.
# Not part of CI.

set -eu

# shellcheck source=tests/support/chroot.sh
. "$(dirname "$0")/../support/chroot.sh"

usage()
{
	echo 'usage: fresh.sh [--cache DIR] bookworm|trixie [TARGET...]' >&2
	exit 2
}

apart "$0" "$@"
choose "$@"
shift "$chosen"
[ $# -gt 0 ] || set -- check

make_root "$suite"
furnish "$root"

echo '== git clone'
git -c safe.directory='*' clone -q --no-local "$source" "$root/root/retort"

echo "== ./bootstrap $*"
enter /root/retort/bootstrap "$@" </dev/null

echo '== ./bootstrap serve'
# not through a function: $! must be the server itself
chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	/root/retort/bootstrap serve \
	</dev/null >"$base/urls" 2>"$base/serve.log" &
server=$!
tries=0
until grep -q '^http://localhost:8080/$' "$base/urls"; do
	tries=$((tries + 1))
	if [ "$tries" -gt 600 ] || ! kill -0 "$server" 2>/dev/null; then
		cat "$base/urls" "$base/serve.log" >&2
		die 'no URL from ./bootstrap serve'
	fi
	sleep 0.1
done
enter sh -c 'command -v curl >/dev/null || {
	apt-get -qq update && apt-get -qq install -y --no-install-recommends curl
} >/dev/null 2>&1'
for url in http://localhost:8080/ http://127.0.0.1:8080/ \
	'http://[::1]:8080/'; do
	enter curl -gsS --fail --max-time 10 "$url" >"$base/page"
	cmp "$base/page" "$source/www/index.html" ||
		die "$url is not www/index.html"
	echo "   $url"
done
kill -TERM "$server"
status=0
wait "$server" || status=$?
server=
[ "$status" -eq 0 ] || {
	cat "$base/serve.log" >&2
	die "the server ended with $status"
}
echo "== $suite passed"
