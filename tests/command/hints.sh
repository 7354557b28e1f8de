#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Mistakes that people make on the command line, and what retort says to them:
# what to write instead. Prints TAP. $RETORT is the command; what curl is needed
# for is skipped where there is none.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

case $retort in
/*) ;;
*) retort=$PWD/$retort ;;
esac
cd "$dir" || exit 1
mkdir www
echo '{"id": 1}' >b.json
: >empty
echo 'no reply' >text
printf 'HTTP/1.1 200 OK\r\n\r\nhi' >reply
printf '@on GET /\nHTTP/1.1 200 OK\n\nhi\n' >x.retort

# says STATUS LINE ARG...: ends with the status, and this line on stderr (none
# where it is empty); what serves does so for no time
says()
{
	expected=$1 line=${2:+retort: $2}
	shift 2
	"$retort" "$@" >out 2>err </dev/null
	status=$?
	equal "$expected $line" "$status $(cat err)" "$*"
}

# --- options ---

says 2 'unknown option --bdoy: did you mean --body?' --bdoy x
says 2 'unknown option --bdoy: did you mean --body?' --bdoy=x
says 2 'unknown option --prot: did you mean --port?' --prot 8081
says 2 'unknown option --tpc: did you mean --tcp?' --tpc --echo
says 2 'unknown option --requets: did you mean --requests?' --requets 1
# abbreviations are refused: the next version may have two of them
says 2 'unknown option --stat: did you mean --status?' --stat 404
says 2 'unknown option --verb: did you mean --verbose?' --verb
says 2 'unknown option -body: did you mean --body?' -body x
says 2 'unknown option -help: did you mean --help?' -help
says 2 'unknown option --nonsense (see retort --help)' --nonsense
says 2 'unknown option -x (see retort --help)' -x
says 2 'unknown option -x (see retort --help)' -qx
says 2 'unknown option -d (name the folder alone: retort DIR)' -d www
says 2 'unknown option --directory (name the folder alone: retort DIR)' \
	--directory www
says 2 'unknown option --latency (--delay 500ms)' --latency 500
says 2 "unknown option --rate (--fault 'rate 10000', in bytes each second)" \
	--rate 10000
says 2 "unknown option --json (--body '{\"id\": 1}')" --json
says 2 'unknown option --pidfile ($! of the shell is its number)' --pidfile p
says 2 'unknown option -l (-b ADDRESS, such as -b 0.0.0.0)' -l 8080
says 2 "unknown option --cache (-H 'Cache-Control: max-age=60')" --cache 60
says 2 'unknown option --expect (@expect in a --scenario)' --expect '2 GET /'
says 2 'unknown option --idle-timeout (--timeout idle=TIME)' --idle-timeout 5
says 2 'unknown option --path (@on METHOD /PATH in a --scenario)' --path /a
# half of a short name says nothing
says 2 'unknown option --stop (see retort --help)' --stop
says 2 'option --quiet takes no value' --quiet=yes
says 2 'option --body needs a value (see retort --help)' --body
says 2 'option -p needs a value (see retort --help)' -p
# a value is no option, whatever it looks like
says 2 "--log '--bdoy': expected short, common, combined, json, scenario or none" --log --bdoy
says 0 '' -p 0 -q --lifetime 0 -H 'X: 1' -- www

# --- ports and addresses ---

says 2 '8081: No such file or directory (a port is -p 8081)' -p 0 8081
says 2 ':8081: No such file or directory (a port is -p 8081)' -p 0 :8081
says 2 'localhost:80: No such file or directory (an address is -b localhost:80)' \
	-p 0 localhost:80
says 2 "--port '=80': expected a whole number from 0 to 65535 (without the =)" -p=80
says 2 "--status '=404': expected a whole number from 200 to 999 (without the =)" \
	-s=404
says 2 "--port ':80': expected a whole number from 0 to 65535 \
(an address is -b :80)" -p :80
says 2 "--bind: address 'http://example.org/': expected IPv4, IPv6, localhost, \
unix:PATH or fd:N" -b http://example.org/
forms='expected IPv4, IPv6, localhost, unix:PATH or fd:N'
says 2 "--bind: address '': $forms" -b ''
says 2 "--bind: address 'unix:a?::1': $forms" -b "unix:a
::1"
says 0 '' -q --lifetime 0 -b :0
says 2 '--port applies to no address: --bind localhost:8081 has a port of '\
'its own' -b :8081 -p 1
says 2 "--bind: address 'localhost:x': expected a port from 0 to 65535" -p 0 \
	-b localhost:x
says 2 "--bind: address '8081': $forms (a port alone is -p 8081)" -b 8081
says 2 "--bind: address 'example.org': $forms (names are not looked up)" \
	-b example.org
says 2 "--bind: address '/a/s': $forms (a Unix socket is -b unix:/a/s)" -b /a/s
for port in 8082 8081 0; do
	says 2 '--port applies to no address: --bind 127.0.0.1:8081 has a port of '\
'its own' \
		-b 127.0.0.1:8081 -p $port
done
says 2 '--port applies to no address: --bind unix:s has no port' -p 1 -b unix:s \
	-b '[::1]:8081'
says 0 '' -p 0 -q --lifetime 0 -b 127.0.0.2:0 -b 127.0.0.1

# --- values in several words ---

one='only one ROOT can be served'
says 2 '--echo and ROOT exclude each other (@on /PATH and @echo in a '\
'--scenario)' --echo /echo
says 2 'option --echo takes no value (@on /PATH and @echo in a --scenario)' \
	--echo=/echo www
says 2 "'.': $one (@on /PATH and @echo in a --scenario)" --echo /echo .
says 2 "1: No such file or directory (quote it: --header 'X-Test: 1')" \
	-p 0 -H X-Test: 1
says 2 "'www': $one (quote it: --header 'X-Test: 1')" -HX-Test: 1 www
says 2 "--body and ROOT exclude each other (quote it: --body 'hello world')" \
	--body hello world
says 2 "'one': $one (quote it: --body 'hello big')" --body=hello big one
says 2 "--fault: after 'cut': expected N, -N, N%, any, head N, body N, wire N, \
record N or flight N \
(quote all of it: --fault 'cut body 3')" --fault cut body 3
says 2 "--fault 'cut 3;; pause': after 'pause': expected a time, such as 250ms \
or 2s" --body x --fault 'cut 3;; pause'
says 2 "'run': $one (run comes first, before the options)" www run
says 2 "'b': $one" www b
says 2 "--limit body '1 M': expected bytes, such as 65536, 64k or 1M, from 1 \
(or none)" \
	--limit 'body=1 M'
says 2 "--timeout 'next=1': expected a time, or one or more of head= body= \
reply= idle=" --timeout next=1

# --- files ---

# an empty variable
says 2 "--raw '': expected the name of a FILE" --raw ''
says 2 "--transcript '': expected the name of a DIR" --transcript= www
says 2 "ROOT '': expected the name of a folder or a file" -p 0 ''

says 2 '--body no: No such file or directory (@ says that the text is in a file)' \
	--body @no
says 2 '--scenario no: No such file or directory' -p 0 --scenario no
"$retort" -p 0 --scenario text >out 2>err
equal 2 $? 'a scenario that is none'
grep -q '^retort: --scenario text:1:1: ' err
report $? 'names its option, line and column'
printf '@\303\251\377\033[1m\n' >raw
says 2 "--scenario raw:1:1: '@$(printf '\303\251')\\xff\\u001b[1m': expected a \
directive, such as @on, @fault or @expect" -p 0 --scenario raw
for with in '' --tcp --udp; do
	# shellcheck disable=SC2086 # options
	says 0 '--body b.json: sent as text; to send the file, write '\
'--body @b.json' -p 0 --lifetime 0 $with --body b.json
done
says 0 '--body -: sent as text; to send standard input, write --body @-' \
	-p 0 --lifetime 0 --body -
says 0 '--raw empty: empty, so clients get no reply' -p 0 --lifetime 0 \
	--raw empty
says 0 '--raw text: not an HTTP reply, which begins with a line such as '\
'HTTP/1.1 200 OK' -p 0 --lifetime 0 --raw text
says 0 '--type: the reply has no body; give one by --body' -p 0 --lifetime 0 \
	--type a/b
says 0 '--fill: the reply has no body; give one by --body' -p 0 --lifetime 0 \
	--fill
says 2 "--body: 'what': expected {path}, {query.NAME} or the like; a brace is \
'{{'" -p 0 --fill --body '{what}'
says 2 "--body: 'path': expected {body}, {payload}, {connection}, {count} or \
{now}; a brace is '{{'" -p 0 --tcp --fill --body '{path}'
says 2 "--fill: '{1}': the path of the rule has 0 asterisks" -p 0 --fill \
	--body '{1}'
says 2 '--status: a 204 or 304 has no body' -p 0 --status 204 --body hello \
	--fault 'cut 3'
says 0 '' -p 0 --lifetime 0 --status 204 --body hello --fault force-body
says 2 "--header 'A b: c': expected a token as field name" -H 'A b: c'
says 2 "--type '': expected a media type, such as text/html" --type ''
says 0 'x.retort: served as a file; to play it as a scenario, write '\
'--scenario x.retort' -p 0 --lifetime 0 x.retort
# notices are for those who read a log
for with in -q '--log none'; do
	# shellcheck disable=SC2086 # options
	says 0 '' -p 0 --lifetime 0 $with --raw empty
done
says 0 '' -p 0 --lifetime 0 --raw reply
says 0 '' -p 0 --lifetime 0 --body hello --type a/b
says 0 '' -p 0 --lifetime 0 --body @b.json

# --- standard input: "-" for a file, "@-" for a text, and "@" before both ---

for pair in --raw:reply --scenario:x.retort; do
	option=${pair%:*} file=${pair#*:}
	for name in - @- "$file" "@$file"; do
		"$retort" -p 0 -q --lifetime 0 "$option" "$name" <"$file" >out 2>err
		equal '0 ' "$? $(cat err)" "$option $name"
	done
done
says 2 '--raw: standard input is read by --scenario' --raw - --scenario @-
says 2 '--prompt: standard input is read by --scenario' --tcp --prompt \
	--scenario -
says 2 '--limit body '"'x': expected bytes, such as 65536, 64k or 1M, from 1 "\
'(or none)' --limit body=x
says 2 'option --help takes no value (--help all)' --help=all
says 2 'option --verbose takes no value (-vv)' --verbose=2
says 2 'unknown option --https (--tls)' --https
says 2 'unknown option --cert (--tls with --tls-cert FILE)' --cert x
says 2 '--body: standard input is read by --scenario' --body @- --scenario -
printf '@nonsense\n' | "$retort" -p 0 --scenario - >out 2>err
grep -q '^retort: --scenario stdin:1:' err
report $? 'what is wrong with a scenario on standard input has its line'

# --- run and sweep ---

says 2 'run: expected -- COMMAND at the end, such as -- curl -sf {url}' \
	run --body x
# a folder that may not be searched would be what is told
path=$PATH
PATH=/usr/bin:/bin
says 127 'true x: No such file or directory (COMMAND and its arguments are '\
'words of their own: no quotes around them all)' run --body x -- 'true x'
says 127 'nonsense: No such file or directory' run --body x -- nonsense
PATH=$path
"$retort" sweep -- true >out 2>err
equal 125 $? 'sweep: a COMMAND that does not connect'
grep -qF 'to {url}, or RETORT_URL (no word of COMMAND has {url})' err
report $? 'sweep: COMMAND without {url}'
"$retort" sweep -- true '{url}' >out 2>err
grep -qF 'to {url}, or RETORT_URL' err && ! grep -qF 'no word' err
report $? 'sweep: COMMAND with {url}'

# --- what a body looks like ---

# looks TYPE NAME ARG...: the Content-Type that a canned reply has
looks()
{
	expected=$1 what=$2
	shift 2
	start -q "$@"
	equal "$expected" "$(curl -sS --max-time 20 -o got -w '%{content_type}' \
		"$url")" "$what"
	kill "$pid"
	wait "$pid"
	pid=
}

have curl || {
	skip 'what a body looks like' 'there is no curl'
	conclude
	exit
}
plain='text/plain; charset=utf-8'
html='text/html; charset=utf-8'
cp b.json page
echo '{"id": 1}' >page.txt
for body in '{"id": 1}' '{}' '[]' '[1, 2]' ' [ {"a": []} ] ' '{
"a": 1 }
'; do
	looks application/json "JSON: $(echo "$body" | tr '\n' ' ')" \
		--body "$body"
done
for body in '{name}' '{' '[' '[x]' '[1] a note' '{"id": 1' x '' 12 true '"x"'; do
	[ -z "$body" ] || looks "$plain" "text: $body" --body "$body"
done
for body in '<!DOCTYPE html><p>x' '<html>' '
  <h1>Hi</h1>' '<p>x'; do
	looks "$html" "HTML: $(echo "$body" | tr '\n' ' ')" \
		--body "$body"
done
looks "$plain" 'no HTML: <x>' --body '<x>'
looks a/b '--type counts' --body '{"id": 1}' --type a/b
looks application/json 'a file by its name' --body @b.json
looks "$plain" 'and not by what it holds' --body @page.txt
looks application/json 'where its name says nothing' --body @page
conclude
