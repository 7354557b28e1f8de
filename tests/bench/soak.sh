#!/bin/sh
# SPDX-License-Identifier: MIT
#
# soak.sh [REQUESTS]: so many requests, 10000000 unless it says otherwise, to one
# server, and what it holds after each part: memory and descriptors must not
# grow. Nine of ten come on kept connections, to a file and to a canned reply of
# a scenario in turn; the tenth has a connection for each request. Everything
# stays on 127.0.0.1.
#
#	RETORT=./retort tests/bench/soak.sh

set -eu
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
retort=${RETORT:-./retort}
requests=${1:-10000000}
parts=20
# what the allocator and the cache of files may add: KiB
slack=512

die()
{
	printf 'soak.sh: %s\n' "$*" >&2
	exit 1
}

dir=$(mktemp -d "${TMPDIR:-/tmp}/retort-soak.XXXXXX")
pid=
trap 'test -z "$pid" || kill "$pid"; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

# shellcheck disable=SC2086 # options
"${CC:-cc}" ${CFLAGS:--O2} -o "$dir/load" "$here/load.c" "$here/common.c"

mkdir "$dir/site"
printf hello >"$dir/site/file"
printf '@on GET /canned\nHTTP/1.1 200 OK\n\nhello\n' >"$dir/scenario"
mkfifo "$dir/url"
"$retort" -p 0 -b 127.0.0.1 --keep-alive --log none \
	--scenario "$dir/scenario" "$dir/site" >"$dir/url" &
pid=$!
read -r url <"$dir/url"

# load PATH REQUESTS OPTION...
load()
{
	path=$1 count=$2
	shift 2
	"$dir/load" "$url$path" -n "$count" -d 60 -c 16 \
		-e "$dir/site/file" "$@" >"$dir/out" ||
		die "$(cat "$dir/out")"
	grep -q "^requests=$count " "$dir/out" ||
		die "not all in 60 s: $(cat "$dir/out")"
}

# held: KiB of memory of its own, and descriptors
held()
{
	memory=$(awk '/^RssAnon:/ { print $2 }' "/proc/$pid/status")
	descriptors=$(find "/proc/$pid/fd" -mindepth 1 | wc -l)
}

size=$((requests / parts))
begun=$(date +%s)
for part in $(seq $parts); do
	path=canned
	[ $((part % 2)) -eq 0 ] || path="file"
	load "$path" $((size - size / 10)) -K
	load "$path" $((size / 10))
	held
	# all is there that the first two parts need
	if [ "$part" -le 2 ]; then
		first=$memory first_descriptors=$descriptors
	fi
	printf '%9d requests: %6d KiB, %d descriptors, %d s\n' \
		$((part * size)) "$memory" "$descriptors" \
		$(($(date +%s) - begun))
done
[ "$descriptors" -eq "$first_descriptors" ] ||
	die "descriptors: $first_descriptors, then $descriptors"
[ "$memory" -le $((first + slack)) ] ||
	die "memory: $first KiB, then $memory KiB"
