#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The recipes of README.md, as they stand there: every ```sh block, and every
# command of a ```console block with its output. An ```sh block of nothing but
# retort's lines is one recipe per line, any other is one recipe. The table below
# says what each must do; a recipe that is not in the table is a failure, and so
# is an entry without its recipe.
#
# Of the ```c blocks, one that has a main() is tests/docs/embed/first.c without its
# first line; the recipes find it as test.c. Any other is a part of a test,
# whose rules must all be accepted.
#
# They run in a copy of the files that they name, and in a network namespace of
# their own, where port 8080 is free and nothing else can be reached. Where
# there can be no namespace, recipes that name no port get `-p 0`, and their
# clients that port in the place of 8080. In both, a server of ours stands for
# https://example.org/. Prints TAP. $RETORT is the command.

set -u
CDPATH=
RETORT=$(command -v "${RETORT:-./retort}") || exit 1
case $RETORT in
/*) ;;
*) RETORT=$PWD/$RETORT ;;
esac
RETORT_SRCDIR=$(cd "${RETORT_SRCDIR:-$(dirname "$0")/../..}" && pwd) || exit 1
export RETORT RETORT_SRCDIR

with_network='ip link set lo up && exec "$@"'
if [ -z "${README_NETWORK:-}" ]; then
	README_NETWORK=shared
	if unshare -rn sh -c "$with_network" sh true 2>/dev/null; then
		README_NETWORK=own
	fi
	export README_NETWORK
	[ $README_NETWORK = shared ] ||
		exec unshare -rn sh -c "$with_network" sh sh "$0"
fi

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
deadline=120 # seconds, for whatever a recipe starts, on a busy machine

for command in curl gzip timeout; do
	have $command || skip_all "there is no $command"
done

# The table. A line at the margin is a recipe: its line without the comment, or
# the first line of its block. What must come of it follows, in lines of
#
#	get STATUS|TEXT|ARGUMENTS  `curl -i`, with the first URL and the last
#	                           argument as its path, gets this status, and a
#	                           reply in which the text is
#	cut STATUS|TEXT|ARGUMENTS  the same, and curl finds that the body is short
#	reset STATUS|TEXT|ARGUMENTS  the same, and that the connection was reset
#	comment STATUS|TEXT        the same of the curl command in the comment
#	nc TEXT                    the nc command in the comment prints this text;
#	                           skipped where there is no nc
#	types TEXT                 this line is on standard input
#	shown TEXT                 standard error has this text
#	alongside ARGUMENTS           such a server runs already
#	prints TEXT                it ends by itself, with status 0 and this
#	                           text on standard output, which may be none
#	ends STATUS|TEXT           it ends by itself, with this status, and has
#	                           this line on standard output
#	leaves FILE|TEXT           and this text in a file that it made
#	makes FILE                 it ends by itself, with status 0, and has
#	                           made the first bytes of www/FILE the whole
#	elsewhere WHY              it is not run here
#	tls                        it needs a retort with TLS, or is skipped
#	library                    it needs the library, as if installed, and
#	                           libcurl: without them it is skipped, or, with
#	                           RETORT_NEED_EMBED=1, a failure
#
table()
{
	cat <<'END'
./bootstrap serve
	elsewhere fresh.sh runs both, make distcheck installs
tests/docs/many/many 127.0.0.1:8080 tests/docs/many/many.retort seen
	elsewhere tests/docs/many.sh, with what it needs
retort www
	get 200|<title>retort|/
	get 200|Content-Type: text/css|/style.css
	get 206|Content-Range: bytes 0-4/|-r 0-4 /style.css
	get 304|ETag: "|-H If-None-Match:* /style.css
	get 404|404 Not Found|/missing
retort -s 503 -H 'Retry-After: 120'
	get 503|Retry-After: 120|/any
	get 503|Content-Length: 0|-X POST /
curl -fsS "$(retort -q -p 0 --requests 1 --body hello &)"
	prints hello
url=$(retort -p 0 --requests 1 --lifetime 10 --body hello &)
	prints hello
cc -o test test.c $(pkg-config --cflags --libs retort libcurl) && ./test
	library
	prints
retort run --tls --body hello -- curl -sf {url}
	tls
	prints hello
retort run --tls --body hello -- wget -q -O- --ca-certificate={ca} {url}
	tls
	prints hello
retort sweep --tls --body hello -- curl -sf {url}
	elsewhere tests/peers/cuts.sh: it takes its time
cat >tls.retort <<'TLS'
	tls
	prints hello
retort run --tls --tls-keylog keys --body hello -- curl -sf {url}
	tls
	prints hello
retort run --tls --tls-cert-fault expired -- curl -sf {url} || echo refused
	tls
	prints refused
retort run --tls --tls-fault 'cut flight 0 reset' -- curl -sS {url} || echo "curl: $?"
	tls
	prints curl: 35
retort run --tls --fault 'corrupt record 0+9' -- curl -sS {url} || echo "curl: $?"
	tls
	prints curl: 56
retort sweep --tls-certs -- curl -sf {url}
	elsewhere tests/command/tls.sh: what it prints depends on the curl
retort --tls --tls-ca ca.pem www
	tls
	comment 200|<title>retort
retort src
	get 200|<a href="retort.h">retort.h</a>|/
retort --no-listing src
	get 403|no index.html|/
	get 200|.Dt RETORT 1|/man/retort.1
retort README.md
	get 200|# retort|/
	get 200|# retort|/README.md
	get 404|404 Not Found|/src/
retort -H 'Cache-Control: max-age=60' www
	get 200|Cache-Control: max-age=60|/style.css
retort --spa index.html www
	get 200|<title>retort|-H Accept:text/html /no/such/file
	get 404|404 Not Found|/no/such/file
	get 200|Content-Type: text/css|/style.css
retort --html --prefix /docs www
	get 301|Location: /docs/|/
	get 200|<title>retort|/docs/index
	get 200|<title>|/docs/sweep
	get 200|Content-Type: text/css|/docs/style.css
	get 404|404 Not Found|/style.css
retort --scenario www/echo.retort www
	get 200|POST /echo?a=b HTTP/1.1|-d x /echo?a=b
	get 200|<title>retort|/
retort --cors www
	get 200|Access-Control-Allow-Origin: |/style.css
retort -p 0 -b 0.0.0.0 src
	get 200|<a href="retort.h">retort.h</a>|/
	shown can be reached from other machines
retort -b unix:retort.sock www
	comment 200|<title>retort
curl -C - -O http://localhost:8080/style.css
	alongside www
	makes style.css
mkdir -p site && cp www/*.css site && gzip -kf site/*.css
	get 200|Content-Encoding: gzip|-H Accept-Encoding:gzip /style.css
	get 200|color-scheme|--compressed /style.css
	get 200|color-scheme|/style.css
mkdir -p site && echo '<h1>Not here</h1>' >site/404.html
	get 404|<h1>Not here</h1>|/missing
retort --body 'hello'
	get 200|hello|/any
	get 200|hello|-X POST /
retort --body '{"id":1}'
	get 200|Content-Type: application/json|/
	get 200|{"id":1}|/
retort --body @README.md -H 'X-Test: 1'
	get 200|# retort|/
	get 200|X-Test: 1|/
retort -s 302 -H 'Location: https://example.org/'
	get 302|Location: https://example.org/|/
retort -vv --echo
	get 200|POST /any HTTP/1.1|-d body /any
	shown > POST /any HTTP/1.1
	shown > body
retort --inspect --body ok
	get 200|ok|-d x /hook
	shown requests are shown at http://127.0.0.1:
retort --tcp --echo
	nc hello
retort --tcp --body OK --timeout idle=10
	nc OK
retort --tcp --prompt
	types nobody
	nc nobody
	shown > who is there?
retort --udp --echo
	nc hello
retort --udp --body OK
	nc OK
retort --body hello --fault 'cut body 2 reset'
	reset 200|he|/
retort --body hello --fault 'each 1; gap 5ms'
	get 200|hello|/
retort --body hello --fault 'length +3; end half'
	cut 200|hello|/
retort --fault 'cut 50%; rate 10000' www
	cut 200|<title>retort|/
	cut 200|color-scheme|/style.css
retort --delay 250ms www
	get 200|color-scheme|/style.css
retort --body hello --fault 'cut any chance 5% or status 503 chance 10%' --seed 7
	get 200|hello|/1
	get 200|hello|/2
	get 200|hello|/3
	get 200|hello|/4
	get 200|hello|/5
	get 200|hello|/6
	get 503|503|/7
	shown [status 503]
cat >login.retort <<'LOGIN'
	prints
cat >users.retort <<'USERS'
	prints
	leaves user.json|{"id": 1}
cat >kept.retort <<'KEPT'
	prints
retort sweep --keep-alive --body hello -- curl -sf {url} {url}
	ends 1|reply of 121 bytes: head 0-115, body 116-120, the second on its connection
retort run --body hello --report seen.html -- curl -sf {url}
	prints hello
	leaves seen.html|<h1>1 connection</h1>
cat >mock.retort <<'MOCK'
	get 200|{"id": "7", "lang": "a b"}|/users/7?lang=a+b
	get 200|data: two|-N /events
	get 501|no rule fits GET /|/
retort sweep --body hello -- curl -sf {url}
	ends 1|reply of 140 bytes: head 0-134, body 135-139
printf 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort' | retort --raw -
	cut 200|short|/
curl -is --raw --http1.1 https://example.org/ >reply.http
	alongside -p 0 --body recorded -H X-From:origin
	get 200|X-From: origin|/
	get 200|recorded|/
#!/bin/sh
	prints
END
}

alongside= # of a server that runs already

clean()
{
	# timeout(1) passes the signal on to all that the recipe has started
	for process in $pid $alongside; do
		kill "$process" 2>/dev/null
	done
	rm -rf "$dir"
}
trap clean EXIT

# show: the files, as far as they are of use
show()
{
	for file in got out err; do
		[ ! -s "$dir/$file" ] || tr -d '\r' <"$dir/$file" |
			sed -n "1,60s/^/# $file: /p"
	done
}

# --- the README, taken apart ---

# Each recipe into a file, 1 2 3 ..., in $dir/recipes, and the output shown with
# it into 1.out ...; prints their number.
split()
{
	mkdir "$dir/recipes"
	awk -v to="$dir/recipes/" '
		function put(text) {
			print text >(to (++n))
			close(to n)
		}
		/^```console/ {
			inside = 3
			next
		}
		/^```/ && inside == 3 {
			inside = 0
			next
		}
		inside == 3 {
			if (/^\$ /)
				put(substr($0, 3))
			else
				print >(to n ".out")
			next
		}
		/^```/ && !inside {
			inside = $0 == "```sh" ? 2 : 1
			lines = 0
			other = 0
			next
		}
		/^```/ {
			whole = ""
			for (i = 1; i <= lines && inside == 2; i++)
				if (!other)
					put(line[i])
				else
					whole = whole (i > 1 ? "\n" : "") line[i]
			if (whole != "")
				put(whole)
			inside = 0
			next
		}
		inside {
			line[++lines] = $0
			other += !/^retort /
		}
		END { print n + 0 }
	' "$source/README.md"
}

# shown FILE: what a block of the console shows as the output, but for what
# depends on the port and on the version of a client
shown()
{
	sed 's,:[0-9]*/$,:PORT/,; s/\(taken for [a-z]*\): .*/\1/' "$1"
	echo
}

# as_shown KEY FILE OUTPUT: whether the README shows what came, if it shows any
as_shown()
{
	[ -f "$2.out" ] || return
	shown "$2.out" | sed '/^$/d' >"$dir/wanted_output"
	shown "$3" | sed '/^$/d' | diff "$dir/wanted_output" - >"$dir/got"
	report $? "$1: prints what README.md shows"
}

# The key of a recipe in the table, and its comment.
key_of()
{
	sed -n '1s/[[:space:]][[:space:]]*# .*//; 1p' "$1"
}

comment_of()
{
	sed -n '1s/.*[[:space:]]# //p' "$1"
}

# entry KEY: its lines in the table, without their tab; fails without one
entry()
{
	table | KEY=$1 awk '
		/^[^\t]/ { found = $0 == ENVIRON["KEY"]; any = any || found }
		/^\t/ && found { print substr($0, 2) }
		END { exit !any }
	'
}

# word KEY NAME: what follows NAME in the entry
word()
{
	entry "$1" | sed -n "s/^$2\$//p; s/^$2 //p"
}

# code N: the N-th ```c block
code()
{
	awk -v wanted="$1" '
		/^```/ && inside { inside = 0; next }
		/^```/ { inside = 1; n += own = $0 == "```c"; next }
		inside && own && n == wanted
	' "$source/README.md"
}

# --- running ---

# In PATH as retort: notes the process, which becomes the command.
mkdir "$dir/bin"
cat >"$dir/bin/retort" <<END
#!/bin/sh
echo \$\$ >'$dir/pid'
if [ $README_NETWORK = shared ]; then
	case " \$* " in
	*' -p '* | *unix:* | ' run '* | ' sweep '*) ;;
	*) set -- -p 0 "\$@" ;;
	esac
fi
exec '$retort' "\$@"
END
chmod +x "$dir/bin/retort"
PATH=$dir/bin:$PATH
export PATH

# A copy, since recipes make files, and the sources may be read-only.
mkdir "$dir/copy"
cp -R "$source/README.md" "$source/www" "$source/src" "$dir/copy" || exit 1
chmod -R u+w "$dir/copy"

# The library, as if it were installed; without it `lacks` says what is missing.
lacks=
if ! pkg-config --exists libcurl 2>/dev/null; then
	lacks=libcurl
elif ! MAKEFLAGS='' make -s install DESTDIR="$dir/root" >"$dir/out" 2>&1; then
	report 1 'make install'
else
	pc=$(find "$dir/root" -name retort.pc)
	sed "s,^\([a-z_]*=\)/,\1$dir/root/," "$pc" >"$dir/pc" &&
		cp "$dir/pc" "$pc"
	PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
	export PKG_CONFIG_PATH
	# also where an llhttp is that the system's linker does not know
	lib=$(pkg-config --static --libs-only-L retort |
		sed 's/ *$//; s/^ *-L//; s/  *-L/:/g')
	LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	export LD_LIBRARY_PATH
fi
# the build's compiler, and its options: sanitizers must be those of the library
cat >"$dir/bin/cc" <<END
#!/bin/sh
exec ${CC:-$(command -v cc)} ${CFLAGS:-} "\$@" ${LDFLAGS:-}
END
chmod +x "$dir/bin/cc"

cd "$dir/copy" || exit 1

# begin STDERR COMMAND...: launch() with an end to it; a URL to connect to
begin()
{
	errors=$1
	shift
	rm -f "$dir/pid"
	launch "$errors" timeout -k 5 $deadline "$@"
	url=$(echo "$url" | sed 's/0\.0\.0\.0/127.0.0.1/')
}

# finish PROCESS NAME: ends the last server that was started
finish()
{
	[ ! -f "$dir/pid" ] || kill "$(cat "$dir/pid")" 2>/dev/null
	wait "$1"
	status=$?
	[ $status -eq 0 ]
	report $? "$2: ends well (got $status)"
}

# check EXIT STATUS TEXT NAME COMMAND...: a curl command, and its reply
check()
{
	exit_status=$1 status=$2 text=$3 name=$4
	shift 4
	timeout -k 5 $deadline "$@" >"$dir/got" 2>"$dir/out"
	got=$?
	[ $got -eq "$exit_status" ] && grep -qaF -e "$text" "$dir/got" &&
		grep -qa "^HTTP/1.1 $status " "$dir/got"
	report $? "$name: $status, $text (curl $got)"
}

# converse TEXT NAME: the nc command in the comment, and what it prints
converse()
{
	if ! have nc; then
		skip "$2" 'there is no nc'
		return
	fi
	timeout -k 5 $deadline sh -c "$(echo "$comment" |
		sed "s/ 8080\$/ ${url##*:}/")" >"$dir/got" 2>"$dir/out"
	got=$?
	[ $got -eq 0 ] && [ "$(cat "$dir/got")" = "$1" ]
	report $? "$2: nc prints '$1' (status $got)"
}

# ask KEY: what the table's get, cut and comment lines want
ask()
{
	entry "$1" >"$dir/entry"
	while IFS= read -r line <&3; do
		kind=${line%% *}
		rest=${line#* }
		status=${rest%%|*}
		rest=${rest#*|}
		text=${rest%%|*}
		arguments=${rest#*|}
		set -f
		case $kind in
		nc)
			converse "${line#nc }" "$1"
			;;
		get | cut | reset)
			case $kind in
			get) result=0 ;;
			cut) result=18 ;;
			reset) result=56 ;;
			esac
			path=${arguments##* }
			arguments=${arguments%"$path"}
			# shellcheck disable=SC2086 # arguments
			check $result "$status" "$text" "$1 $path" \
				curl -sSi $arguments "${url%/}$path"
			;;
		comment)
			# with the port of this one
			port=${url##*:}
			# shellcheck disable=SC2046 # a command
			check 0 "$status" "$text" "$comment" \
				$(echo "$comment" | sed "s,:8080/,:$port,") -sSi
			;;
		esac
		set +f
	done 3<"$dir/entry"
}

# serves KEY FILE: a recipe whose last command is a server
serves()
{
	begin "$dir/err" sh -e "$2"
	input=/dev/null
	[ -n "$url" ]
	report $? "$1: prints its URL ($url)"
	echo "$url" >"$dir/out"
	as_shown "$1" "$2" "$dir/out"
	ask "$1"
	finish "$pid" "$1"
	pid=
	word "$1" shown >"$dir/shown"
	while IFS= read -r text <&3; do
		if word "$1" nc | grep -q . && ! have nc; then
			skip "$1: shows $text" 'there is no nc'
			continue
		fi
		grep -qaF -e "$text" "$dir/err"
		report $? "$1: shows $text"
	done 3<"$dir/shown"
}

# ends KEY FILE [STATUS]: a recipe that ends by itself
ends()
{
	rm -f "$dir/got"
	timeout -k 5 $deadline sh -e "$2" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	[ $status -eq "${3:-0}" ]
	report $? "$1: ends with ${3:-0} (got $status)"
	as_shown "$1" "$2" "$dir/out"
}

# run KEY FILE
run()
{
	rm -f "$dir/got" "$dir/out" "$dir/err"
	if entry "$1" | grep -q '^elsewhere '; then
		echo "# $1: $(word "$1" elsewhere)"
		return
	fi
	if [ -n "$lacks" ] && entry "$1" | grep -q '^library$'; then
		without "$1" "$lacks"
		return
	fi
	if entry "$1" | grep -q '^tls$' && ! "$RETORT" -V | grep -q 'TLS by'
	then
		skip "$1" 'retort was built without TLS'
		return
	fi
	comment=$(comment_of "$2")
	word "$1" types >"$dir/typed"
	[ ! -s "$dir/typed" ] || input=$dir/typed
	case $comment in
	*' | nc '*)
		entry "$1" | grep -q '^nc '
		report $? "$1: the table has what its comment does"
		;;
	'curl '*)
		entry "$1" | grep -q '^comment '
		report $? "$1: the table has what its comment does"
		;;
	esac
	arguments=$(word "$1" alongside)
	if [ -n "$arguments" ]; then
		# shellcheck disable=SC2086 # arguments
		begin /dev/null retort -b 127.0.0.1 $arguments
		alongside=$pid
		pid=
		beside_pid=$(cat "$dir/pid")
		sed "s,https://example\\.org/,$url,
			s,http://localhost:8080/,$url," "$2" >"$dir/recipe"
		set -- "$1" "$dir/recipe"
	fi
	made=$(word "$1" makes)
	if [ -n "$made" ]; then
		# as a download that was cut off left it
		dd bs=100 count=1 if="www/$made" of="$made" 2>/dev/null
		ends "$1" "$2"
		cmp "www/$made" "$made" >"$dir/out" 2>&1
		report $? "$1: $made is whole"
	elif entry "$1" | grep -q '^prints'; then
		ends "$1" "$2"
		text=$(word "$1" prints)
		[ "$(cat "$dir/out")" = "$text" ]
		report $? "$1: prints '$text'"
		left=$(word "$1" leaves)
		if [ -n "$left" ]; then
			grep -qF -e "${left#*|}" "${left%%|*}"
			report $? "$1: leaves ${left#*|} in ${left%%|*}"
		fi
	elif entry "$1" | grep -q '^ends '; then
		text=$(word "$1" ends)
		ends "$1" "$2" "${text%%|*}"
		text=${text#*|}
		grep -qxF -e "$text" "$dir/out"
		report $? "$1: prints the line '$text'"
	else
		serves "$1" "$2"
	fi
	if [ -n "$alongside" ]; then
		echo "$beside_pid" >"$dir/pid"
		finish "$alongside" "alongside $1"
		alongside=
	fi
}

# part FILE: a block of C that is not a program becomes one
part()
{
	cat <<'END'
#include <retort.h>
#include <stdio.h>
#include <string.h>
int
main(void)
{
	struct retort *server = retort_start();
	const char *verdict;
	int wrong;
END
	cat "$1"
	cat <<'END'
	verdict = retort_verdict(server);
	puts(verdict);
	/* that nobody asked for them is told as "rule 1 ...: never used" */
	for (wrong = 0; *verdict != '\0'; verdict = strchr(verdict, '\n') + 1)
		wrong |= strncmp(verdict, "rule ", 5) != 0;
	retort_close(server);
	return wrong;
}
END
}

# blocks: all that is C; the program becomes test.c
blocks()
{
	number=0
	while number=$((number + 1)) && code $number >"$dir/block.c" &&
		[ -s "$dir/block.c" ]; do
		if grep -q '^main(void)' "$dir/block.c"; then
			mv "$dir/block.c" test.c
			sed 1d "$source/tests/docs/embed/first.c" |
				diff test.c - >"$dir/out"
			report $? 'the test in C is tests/docs/embed/first.c'
			continue
		fi
		name="block $number of C"
		if [ -n "$lacks" ]; then
			without "$name" "$lacks"
			continue
		fi
		part "$dir/block.c" >"$dir/part.c"
		# shellcheck disable=SC2046 # one word per option
		cc -std=c11 -Wall -Wextra -Wpedantic -Werror -o "$dir/part" \
			"$dir/part.c" $(pkg-config --cflags --libs retort) \
			>"$dir/out" 2>"$dir/err" &&
			timeout $deadline "$dir/part" >>"$dir/out" 2>"$dir/err"
		report $? "$name: it compiles, and its rules are accepted"
	done
	[ $number -gt 1 ]
	report $? 'README.md has a test in C'
}

echo "# network: $README_NETWORK"
blocks
recipes=$(split)
[ "$recipes" -gt 0 ]
report $? "README.md has recipes ($recipes)"
: >"$dir/keys"
number=0
while [ $number -lt "$recipes" ]; do
	number=$((number + 1))
	recipe=$dir/recipes/$number
	key=$(key_of "$recipe")
	printf '%s\n' "$key" >>"$dir/keys"
	if entry "$key" >/dev/null; then
		run "$key" "$recipe"
	else
		report 1 "not in the table: $key"
	fi
done

table | sed '/^	/d' >"$dir/wanted"
while IFS= read -r key <&4; do
	grep -qxF -e "$key" "$dir/keys"
	report $? "in README.md: $key"
done 4<"$dir/wanted"

conclude
