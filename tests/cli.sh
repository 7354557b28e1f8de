#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The command line: what is refused and how, and what curl makes of what is
# served. Prints TAP. $RETORT is the command; the tests with curl are skipped
# where there is none.

set -u
LC_ALL=C
export LC_ALL
unset LISTEN_FDS LISTEN_PID
# an http_proxy is not for this machine
no_proxy='*'
export no_proxy
retort=${RETORT:-./retort}
count=0
failed=0
pid=
input=/dev/null # what start() lets the command read

dir=$(mktemp -d "${TMPDIR:-/tmp}/retort-cli.XXXXXX") || exit 1
trap 'test -z "$pid" || kill "$pid"; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

# report STATUS NAME: one test; on failure, what is in the files `out`, `err`
report()
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $count - $2"
	for file in out err; do
		[ ! -f "$dir/$file" ] || sed "s/^/# $file: /" "$dir/$file"
	done
}

# skip NAME WHY
skip()
{
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# equal EXPECTED GOT NAME
equal()
{
	[ "$1" = "$2" ]
	result=$?
	report $result "$3"
	[ $result -eq 0 ] || printf 'expected: %s\ngot: %s\n' "$1" "$2" |
		sed 's/^/# /'
}

# refused STATUS TEXT ARG...: ends so, with one line on stderr that has TEXT in
# it, and nothing on stdout. (What is not refused lives for 5 seconds.)
refused()
{
	expected=$1 text=$2
	shift 2
	"$retort" --lifetime 5 "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	[ $status -eq "$expected" ] &&
		[ ! -s "$dir/out" ] &&
		[ "$(wc -l <"$dir/err")" -eq 1 ] &&
		grep -q '^retort: ' "$dir/err" &&
		grep -qF -e "$text" "$dir/err"
	report $? "refused with $expected: $(printf '%s' "$*" | tr '\n' ' ')"
}

usage()
{
	refused 2 "$@"
}

# --- the command line ---

mkdir "$dir/site" "$dir/site/sub" "$dir/site/a folder"
echo '<p>hello' >"$dir/site/index.html"
echo 'text' >"$dir/site/text.txt"
echo 'in a folder' >"$dir/site/a folder/index.html"
mkfifo "$dir/fifo"

for value in -1 '' 99999 8080x 65536 0x50 ' 80' +80 1.5 \
	18446744073709551617; do
	usage "--port '$value'" --port "$value"
done
usage "--port '8080x'" -p8080x
usage "--port '-1'" -p -1

for value in '' nonsense 127.0.0.1:99999 127.0.0.1:x 127.0.0.256 '[::1' \
	::g localhost:-1 example.org unix: fd: fd:x fd:-1; do
	usage --bind -p 0 --bind "$value"
done
usage --bind --bind fd:5 --bind fd:5
usage --port -p 0 -b fd:5
usage --port -p 0 -b unix:/nowhere/socket
for value in '' 99 199 1000 abc 200x -200; do
	usage "--status '$value'" -s "$value"
done
for option in --requests --max-target --max-head --max-fields --max-body; do
	for value in '' x -1 1x 99999999999999999999; do
		usage "$option '$value'" $option "$value"
	done
done
usage "--requests '0'" --requests 0
usage "--max-fields '1001'" --max-fields 1001
for option in --lifetime --grace --timeout; do
	for value in '' x -1 1s 1e3 . 1.2.3 99999999999999999999; do
		usage "$option '$value'" $option "$value"
	done
done
for value in '' xml shor; do
	usage "--log '$value'" --log "$value"
done
for value in '' kqueue; do
	usage "--io '$value'" --io "$value"
done
for value in '' nocolon ': value'; do
	usage "--header '$value'" -H "$value"
done
usage 'bad name' -p 0 -H 'bad name: x'
usage 'field' -p 0 -H 'Name : x'
usage 'Name' -p 0 -H "Name: a
b"
for name in Content-Length content-length Transfer-Encoding CONNECTION; do
	usage "$name" -p 0 -H "$name: 1"
	usage "$name" -p 0 -H "$name:" --body x
done
for value in '' md md= =text/plain; do
	usage "--mime '$value'" --mime "$value"
done
usage 'media type' -p 0 --mime "md=a
b"
usage 'media type' -p 0 --type "a
b"
usage "$dir/missing" --body "@$dir/missing"
usage "$dir/missing" --raw "$dir/missing"
usage "$dir" --body "@$dir"
usage "$dir" --raw "$dir"

# clashes
raw=$dir/site/text.txt
set -- --status=404 --body=x --type=a/b
for option; do
	name=${option%%=*}
	usage "$name" "$option" --raw "$raw"
	usage "$name" "$option" --echo
	usage "$name" "$option" "$dir/site"
	usage "$name" "$option" --dotfiles
	usage "$name" "$option" --mime md=a/b
done
for option in "--raw=$raw" --echo; do
	name=${option%%=*}
	usage "$name" "$option" "$dir/site"
	usage "$name" "$option" --dotfiles
	usage "$name" "$option" --mime md=a/b
done
usage --raw --raw "$raw" --echo
usage --header --raw "$raw" -H 'A: b'
usage --body -s 204 --body x
usage --status -s 304 --body x
usage second "$dir/site" second

# unknown, incomplete, too much
usage --bogus --bogus
usage -Z -Z
usage -Z -vZ
usage --echo --echo=yes
usage --port-file --port-file
usage -H -H
usage --p --p 0

# roots
usage "$dir/missing" -p 0 "$dir/missing"
usage "$dir/fifo" -p 0 "$dir/fifo"
usage "/dev/null" -p 0 /dev/null
if [ "$(id -u)" -eq 0 ]; then
	skip 'unreadable root' 'root reads everything'
else
	mkdir "$dir/unreadable"
	chmod 0 "$dir/unreadable"
	usage "$dir/unreadable" -p 0 "$dir/unreadable"
fi
refused 1 "$dir/missing/port" -p 0 --port-file "$dir/missing/port"
refused 3 "unix:$dir/missing/s" -b "unix:$dir/missing/s"
refused 3 'fd:77' -b fd:77
refused 3 'fe80::1' -p 0 -b fe80::1
refused 2 "--bind 'fd:1'" -b fd:1
refused 2 "--host 'localhost:80'" --host localhost:80
refused 2 "--host '::1'" --host ::1

LISTEN_PID=$$ LISTEN_FDS=1 "$retort" -p 0 --lifetime 0 >"$dir/out" \
	2>"$dir/err"
report $? 'LISTEN_FDS for another process is ignored'

# --- help, version, time ---

"$retort" --help >"$dir/out" 2>"$dir/err" && [ ! -s "$dir/err" ] &&
	grep -q '^Usage: retort ' "$dir/out" && ! grep -q '.\{81\}' "$dir/out"
report $? '--help'
equal "$("$retort" -h)" "$("$retort" --help)" '-h'
missing=
for option in --port --bind --status --body --type --raw --echo --header \
	--mime --dotfiles --host --log --quiet --port-file --requests \
	--lifetime --with-parent --grace --timeout --max-target --max-head \
	--max-fields --max-body --io --help --version -v; do
	grep -qF -e "$option" "$dir/out" || missing="$missing $option"
done
equal '' "$missing" '--help names every option'
"$retort" --version >"$dir/out" 2>"$dir/err" &&
	grep -q '^retort [0-9][0-9.]*$' "$dir/out" &&
	[ "$(wc -l <"$dir/out")" -eq 1 ]
report $? '--version'
equal "$("$retort" -V)" "$("$retort" --version)" '-V'

for end in '--lifetime 0:0' '--lifetime 0.05:0' \
	'--lifetime 0.05 --requests 1:5'; do
	# shellcheck disable=SC2086 # options
	"$retort" -p 0 --body x ${end%:*} >"$dir/out" 2>"$dir/err"
	equal "${end##*:}" $? "${end%:*}"
done

# --- with curl ---

# start ARG...: on any port; `url` is the first of those that it prints
start()
{
	rm -f "$dir/stdout"
	mkfifo "$dir/stdout"
	"$retort" -p 0 -b 127.0.0.1 "$@" <"$input" >"$dir/stdout" \
		2>"$dir/err" &
	pid=$!
	url=
	read -r url <"$dir/stdout"
}

# stop NAME: on SIGTERM, it ends well
stop()
{
	kill "$pid"
	wait "$pid"
	equal 0 $? "$1: ends well"
	pid=
}

# get ARG...: curl, quietly, and in vain after a while
get()
{
	curl -sS --max-time 20 --connect-timeout 20 "$@" 2>"$dir/out"
}

# code ARG...: only the status
code()
{
	get -o /dev/null -w '%{http_code}' "$@"
}

files()
{
	start --io "$1" "$dir/site"
	get "$url" | cmp -s - "$dir/site/index.html"
	report $? "$1: /"
	get "${url}big" | cmp -s - "$dir/site/big"
	report $? "$1: 3 MB"
	get --http1.0 "${url}big" | cmp -s - "$dir/site/big"
	report $? "$1: 3 MB by HTTP/1.0"
	equal 'in a folder' "$(get -L "${url}a%20folder")" "$1: -L"
	equal "${url}a%20folder/?a=b" "$(get -o /dev/null -w '%{redirect_url}' \
		"${url}a%20folder?a=b")" "$1: 301 keeps the query"
	equal 404 "$(code "${url}missing")" "$1: 404"
	equal 403 "$(code "${url}sub/")" "$1: 403"
	equal 405 "$(code -d x "$url")" "$1: 405"
	equal 405 "$(code -T "$dir/site/big" "$url")" "$1: 405 to 3 MB"
	equal 405 "$(code -H Expect: -T "$dir/site/big" "$url")" \
		"$1: 405 to 3 MB, unasked"
	equal 501 "$(code -X BREW "$url")" "$1: 501"
	equal 404 "$(code --path-as-is "${url}../../etc/passwd")" \
		"$1: not above the root"
	equal 404 "$(code --path-as-is "${url}%2e%2e/%2e%2e/etc/passwd")" \
		"$1: nor encoded"
	get -I "${url}big" >"$dir/head" &&
		grep -q '^Content-Length: 3000000' "$dir/head"
	report $? "$1: HEAD"
	stop "$1"
}

canned()
{
	start --body "@$dir/site/big" --type a/b -s 201 -H 'X-A: 1'
	equal '201 a/b' "$(get -o "$dir/got" -w '%{http_code} %{content_type}' \
		-d x "$url")" 'canned reply'
	cmp -s "$dir/got" "$dir/site/big"
	report $? 'canned body'
	equal 201 "$(code -T "$dir/site/big" "$url")" '3 MB uploaded'
	equal 201 "$(code -T - "$url" <"$dir/site/big")" '3 MB in chunks'
	equal 201 "$(code --compressed -A x -e y "$url")" 'other fields'
	stop canned

	start --echo
	get -H 'Transfer-Encoding: chunked' -H 'Expect:' -d body "$url" \
		>"$dir/got"
	tr -d '\r' <"$dir/got" | tail -n 5 | tr '\n' '|' >"$dir/tail"
	equal '|4|body|0||' "$(cat "$dir/tail")" 'echo of a chunked body'
	stop echo

	start --max-body 1000 -s 200
	equal 413 "$(code -d "@$dir/site/big" "$url")" '413 to 3 MB'
	stop 413
}

# A recorded reply is the same the second time, to the byte.
recorded()
{
	start "$dir/site"
	get -i --raw --http1.1 "${url}text.txt" >"$dir/first"
	stop recorded
	start --raw "$dir/first"
	get -i --raw --http1.1 "$url" >"$dir/second"
	stop replayed
	[ -s "$dir/first" ] && cmp -s "$dir/first" "$dir/second"
	report $? 'recorded and replayed'
	input=$dir/first
	start --raw -
	input=/dev/null
	get -i --raw --http1.1 "$url" >"$dir/second"
	stop 'replayed from standard input'
	cmp -s "$dir/first" "$dir/second"
	report $? 'replayed from standard input'
}

scripts()
{
	url=$("$retort" -p 0 -b 127.0.0.1 --requests 1 --lifetime 20 \
		--body hello 2>/dev/null &)
	equal hello "$(get "$url")" "\$(...) returns while it serves"

	"$retort" -p 0 -b 127.0.0.1 --requests 1 --lifetime 20 --body hello \
		2>/dev/null | {
		read -r line
		get "$line"
		cat
	} >"$dir/got"
	equal hello "$(cat "$dir/got")" 'a pipe ends while it serves'

	start --port-file "$dir/port" --requests 2 --body x
	equal "http://127.0.0.1:$(cat "$dir/port")/" "$url" '--port-file'
	equal x "$(get "$url")" 'one of two'
	equal x "$(get "$url")" 'two of two'
	wait "$pid"
	equal 0 $? '--requests'
	pid=

	start -b "unix:$dir/socket" --host localhost --body x
	equal 200 "$(code --unix-socket "$dir/socket" http://localhost/)" \
		'--unix-socket'
	equal 421 "$(code --unix-socket "$dir/socket" http://evil.example/)" \
		'--host'
	stop unix
	[ ! -e "$dir/socket" ]
	report $? 'the socket is removed'

	start --with-parent --body x
	equal x "$(get "$url")" '--with-parent'
	stop '--with-parent'
}

v6()
{
	"$retort" -p 0 -b ::1 --lifetime 0 --body x >/dev/null 2>&1 || {
		skip IPv6 'this machine has no ::1'
		return
	}
	start -b ::1 --body x
	equal x "$(get -g "$(echo "$url" | sed 's/127.0.0.1/[::1]/')")" IPv6
	stop IPv6
}

json()
{
	start --log json "$dir/site"
	equal 404 "$(code --path-as-is "${url}a\"b\\c%20\$'")" 'an odd path'
	code "$url" >/dev/null
	stop json
	python3 - "$dir/err" <<'END' >"$dir/out" 2>&1
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) == 2, lines
assert lines[0]["status"] == 404 and lines[1]["status"] == 200, lines
assert lines[0]["request"] == "GET /a\"b\\c%20$' HTTP/1.1", lines
assert set(lines[0]) == {"time", "connection", "client", "request", "status",
    "received", "sent", "ms", "end"}, lines
END
	report $? 'python3 reads the log'
}

urllib()
{
	start "$dir/site"
	python3 - "$url" <<'END' >"$dir/out" 2>&1
import sys, urllib.error, urllib.request
url = sys.argv[1]
urllib.request.install_opener(urllib.request.build_opener(
    urllib.request.ProxyHandler({})))
with urllib.request.urlopen(url, timeout=20) as reply:
    assert reply.status == 200 and reply.read() == b"<p>hello\n"
with urllib.request.urlopen(url + "big", timeout=20) as reply:
    assert len(reply.read()) == 3000000
with urllib.request.urlopen(url + "a%20folder", timeout=20) as reply:
    assert reply.read() == b"in a folder\n"
try:
    urllib.request.urlopen(url, data=b"x" * (3 << 20), timeout=20)
    assert False, "not refused"
except urllib.error.HTTPError as error:
    assert error.code == 405 and error.read(), error
    error.close()
END
	report $? 'python3 urllib'
	stop urllib
}

if command -v curl >/dev/null; then
	awk 'BEGIN { for (i = 0; i < 300000; i++) printf "%09d\n", i }' \
		>"$dir/site/big"
	files epoll
	files poll
	canned
	recorded
	scripts
	v6
	if command -v python3 >/dev/null; then
		json
		urllib
	else
		skip 'JSON' 'there is no python3'
	fi
else
	skip 'what is served' 'there is no curl'
fi

echo "1..$count"
[ "$failed" -eq 0 ]
