#!/bin/sh
# SPDX-License-Identifier: MIT
#
# retort run: what COMMAND gets and when it ends, exit statuses, the verdict;
# and scenarios, faults, chance, replays and transcripts as the command has
# them. Prints TAP. $RETORT is the command; what needs curl is skipped where
# there is none.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
unset RETORT_URL
deadline=120 # seconds, for what would not end otherwise
trap 'test -z "$pid" || kill -KILL "$pid"; rm -rf "$dir"' EXIT

# run ARGUMENT...: retort run, its output in `out` and `err`; sets status
run()
{
	timeout -k 5 $deadline "$retort" run "$@" >"$dir/out" 2>"$dir/err" \
		<"$dir/input"
	status=$?
}

# ends STATUS NAME ARGUMENT...
ends()
{
	expected=$1 name=$2
	shift 2
	run "$@"
	[ $status -eq "$expected" ]
	report $? "$name: status $expected (got $status)"
}

# says TEXT NAME: stderr has a line with it
says()
{
	grep -qF -e "$1" "$dir/err"
	report $? "$2"
}

# refused TEXT ARGUMENT...: status 2, one line on stderr with TEXT in it, and
# COMMAND, `touch FILE`, was not run
refused()
{
	text=$1
	shift
	run "$@" -- touch "$dir/touched"
	[ $status -eq 2 ] && says_why "$text" && [ ! -e "$dir/touched" ]
	report $? "refused: $*"
	rm -f "$dir/touched"
}

printf 'typed' >"$dir/input"

# --- how it ends ---

ends 0 'success' --body x -- true
equal '' "$(cat "$dir/out" "$dir/err")" 'success says nothing'
ends 7 'failure' --body x -- sh -c 'exit 7'
ends 143 'SIGTERM' --body x -- sh -c 'kill -TERM $$'
# shellcheck disable=SC2016 # of that shell
ends 141 'SIGPIPE, which COMMAND does not ignore' --body x -- \
	sh -c 'kill -PIPE $$'
ends 137 'SIGKILL' --body x -- sh -c 'kill -KILL $$'
ends 127 'no such command' --body x -- "$dir/nowhere"
says "$dir/nowhere" 'no such command: it is named'
ends 126 'no program' --body x -- "$dir/input"
says "$dir/input" 'no program: it is named'
ends 2 'no port file' --body x --port-file /nowhere/port -- true
ends 125 'no such folder for a socket' -b unix:/nowhere/socket --body x -- true
if [ -c /dev/full ]; then
	"$retort" run --body x --port-file - -- true >/dev/full 2>"$dir/err"
	equal 125 $? 'the port file is standard output, which is full'
fi
ends 2 'no COMMAND' --body x
ends 2 'no COMMAND after --' --body x --
ends 2 'an unknown option' --nonsense -- true
ends 2 'a status that is none' -s 99 -- true
# shellcheck disable=SC2016 # of that shell
ends 0 'words after -- are of COMMAND' --body x -- \
	sh -c 'test "$1" = --body && test "$2" = --' sh --body --
ends 2 'no COMMAND, whatever asks for help' --body --help
ends 0 'help that is a value' --body -h -- true
ends 0 'help' --help
ends 0 'version' -V

# an address that is taken
# shellcheck disable=SC2016 # of that shell
ends 125 'a port that is taken' --body x -- sh -c '
	port=${RETORT_URL%/}
	"$0" run -p "${port##*:}" --body x -- true' "$retort"

# --- what COMMAND gets ---

# shellcheck disable=SC2016 # of that shell
run --body x -- sh -c 'echo "$RETORT_URL"; printf "%s\n" "$@"' sh \
	'{url}' '<{url}{url}>' '{ur}l{url'
url=$(sed -n 1p "$dir/out")
equal "$url $url <$url$url> {ur}l{url " "$(tr '\n' ' ' <"$dir/out")" \
	'RETORT_URL is {url}, however often'
case $url in
http://*:0/ | http://*:8080/) false ;;
http://*:*/) true ;;
*) false ;;
esac
report $? "a free port: $url"

# shellcheck disable=SC2016 # of that shell
run --body x -- sh -c 'echo "$RETORT_URL" "$RETORT_PORT"; printf "%s\n" "$@"' \
	sh '{port}' ':{port}{url}{port}'
read -r url port <"$dir/out"
equal "http://localhost:$port/ $port $port :$port$url$port " \
	"$(tr '\n' ' ' <"$dir/out" | sed 's,//127.0.0.1:,//localhost:,g')" \
	'{port} and RETORT_PORT are the port of the URL'
# shellcheck disable=SC2016 # of that shell
RETORT_PORT=1 run -b "unix:$dir/socket" --body x -- \
	sh -c 'echo "${RETORT_PORT-none}" "$@"' sh '{port}'
equal 'none {port}' "$(cat "$dir/out")" 'a Unix socket has no port'

# --- COMMAND that asks for nothing ---

printf '@on GET /\n@echo\n@expect 1 GET /\n' >"$dir/expects"
run --scenario "$dir/expects" -- true
equal 1 "$(grep -c '^retort: true never connected to http://' "$dir/err")" \
	'it never connected: the verdict says so'
if have python3; then
	run --scenario "$dir/expects" -- python3 -c 'import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()' '{port}'
	equal 1 "$(grep -c '^retort: python3 connected, and sent no request$' \
		"$dir/err")" 'it sent nothing: the verdict says so'
else
	skip 'it sent nothing: the verdict says so' 'there is no python3'
fi
printf '@on\n@raw "a"\n@expect 1\n' >"$dir/expects"
run --udp --scenario "$dir/expects" -- true
equal 1 "$(grep -c '^retort: true sent nothing to udp://' "$dir/err")" \
	'it sent no datagram: the verdict says so'
says '(any datagram): expected exactly 1, got 0' 'what is missing is a datagram'
run --body x -- true
equal 0 "$(grep -c . "$dir/err")" 'nothing was expected: nothing is said'
run --body x -- false
equal 1 "$(grep -c '^retort: false never connected to http://' "$dir/err")" \
	'unless it failed'

# shellcheck disable=SC2016 # of that shell
run --body x -- sh -c 'echo "$RETORT_URL"; "$0" run --body y -- \
	sh -c "echo \$RETORT_URL"' "$retort"
equal 2 "$(sort -u "$dir/out" | grep -c '^http://')" 'two have a URL each'

if have_v6; then
	case $url in
	http://localhost:*/) true ;;
	*) false ;;
	esac
	report $? "one that both addresses answer: $url"

	run -b 127.0.0.1 -b ::1 --body x -- echo '{url}'
	case $(cat "$dir/out") in
	http://127.0.0.1:*/) true ;;
	*) false ;;
	esac
	report $? '{url} is that of the first address'
else
	skip '{url} of two addresses' 'this machine has no ::1'
fi

# shellcheck disable=SC2016 # of that shell
LISTEN_FDS=1 LISTEN_PID=1 LISTEN_FDNAMES=x run --body x -- \
	sh -c 'echo "${LISTEN_FDS-}${LISTEN_PID-}${LISTEN_FDNAMES-}"'
equal '' "$(cat "$dir/out")" 'LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES are not'

run --body x -- cat
equal typed "$(cat "$dir/out")" "stdin and stdout are COMMAND's"
run --body x -- sh -c 'echo mistake >&2'
equal mistake "$(cat "$dir/err")" "and stderr is COMMAND's, too"

if have curl; then
	run --body hello -- curl -s --max-time 10 '{url}'
	equal hello "$(cat "$dir/out")" 'COMMAND is answered'
	equal '' "$(cat "$dir/err")" 'there is no log unless it is asked for'
	run --log short --body hello -- curl -s --max-time 10 '{url}a'
	says '"GET /a HTTP/1.1" 200' 'the log that was asked for'
else
	skip 'COMMAND is answered' 'there is no curl'
fi

# --- signals ---

# begin ARGUMENT...: retort run in the background, its output to a FIFO. Sets
# pid, and word: what COMMAND has said first.
begin()
{
	rm -f "$dir/fifo"
	mkfifo "$dir/fifo"
	"$retort" run --body x "$@" >"$dir/fifo" 2>"$dir/err" \
		<"$dir/input" &
	pid=$!
	exec 3<"$dir/fifo"
	read -r word <&3
}

# ready ARGUMENT...: the same; COMMAND has said so much as "ready"
ready()
{
	begin "$@"
	[ "$word" = ready ] || report 1 "ready (got $word)"
}

# rest: until all that write to the FIFO have ended, in `out`; 124: too late
rest()
{
	timeout -k 1 $deadline cat <&3 >"$dir/out"
	late=$?
	exec 3<&-
}

# SIGINT, too, which a shell has ignored by what it starts in the background
for name in TERM HUP INT; do
	ready -- sh -c "trap 'echo got $name; exit 9' $name
		echo ready; while :; do sleep 1; done"
	kill -$name $pid
	rest
	wait $pid
	equal "9 0 got $name" "$? $late $(cat "$dir/out")" \
		"SIG$name goes to COMMAND, whose status is ours"
	pid=
done

ready -- sh -c 'echo ready; exec sleep 60'
kill -TERM $pid
rest
wait $pid
equal '143 0' "$? $late" 'SIGTERM ends COMMAND'
pid=

# --- the group ends with us ---

stubborn='(trap "" TERM; exec sleep 60) & echo ready'
ready --grace 0.1 -- sh -c "$stubborn"
rest
wait $pid
equal '0 0' "$? $late" 'COMMAND ends: so does a child of it, ignoring SIGTERM'
pid=

ready --grace 0.1 -- sh -c "$stubborn; wait"
kill -TERM $pid
rest
wait $pid
equal '143 0' "$? $late" 'SIGTERM: so does a child that ignores it'
pid=

# it is ready before that is over: so long it must be
for lifetime in 0.1 1 10 60; do
	begin --grace 0.1 --lifetime $lifetime -- sh -c "$stubborn; wait"
	rest
	wait $pid
	status="$? $late $word"
	pid=
	[ -z "$word" ] || break
done
equal '5 0 ready' "$status" '--lifetime: the group ends'

# by a signal that only Linux sends
if grep -q '^#define HAVE_SYS_PRCTL_H' config.h 2>/dev/null; then
	ready -- sh -c 'echo ready; exec sleep 60'
	kill -KILL $pid
	rest
	# the shell's message about it
	wait $pid 2>/dev/null
	equal '137 0' "$? $late" 'SIGKILL: COMMAND ends, too'
	pid=
else
	skip 'SIGKILL: COMMAND ends, too' 'that is of Linux'
fi

# --- the verdict ---

cat >"$dir/expects" <<'TEXT'
@on GET /users
HTTP/1.1 200 OK

users

@expect 1 GET /users
TEXT
ends 4 'what was expected did not arrive' --scenario "$dir/expects" -- true
says 'expected exactly 1, got 0' 'it is told'
ends 6 'COMMAND failed, too' --scenario "$dir/expects" -- sh -c 'exit 6'
says 'expected exactly 1, got 0' 'it is told as well'
if have curl; then
	ends 4 'another came' --scenario "$dir/expects" -- \
		curl -s --max-time 10 -o "$dir/got" '{url}user'
	says 'nearest: GET /user ' 'the nearest miss'
	says '< GET /user HTTP/1.1\r\n' 'its transcript'
	ends 0 'it came' --scenario "$dir/expects" -- \
		curl -s --max-time 10 -o "$dir/got" '{url}users'
	equal 'users' "$(cat "$dir/got")" 'it was answered'
	equal '' "$(cat "$dir/err")" 'nothing is said'
fi

# --- scenarios: files by their path, and what is asked of requests ---

if have curl; then
	mkdir -p "$dir/site/assets"
	echo asset >"$dir/site/assets/a.css"
	echo page >"$dir/site/index.html"
	printf '%s\n' '@on /assets/*' '@field Cache-Control: max-age=9' \
		'@omit ETag' '@files' >"$dir/files"
	ends 0 'files with fields of their own' --scenario "$dir/files" \
		"$dir/site" -- curl -si '{url}assets/a.css' '{url}index.html'
	equal 'Cache-Control: max-age=9,asset,Cache-Control: no-cache,ETag,page,' \
		"$(tr -d '\r' <"$dir/out" | sed 's/^ETag:.*/ETag/' |
			grep -e '^Cache-C' -e '^ETag' -e '^asset' -e '^page' |
			tr '\n' ',')" 'files: by their path'
	printf '%s\n' '@on POST /?a=*' '@if-query-only' '@if-form b=c d' \
		'@if-form-only' '@if-path-matches ^/$' \
		'@raw "HTTP/1.1 204 No\r\n\r\n"' >"$dir/form"
	ends 0 'a form' --scenario "$dir/form" -- \
		curl -sf --data-urlencode 'b=c d' '{url}?a=1'
	ends 0 'a form in parts' --scenario "$dir/form" -- \
		curl -sf -F 'b=c d' '{url}?a=1'
	ends 4 'another form' --scenario "$dir/form" -- \
		curl -s -F b=cd '{url}?a=1'
	says 'form differs from form:1: no pair "b=c d": got "cd"' \
		'another form: what came is told'
fi

# --- scenarios: what stands where, and what was expected ---

# wrong PLACE TEXT: the scenario in the file `scenario` is
wrong()
{
	refused "$dir/scenario:$1" --scenario "$dir/scenario"
	says "$2" "scenario: $2"
}

echo '@bogus' >"$dir/scenario"
wrong 1:1: "'@bogus': expected a directive"
printf '# a\n\n@on GET /\n@times zero\n' >"$dir/scenario"
wrong 4:8: "'zero': expected a number from 1"
printf '@on GET /\n@fault end fin; cut x\n' >"$dir/scenario"
wrong 2:21: "'x': expected N, -N, N%"
printf '@on GET /\n@fault cut 101%%\n' >"$dir/scenario"
wrong 2:12: "'101%': expected 0% to 100%"
printf '@on GET /\nHTTP/1.1 20 OK\n' >"$dir/scenario"
wrong 2:10: "'20 OK': expected a status, 101 or from 200 to 999"
printf '@on GET /\nHTTP/1.1 200 OK\nno field\n' >"$dir/scenario"
wrong 3:1: "'no field': expected a field"
printf '@times 2\n' >"$dir/scenario"
wrong 1:1: "expected @on before it"
printf '@on GET /\n@if-body-has abc\n' >"$dir/scenario"
wrong 2:14: "'abc': expected"
printf '@on GET /\nHTTP/1.1 200 OK\n\n@expect 3-2 GET /\n' >"$dir/scenario"
wrong 4:9: "'3-2 GET /': expected the smaller number first"
printf '@on GET /\n@times 2\n' >"$dir/scenario"
wrong '' 'expected a message that begins with HTTP/'
printf '@on GET /\n@fault cut body 3\nHTTP/1.1 200 OK\n\nab\n' >"$dir/scenario"
wrong '' 'the body has 2 bytes'
refused "$dir/nowhere" --scenario "$dir/nowhere"

# --- faults, and faults by chance: what is wrong ---

refused "'cutt': expected a fault" --body x --fault 'cutt 1'
refused "'cutt': expected a fault" --body x --fault 'gap 1; cutt 1'
refused 'did you mean' --body x --fault 'rst 5%'
refused 'the body has 2 bytes' --body hi --fault 'cut body 3'
refused 'a Unix socket cannot be reset' -b "unix:$dir/socket" \
	--fault 'end reset' "$dir"
refused 'a time, 2147483647 ms at most' --body x \
	--fault 'continue 99999999999'
refused "'101%': expected 0% to 100%" --body x --fault 'cut 101%'
refused 'expected fin, reset, stall or half' --body x --fault 'end well'
refused 'Unix socket cannot be reset' -b "unix:$dir/s" --body x \
	--fault 'end reset'
refused "'101%': expected a percentage" --body x --fault 'empty chance 101%'
refused '100% together' --body x \
	--fault 'empty chance 60% or status 503 chance 41%'
refused "'nonsense'" --body x --fault 'cut 1 chance nonsense'
refused 'expected a percentage' --body x --fault 'empty chance'
refused "--seed 'x'" --body x --fault 'cut any chance 5%' --seed x
refused "--seed '0'" --body x --fault 'cut any chance 5%' --seed 0
refused 'Unix socket cannot be reset' -b "unix:$dir/s" --body x \
	--fault 'cut any reset chance 5%' --seed 1

# each is blamed on its own option, and once
printf '@on\n@frob\n' >"$dir/scenario"
for plain in --tcp --udp; do
	refused "retort: --scenario $dir/scenario:2:1: '@frob'" $plain \
		--body x --scenario "$dir/scenario"
	refused "retort: --fault: 'x': expected" $plain --body x --fault x
done
refused 'retort: --fault: each 1: a datagram' --udp --body x --fault 'each 1'
refused "retort: --fault: 'drop': expected a fault; did you mean" --body x \
	--fault drop

# --- the rest takes a client ---

if ! have curl; then
	skip 'faults with curl' 'there is no curl'
	conclude
	exit
fi

ends 56 'a fault on the reply' --body hello --fault 'cut body 3 reset' -- \
	curl -s --max-time 10 '{url}'
equal hel "$(cat "$dir/out")" 'and this much arrived'

# Twelve requests, one after another: what came of each.
# shellcheck disable=SC2016 # of that shell
twelve='for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	curl -s --max-time 10 -w " %{http_code}" "$0$n"
	echo " $?"
done'
chances='cut any reset chance 25% or cut any chance 25% or status 503 chance 25%
pause 1 chance 50%'

# by_chance ARGUMENT...: twelve requests under chance; the log's faults are in
# `faults` without the seed, sorted: a line is written when its connection ends
by_chance()
{
	run --log "$log" --body hello "$@" -- sh -c "$twelve" '{url}'
	sed -n 's/^[^"]*"\(.*\)" \([0-9]*\) \([0-9]*\) [0-9.]* ms/\1 \2 \3/p' \
		"$dir/err" | sed 's/ (seed [0-9]*)//' |
		sort >"$dir/faults"
	mv "$dir/out" "$dir/came"
}

log=short
by_chance --fault "$chances" --seed 7
cp "$dir/faults" "$dir/faults.7"
cp "$dir/came" "$dir/came.7"
cp "$dir/err" "$dir/log.7"
equal 12 "$(wc -l <"$dir/faults.7" | tr -d ' ')" 'chance: all are logged'
[ "$(grep -c '\]$' "$dir/faults.7")" -ge 4 ]
report $? 'chance: what happened is in the lines of the log'
for number in 1 12; do
	grep -q " #$number .* ms .*(seed 7)" "$dir/log.7"
	report $? "chance: and by which seed and number: $number"
done
by_chance --fault "$chances" --seed 7
cmp "$dir/faults.7" "$dir/faults" >"$dir/err"
report $? 'chance: the same seed, the same faults'
cmp "$dir/came.7" "$dir/came" >"$dir/err"
report $? 'chance: the same seed, the same for the client'
by_chance --fault "$chances" --seed 8
! cmp "$dir/faults.7" "$dir/faults" >"$dir/err"
report $? 'chance: another seed, other faults'
# what was drawn, without a seed, as a scenario
log=scenario
by_chance --fault "$chances" --seed 7
grep -v '^http' "$dir/err" >"$dir/drawn"
cmp "$dir/came.7" "$dir/came" >"$dir/err"
report $? 'replay: the same for the client while it is written'
log=short
by_chance --scenario "$dir/drawn"
cmp "$dir/faults.7" "$dir/faults" >"$dir/err"
report $? 'replay: the same faults'
cmp "$dir/came.7" "$dir/came" >"$dir/err"
report $? 'replay: the same for the client'
by_chance --fault 'empty chance 0%' --seed 7
equal 0 "$(grep -c '\]$' "$dir/faults")" 'chance: 0% is never'
by_chance --fault 'status 503 chance 100%' --seed 7
equal 12 "$(grep -c ' 503 ' "$dir/faults")" 'chance: 100% is always'

# --- watching changes nothing ---

head -c 3000000 /dev/zero >"$dir/large"
printf '@on POST /u\nHTTP/1.1 200 OK\n\nok\n' >"$dir/uploads"
for way in "--transcript $dir/u --body x" '--body x' "--scenario $dir/uploads"
do
	# shellcheck disable=SC2086 # words
	run $way -- curl -so /dev/null -w '%{http_code}' --data-binary \
		"@$dir/large" '{url}u'
	equal 200 "$(cat "$dir/out")" "run $way: 3 MB uploaded"
	equal 0 "$status" "run $way: as expected"
done

run --log short --body x --delay 9s --delay 1ms -- \
	curl -sf --max-time 5 '{url}'
says '[pause 1]' 'of two delays the last one counts'
run --log short --body x --delay 0 -- curl -sf --max-time 5 '{url}'
equal 0 "$(grep -c pause "$dir/err")" 'a delay of no time is no fault'
printf '@on\nHTTP/1.1 299 Last\n' >"$dir/scenario"
run --log short --scenario - --scenario "$dir/scenario" -- \
	curl -sf --max-time 5 '{url}'
says '" 299 ' 'of two scenarios the last one counts'

# --- transcripts ---

# shellcheck disable=SC2016 # of that shell
run --transcript "$dir/t" -H 'Date:' --body 'a"b\c' -- sh -c '
	curl -si --max-time 10 "$0a" "$0b" -X POST -d 1 --http1.0' '{url}'
cp "$dir/out" "$dir/first"
equal '1.txt 2.txt' "$(cd "$dir/t" && echo *)" 'transcripts: a file each'
grep -q '< POST /a HTTP/1.0\\r\\n$' "$dir/t/1.txt" &&
	grep -q '> Content-Length: 5\\r\\n$' "$dir/t/1.txt" &&
	grep -qF '> a"b\\c' "$dir/t/1.txt" &&
	grep -q '> (FIN)' "$dir/t/1.txt"
report $? 'transcripts: what came and went'
cat "$dir/t/1.txt" "$dir/t/2.txt" >"$dir/scenario"
# shellcheck disable=SC2016 # of that shell
run --scenario "$dir/scenario" -- sh -c '
	curl -si --max-time 10 "$0a" "$0b" -X POST -d 1 --http1.0' '{url}'
cmp "$dir/first" "$dir/out" >>"$dir/err" 2>&1
report $? 'transcripts: as a scenario, the same bytes'

run --transcript "$dir/r" --body hello --fault 'cut 40 reset' -- \
	curl -si --max-time 10 '{url}'
cp "$dir/out" "$dir/first"
ends 56 'transcripts: a reset again' --scenario "$dir/r/1.txt" -- \
	curl -si --max-time 10 '{url}'
cmp "$dir/first" "$dir/out" >>"$dir/err" 2>&1
report $? 'transcripts: with a reset, the same bytes'

run --keep-alive --transcript "$dir/k" --body hello -- \
	curl -si --max-time 10 '{url}a' '{url}b' '{url}a'
cp "$dir/out" "$dir/first"
equal '1.txt' "$(cd "$dir/k" && echo *)" 'transcripts: a kept connection'
ends 0 'transcripts: a kept connection again' --scenario "$dir/k/1.txt" \
	--transcript "$dir/again" -- \
	curl -si --max-time 10 '{url}a' '{url}b' '{url}a'
cmp "$dir/first" "$dir/out" >>"$dir/err" 2>&1
report $? 'transcripts: each of its requests gets the same bytes'
equal '1.txt' "$(cd "$dir/again" && echo *)" 'transcripts: it is kept again'

refused '--transcript' --transcript /nowhere/t --body x
refused "$dir/input: Not a directory" --transcript "$dir/input" --body x

# --- notices ---

printf '@on GET /\nHTTP/2 200 \ncontent-length: 7\n\nhello\n' >"$dir/scenario"
run --scenario "$dir/scenario" -- curl -si --max-time 10 '{url}'
says "$dir/scenario:2: the status line is changed to HTTP/1.1" 'notice: HTTP/1.1'
says "line ends are changed to CRLF" 'notice: CRLF'
says 'Content-Length is computed from the body' 'notice: Content-Length'
tr -d '\r' <"$dir/out" >"$dir/lines"
[ "$(sed -n 1p "$dir/lines")" = 'HTTP/1.1 200 OK' ] &&
	grep -qi '^content-length: 5$' "$dir/lines" &&
	[ "$(tail -n 1 "$dir/lines")" = hello ]
report $? 'notices: and so it was'
run --scenario "$dir/scenario" -q -- curl -si --max-time 10 '{url}'
[ ! -s "$dir/err" ]
report $? 'notices: none with -q'

printf '@on GET /\n@raw\nHTTP/2 200 \ncontent-length: 5\n\nhello\n' \
	>"$dir/scenario"
run --scenario "$dir/scenario" -v -- curl -s --max-time 10 -o /dev/null '{url}'
! grep -q "$dir/scenario" "$dir/err"
report $? 'notices: none of raw messages'

# --- a scenario that is served without COMMAND ---

# serves STATUS NAME ARGUMENT...
serves()
{
	expected=$1 name=$2
	shift 2
	"$retort" -p 0 -b 127.0.0.1 "$@" >"$dir/out" 2>"$dir/err" <"$dir/input"
	status=$?
	[ $status -eq "$expected" ]
	report $? "$name: status $expected (got $status)"
}

printf '@on GET /\nHTTP/1.1 200 OK\n\nhello\n@expect 1 GET /\n' \
	>"$dir/scenario"
serves 4 'served: nothing arrived' --scenario "$dir/scenario" --lifetime 0
says 'retort: not as expected:' 'served: it is told'
says 'scenario:5 (GET /): expected exactly 1, got 0' 'served: and what'
start --requests 1 -q --scenario "$dir/scenario"
curl -s --max-time 10 "$url" >"$dir/out" 2>&1
wait "$pid"
status=$?
pid=
equal '0 hello' "$status $(cat "$dir/out")" 'served: what was expected arrived'
printf '@on GET /\nHTTP/1.1 200 OK\n\nhello\n' >"$dir/scenario"
serves 0 'served: nothing is expected' --scenario "$dir/scenario" --lifetime 0

# --- the manual's examples are scenarios ---

sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/\\e/\\/g
	/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$source/src/man/retort.5" |
	awk -v to="$dir/example" '
		/^\.Bd/ { inside = 1; n++; next }
		/^\.Ed/ { inside = 0; next }
		inside { print >(to n) }'
for example in "$dir"/example*; do
	# nothing comes, which it may not expect
	run --scenario "$example" "$dir" -- true
	[ $status -eq 0 ] || [ $status -eq 4 ]
	report $? "manual: $(sed -n 1p "$example")"
done
[ -f "$dir/example5" ]
report $? 'manual: there are examples'

# --- at a terminal ---

name='one job of the shell, with ^Z, bg and fg'
if have python3 && have bash; then
	timeout -k 5 600 python3 "$source/tests/command/job_control.py" "$retort" \
		>"$dir/out" 2>"$dir/err"
	result=$?
	if [ $result -eq 77 ]; then
		skip "$name" 'there are no pseudo-terminals'
	else
		report $result "$name"
	fi
else
	skip "$name" 'there is no python3, or no bash'
fi

conclude
