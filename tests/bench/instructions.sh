#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Counts the instructions of a few whole cases (instructions.c) and compares
# them with instructions.txt, so that nobody loses what was gained. A count, not
# a time: it is the same on a machine that is busy.
#
#	BUILT=. CC=gcc CFLAGS='-O2 -g' tests/bench/instructions.sh
#
# BUILT is the folder with the library, as CC and CFLAGS have made it. With
# BOUNDS=write in the environment the counts become the new bounds; DUMPS is a
# folder that gets what callgrind_annotate(1) reads.
#
# Only functions of the library's own files count, as the C library has others
# for each machine; and its calls of malloc(3) and its like. Of several batches
# the smallest counts: in others a second may have passed, say, and there was a
# new date to write. What remains is the compiler: the bounds are for gcc with
# -O2 on x86-64, which others may exceed by more.
#
# Exits 1 when there were more, 77 when they cannot be counted.

set -eu
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
bounds=$here/instructions.txt
built=${BUILT:-.}
CC=${CC:-cc}
CFLAGS=${CFLAGS:--O2 -g}

skip()
{
	echo "instructions: not counted: $*"
	exit 77
}

command -v valgrind >/dev/null || skip 'there is no valgrind'
[ "$(uname -m)" = x86_64 ] || skip "the bounds are for x86_64"
case " $CFLAGS " in
*' -flto'* | *' -fsanitize'* | *' --coverage '*)
	skip "the bounds are not for $CFLAGS"
	;;
*' -O2 '*) ;;
*) skip "the bounds are for -O2, not for $CFLAGS" ;;
esac
printf '#include <valgrind/callgrind.h>\n' | $CC -E - >/dev/null 2>&1 ||
	skip 'there is no valgrind/callgrind.h'

tmp=$(mktemp -d "${TMPDIR:-/tmp}/retort-instructions.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' HUP INT TERM

# without OpenSSL there is no case of TLS
libs='-lssl -lcrypto' without=
grep -q '^#define RT_OPENSSL ' "$built/config.h" || libs='' without=tls

for source in instructions common; do
	# shellcheck disable=SC2086 # CFLAGS are words
	$CC -std=c11 $CFLAGS -pthread -I"$built" -I"$here/../../src" -c \
		-o "$tmp/$source.o" "$here/$source.c"
done
# without what debuggers want: not all that clang writes can be read by valgrind
# shellcheck disable=SC2086 # CFLAGS and the libraries are words
"$built/libtool" --quiet --tag=CC --mode=link $CC $CFLAGS -pthread -static \
	-Wl,-S -o "$tmp/instructions" "$tmp/instructions.o" "$tmp/common.o" \
	"$built/libretort.la" $libs

timeout 120 valgrind --tool=callgrind --collect-atstart=no \
	--compress-strings=no --compress-pos=no \
	--callgrind-out-file="$tmp/dump" \
	"$tmp/instructions" "$here/../.." >"$tmp/log" 2>&1 || {
	cat "$tmp/log"
	exit 1
}

[ -z "${DUMPS-}" ] || cp "$tmp"/dump.* "$DUMPS"

# "CASE INSTRUCTIONS ALLOCATIONS" for each batch, of one of its requests
find "$tmp" -name 'dump.*' | sort -V | while read -r dump; do
	awk '
	/^desc: Trigger: Client Request: / { name = $5; times = $6 }
	/^ob=/ { own = /\/instructions$/ }
	/^cfn=/ { callee = substr($0, 5) }
	/^calls=/ {
		split($1, count, "=")
		if (own && callee ~ /^(malloc|calloc|realloc)$/)
			allocations += count[2]
		of_callee = 1
		next
	}
	/^[0-9]/ {
		if (own && !of_callee)
			instructions += $2
		of_callee = 0
	}
	END {
		if (times)
			print name, int(instructions / times),
				int(allocations / times)
	}' "$dump"
done >"$tmp/batches"
awk '
{
	if (!($1 in least))
		order[++cases] = $1
	if (!($1 in least) || $2 < least[$1])
		least[$1] = $2
	if (!($1 in allocations) || $3 < allocations[$1])
		allocations[$1] = $3
}
END {
	for (i = 1; i <= cases; i++)
		print order[i], least[order[i]], allocations[order[i]]
}' "$tmp/batches" >"$tmp/counts"

if [ "${BOUNDS-}" = write ]; then
	{
		sed -n '/^#/p' "$bounds"
		awk '{ printf "%-10s %8d %8d\n", $1, $2, $3 }' "$tmp/counts"
	} >"$tmp/bounds"
	cp "$tmp/bounds" "$bounds"
fi

# other compilers, and later versions of this one, are given more
margin=5
$CC --version 2>/dev/null | grep -q "$(sed -n 's/^# by //p' "$bounds")" ||
	margin=15

awk -v margin="$margin" -v without="$without" '
FNR == NR {
	if (!/^#/) {
		bound[$1] = $2
		most[$1] = $3
	}
	next
}
FNR == 1 {
	printf "%-10s %13s %13s\n", "", "instructions", "allocations"
}
{
	word = "ok"
	if (!($1 in bound) || $2 > bound[$1] * (1 + margin / 100) ||
		$3 > most[$1]) {
		word = "too many"
		failed = 1
	} else if ($2 < bound[$1] * (1 - margin / 100) || $3 < most[$1]) {
		word = "fewer: make instructions BOUNDS=write"
	}
	printf "%-10s %6d %6d %6d %6d  %s\n", $1, $2, bound[$1], $3, most[$1],
		word
	delete bound[$1]
}
END {
	delete bound[without]
	for (name in bound) {
		print name, "was not counted"
		failed = 1
	}
	exit failed
}' "$bounds" "$tmp/counts"
