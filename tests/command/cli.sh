#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The command line: what is refused and how, and what curl makes of what is
# served. Prints TAP. $RETORT is the command; the tests with curl are skipped
# where there is none.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

# refused STATUS TEXT ARG...: ends so, with one line on stderr that has TEXT in
# it, and nothing on stdout. (What is not refused lives for 5 seconds.)
refused()
{
	expected=$1 text=$2
	shift 2
	"$retort" --lifetime 5 "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	[ $status -eq "$expected" ] && says_why "$text"
	report $? "refused with $expected: $*"
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
ln -s ../fifo "$dir/site/out"
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
for value in '' x -1 1x 99999999999999999999; do
	usage "--requests '$value'" --requests "$value"
	for part in target head fields body; do
		usage "--limit $part '$value'" --limit "$part=$value"
	done
done
usage "--requests '0'" --requests 0
usage "--limit fields '1001'" --limit fields=1001
usage "--limit fields '1k'" --limit fields=1k
usage "--limit target '9M'" --limit target=9M
usage "--limit head '1kB'" --limit head=1kB
usage "--limit body '99999999999999G'" --limit body=99999999999999G
usage "--limit '8k'" --limit 8k
usage "--limit 'heads=8k'" --limit heads=8k
usage "--limit 'head=8k,'" --limit head=8k,
for option in --lifetime --grace --timeout; do
	for value in '' x -1 1x 1e3 . s 1.2.3 36000m 99999999999999999999; do
		usage "$option '$value'" $option "$value"
	done
done
for value in '' xml shor; do
	usage "--log '$value'" --log "$value"
done
for value in '' kqueue; do
	RETORT_IO=$value
	export RETORT_IO
	usage "RETORT_IO '$value'" -p 0
	unset RETORT_IO
done
for value in '' nocolon ': value'; do
	usage "--header '$value'" -H "$value"
done
usage 'bad name' -p 0 -H 'bad name: x'
usage 'field' -p 0 -H 'Name : x'
usage 'Name' -p 0 -H "Name: a
b"
for value in '' md md= = a/b=text/plain; do
	usage "--mime '$value'" --mime "$value"
done
for value in '' / /abs /index.html; do
	usage "--spa '$value'" -p 0 --spa "$value" "$dir/site"
done
for value in missing sub ../site/index.html index.html/; do
	usage "spa '$value'" -p 0 --spa "$value" "$dir/site"
done
usage "spa 'index.html'" -p 0 --spa index.html "$dir/site/text.txt"
usage --spa --spa
for value in '' x http://a/ '/a?b' '/a#b' /%zz /.x; do
	usage "--prefix '$value'" -p 0 --prefix "$value" "$dir/site"
done
usage --html --html=yes
usage --follow-links --follow-links=yes
usage --no-listing --no-listing=yes
usage --precompressed --precompressed=gzip
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
for option in --no-listing --precompressed --spa=index.html \
	--html --follow-links --prefix=/p; do
	name=${option%%=*}
	usage "--status and $name exclude" -s 200 "$option"
	usage "--body and $name exclude" "$option" --body x
	usage "--type and $name exclude" "$option" --type a/b
	usage "--raw and $name exclude" "$option" --raw "$raw"
	usage "--echo and $name exclude" "$option" --echo
done
usage --raw --raw "$raw" --echo
usage --header --raw "$raw" -H 'A: b'
usage --body -s 204 --body x
usage --status -s 304 --body x
usage second "$dir/site" second

# plain sockets
for value in '' x -1 1x 1e3 . 99999999999999999999; do
	usage "--timeout idle '$value'" --tcp --echo --timeout "idle=$value"
done
usage '--prompt: needs --tcp or --udp' --prompt
usage '--lines: needs --tcp, --scenario or --control' --lines
usage '--framing: needs --tcp, --scenario or --control' \
	--udp --echo --framing lines
usage '--lines and --framing exclude' --tcp --lines --framing crlf
usage "--framing: 'line': expected lines, crlf, end" --tcp --framing line
needs='needs --tcp, --keep-alive, --scenario or --control'
usage "--timeout idle: $needs" --timeout idle=1
usage "--timeout idle: $needs" --udp --echo --timeout idle=1
usage '--limit exchanges: needs --keep-alive' --limit exchanges=2
usage '--keep-alive and --tcp exclude each other' --tcp --echo --keep-alive
usage '--tcp and --udp exclude' --tcp --udp
usage '--tcp and --udp exclude' --udp --tcp --echo
for protocol in --tcp --udp; do
	usage '--body and --echo exclude' $protocol --echo --body x
	usage '--echo and --prompt exclude' $protocol --prompt --echo
	usage '--prompt and --body exclude' $protocol --prompt --body x
	for option in --status=404 --type=a/b "--raw=$raw" \
		--dotfiles --mime=md=a/b --no-listing \
		--precompressed --spa=index.html --html --follow-links \
		--prefix=/p '--header=A: b' \
		--host=localhost; do
		name=${option%%=*}
		usage "$name and $protocol exclude" $protocol "$option"
	done
	usage "ROOT and $protocol exclude" $protocol "$dir/site"
	usage "$protocol and --limit exclude" $protocol --limit head=9
	usage "$dir/missing" $protocol --body "@$dir/missing"
	usage "$dir" $protocol --body "@$dir"
	usage --body $protocol --body
	usage "$protocol" $protocol=x
	refused 3 "unix:$dir/missing/s" $protocol --echo \
		-b "unix:$dir/missing/s"
	refused 3 'fd:77' $protocol --echo -b fd:77
done
awk 'BEGIN { for (i = 0; i < 65507; i++) printf "x" }' >"$dir/longest"
"$retort" --lifetime 0 -p 0 --udp --body "@$dir/longest" >"$dir/out" \
	2>"$dir/err"
report $? 'the longest answer of UDP'
echo >>"$dir/longest"
usage '65507 bytes' --udp --body "@$dir/longest"

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
refused 2 "$dir/missing/port" -p 0 --port-file "$dir/missing/port"
refused 3 "unix:$dir/missing/s" -b "unix:$dir/missing/s"
refused 3 'fd:77' -b fd:77
refused 3 'fe80::1' -p 0 -b fe80::1
refused 2 "--bind 'fd:1'" -b fd:1
refused 2 "--host 'localhost:80'" --host localhost:80
refused 2 "--host '::1'" --host ::1
refused 2 "--host 'a b': expected a name or address" --host 'a b'
refused 2 "--host '[::1]x'" --host '[::1]x'
refused 2 "--host '[1::2::3]'" --host '[1::2::3]'
refused 2 "--host 'a%zz'" --host 'a%zz'
refused 2 "--host ''" --host ''

LISTEN_PID=$$ LISTEN_FDS=1 "$retort" -p 0 --lifetime 0 >"$dir/out" \
	2>"$dir/err"
report $? 'LISTEN_FDS for another process is ignored'

# --- help, version, time ---

"$retort" --help >"$dir/out" && [ "$(wc -l <"$dir/out")" -lt 24 ] &&
	! grep -q '.\{81\}' "$dir/out"
report $? '--help fits a screen'
"$retort" --help all >"$dir/out" 2>"$dir/err" && [ ! -s "$dir/err" ] &&
	grep -q '^Usage: retort ' "$dir/out" && ! grep -q '.\{81\}' "$dir/out"
report $? '--help all'
equal "$("$retort" -h)" "$("$retort" --help)" '-h'
grep -oE -e ' --[a-z-]+' "$dir/out" | tr -d ' ' | sort -u >"$dir/named"
grep '^\.It .*Fl -' "$source/src/man/retort.1" | grep -oE 'Fl -[a-z-]+' |
	sed 's/Fl -/--/' | sort -u >"$dir/specified"
equal "$(cat "$dir/specified")" "$(cat "$dir/named")" \
	'--help all names the options of retort(1)'
"$retort" --version >"$dir/out" 2>"$dir/err" &&
	head -n 1 "$dir/out" | grep -q '^retort [0-9][0-9.]*$' &&
	sed -n 2p "$dir/out" | grep -Eq '^llhttp [1-9][0-9]*[.][0-9]+[.][0-9]+$' &&
	sed -n 3p "$dir/out" |
	grep -Eq '^(TLS by OpenSSL, built with 3[0-9.]*|without TLS)$' &&
	sed -n 4p "$dir/out" |
	grep -Eq '^(JSON by jansson, built with 2[0-9.]*|without JSON)$' &&
	sed -n 5p "$dir/out" |
	grep -Eq '^(sandboxed by Landlock, version [0-9]+$|without a sandbox)' &&
	[ "$(wc -l <"$dir/out")" -eq 5 ]
report $? '--version'
equal "$("$retort" -V)" "$("$retort" --version)" '-V'

for end in '--lifetime 0:0' '--lifetime 0.05:0' \
	'--lifetime 0.05 --requests 1:5'; do
	# shellcheck disable=SC2086 # options
	"$retort" -p 0 --body x ${end%:*} >"$dir/out" 2>"$dir/err"
	equal "${end##*:}" $? "${end%:*}"
done

# --- with curl ---

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
	RETORT_IO=$1
	export RETORT_IO
	start "$dir/site"
	unset RETORT_IO
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
	equal 403 "$(code "${url}out")" "$1: 403"
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

# field NAME: the value of a field in the file `head`
field()
{
	tr -d '\r' <"$dir/head" | sed -n "s/^$1: //p"
}

# modified FILE: a file's time, as a date of HTTP
modified()
{
	TZ=UTC date -r "$1" '+%a, %d %b %Y %H:%M:%S GMT'
}

# sizes and times that 32 bits cannot hold
vast()
{
	mkdir "$dir/vast"
	if ! {
		dd if=/dev/null of="$dir/vast/file" bs=1 seek=3221225472 &&
			TZ=UTC0 touch -t 204001020304.05 "$dir/vast/file"
	} 2>/dev/null; then
		skip vast 'this file system has no file of 3 GiB of 2040'
		return
	fi
	start "$dir/vast"
	get -I "${url}file" >"$dir/head"
	equal 3221225472 "$(field Content-Length)" '3 GiB: Content-Length'
	equal 206 "$(code -r 3221225470- "${url}file")" '3 GiB: the last bytes'
	equal 304 "$(code -H 'If-Modified-Since: Mon, 02 Jan 2040 03:04:05 GMT' \
		"${url}file")" '2040: If-Modified-Since'
	get "$url" >"$dir/out"
	grep -q 2040-01-02 "$dir/out"
	report $? '2040: the listing'
	stop vast
	rm -r "$dir/vast"
}

resumed()
{
	start "$dir/site"
	head -c 1234567 "$dir/site/big" >"$dir/part"
	equal 206 "$(get -C - -o "$dir/part" -w '%{http_code}' "${url}big")" \
		'resumed'
	cmp -s "$dir/part" "$dir/site/big"
	report $? 'what was resumed is whole'
	get -C - -o "$dir/part" "${url}big"
	report $? 'resumed when it was whole'
	cmp -s "$dir/part" "$dir/site/big"
	report $? 'it is still whole'

	equal 000000000 "$(get -r 0-8 "${url}big")" 'the first bytes'
	equal 000000001 "$(get -r 10-18 "${url}big")" 'bytes in the middle'
	equal 000299999 "$(get -r -10 "${url}big")" 'the last bytes'
	equal 00299999 "$(get -r 2999991- "${url}big")" 'bytes up to the end'
	equal 416 "$(code -r 3000000- "${url}big")" 'bytes past the end'
	get -D "$dir/head" -r 3000000- "${url}big" >/dev/null
	equal 'bytes */3000000' "$(field Content-Range)" '416 tells the size'
	get -D "$dir/head" -r 5-14,25-27,-4 "${url}big" >"$dir/got"
	equal 206 "$(sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$dir/head")" \
		'several ranges'
	equal "$(wc -c <"$dir/got" | tr -d ' ')" "$(field Content-Length)" \
		'their length'
	boundary=$(field Content-Type |
		sed -n 's,^multipart/byteranges; boundary=,,p')
	tr -d '\r' <"$dir/got" | sed "s/$boundary/BOUNDARY/" >"$dir/parts"
	printf '%s\n' '' --BOUNDARY 'Content-Type: text/plain; charset=utf-8' \
		'Content-Range: bytes 5-14/3000000' '' 0000 00000 --BOUNDARY \
		'Content-Type: text/plain; charset=utf-8' \
		'Content-Range: bytes 25-27/3000000' '' 000 --BOUNDARY \
		'Content-Type: text/plain; charset=utf-8' \
		'Content-Range: bytes 2999996-2999999/3000000' '' 999 '' \
		--BOUNDARY-- >"$dir/expected"
	[ -n "$boundary" ] && cmp -s "$dir/parts" "$dir/expected"
	report $? 'their parts'
	equal 200 "$(code -I -r 0-9 "${url}big")" 'HEAD ignores Range'
	get -I -r 0-9 "${url}big" >"$dir/head"
	equal 3000000 "$(field Content-Length)" 'HEAD tells the whole length'
	equal 200 "$(code -H 'If-Range: "other"' -r 0-9 "${url}big")" \
		'If-Range of something else'
	get -I "${url}big" >"$dir/head"
	equal 206 "$(code -H "If-Range: $(field ETag)" -r 0-9 "${url}big")" \
		'If-Range of the same'
	stop ranges
}

conditional()
{
	start "$dir/site"
	cp "$dir/site/text.txt" "$dir/site/changing"
	touch -t 202001020304.05 "$dir/site/changing"
	get -I "${url}changing" >"$dir/head"
	equal "$(modified "$dir/site/changing")" "$(field Last-Modified)" \
		'Last-Modified'
	equal no-cache "$(field Cache-Control)" 'Cache-Control'
	equal bytes "$(field Accept-Ranges)" 'Accept-Ranges'
	equal 304 "$(code -z "$dir/site/changing" "${url}changing")" \
		'-z FILE: it is the same'
	equal 304 "$(code -I -z "$dir/site/changing" "${url}changing")" \
		'-z FILE with HEAD'
	equal 200 "$(code -z '1 Jan 2020' "${url}changing")" '-z before'
	equal 304 "$(code -z '3 Jan 2020' "${url}changing")" '-z after'
	equal 412 "$(code -z '-1 Jan 2020' "${url}changing")" \
		'-z: modified since'
	equal 200 "$(code -z '-3 Jan 2020' "${url}changing")" \
		'-z: not modified since'
	equal 200 "$(code --etag-save "$dir/etag" "${url}changing")" \
		'--etag-save'
	equal "$(field ETag)" "$(cat "$dir/etag")" 'the tag is saved'
	equal 304 "$(code --etag-compare "$dir/etag" "${url}changing")" \
		'--etag-compare'
	get -D "$dir/head" --etag-compare "$dir/etag" "${url}changing" \
		>"$dir/got"
	equal "$(cat "$dir/etag")" "$(field ETag)" '304 has the tag'
	equal no-cache "$(field Cache-Control)" '304 has Cache-Control'
	[ -n "$(field Date)" ] && [ -z "$(field Content-Length)" ] &&
		[ -z "$(field Last-Modified)" ] && [ ! -s "$dir/got" ]
	report $? '304 has a date, and neither length nor body'
	equal 304 "$(code -H 'If-None-Match: "a", *' -H 'If-None-Match: *' \
		"${url}changing")" 'If-None-Match: *'
	equal 412 "$(code -H 'If-Match: "a"' "${url}changing")" 'If-Match'
	# as long, of the same second, but not the same
	cp "$dir/site/changing" "$dir/site/changed"
	touch -r "$dir/site/changing" "$dir/site/changed"
	mv "$dir/site/changed" "$dir/site/changing"
	equal 200 "$(code --etag-compare "$dir/etag" "${url}changing")" \
		'another file has another tag'
	stop conditions
	rm "$dir/site/changing"

	start -H 'Cache-Control: max-age=60' -H 'ETag: "mine"' -H 'Last-Modified:' "$dir/site"
	get -D "$dir/head" "$url" >/dev/null
	equal '"mine"' "$(field ETag)" '-H ETag'
	equal max-age=60 "$(field Cache-Control)" '-H Cache-Control'
	equal '' "$(field Last-Modified)" '-H Last-Modified:'
	equal 304 "$(code -H 'If-None-Match: W/"mine"' "$url")" \
		'the tag that is sent counts'
	get -D "$dir/head" -H 'If-None-Match: "mine"' "$url"
	equal max-age=60 "$(field Cache-Control)" '-H Cache-Control with 304'
	equal 200 "$(code -z '1 Jan 2037' "$url")" \
		'a date that is not sent does not count'
	stop cache
	start -H 'ETag:' -H 'Content-Type: a/b' "$dir/site"
	get -D "$dir/head" "$url" >/dev/null
	equal no-cache "$(field Cache-Control)" 'no -H Cache-Control'
	equal '' "$(field ETag)" '-H ETag:'
	equal 200 "$(code -H "If-None-Match: $(cat "$dir/etag")" "$url")" \
		'a tag that is not sent does not count'
	equal '200 a/b' "$(get -o /dev/null -w '%{http_code} %{content_type}' \
		-r 0-0,2-2 "$url")" 'several ranges, and a type of the user'
	equal '206 a/b' "$(get -o /dev/null -w '%{http_code} %{content_type}' \
		-r 0-0 "$url")" 'one range, and a type of the user'
	stop 'cache 0'
}

precompressed()
{
	mkdir "$dir/zip"
	awk 'BEGIN { for (i = 0; i < 9999; i++) print "again" }' \
		>"$dir/zip/page.html"
	gzip -c "$dir/zip/page.html" >"$dir/zip/page.html.gz"
	cp "$dir/zip/page.html" "$dir/zip/stale.html"
	echo wrong >"$dir/zip/stale.html.gz"
	touch -t 202001010000 "$dir/zip/stale.html.gz"
	start --precompressed "$dir/zip"
	get --compressed -D "$dir/head" "${url}page.html" |
		cmp -s - "$dir/zip/page.html"
	report $? '--compressed'
	equal gzip "$(field Content-Encoding)" 'Content-Encoding'
	equal Accept-Encoding "$(field Vary)" 'Vary'
	equal 'text/html; charset=utf-8' "$(field Content-Type)" \
		'the type is of what is compressed'
	equal "$(wc -c <"$dir/zip/page.html.gz" | tr -d ' ')" \
		"$(field Content-Length)" 'the length is of what is sent'
	zipped=$(field ETag)
	get -D "$dir/head" "${url}page.html" | cmp -s - "$dir/zip/page.html"
	report $? 'not compressed'
	equal '' "$(field Content-Encoding)" 'no Content-Encoding'
	equal Accept-Encoding "$(field Vary)" 'Vary all the same'
	[ -n "$zipped" ] && [ "$zipped" != "$(field ETag)" ]
	report $? 'each has its tag'
	equal 304 "$(code --compressed -H "If-None-Match: $zipped" \
		"${url}page.html")" '304 for what is compressed'
	equal 200 "$(code -H "If-None-Match: $zipped" "${url}page.html")" \
		'but not for what is not'
	get -H 'Accept-Encoding: gzip' -r 0-1 "${url}page.html" >"$dir/got"
	head -c 2 "$dir/zip/page.html.gz" | cmp -s - "$dir/got"
	report $? 'a range of what is compressed'
	get -D "$dir/head" -H 'Accept-Encoding: gzip;q=0, *;q=0' \
		"${url}page.html" >/dev/null
	equal '' "$(field Content-Encoding)" 'gzip is not acceptable'
	get --compressed -D "$dir/head" "${url}stale.html" |
		cmp -s - "$dir/zip/stale.html"
	report $? 'an older neighbour does not count'
	get -D "$dir/head" -o /dev/null "${url}missing"
	equal Accept-Encoding "$(field Vary)" 'Vary of 404'
	stop '--precompressed'
	start "$dir/zip"
	get -H 'Accept-Encoding: gzip' -D "$dir/head" "${url}page.html" |
		cmp -s - "$dir/zip/page.html"
	report $? 'not without --precompressed'
	equal '' "$(field Vary)" 'no Vary either'
	stop 'no --precompressed'
	start --precompressed "$dir/zip/page.html"
	get -H 'Accept-Encoding: gzip' -D "$dir/head" "$url" |
		cmp -s - "$dir/zip/page.html"
	report $? '--precompressed with one file'
	stop 'one file'
}

missing()
{
	start --spa index.html "$dir/site"
	equal '<p>hello' "$(get -H 'Accept: text/html' "${url}a/b/c?d")" '--spa'
	equal 200 "$(code -H 'Accept: text/html,*/*;q=0.8' "${url}a/b/c")" \
		'--spa as a browser asks'
	get -I -H 'Accept: text/html' "${url}a/b/c" >"$dir/head"
	equal Accept "$(field Vary)" '--spa: Vary'
	equal 304 "$(code -H 'Accept: text/html' -H 'If-None-Match: *' \
		"${url}a/b/c")" '--spa: 304'
	for accept in '*/*' 'text/*' application/json 'text/html;q=0'; do
		equal 404 "$(code -H "Accept: $accept" "${url}a/b/c")" \
			"--spa and Accept: $accept"
	done
	equal 404 "$(code -H Accept: "${url}a/b/c")" '--spa without Accept'
	equal 405 "$(code -H 'Accept: text/html' -d x "${url}a/b/c")" \
		'--spa and POST'
	equal text "$(get -H 'Accept: text/html' "${url}text.txt")" \
		'--spa: what is there'
	equal 403 "$(code -H 'Accept: text/html' "${url}out")" '--spa: 403'
	stop '--spa'

	echo '<p>sorry' >"$dir/site/404.html"
	start --spa index.html "$dir/site"
	equal '<p>sorry 404 text/html; charset=utf-8' "$(get \
		-w ' %{http_code} %{content_type}' "${url}missing" |
		tr -d '\n')" '404.html'
	equal 404 "$(code -I "${url}missing")" '404.html and HEAD'
	equal 404 "$(code -r 0-0 "${url}missing")" '404.html and Range'
	equal 404 "$(code -H 'If-None-Match: *' "${url}missing")" \
		'404.html and a condition'
	equal '<p>hello' "$(get -H 'Accept: text/html' "${url}missing")" \
		'--spa before 404.html'
	equal '<p>sorry 200' "$(get -w '%{http_code}' "${url}404.html" |
		tr '\n' ' ')" '404.html by its name'
	stop 404.html
	rm "$dir/site/404.html"
}

folders()
{
	mkdir -p "$dir/r1/@a" "$dir/r2"
	echo one >"$dir/r1/page.html"
	echo two >"$dir/r2/page.html"
	echo pack >"$dir/r1/@a/pkg"
	echo tar >"$dir/r1/a.tar.gz"
	echo make >"$dir/r1/Makefile"
	ln -s /etc "$dir/r1/etc"
	ln -s "$dir/r1/page.html" "$dir/r1/inside"
	ln -s r1 "$dir/current"
	start --html --prefix /repo --mime tar.gz=x/tar --mime =x/none \
		"$dir/current"
	equal one "$(get "${url}repo/page")" '--html'
	equal "301 ${url}repo/" "$(get -o /dev/null \
		-w '%{http_code} %{redirect_url}' "$url")" '--prefix and /'
	equal 404 "$(code "${url}page")" 'not beneath the prefix'
	equal pack "$(get "${url}repo/@a%2fpkg")" 'an encoded slash'
	equal 404 "$(code --path-as-is "${url}repo/..%2f..%2fr2/page.html")" \
		'an encoded slash that leads out'
	equal x/tar "$(get -o /dev/null -w '%{content_type}' \
		"${url}repo/a.tar.gz")" '--mime tar.gz'
	equal x/none "$(get -o /dev/null -w '%{content_type}' \
		"${url}repo/Makefile")" '--mime without an extension'
	equal one "$(get "${url}repo/inside")" 'an absolute link within'
	equal 403 "$(code "${url}repo/etc/passwd")" 'a link that leads out'
	ln -s r2 "$dir/next"
	mv -T "$dir/next" "$dir/current"
	equal two "$(get "${url}repo/page")" 'the link was switched'
	rm -r "$dir/r2"
	equal 404 "$(code "${url}repo/page")" 'the folder is away'
	mkdir "$dir/r2"
	echo three >"$dir/r2/page.html"
	equal three "$(get "${url}repo/page")" 'the folder was made anew'
	stop '--html --prefix'
	start --follow-links "$dir/r1"
	get "${url}etc/passwd" | cmp -s - /etc/passwd
	report $? '--follow-links'
	equal 'text/plain; charset=utf-8' "$(get -o /dev/null \
		-w '%{content_type}' "${url}Makefile")" 'what looks like text'
	grep -q "^retort: links in $dir/r1 are followed, out of it too\$" \
		"$dir/err"
	report $? 'with a notice'
	stop '--follow-links'
}

# hrefs FILE: of the links of a listing
hrefs()
{
	sed -n 's/.*<a href="\([^"]*\)".*/\1/p' "$1"
}

listed()
{
	mkdir "$dir/list" "$dir/list/names"
	names=$dir/list/names
	long=$(printf '%0255d' 0)
	# shellcheck disable=SC1003,SC2016 # names that look like more
	set -- 'a b' ' c ' 'a?b=c' 'a#b' 'a%41' '%' '%2e%2e' 'a&lt;b' "a'b" \
		'a"b' '<script>alert(1)<' 'javascript:alert(1)' 'c:' '\' 'a\b' \
		-rf '~' 'a;b' 'a+b' "$long" '...x' 'x.' '`id`' '$(id)' '{x}' \
		"$(printf 'a\nb')" "$(printf 'a\tb')" "$(printf 'a\rb')" \
		"$(printf '\033[31m')" "$(printf '\377\376')" \
		"$(printf '\303\244')" "$(printf '\342\200\256x')" \
		"$(printf '\355\240\200')" "$(printf '\177')" '@' 'a=b' '*'
	total=$#
	for name; do
		mkdir "$names/$name" && rmdir "$names/$name" &&
			echo "$#" >"$names/$name"
		shift
	done
	rm "$names/..."x
	echo "$total: hidden" >"$names/.hidden"
	mkdir "$dir/list/sub" "$dir/list/sub/deeper"
	start "$dir/list"
	get -D "$dir/head" "${url}names/" >"$dir/page"
	equal 'text/html; charset=utf-8' "$(field Content-Type)" 'a listing'
	equal no-cache "$(field Cache-Control)" 'Cache-Control of a listing'
	equal '' "$(field ETag)$(field Last-Modified)" 'it has no validators'
	case $(field Content-Security-Policy) in
	*"default-src 'none'"*) true ;;
	*) false ;;
	esac
	report $? 'it has a policy'
	hrefs "$dir/page" >"$dir/hrefs"
	equal $((total - 1)) "$(($(wc -l <"$dir/hrefs") - 1))" \
		'each name has one link, and what is hidden has none'
	equal ../ "$(sed 1q "$dir/hrefs")" 'the first link leads upwards'
	sed 1d "$dir/hrefs" | while read -r href; do
		get --path-as-is -g "${url}names/$href"
	done | sort -n >"$dir/got"
	cat "$names"/* | sort -n >"$dir/expected"
	cmp "$dir/got" "$dir/expected" >"$dir/out"
	report $? 'each link leads to its file'
	! sed 1d "$dir/hrefs" | grep -q '[^-A-Za-z0-9._~%]'
	report $? 'links are encoded'
	! grep -q '<script' "$dir/page" && ! grep -q '[[:cntrl:]]' "$dir/page"
	report $? 'no name becomes markup or a control'
	if have iconv; then
		iconv -f UTF-8 -t UTF-8 "$dir/page" >/dev/null 2>"$dir/out"
		report $? 'the page is UTF-8'
	else
		skip 'the page is UTF-8' 'there is no iconv'
	fi
	get -I "${url}names/" >"$dir/head"
	equal "$(wc -c <"$dir/page" | tr -d ' ')" "$(field Content-Length)" \
		'HEAD of a listing'
	get -L "${url}sub" >"$dir/page"
	equal '../ deeper/' "$(hrefs "$dir/page" | tr '\n' ' ' |
		sed 's/ $//')" 'a folder in a listing'
	equal "${url}sub/deeper/" "$(get -o /dev/null -w '%{url_effective}' \
		-L "${url}sub/deeper")" 'a folder without its slash'
	get "$url" >"$dir/page"
	equal 'names/ sub/' "$(hrefs "$dir/page" | tr '\n' ' ' |
		sed 's/ $//')" 'the root has none above it'
	equal 200 "$(code -H 'If-None-Match: *' "$url")" \
		'a listing has no conditions'
	equal 200 "$(code -r 0-9 "$url")" 'nor ranges'
	stop listing
	start --dotfiles "$dir/list"
	get "${url}names/" >"$dir/page"
	hrefs "$dir/page" | grep -qxF .hidden
	report $? '--dotfiles shows them'
	stop '--dotfiles'
	start --no-listing "$dir/list"
	equal '403 Forbidden: no index.html' "$(get "$url")" '--no-listing'
	equal 403 "$(code "$url")" '--no-listing: 403'
	equal 301 "$(code "${url}sub")" '--no-listing: the slash all the same'
	stop '--no-listing'
	rm -rf "$dir/list"
}

# echoed ARG...: the body that is in an echo of a request with these
echoed()
{
	get "$@" | tr -d '\r' | sed '1,/^$/d'
}

echo_path()
{
	printf '@on /echo\n@echo\n' >"$dir/echo.retort"
	start --scenario "$dir/echo.retort" --limit body=1000 "$dir/site"
	equal text "$(get "${url}text.txt")" 'echo at a path: a file'
	get "${url}echo?a=b" | head -n 1 | tr -d '\r' >"$dir/got"
	equal 'GET /echo?a=b HTTP/1.1' "$(cat "$dir/got")" 'echo at a path: GET'
	equal 'some body' "$(echoed -d 'some body' "${url}echo")" \
		'echo at a path: POST'
	equal '4|body|0|' "$(echoed -H 'Transfer-Encoding: chunked' \
		-H Expect: -d body "${url}echo" | tr '\n' '|' |
		sed 's/|*$/|/')" 'echo at a path: chunked'
	equal 'with care' "$(echoed -H 'Expect: 100-continue' -X PUT \
		-d 'with care' "${url}echo")" 'echo at a path: PUT and Expect'
	equal 200 "$(code -X BREW "${url}echo")" 'echo at a path: any method'
	equal 413 "$(code -d "@$dir/site/big" "${url}echo")" \
		'echo at a path: --limit body'
	for path in echo/ Echo ech echoo %65Cho; do
		equal 404 "$(code "$url$path")" "echo at a path: not /$path"
	done
	equal 405 "$(code -d x "$url")" 'echo at a path: POST elsewhere'
	get -I "${url}echo" >"$dir/head"
	[ "$(field Content-Length)" -gt 20 ]
	report $? 'echo at a path: HEAD'
	stop 'echo at a path'
}

# soon COMMAND...: it succeeds, if not at once
soon()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 2000 ] || return 1
	done
}

# answers TEXT: what is there now
answers()
{
	[ "$(get "${url}a")" = "$1" ]
}

reloaded()
{
	printf '@on GET /a\n@fill\nHTTP/1.1 200 OK\n\none {count}\n' \
		>"$dir/r.retort"
	start --reload --scenario "$dir/r.retort"
	equal 'one 1' "$(get "${url}a")" 'reload: before'
	printf '@on GET /a\nHTTP/1.1 200 OK\n\ntwo\n' >"$dir/new.retort"
	mv "$dir/new.retort" "$dir/r.retort"
	soon answers two
	report $? 'reload: after'
	printf '@onn\033\377 GET /a\n' >"$dir/new.retort"
	mv "$dir/new.retort" "$dir/r.retort"
	soon grep -q "r.retort:1:1: '@onn.u001b.xff'.*stay as they were" \
		"$dir/err"
	report $? 'reload: a mistake is told'
	equal two "$(get "${url}a")" 'reload: and changes nothing'
	printf '@on GET /a\nHTTP/1.1 200 OK\n\nthree\n' >"$dir/r.retort"
	soon answers three
	report $? 'reload: and once more'
	stop reload
	refused 2 '--reload: needs --scenario FILE' --reload "$dir/site"
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

	# -H frames what it says: canned replies, files, ranges, errors
	start -H 'transfer-encoding: Chunked' --body hello
	get --raw "$url" | tr -d '\r' | tr '\n' '|' >"$dir/got"
	equal '5|hello|0||' "$(cat "$dir/got")" 'chunked: a body'
	stop 'chunked: a body'
	start -H 'Transfer-Encoding: chunked' -H 'Trailer: none' "$dir/site"
	get -D "$dir/head" "${url}big" >"$dir/got"
	cmp "$dir/got" "$dir/site/big" >"$dir/out"
	report $? 'chunked: a large file'
	equal 'chunked ' "$(field Transfer-Encoding) $(field Content-Length)" \
		'chunked: one framing'
	get -r 0-1,4-5 "${url}big" >"$dir/got"
	equal 2 "$(grep -c '^Content-Range: ' "$dir/got")" 'chunked: ranges'
	get -r 0-1 --raw "${url}text.txt" | tr -d '\r' | tr '\n' '|' >"$dir/got"
	equal '2|te|0||' "$(cat "$dir/got")" 'chunked: a range'
	equal 404 "$(code "${url}none")" 'chunked: an error'
	get -D "$dir/head" -X OPTIONS "$url"
	equal '' "$(field Transfer-Encoding)" 'chunked: not without a body'
	get -I "${url}text.txt" >"$dir/head"
	equal 'chunked ' "$(field Transfer-Encoding) $(field Content-Length)" \
		'chunked: HEAD'
	stop chunked

	start --limit body=1000 -s 200
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
	have_v6 || {
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
    "received", "sent", "ms", "end", "user_agent"}, lines
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

# Two replies on one connection, and the log of both.
kept()
{
	start --keep-alive --body hello
	curl -fsS -w ' %{num_connects}\n' "$url" "${url}two" >"$dir/out" 2>&1
	equal 'hello 1
hello 0' "$(cat "$dir/out")" 'curl, two requests on a connection'
	stop kept
	grep -q ' #1 .*"GET / ' "$dir/err" &&
		grep -q ' #1\.2 .*"GET /two' "$dir/err"
	report $? 'a kept connection in the log'
	printf '@on\n@next keep\nHTTP/1.1 200 OK\n\nhi\n' >"$dir/next.retort"
	start --scenario "$dir/next.retort"
	curl -fsS -w '%{num_connects}\n' "$url" "${url}two" >"$dir/out" 2>&1
	equal 'hi1
hi0' "$(cat "$dir/out")" '@next keep'
	stop 'a connection that a rule keeps'
}

if have curl; then
	awk 'BEGIN { for (i = 0; i < 300000; i++) printf "%09d\n", i }' \
		>"$dir/site/big"
	files best
	files poll
	vast
	resumed
	conditional
	precompressed
	missing
	folders
	listed
	echo_path
	reloaded
	canned
	recorded
	scripts
	kept
	v6
	if have python3; then
		json
		urllib
	else
		skip 'JSON' 'there is no python3'
	fi
else
	skip 'what is served' 'there is no curl'
fi

conclude
