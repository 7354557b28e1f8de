#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The walls: a file includes headers of its own wing and of lower wings only,
# and names the wing; the command (args/ to command/) includes retort.h alone;
# llhttp is known to http.c alone; no two files of a wing call each other, as
# the linker sees it; and HACKING's map has all wings and rooms. Prints TAP.

set -u
LC_ALL=C
export LC_ALL
src=${RETORT_SRCDIR:-$(dirname "$0")/../..}/src
objects=$(dirname "${RETORT:-./retort}")/src
count=0
failed=0

# from the lowest to the highest, as HACKING has them
wings='base os tls http reply fault canned site conn scenario match route
	journal server api args job show inspect talk command'

# rank WING: sets `place`
rank()
{
	place=0
	for wing_at in $wings; do
		place=$((place + 1))
		[ "$1" != "$wing_at" ] || return 0
	done
	return 1
}
rank args
command=$place

# headers FILE: those in "" or <>, one a line
headers()
{
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]\([^">]*\)[">].*/\1/p' \
		"$1"
}

# wrong FILE WING: prints what is wrong with its includes
wrong()
{
	rank "$2" || {
		echo "$1: the wing $2 has no place: add it to tests/house/layers.sh"
		return
	}
	own=$place
	name=${1##*/}
	headers "$1" | while read -r header; do
		case $header in
		config.h | retort.h) continue ;;
		*llhttp.h)
			case $2/$name/$header in
			http/http*/http/rt_llhttp.h) ;;
			*) echo "$1: knows llhttp by $header" ;;
			esac
			continue
			;;
		esac
		wing=${header%%/*}
		if ! rank "$wing"; then
			# a header of the system, unless the wing was left out
			for ours in "$src"/*/"$header"; do
				[ ! -e "$ours" ] ||
					echo "$1: $header lacks its wing"
			done
			continue
		fi
		[ -f "$src/$header" ] || continue
		if [ "$place" -gt "$own" ]; then
			echo "$1: $header is above it"
		elif [ "$own" -ge "$command" ] && [ "$place" -lt "$command" ]; then
			echo "$1: $header, but the command sees retort.h alone"
		fi
		case $2/$wing in
		site/conn | site/scenario | conn/site | conn/scenario | \
			conn/canned | scenario/site | scenario/conn)
			echo "$1: $header, of a wing that it does not know"
			;;
		esac
		# the parts of a room are for its files alone
		part=${header#*/}
		case $part in
		*_parts.h)
			case $wing/$name in
			"$2/${part%_parts.h}".* | "$2/${part%_parts.h}"_*) ;;
			*) echo "$1: $header is another room's own" ;;
			esac
			;;
		esac
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
		failed=$((failed + 1))
	fi
}

# calls OBJECT...: "CALLER CALLEE" for what one of them needs of another
calls()
{
	"${NM:-nm}" -A -g "$@" 2>/dev/null | awk '
		{
			file = $1
			sub(/:.*/, "", file)
			sub(/.*\//, "", file)
			if (file ~ /rt_llhttp/)
				next # not ours
			kind = $(NF - 1)
			if (kind == "U")
				needs[file, $NF] = file
			else
				home[$NF] = file
		}
		END {
			for (key in needs) {
				split(key, part, SUBSEP)
				to = home[part[2]]
				if (to != "" && to != part[1])
					print part[1], to
			}
		}'
}

# circle OBJECT...: prints those that call each other
circle()
{
	calls "$@" | sort -u | tsort 2>&1 >/dev/null | sed 's/^tsort: //'
}

for file in "$src"/*.[ch] "$src"/*/*.[ch]; do
	case $file in
	*/rt_llhttp* | */src/retort.h) continue ;;
	*/src/*.[ch])
		wing=${file%/*}
		wing=${wing##*/}
		;;
	esac
	result "${file#"$src"/}" "$(wrong "$file" "$wing")"
done

# objects of -flto have no calls that nm could show
any=$(calls "$objects"/*/*.o | head -n 1)
for wing in $wings; do
	set --
	for file in "$src/$wing"/*.c; do
		# make writes those of llhttp
		case $file in */rt_llhttp*) ;; *) set -- "$@" "$file" ;; esac
	done
	[ $# -le 12 ] && many='' || many="$# files: 12 are enough for a wing"
	result "$wing/ can be taken in at a glance" "$many"

	set -- "$objects/$wing"/*.o
	if [ ! -f "$1" ]; then
		result "$wing/ was built" "no objects in $objects/$wing"
	elif [ -z "$any" ]; then
		count=$((count + 1))
		echo "ok $count - no circle in $wing/ # SKIP nm shows no calls"
	else
		result "no circle in $wing/" "$(circle "$@")"
	fi
done

# the map: its wings, one a line
map=$(sed -n '/^The map$/,/^Words$/s,^    \([a-z]*\)/ .*,\1,p' "$src/../HACKING" |
	grep -vxE 'src|man|install|tests|www')
# shellcheck disable=SC2086 # one word a line
result 'HACKING has the wings in this order' \
	"$([ "$map" = "$(printf '%s\n' $wings)" ] || echo "there:" $map)"

# its rooms: "_end" after conn_plan is conn_end
rooms=$(sed -n '/^The map$/,/^A folder /p' "$src/../HACKING" | awk '
	/^    [a-z]/ { split(substr($0, 5), wing, "/") }
	{
		count = split(substr($0, 16, 24), word, " ")
		for (i = 1; i <= count; i++) {
			if (word[i] !~ /^_/) {
				room = word[i]
				sub(/_.*/, "", room)
			} else
				word[i] = room word[i]
			print wing[1] "/" word[i]
		}
	}')
astray=$(
	for room in $rooms; do
		[ ! -d "$src/${room%/*}" ] || [ -f "$src/$room.c" ] ||
			[ -f "$src/$room.h" ] || echo "there is no $room"
	done | grep -v '[.][.][.]$'
	for header in "$src"/*/*.h; do
		room=${header#"$src"/}
		case $room in
		*_parts.h | http/rt_llhttp.h | *_page.h) continue ;;
		esac
		printf '%s\n' "$rooms" | grep -qxF "${room%.h}" ||
			echo "it lacks ${room%.h}"
	done
)
result 'HACKING has the rooms' "$astray"

# what a merge has left
result 'no conflict is left' "$(grep -nE '^(<<<<<<<|>>>>>>>) ' "$src"/*.h \
	"$src"/*/*.[ch] "$src"/man/* "$src"/../HACKING "$src"/../README.md \
	"$src"/../CHANGES "$src"/../Makefile.am)"

# each breach is found
trap 'rm -rf "$bad"' EXIT
bad=$(mktemp -d "${TMPDIR:-/tmp}/retort-layers.XXXXXX") || exit 99
expect()
{
	printf '#include "config.h"\n%s\n' "$3" >"$bad/$2"
	name="in $1/$2 refused: ${3#"#"}"
	if [ -n "$(wrong "$bad/$2" "$1")" ]; then
		result "$name" ''
	else
		result "$name" 'was allowed'
	fi
}
expect base buf.c '#include "conn/conn.h"'
expect base buf.h '# include <http/http.h>'
expect os file.c '#include "reply/reply.h"'
expect os io.c '#include "file.h"'
expect reply reply.c '#include "fault/fault.h"'
expect canned fill.c '#include "canned/canned_parts.h"'
expect conn conn.c '#include "site/site.h"'
expect conn conn.c '#include "canned/canned.h"'
expect command main.c '#include "base/buf.h"'
expect args args.h '#include "server/server.h"'
expect args args.c '#include "command/run.h"'
expect server server.c '#include "args/args.h"'
expect conn conn.c '#include "http/rt_llhttp.h"'
expect http http.c '#include <llhttp.h>'
expect util util.c '#include "base/buf.h"'
echo 'int here(void) { extern int there(void); return there(); }' >"$bad/a.c"
echo 'int there(void) { extern int here(void); return here(); }' >"$bad/b.c"
for name in a b; do
	${CC:-cc} -c -o "$bad/$name.o" "$bad/$name.c" || exit 99
done
result 'a circle is found' \
	"$([ -n "$(circle "$bad/a.o" "$bad/b.o")" ] || echo 'it was not')"
echo "1..$count"
[ "$failed" -eq 0 ]
