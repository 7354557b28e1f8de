#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Clients that people have, over kept connections: each uses its connection
# again, and survives, or tells, that it is closed as its next request comes.
# Prints TAP. $RETORT is the command. Clients that are not here are skipped, or
# fail when $RETORT_NEED_EMBED is set.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
deadline=60 # seconds, for what would not end otherwise
trap 'rm -rf "$dir"' EXIT
unset RETORT_URL

# run SCENARIO COMMAND...: what it prints is in `out`; sets status
run()
{
	scenario=$1
	shift
	timeout -k 5 $deadline "$retort" run --keep-alive \
		--scenario "$dir/$scenario" -- "$@" >"$dir/out" 2>"$dir/err" \
		</dev/null
	status=$?
}

# Three requests on one connection; for those that ask at once, on three at most.
cat >"$dir/again" <<'END'
@on GET /*
@fill
HTTP/1.1 200 OK
Content-Type: text/plain

got {1}

@expect 3 GET /*
@connections 1
END
sed 's/^@connections 1$/@connections 1-3/' "$dir/again" >"$dir/at-once"

# The first connection is reset as its second request begins to come, and never
# tells what that was.
cat >"$dir/race" <<'END'
@on GET /*
@times 1
@fill
@fault end reset; await
HTTP/1.1 200 OK
Content-Type: text/plain

got {1}

@on GET /*
@fill
HTTP/1.1 200 OK
Content-Type: text/plain

got {1}

@expect 3 GET /*
@connections 2+
END
printf 'got 1\ngot 2\ngot 3\n' >"$dir/three"

# whole NAME: all of it came, as it was expected
whole()
{
	[ $status -eq 0 ] && sort "$dir/out" | cmp - "$dir/three" \
		>>"$dir/err" 2>&1
	report $? "$1"
}

# again NAME COMMAND...: uses its connection again
again()
{
	name=$1
	shift
	run again "$@"
	whole "$name: three requests on one connection"
}

# survives NAME COMMAND...: asks again
survives()
{
	name=$1
	shift
	run race "$@"
	whole "$name: asks again on another connection"
}

# tells NAME COMMAND...: asks again, or fails; what it got is right
tells()
{
	name=$1
	shift
	run race "$@"
	if [ $status -eq 0 ]; then
		whole "$name: asks again on another connection"
		return
	fi
	[ $status -ne 124 ] && [ "$(head -n 1 "$dir/out")" = 'got 1' ]
	report $? "$name: fails, as its connection was reset"
}

# bodies end without the end of a line
cat >"$dir/lines" <<'SH'
"$@" | sed 's/got/\
&/g' | sed '/^$/d'
SH

if have curl; then
	again curl curl -sS -w '\n' '{url}1' '{url}2' '{url}3'
	again 'curl --next' curl -sS -w '\n' '{url}1' --next -sS -w '\n' \
		'{url}2' --next -sS -w '\n' '{url}3'
	# whose bodies come one after another, but line ends of -w do not
	run at-once sh "$dir/lines" curl -sS -Z '{url}1' '{url}2' '{url}3'
	whole 'curl -Z: three requests at once'
	survives curl curl -sS -w '\n' '{url}1' '{url}2' '{url}3'
else
	without curl curl
fi

if have wget; then
	again wget sh "$dir/lines" wget -q -O- '{url}1' '{url}2' '{url}3'
	survives wget sh "$dir/lines" wget -q -O- --tries=2 --waitretry=0 \
		'{url}1' '{url}2' '{url}3'
else
	without wget wget
fi

# module NAME: a client that uses it, with the first Python that has it; what is
# installed for the system's may be unknown to another
module()
{
	for with in "$python" /usr/bin/python3; do
		! "$with" -E -c "import $1" 2>"$dir/err" || break
		with=
	done
	if [ -z "$with" ]; then
		skip "$1" 'it is not here'
		return
	fi
	again "$1" "$with" -E "$dir/by_$1.py" '{url}'
	tells "$1" "$with" -E "$dir/by_$1.py" '{url}'
}

if have python3; then
	# itself, not a wrapper that starts it
	python=$(python3 -c 'import sys; print(sys.executable)')
	cat >"$dir/client.py" <<-'PYTHON'
		import http.client
		import sys
		import urllib.parse
		client = http.client.HTTPConnection(
		    urllib.parse.urlsplit(sys.argv[1]).netloc, timeout=20)
		for n in "123":
		    client.request("GET", "/" + n)
		    print(client.getresponse().read().decode(), flush=True)
	PYTHON
	cat >"$dir/by_requests.py" <<-'PYTHON'
		import sys
		import requests
		with requests.Session() as session:
		    for n in "123":
		        print(session.get(sys.argv[1] + n, timeout=20).text,
		              flush=True)
	PYTHON
	again http.client "$python" -E "$dir/client.py" '{url}'
	tells http.client "$python" -E "$dir/client.py" '{url}'
	cat >"$dir/by_httpx.py" <<-'PYTHON'
		import sys
		import httpx
		with httpx.Client(timeout=20) as client:
		    for n in "123":
		        print(client.get(sys.argv[1] + n).text, flush=True)
	PYTHON
	cat >"$dir/by_aiohttp.py" <<-'PYTHON'
		import asyncio
		import sys
		import aiohttp
		async def main():
		    timeout = aiohttp.ClientTimeout(total=20)
		    async with aiohttp.ClientSession(timeout=timeout) as session:
		        for n in "123":
		            async with session.get(sys.argv[1] + n) as reply:
		                print(await reply.text(), flush=True)
		asyncio.run(main())
	PYTHON
	module requests
	module httpx
	module aiohttp
else
	without python3 python3
fi

if have node; then
	cat >"$dir/agent.js" <<-'JS'
		const http = require('http');
		const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
		const get = (url) => new Promise((resolve, reject) => {
			http.get(url, { agent }, (reply) => {
				let text = '';
				reply.on('data', (data) => { text += data; });
				reply.on('end', () => resolve(text));
				reply.on('error', reject);
			}).on('error', reject);
		});
		(async () => {
			for (const n of '123')
				console.log(await get(process.argv[2] + n));
			agent.destroy();
		})().catch((error) => {
			console.error(error);
			process.exit(1);
		});
	JS
	cat >"$dir/fetch.js" <<-'JS'
		(async () => {
			for (const n of '123')
				console.log(await (await fetch(process.argv[2] + n))
					.text());
			process.exit();
		})().catch((error) => {
			console.error(error);
			process.exit(1);
		});
	JS
	again 'node: http.Agent' node "$dir/agent.js" '{url}'
	tells 'node: http.Agent' node "$dir/agent.js" '{url}'
	if node -e 'process.exit(typeof fetch === "function" ? 0 : 1)'; then
		# it may open another one before the first is free
		run at-once node "$dir/fetch.js" '{url}'
		whole 'node: fetch: three requests'
		tells 'node: fetch' node "$dir/fetch.js" '{url}'
	else
		skip fetch 'this node has none'
	fi
else
	without node node
fi

# Programs that measure: no reply is wrong, and none is missing.
measured()
{
	timeout -k 5 $deadline "$retort" run --keep-alive --body hello -- "$@" \
		>"$dir/out" 2>"$dir/err" </dev/null
}
if have ab; then
	measured ab -q -k -n 2000 -c 20 '{url}' &&
		grep -q '^Complete requests: *2000$' "$dir/out" &&
		grep -q '^Failed requests: *0$' "$dir/out" &&
		grep -q '^Keep-Alive requests: *2000$' "$dir/out"
	report $? 'ab -k: 2000 requests on 20 connections'
else
	without ab ab
fi
if have wrk; then
	measured wrk -t 1 -c 20 -d 1 '{url}' &&
		grep -q ' requests in ' "$dir/out" &&
		! grep -q 'Socket errors\|Non-2xx' "$dir/out"
	report $? 'wrk: requests on 20 connections, for a second'
else
	without wrk wrk
fi

# To a proxy, all hosts are its own.
repository()
{
	git init -q -b main "$dir/work" && cd "$dir/work" &&
		echo hello >file && git add file &&
		git -c user.name=a -c user.email=a@x commit -q -m one &&
		git clone -q --bare . "$dir/served/one.git" &&
		git --git-dir="$dir/served/one.git" update-server-info
}
if have git; then
	HOME=$dir
	export HOME
	(repository) >"$dir/out" 2>"$dir/err"
	timeout -k 5 $deadline "$retort" run --keep-alive "$dir/served" -- \
		env -u no_proxy -u NO_PROXY git -c http.proxy='{url}' clone -q \
		http://example.com/one.git "$dir/cloned" \
		>"$dir/out" 2>"$dir/err" </dev/null
	equal hello "$(cat "$dir/cloned/file" 2>&1)" 'git clones through a proxy'
else
	without git git
fi
conclude
