#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The sandbox: what the command cannot do in it, tried by a command with a back
# door; what it still can; and what is never inside. Prints TAP.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

plain=$retort
retort=$(dirname "$plain")/tests/command/back_door
version=$("$plain" -V | sed -n 's/^sandboxed by Landlock, version //p')
[ -n "$version" ] || skip_all "$("$plain" -V | tail -n 1)"
[ -x "$retort" ] || skip_all 'tests/command/back_door was not built'
have curl || skip_all 'there is no curl'

# door WHAT: what the system says
door()
{
	curl -sS --max-time 30 "${url}back-door?$1" 2>&1
}

# page PATH: what is served there
page()
{
	curl -sS --max-time 30 "$url$1" 2>&1
}

no='Permission denied'
mkdir "$dir/work" "$dir/work/site" "$dir/work/seen" "$dir/other"
echo one >"$dir/work/site/page"
echo other >"$dir/other/page"
echo beside >"$dir/work/beside"

# --- files ---

start "$dir/work/site"
equal "$no" "$(door read=/etc/passwd)" '/etc/passwd'
equal "$no" "$(door "read=$dir/other/page")" 'a file elsewhere'
equal "$no" "$(door "write=$dir/work/site/page")" 'to write to a file of ROOT'
equal "$no" "$(door "write=$dir/work/site/new")" 'to make one'
equal "$no" "$(door "remove=$dir/work/site/page")" 'to remove one'
equal "$no" "$(door run=/bin/true)" 'to run a program'
equal one "$(page page)" 'a file of ROOT is served'
rm -r "$dir/work/site"
mkdir "$dir/work/site"
echo two >"$dir/work/site/page"
equal two "$(page page)" 'ROOT is found again when it was made anew'
equal Success "$(door "read=$dir/work/beside")" 'so a file beside it can be read'

# --- sockets, and other processes ---

port=${url%/}
if [ "$version" -ge 4 ]; then
	equal "$no" "$(door "connect=${port##*:}")" 'to connect'
	equal "$no" "$(door bind=0)" 'to listen'
else
	skip 'to connect, to listen' "Landlock $version does not know sockets"
fi
if [ "$version" -ge 6 ]; then
	equal 'Operation not permitted' "$(door "signal=$$")" 'to send signals'
else
	skip 'to send signals' "Landlock $version does not know them"
fi
if [ "$version" -ge 10 ]; then
	equal "$no" "$(door udp=9)" 'to send by UDP'
else
	skip 'to send by UDP' "Landlock $version does not know it"
fi
stop 'in the sandbox'
! grep -q 'sandbox by' "$dir/err"
report $? 'without -v nothing is said of it'

# --- ROOT without a name, which is never another folder ---

cd "$dir/work/site" || exit 99
start .
equal two "$(page page)" 'the folder that it runs in'
equal "$no" "$(door "read=$dir/work/beside")" 'a file beside that'
stop 'in a folder'

# --- the same without it: the door is one ---

start --no-sandbox -v "$dir/work/site"
port=${url%/}
equal Success "$(door read=/etc/passwd)" '--no-sandbox: /etc/passwd'
equal Success "$(door "write=$dir/work/site/new")" '--no-sandbox: to make a file'
equal Success "$(door run=/bin/true)" '--no-sandbox: to run a program'
equal Success "$(door "connect=${port##*:}")" '--no-sandbox: to connect'
equal Success "$(door bind=0)" '--no-sandbox: to listen'
equal Success "$(door "signal=$$")" '--no-sandbox: to send signals'
equal Success "$(door udp=9)" '--no-sandbox: to send by UDP'
stop 'without a sandbox'
! grep -q 'sandbox by' "$dir/err"
report $? '--no-sandbox: -v says nothing of one'

# --- what needs more ---

# minutes HOUR MINUTE: of the day, and always as many more
minutes()
{
	[ $# -ne 2 ] || echo $((1$1 * 60 + 1$2))
}

cd "$dir/work" || exit 99
ln -s site current
echo three >site/page
# a time zone of which only a file knows, and half an hour from others
TZ=$dir/zone
[ ! -f /usr/share/zoneinfo/Asia/Kolkata ] ||
	cp /usr/share/zoneinfo/Asia/Kolkata "$TZ"
export TZ
start -v --log short --transcript seen --port-file port \
	-b unix:socket,mode=600 current
equal "$no" "$(door read=/etc/passwd)" 'more is needed: /etc/passwd'
[ -s port ] && [ -S socket ]
report $? 'files that others wait for'
mv site second
ln -sfn second current
equal three "$(page page)" 'the link of ROOT is switched'
stop 'with what is removed'
[ ! -e port ] && [ ! -e socket ]
report $? 'the files are removed'
grep -q '^retort: sandboxed by Landlock' "$dir/err"
report $? '-v says so'
# now, or some minutes ago: other zones are half an hour away at least
# shellcheck disable=SC2046 # an hour and a minute
time=$(minutes $(sed -n 's/^\(..\):\(..\):.* "GET \/page .*/\1 \2/p' "$dir/err"))
# shellcheck disable=SC2046
now=$(minutes $(date '+%H %M'))
[ -n "$time" ] && [ $(((now - time + 1455) % 1440)) -lt 30 ]
report $? 'log lines have local time'
unset TZ
grep -q 'GET /page' seen/2.txt
report $? 'transcripts are written'

start --follow-links --quiet "$dir/work/second"
ln -s "$dir/other/page" second/out
equal other "$(page out)" '--follow-links leads out'
equal "$no" "$(door "write=$dir/other/page")" 'and writes nothing'
stop '--follow-links'

printf '@on GET /named\n@file %s\n' "$dir/other/page" >"$dir/scenario"
start -v --scenario "$dir/scenario" --reload --control "$dir/control"
equal other "$(page named)" 'a file that a scenario names'
equal "$no" "$(door "write=$dir/other/page")" 'and none is written to'
stop 'a scenario'
grep -q 'sandbox.*it may read any file' "$dir/err"
report $? 'a scenario: -v says that it may read'
[ ! -e "$dir/control" ]
report $? 'the socket of --control is removed'

start --body again --fault 'refuse 1ms'
equal again "$(page '')" 'a reply, and connections are refused'
equal again "$(curl -sS --max-time 30 --retry 5 --retry-connrefused "$url")" \
	'they are accepted again'
stop 'with a port that refuses'

equal root "$("$plain" run --body x -- sed -n 's/^root:.*/root/p' /etc/passwd)" \
	'the COMMAND of run is never inside'
conclude
