#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The archive as a linker sees it: names of ours only, just those that
# retort.h declares, nothing that can be written; and that it calls nothing
# which obeys the host program's locale. Prints TAP.

set -u
LC_ALL=C
export LC_ALL
archive=.libs/libretort.a
header=${RETORT_SRCDIR:-$(dirname "$0")/../..}/src/retort.h
nm=${NM:-nm}

command -v "$nm" >/dev/null || {
	echo "Bail out! nm is missing: install the package binutils"
	exit 99
}
work=$(mktemp -d "${TMPDIR:-/tmp}/retort-symbols.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
count=0
plan=7
case " ${CFLAGS:-} " in
*-fsanitize=* | *--coverage*) instrumented=yes ;;
*) instrumented= ;;
esac

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

skip()
{
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# With -flto the compiler's work is done here, member by member.
objects=$archive
case " ${CFLAGS:-} " in
*' -flto'*)
	objects=$work/objects.a
	mkdir "$work/members"
	(cd "$work/members" && ar x "$OLDPWD/$archive" && for member in *.o; do
		# shellcheck disable=SC2086 # one word per option
		${CC:-cc} ${CFLAGS:-} -r -flinker-output=nolto-rel -nostdlib \
			-o made.o "$member" && mv made.o "$member" || exit 1
	done && ar cr "$objects" ./*.o) >"$work/errors" 2>&1 || {
		sed 's/^/# /' "$work/errors"
		echo "1..0 # SKIP $archive holds no machine code"
		exit 0
	}
	;;
esac

# member|name|class|section
"$nm" -f sysv "$objects" 2>"$work/errors" | awk -F'|' '
	/^Symbols from / {
		sub(/.*\[/, ""); sub(/\].*/, ""); member = $0; next
	}
	/^Undefined symbols from / { member = "?"; next }
	NF >= 7 && $1 !~ /^Name/ {
		for (i = 1; i <= NF; i++)
			gsub(/^[ \t]+|[ \t]+$/, "", $i)
		print member "|" $1 "|" $3 "|" $7
	}' >"$work/symbols"
[ -s "$work/symbols" ] || {
	sed 's/^/# /' "$work/errors"
	echo "Bail out! nm shows nothing in $archive"
	exit 99
}
echo "1..$plan"

awk -F'|' '$3 ~ /^[A-TV-Z]$/ { print $2 }' "$work/symbols" |
	sort -u >"$work/global"
if [ -n "$instrumented" ]; then # the compiler's own
	grep -v -e '^_' -e '^[.]' "$work/global" >"$work/ours"
else
	cp "$work/global" "$work/ours"
fi
result 'global names begin with retort_ or rt_' \
	"$(grep -v -e '^retort_' -e '^rt_' "$work/ours")"

# the functions as retort.h has them
awk -v linked=1 -f "$(dirname "$header")/man/functions.awk" "$header" |
	sort -u >"$work/declared"
grep '^retort_' "$work/ours" >"$work/defined"
problems=$(
	comm -23 "$work/declared" "$work/defined" |
		sed 's/$/: declared, not defined/'
	comm -13 "$work/declared" "$work/defined" |
		sed 's/$/: defined, not declared/'
	[ -s "$work/declared" ] || echo 'retort.h declares nothing'
)
result 'retort.h declares what is defined' "$problems"

# with the version since which each is there
packaged=$(dirname "$header")/../tests/package/debian/libretort0.symbols
sed -n 's/^ \(retort_[a-z_0-9]*\)@.*/\1/p' "$packaged" | sort >"$work/packaged"
result 'the list of symbols for Debian has each' "$(
	comm -23 "$work/declared" "$work/packaged" |
		sed 's/$/: to be added to libretort0.symbols/'
	comm -13 "$work/declared" "$work/packaged" |
		sed 's/$/: no longer there/'
)"

if [ -n "$instrumented" ]; then
	skip 'nothing can be written' 'the compiler adds counters'
else
	# constants that hold addresses stand in .data.rel.ro
	result 'nothing can be written' "$(awk -F'|' '
		$1 !~ /rt_llhttp/ && $4 !~ /^\.data\.rel\.ro/ &&
			$4 ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*|\.sdata|\.sbss)/ &&
			$2 !~ /^\./ {
			print $1 ": " $2 " in " $4
		}' "$work/symbols")"
fi

# isalpha() and its like may be macros, of which a table is left. That printf
# writes a double with the locale's point is not to be seen here.
obeys='strn?casecmp|strcasestr|strcoll|strxfrm|to(lower|upper)|ctype_[a-z_]*'
obeys="$obeys|is(alnum|alpha|blank|cntrl|graph|lower|print|punct|space|upper)"
obeys="$obeys|strftime|strptime|strto(d|f|ld)|atof|fnmatch|glob|regcomp"
obeys="$obeys|mb[a-z]*|wc[a-z]*|isw[a-z]*|tow[a-z]*"
obeys="$obeys|(set|new|use|dup)locale|localeconv|nl_langinfo"
# between these calls of c_locale.c it is the C locale
may='c_locale.o: (newlocale|uselocale)|match_regex.o: regcomp'
awk -F'|' '$3 == "U" { print $1 ": " $2 }' "$work/symbols" >"$work/called"
problems=$(
	grep -E ": _*($obeys)(_l)?\$" "$work/called" |
		grep -vE "^(librooms_la-)?($may)\$"
	grep -q ': malloc$' "$work/called" || echo 'nm shows no calls'
)
result 'nothing is called that obeys the locale' "$problems"

# a plugin, or a binding of another language
cat >"$work/plugin.c" <<'END'
#include "retort.h"
const char *plugin(void);
const char *plugin(void) { return retort_version(); }
END
# shellcheck disable=SC2086 # one word per option
result 'links into a shared object' "$(
	${CC:-cc} ${CFLAGS:-} -fPIC -shared -I"$(dirname "$header")" \
		-o "$work/plugin.so" "$work/plugin.c" \
		-Wl,--whole-archive "$archive" -Wl,--no-whole-archive \
		${LDFLAGS:-} 2>&1 || echo 'could not be linked'
)"

# an embedder that has an llhttp of its own
name='links beside another llhttp'
if [ -z "${LLHTTP_SOURCES:-}" ]; then
	skip "$name" 'llhttp is a library here'
else
	{
		echo '#include "retort.h"'
		sed -n 's/^rt_\(llhttp_.*\)/int \1(void);\nint \1(void) { return 0; }/p' \
			"$work/global"
		echo 'int main(void) { return retort_version() == NULL; }'
	} >"$work/both.c"
	problems=$(
		grep -q '^int llhttp_execute' "$work/both.c" ||
			echo 'the archive has no rt_llhttp_execute'
		# shellcheck disable=SC2086 # one word per option
		${CC:-cc} ${CFLAGS:-} -fno-builtin -I"$(dirname "$header")" \
			-o "$work/both" "$work/both.c" \
			-Wl,--whole-archive "$archive" -Wl,--no-whole-archive \
			${LDFLAGS:-} ${JANSSON_LIBS:-} 2>&1 && "$work/both" 2>&1 ||
			echo 'could not be linked or run'
	)
	result "$name" "$problems"
fi
