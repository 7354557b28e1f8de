#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Clients that log in, by rules with @if-basic, @if-digest and their kin: curl,
# wget and Python. Prints TAP.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
deadline=60 # seconds, for a client

# scenario SCHEME CHALLENGE CONDITION...: a page behind that login, at a server
# and, for an absolute URL, at a proxy
scenario()
{
	scheme=$1 asked=$2
	shift 2
	for proxy in '' proxy-; do
		name=WWW status='401 Unauthorized' target=/mine
		[ -z "$proxy" ] || name=Proxy target='http://example.test/*' \
			status='407 Proxy Authentication Required'
		echo "@on GET $target"
		for condition; do
			echo "@if-$proxy$scheme $condition"
		done
		printf 'HTTP/1.1 200 OK\n\nwelcome\n\n'
		printf '@on GET %s\nHTTP/1.1 %s\n%s-Authenticate: %s\n\nwho?\n' \
			"$target" "$status" "$name" "$asked"
	done
}

# plays NAME COMMAND...: the client gets the page; {url} is the server's
plays()
{
	name=$1
	shift
	if ! have "$1"; then
		skip "$name" "there is no $1"
		return
	fi
	timeout $deadline "$retort" run --scenario "$dir/scenario" -- "$@" \
		>"$dir/out" 2>"$dir/err" && grep -q '^welcome' "$dir/out"
	report $? "$name"
}

# misses NAME WHY COMMAND...: the client does not, and the 401 was asked for
misses()
{
	name=$1 why=$2
	shift 2
	timeout $deadline "$retort" run --scenario "$dir/scenario" -- "$@" \
		>"$dir/out" 2>"$dir/err"
	grep -q '^who' "$dir/out" && grep -q "$why" "$dir/err"
	report $? "$name"
}

# clients HOW old|new: all of them, for the scenario; some know what is old alone
clients()
{
	plays "$1: curl --$scheme" curl -sS --"$scheme" -u ada:secret \
		'{url}mine'
	plays "$1: curl --anyauth" curl -sS --anyauth -u ada:secret '{url}mine'
	plays "$1: curl --proxy-$scheme" curl -sS --proxy-"$scheme" \
		-U ada:secret --noproxy '' -x '{url}' http://example.test/other
	if [ "$2" = old ]; then
		plays "$1: wget" wget -qO- --user ada --password secret \
			'{url}mine'
		plays "$1: Python's urllib" python3 "$dir/opens.py" '{url}' mine
	fi
	if python3 -c 'import requests' 2>/dev/null; then
		plays "$1: Python's requests" python3 "$dir/asks.py" \
			'{url}mine' "$scheme"
	else
		skip "$1: Python's requests" 'it is not installed'
	fi
}

cat >"$dir/opens.py" <<'END'
import sys
from urllib.request import *
users = HTTPPasswordMgrWithDefaultRealm()
users.add_password(None, sys.argv[1], "ada", "secret")
opener = build_opener(ProxyHandler({}), HTTPBasicAuthHandler(users),
                      HTTPDigestAuthHandler(users))
print(opener.open(sys.argv[1] + sys.argv[2]).read().decode())
END
cat >"$dir/asks.py" <<'END'
import sys
import requests
from requests.auth import HTTPBasicAuth, HTTPDigestAuth
kind = HTTPBasicAuth if sys.argv[2] == "basic" else HTTPDigestAuth
session = requests.Session()
session.trust_env = False
reply = session.get(sys.argv[1], auth=kind("ada", "secret"))
reply.raise_for_status()
print(reply.text)
END

scenario basic 'Basic realm="users"' ada:secret >"$dir/scenario"
clients Basic old

if "$retort" -V | grep -q 'TLS by'; then
	for algorithm in MD5 SHA-256; do
		[ $algorithm = MD5 ] && age=old || age=new
		challenge="realm=\"users\", nonce=\"n1\", qop=\"auth\", \
algorithm=$algorithm, opaque=\"x\""
		scenario digest "Digest $challenge" ada:secret "$challenge" \
			>"$dir/scenario"
		clients "Digest, $algorithm" "$age"
	done
	# as before RFC 2617
	challenge='realm="users", nonce="n1"'
	scenario digest "Digest $challenge" ada:secret "$challenge" \
		>"$dir/scenario"
	clients 'Digest without qop' old
	# a nonce that is another one each time
	printf '%s\n' '@on GET /mine' '@if-digest ada:secret' \
		'@if-digest realm="users", qop="auth"' '@fill' \
		'HTTP/1.1 200 OK' '' 'welcome, {field.Authorization}' '' \
		'@on GET /mine' '@fill' 'HTTP/1.1 401 Unauthorized' \
		'WWW-Authenticate: Digest realm="users", nonce="n{count}", qop="auth"' \
		>"$dir/scenario"
	# shellcheck disable=SC2016 # of that shell
	plays 'Digest, by nonces' sh -c 'for i in 1 2; do
		curl -sS --digest -u ada:secret "$RETORT_URL"mine; echo; done'
	equal 'n1 n2' "$(sed -n 's/.*nonce="\(n[0-9]\)".*/\1/p' "$dir/out" |
		tr '\n' ' ' | sed 's/ $//')" 'each of its own'
	scenario digest "Digest $challenge" ada:secret "$challenge" \
		>"$dir/scenario"
	# a miss says what it was
	echo '@expect 1 GET /mine
@if-digest ada:another' >>"$dir/scenario"
	misses 'a wrong password' 'expected by the password the response' \
		curl -sS --digest -u ada:wrong '{url}mine'
	! grep -q another "$dir/err"
	report $? 'its miss does not name the password'
else
	skip 'Digest' 'this was built without OpenSSL'
	printf '@on\n@if-digest ada:secret\n@echo\n' >"$dir/scenario"
	"$retort" -p 0 --scenario "$dir/scenario" 2>"$dir/err"
	equal 2 $? 'Digest is refused without OpenSSL'
	grep -q 'if.digest: this was built without OpenSSL' "$dir/err"
	report $? 'and why'
fi

# NTLM is a script, whose types of messages the client takes as they come
if have curl && curl -V | grep -qw NTLM; then
	sed -n '/^@on GET \/mine$/,/^\.Ed/p' "$source/src/man/retort.5" |
		sed -n '/NTLM/,$p' >"$dir/ntlm"
	{
		echo '@on GET /mine'
		sed '/^\.Ed/,$d' "$dir/ntlm"
	} >"$dir/scenario"
	timeout $deadline "$retort" run --keep-alive --scenario \
		"$dir/scenario" -- curl -sS --ntlm -u ada:secret '{url}mine' \
		>"$dir/out" 2>"$dir/err" && grep -q '^welcome' "$dir/out"
	report $? 'NTLM: curl --ntlm'
else
	skip 'NTLM: curl --ntlm' 'curl has no NTLM'
fi
conclude
