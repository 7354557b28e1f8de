#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The pictures of README.md and www/, and the report in www/, made anew by real
# runs, into the folder $1 (www/): make pictures. Prints TAP. $RETORT is the
# command. What the pictures show depends on the versions of curl and chromium,
# and on the machine, as do times.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
needed=pngquant
# shellcheck source=tests/support/browser.sh
. "$(dirname "$0")/../support/browser.sh"
to=${1:-$source/www}
most=61440 # bytes of a picture

clean()
{
	# shellcheck disable=SC2086 # one word, or none
	end $pid
	close_browser
	wait
	# chromium may still be writing its profile
	rm -rf "$dir" 2>/dev/null || rm -rf "$dir"
}
trap clean EXIT

# as_big WIDTH HEIGHT
as_big()
{
	devtools Emulation.setDeviceMetricsOverride "{\"width\": $1,
		\"height\": $2, \"deviceScaleFactor\": 1, \"mobile\": false}"
}

# shoot NAME: what the browser shows, as small as it gets
shoot()
{
	webdriver GET /screenshot | jq -r .value | base64 -d >"$dir/$1.png"
	mkdir -p "$to/pictures"
	pngquant --force --strip --speed 1 -o "$to/pictures/$1.png" 64 \
		"$dir/$1.png"
	[ "$(wc -c <"$to/pictures/$1.png")" -le $most ]
	report $? "$1.png, $(wc -c <"$to/pictures/$1.png") bytes"
}

# halt: the server
halt()
{
	end "$pid"
	wait "$pid"
	pid=
}

# A sweep of curl, whose report www/ shows, too.
sweep()
{
	"$retort" sweep --body hello --report "$dir/sweep.html" -- \
		curl -sf '{url}' >"$dir/out" 2>"$dir/err"
	equal 1 $? 'sweep.html: curl takes parts for the whole'
	start "$dir/sweep.html"
	visit "${url}sweep.html"
	as_big 960 600
	shoot sweep
	halt
	cp "$dir/sweep.html" "$to/sweep.html"
}

# A client that should try again after a reset, and does not.
ladder()
{
	cat >"$dir/users.retort" <<'END'
@on GET /users/1
@times 1
@fault cut body 3 reset
HTTP/1.1 200 OK
Content-Type: application/json

{"id": 1}

@expect 2 GET /users/1
END
	"$retort" run --scenario "$dir/users.retort" \
		--report "$dir/ladder.html" -- \
		curl -s '{url}users/1' >"$dir/out" 2>"$dir/err"
	equal 56 $? 'ladder: curl is reset'
	start "$dir/ladder.html"
	visit "${url}ladder.html"
	as_big 960 760
	shoot ladder
	halt
}

# The chart that `make chart` has made.
bench()
{
	if [ ! -f bench.svg ]; then
		skip 'bench.svg' 'make chart comes first'
		return
	fi
	[ "$(wc -c <bench.svg)" -le $most ]
	report $? "bench.svg, $(wc -c <bench.svg) bytes"
	cp bench.svg "$to/pictures/bench.svg"
}

# Webhooks that come to somebody who looks.
inspect()
{
	start_inspect --status 202 --body ok \
		--fault 'status 503 chance 30%' --seed 3
	visit "$page"
	curl -s -o "$dir/out" -H 'Content-Type: application/json' \
		-d '{"event":"paid","order":1042,"items":[{"sku":"A-1","n":2}]}' \
		"${url}hooks/paid"
	curl -s -o "$dir/out" "${url}health"
	curl -s -o "$dir/out" -d 'name=Ada&text=a%20b' "${url}form?lang=en"
	curl -s -o "$dir/out" -X DELETE "${url}orders/1041"
	as_big 960 600
	# shellcheck disable=SC2119 # it has no argument
	run <<'JS'
const list = document.getElementById('list');
await new Promise((resolve) => {
	const look = () => list.children.length === 4 &&
		!list.innerText.includes('under way') && resolve();
	new MutationObserver(look).observe(list,
		{ childList: true, subtree: true });
	look();
});
list.lastChild.firstChild.click();
return true;
JS
	shoot inspect
	halt
}

open_browser
sweep
ladder
inspect
bench
conclude
