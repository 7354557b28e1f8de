#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A room includes headers of its own and of earlier rooms only; the command
# (main, announce, setup and so on: see `command`) includes retort.h alone. Prints TAP.

set -u
LC_ALL=C
export LC_ALL
src=${RETORT_SRCDIR:-$(dirname "$0")/../..}/src
count=0

# from first to last, as HACKING has them
rooms='retort error buf owner sock io http file type date range precondition negotiate
	listing field match quote reply fault chaos canned site route conn
	journal verdict scenario server api'
command='main announce setup signals run child family terminal watch typed args output sink transcript clock'

# rank ROOM
rank()
{
	place=0
	for room_at in $rooms; do
		place=$((place + 1))
		[ "$1" != "$room_at" ] || break
		room_at=
	done
	case " $command " in
	*" $1 "*) echo 99 ;;
	*) [ -n "$room_at" ] && echo "$place" ;;
	esac
}

# wrong FILE: prints what is wrong with its includes
wrong()
{
	room=$(basename "$1")
	room=${room%.[ch]}
	case $room in
	retort_*) room=api ;;
	*_*) room=${room%%_*} ;;                # io_epoll is of the room io
	retort) case $1 in *.c) room=api ;; esac ;; # retort.h comes first
	esac
	own=$(rank "$room") || {
		echo "$1: a room without a place: add it to tests/house/layers.sh"
		return
	}
	# system headers stand in <>, ours in "", which config.h has too
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]\([^">]*\)[">].*/\1/p' \
		"$1" | while read -r header; do
		case $header in
		config.h) continue ;;
		rt_llhttp.h | llhttp.h | */llhttp.h)
			[ "$room.$header" = http.rt_llhttp.h ] ||
				echo "$1: knows llhttp by $header"
			continue
			;;
		retort.h) continue ;;
		esac
		name=${header%.h}
		case $name in
		*_parts) # of a room with several files, for these alone
			name=${name%_parts}
			[ "$header" != retort_parts.h ] || name=api
			[ "$name" = "$room" ] || echo "$1: includes $header"
			;;
		esac
		[ -f "$src/$header" ] || [ -f "$(dirname "$1")/$header" ] ||
			continue
		its=$(rank "$name") || {
			echo "$1: $header is of no room"
			continue
		}
		# the command is the proof that retort.h is enough
		if [ "$its" -gt "$own" ] ||
			{ [ "$own" -eq 99 ] && [ "$its" -lt 99 ]; }; then
			echo "$1: includes $header"
		fi
	done
}

# result NAME PROBLEMS
result()
{
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		printf '%s\n' "$2" | sed 's/^/# /'
		echo "not ok $count - $1"
	fi
}

for file in "$src"/*.[ch]; do
	case $file in
	*/rt_llhttp*) continue ;; # made by make
	esac
	result "$(basename "$file")" "$(wrong "$file")"
done

# what must be found is found
trap 'rm -rf "$bad"' EXIT
bad=$(mktemp -d "${TMPDIR:-/tmp}/retort-layers.XXXXXX") || exit 99
expect()
{
	printf '#include "config.h"\n%s\n' "$2" >"$bad/$1"
	name="in $1 refused: ${2#"#"}"
	if [ -n "$(wrong "$bad/$1")" ]; then
		result "$name" ''
	else
		result "$name" 'was allowed'
	fi
}
expect buf.c '#include "conn.h"'
expect buf.h '# include <http.h>'
expect file.c '#include "reply.h"'
expect main.c '#include "buf.h"'
expect args.h '#include "server.h"'
expect server.c '#include "args.h"'
expect conn.c '#include "rt_llhttp.h"'
expect http.c '#include <llhttp.h>'
expect util.c '#include "buf.h"'
echo "1..$count"
