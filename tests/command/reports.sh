#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Sweeps: their points, progress and reports, read by parsers; transcripts as
# ladders; and that what a client says is data in all of them. Prints TAP. $RETORT is the command.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

if ! have curl || ! have python3; then
	skip 'sweeps and their reports' 'there is no curl, or no python3'
	conclude
	exit
fi

# nasty prints all that may not come through as it is, and takes what it gets
cat >"$dir/nasty" <<'EOS'
curl -s --http0.9 --max-time 10 "$1"
printf '<script>alert(1)</script>]]>&amp;"\047\033[31m\000\342\200\256\377\n'
printf '<b>\033]0;title\007\n' >&2
printf '%01048576d' 0
EOS
printf abc >"$dir/raw"

# sweeps STATUS ARGUMENT...: its process is in `pid`
sweeps()
{
	expected=$1
	shift
	# shellcheck disable=SC2016 # of that shell
	sh -c 'echo $$ >"$0"; exec "$@"' "$dir/pid" "$retort" sweep "$@" \
		>"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	[ $status -eq "$expected" ]
	report $? "$name: status $expected (got $status)"
}

# python TEXT FILE...: it is content
python()
{
	python3 -c "$@" >"$dir/out" 2>&1
	report $? "$name"
}

name='points'
sweeps 0 --body hello --at body -- curl -sf '{url}'
grep -q '; 5 tried, body$' "$dir/out" && [ ! -s "$dir/err" ]
report $? "$name: the report says which, and there is no progress"

name='progress'
sweeps 0 --body hello --at body --progress -- curl -sf '{url}'
grep -q '17 of 17.*, 0 cuts taken for success' "$dir/err"
report $? "$name: is told"

# shellcheck disable=SC2016 # of that shell
printf '%s' 'import os, pty, sys
said = b""
def read(fd):
    global said
    data = os.read(fd, 4096)
    said += data
    return data
pty.spawn(sys.argv[2:], read)
sys.exit(open(sys.argv[1], "rb").read() not in said)' >"$dir/terminal.py"
printf ' of 17' >"$dir/wanted"
python3 "$dir/terminal.py" "$dir/wanted" "$retort" sweep --body hello --at body -- curl -sf \
	'{url}' >"$dir/out" 2>"$dir/err" </dev/null
report $? 'progress: a terminal shows it'
python3 "$dir/terminal.py" "$dir/wanted" "$retort" sweep --no-progress --body hello --at body -- \
	curl -sf '{url}' >"$dir/out" 2>"$dir/err" </dev/null
[ $? -eq 1 ]
report $? 'progress: --no-progress shows none'

name='a client whose output for a whole reply varies'
# shellcheck disable=SC2016 # of that shell
sweeps 0 --raw "$dir/raw" -- sh -c \
	'got=$(curl -s --http0.9 --max-time 10 {url}) && [ "$got" = abc ] &&
		echo x >>"$0" && cat "$0"' "$dir/lines"
grep -q 'not the same each time, and was not compared' "$dir/out"
report $? "$name: is not compared"

name='a client that prints what came first'
# shellcheck disable=SC2016 # of that shell
sweeps 1 --raw "$dir/raw" --at 1 -- python3 -c '
import socket, sys, urllib.parse
url = urllib.parse.urlparse(sys.argv[1])
s = socket.create_connection((url.hostname, url.port))
s.sendall(b"GET / HTTP/1.0\r\n\r\n")
got = s.makefile("rb").read()
# in how many segments: of struct tcp_info, so that being late does not count
info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160)
print(got[:1] if int.from_bytes(info[152:156], sys.byteorder) > 1 else got)' \
	'{url}'
grep -q '^split N; gap 20 .* failure: none; .* other output: 1' "$dir/out"
report $? "$name: is found out"

name='a client that hangs'
# shellcheck disable=SC2016 # of that shell
sweeps 1 --raw "$dir/raw" --at 1 -- sh -c \
	'got=$(curl -s --http0.9 --max-time 10 {url}) && [ "$got" = abc ] ||
		exec sleep 60'
grep -q '^retort: cut 1 fin: COMMAND did not end within [0-9]* ms$' "$dir/err"
report $? "$name: is told, and the sweep goes on"
grep -q '^each 1 .* for success$' "$dir/out"
report $? "$name: to its end"

name='a client that hangs each time'
# shellcheck disable=SC2016 # of that shell
sweeps 1 -j 10 --body hello --report "$dir/hangs.json" -- sh -c \
	'[ "$(curl -sf --max-time 10 {url})" = hello ] || exec sleep 60'
equal "10 retort: the sweep ends early: COMMAND did not end 10 times; if it \
tries again, turn that off (wget --tries=1)" \
	"$(grep -c 'did not end within' "$dir/err") $(tail -n 1 "$dir/err")" \
	"$name: the last line says what to do"
grep -q '^cut N fin  *140  taken for success: (130 not tried)$' "$dir/out"
report $? "$name: all that was tried is in the table"
name="$name: its report says the same"
python 'import json, sys
all = json.load(open(sys.argv[1]))
hangs = [point for point in all["points"] if point["late"]]
assert len(hangs) == 10 and len(all["points"]) == 11, all["points"]
assert "noticed 0 of 10 cuts; 10 times it did not" in all["summary"], all' \
	"$dir/hangs.json"

name='a sweep that is interrupted'
# shellcheck disable=SC2016 # of that shell
sweeps 130 -j 1 --raw "$dir/raw" --report "$dir/part.json" -- sh -c \
	'got=$(curl -s --http0.9 --max-time 10 {url})
		[ "$got" != a ] || kill -INT $(cat "$0"); [ "$got" = abc ]' \
	"$dir/pid"
grep -q '^cut N fin  *3  taken for success: (2 not tried)$' "$dir/out"
report $? "$name: prints what is known"
name="$name: its report has what is known"
python 'import json, sys
all = json.load(open(sys.argv[1]))
assert len(all["points"]) == 2 and all["all"] == 10, all
assert "8 of 10 replies were not tried" in all["summary"], all' \
	"$dir/part.json"

name='several clients at once'
# a table is in the order of the replies, whichever ends first
for jobs in 1 3; do
	# shellcheck disable=SC2016 # of that shell
	sweeps 1 -j $jobs --raw "$dir/raw" --report "$dir/$jobs.json" -- sh -c \
		'got=$(curl -s --http0.9 --max-time 10 {url})
			case $got in (a) sleep 0.3; false ;; (ab*) ;; (*) false
			esac'
	cp "$dir/out" "$dir/$jobs.out"
done
cmp "$dir/1.out" "$dir/3.out" &&
	grep -q '^cut N fin  *3  taken for success: 2$' "$dir/3.out"
report $? "$name: the same table"
name="$name: the same report"
python 'import json, sys
one, three = [json.load(open(name)) for name in sys.argv[1:]]
for all in one, three:
    for point in all["points"]:
        del point["ms"]
assert one == three, (one, three)' "$dir/1.json" "$dir/3.json"

# all of them hold a pipe, whose end comes when the last one has gone
name='several clients at once, interrupted'
mkfifo "$dir/held"
# shellcheck disable=SC2016 # of that shell
(exec 9>"$dir/held" &&
	exec sh -c 'echo $$ >"$0"; exec "$@"' "$dir/pid" \
		"$retort" sweep -j 3 --raw "$dir/raw" -- sh -c \
		'[ "$(curl -s --http0.9 --max-time 10 {url})" = abc ] || {
			kill -INT $(cat "$0"); sleep 60; sleep 60; }' \
		"$dir/pid" >"$dir/out" 2>"$dir/err" </dev/null) &
sweeping=$!
timeout 120 cat "$dir/held"
report $? "$name: leaves none behind"
wait $sweeping
[ $? -eq 130 ] && grep -q '^whole .*for success$' "$dir/out"
report $? "$name: prints what is known"

name='a nasty client'
for end in html json xml; do
	sweeps 1 --raw "$dir/raw" --report "$dir/r.$end" -- \
		sh "$dir/nasty" '{url}'
done
sweeps 1 --raw "$dir/raw" -- sh "$dir/nasty" '{url}'
# of control characters standard error has ends of lines alone
! tr -d '\n' <"$dir/err" | grep -q '[[:cntrl:]]' &&
	grep -q '^  <b>\\u001b\]0;title\\u0007$' "$dir/err"
report $? "$name: its standard error is data"

name='JSON: read by a parser'
python 'import json, sys
all = json.load(open(sys.argv[1]))
points = all["points"]
assert len(points) == all["all"] == 10, len(points)
assert all["size"] == 3 and all["reply"] == "abc", all
cut = [p for p in points if p["fault"] == "cut 2 fin"][0]
assert cut["wrong"] and cut["success"] and cut["at"] == 2, cut
assert cut["output"].startswith("ab<script>"), cut
assert "\033[31m\0\u202e\ufffd" in cut["output"], cut
assert cut["errors"].startswith("<b>\033]0;title\007"), cut
assert cut["output_size"] > 1 << 20, cut' "$dir/r.json"

name='JUnit: read by a parser'
python 'import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot()[0]
cases = suite.findall("testcase")
assert len(cases) == int(suite.get("tests")) == 10, len(cases)
bad = [c.get("name") for c in cases if c.find("failure") is not None]
assert len(bad) == int(suite.get("failures")), bad
assert {"cut %d %s" % (n, how) for n in range(3)
    for how in ("fin", "reset")} == set(bad), bad
out = cases[1].find("system-out").text
assert "<script>" in out and "\\u001b[31m\\u0000\\u202e\\xff" in out, out' \
	"$dir/r.xml"

# page FILE TEXT...: a page has these, no markup of others, and the hashes of
# its styles
page()
{
	python 'import base64, hashlib, html.parser, re, sys
text = open(sys.argv[1], encoding="utf-8").read()
assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
assert len(text) < 100000, len(text)
tags = set()
class Reader(html.parser.HTMLParser):
    def handle_starttag(self, tag, attributes):
        tags.add(tag)
        for name, value in attributes:
            assert name not in ("style", "src", "href"), (tag, name)
            assert not name.startswith("on"), (tag, name)
Reader().feed(text)
assert not tags & {"script", "b", "link", "img"}, tags
styles = re.findall("<style>(.*?)</style>", text, re.S)
hashes = ["\x27sha256-%s\x27" % base64.b64encode(hashlib.sha256(
    style.encode()).digest()).decode() for style in styles]
policy = "default-src \x27none\x27; style-src %s;" % " ".join(hashes)
assert policy in text, policy
for part in sys.argv[2:]:
    assert part in text, part' "$@"
}

name='HTML: nothing of the client is markup, and the styles have their hashes'
page "$dir/r.html" '&lt;script&gt;alert(1)&lt;/script&gt;' \
	'took 6 of 6 cut replies for success'

name='a sweep that fails is an error in its report'
sweeps 125 --body hello --report "$dir/f.xml" -- true
grep -q 'tests="1" failures="0" errors="1"' "$dir/f.xml" &&
	grep -q 'error message="the whole reply: the client did not connect"' \
		"$dir/f.xml"
report $? "$name, for JUnit"
sweeps 127 --body hello --report "$dir/f.json" -- /nonexistent
grep -q '^"error": "COMMAND cannot be run",$' "$dir/f.json"
report $? "$name, for programs"

name='a report that cannot be written'
if "$retort" --version | grep -q OpenSSL; then
	mkdir "$dir/tmp"
	TMPDIR=$dir/tmp sweeps 125 --tls --body hello \
		--report "$dir/none/r.html" -- curl -sf '{url}'
	[ -z "$(ls "$dir/tmp")" ]
	report $? "$name: leaves no CA behind"
else
	skip "$name" 'this is a build without TLS'
fi

# --- ladders ---

cat >"$dir/s.retort" <<'EOS'
@on GET /a
@fault pause 20; cut 50 reset
HTTP/1.1 200 OK

hello
@on GET /b
HTTP/1.1 200 OK

&<script>
@expect 2 GET /b
EOS

# runs STATUS ARGUMENT...: retort run, with that scenario
runs()
{
	expected=$1
	shift
	"$retort" run --scenario "$dir/s.retort" "$@" >"$dir/out" \
		2>"$dir/err" </dev/null
	status=$?
	[ $status -eq "$expected" ]
	report $? "$name: status $expected (got $status)"
}

# shows ARGUMENT...: retort show
shows()
{
	LC_ALL=C "$retort" show "$@" >"$dir/out" 2>"$dir/err" </dev/null
	report $? "$name: retort show"
}

name='a run that fails, with a report'
# shellcheck disable=SC2016 # of that shell
runs 4 --keep-alive --report "$dir/l.html" -- sh -c \
	'curl -s "$0b" "$0a"; true' '{url}'
[ "$(tail -n 1 "$dir/err")" = "retort: see $dir/l.html" ]
report $? "$name: the last line says where it is"
page "$dir/l.html" 'Not as expected: 1 connection' 'expected exactly 2, got 1' \
	'&amp;&lt;script&gt;' 'fault: <code>cut 50 reset</code>' 'server: RST' \
	'client: '

name='a run that fails, with transcripts'
# shellcheck disable=SC2016 # of that shell
runs 4 --transcript "$dir/it's" -- sh -c 'curl -s "$0a"; curl -s "$0b"' '{url}'
show=$(sed -n '$s/^retort: see it by: retort show //p' "$dir/err")
eval "shows $show"
for text in '^connection 1 from' '^connection 2 from' 'fault: cut 50 reset' \
	'|X-* RST -*|$' '^ *[0-9.]* | GET /b HTTP/1.1' '&<script>'; do
	grep -q "$text" "$dir/out"
	report $? "$name: the last line shows $text"
done
shows "$dir/it's/1.txt" "$dir/it's/2.txt"
cp "$dir/out" "$dir/expected"
shows "$dir/it's"
cmp "$dir/out" "$dir/expected"
report $? "$name: the folder shows the same"
shows --report "$dir/l.html" "$dir/it's"
page "$dir/l.html" '<h1>2 connections</h1>' 'client: FIN'
LC_ALL=C "$retort" show - <"$dir/it's/2.txt" >"$dir/out" 2>"$dir/err"
grep -q '^connection 2 from' "$dir/out"
report $? "$name: from standard input"
printf '\33[36m' >"$dir/wanted"
TERM=xterm python3 "$dir/terminal.py" "$dir/wanted" "$retort" show "$dir/it's" \
	>"$dir/out" 2>"$dir/err" </dev/null
report $? 'retort show: a terminal has colours'
NO_COLOR=1 TERM=xterm python3 "$dir/terminal.py" "$dir/wanted" "$retort" show \
	"$dir/it's" >"$dir/out" 2>"$dir/err" </dev/null
[ $? -eq 1 ]
report $? 'retort show: NO_COLOR has none'

# more names than a line has room for
name='a run that fails, with transcripts in folders of long names'
long=$dir
for _ in 1 2 3; do
	long="$long/it's $(printf %0190d 0)"
	mkdir "$long"
done
# shellcheck disable=SC2016 # of that shell
runs 4 --transcript "$long/t" -- sh -c \
	'for i in 1 2 3 4 5 6 7 8 9 10; do curl -s "$0$i"; done; true' '{url}'
show=$(sed -n '$s/^retort: see it by: retort show //p' "$dir/err")
eval "shows $show"
grep -q '^connection 1 from' "$dir/out"
report $? "$name: the last line shows the first of them"

name='a run without records'
runs 4 --report "$dir/l.txt" -- true
grep -q '^not as expected:$' "$dir/l.txt"
report $? "$name: its report says so"

# talks ARGUMENT...: what a client of plain sockets says is drawn
talks()
{
	"$retort" run --transcript "$dir/$name" "$@" -- python3 -c '
import socket, sys, urllib.parse
url = urllib.parse.urlparse(sys.argv[1])
s = socket.socket(type=socket.SOCK_DGRAM if url.scheme == "udp"
    else socket.SOCK_STREAM)
s.connect(("127.0.0.1", url.port))
for text in b"one\n", b"two\n":
    s.sendall(text)
    s.recv(100)' '{url}' >"$dir/out" 2>"$dir/err" </dev/null
	shows "$dir/$name"
	grep -q '| one\\n ' "$dir/out" && grep -q ' one\\n |$' "$dir/out"
	report $? "$name: what was said, to and fro"
}

name=pieces
talks --tcp --echo
name=datagrams
talks --udp --echo
if "$retort" --version | grep -q OpenSSL; then
	name='an exchange in TLS'
	"$retort" run --tls --body hello --transcript "$dir/tls" -- \
		curl -sf '{url}' >"$dir/out" 2>"$dir/err" </dev/null
	shows "$dir/tls"
	grep -q ' hello *|$' "$dir/out"
	report $? "$name: what is in it"
fi

refused 'show: expected a transcript' show
refused 'show: not with --port: it serves nothing' show -p 8080 "$dir/tls"
refused "show $dir/none: No such file" show "$dir/none"
refused 'a transcript, which begins with connection N' show "$dir/s.retort"
refused 'no transcript is there' show "$dir/tmp"
mkdir "$dir/others"
echo x >"$dir/others/01.txt"
refused 'no transcript is there' show "$dir/others"
echo x >"$dir/others/1.txt"
refused "$dir/others/1.txt:1: expected a transcript" show "$dir/others"
refused '--report r.json: expected FILE.html or FILE.txt' run --report r.json \
	-- true
refused '--report: needs run, sweep or show' --report r.html
refused '--at: needs sweep' --at head
refused '--report r.txt: expected FILE.html, ' sweep --report r.txt -- true
refused "--at: 'heads': expected head, body" sweep --at heads -- true
refused '--jobs and --port exclude' sweep -j 2 -p 8080 -- true
refused "--jobs '0': expected a whole number from 1 to 256" sweep -j 0 -- true
refused '--no-progress and --progress exclude' sweep --progress \
	--no-progress -- true

conclude
