#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A browser's view of what is served: www/, the same over TLS, a listing of
# hostile names, many files at once, a video that is sought in, a reload, a
# WebSocket. Prints TAP.
#
# $RETORT is the command, $RETORT_SRCDIR the folder that has www/ in it. It needs
# what tests/support/browser.sh names, and certutil.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
needed=certutil
# shellcheck source=tests/support/browser.sh
. "$(dirname "$0")/../support/browser.sh"
idle=   # of clients that ask nothing
secure= # the server with TLS
other=  # one more server

clean()
{
	# shellcheck disable=SC2086 # one word per process
	end $pid $idle $secure $other
	close_browser
	# the idle clients wait until they are closed
	exec 4<&- 5<&-
	wait
	# chromium may still be writing its profile
	rm -rf "$dir" 2>/dev/null || rm -rf "$dir"
}
trap clean EXIT

# --- the server ---

# logged FILTER: of the log as an array; other lines are left out
logged()
{
	grep '^{' "$dir/err" | jq -rs "$1"
}

# --- TLS ---

# A server whose CA the profile of the browser trusts: by the database of NSS in
# its home, which it reads when it starts.
begin_secure()
{
	secure_url=
	"$retort" -V | grep -q 'TLS by' || return 0
	start --tls --tls-ca "$dir/ca.pem" --scenario \
		"$source/www/echo.retort" --log json "$source/www"
	secure=$pid
	secure_url=$url
	pid=
	mv "$dir/err" "$dir/secure"
	mkdir -p "$dir/.pki/nssdb"
	certutil -d "sql:$dir/.pki/nssdb" -N --empty-password &&
		certutil -d "sql:$dir/.pki/nssdb" -A -t C,, -n retort \
			-i "$dir/ca.pem"
	report $? 'TLS: the profile trusts the CA'
}

page_by_tls()
{
	if [ -z "$secure_url" ]; then
		skip 'TLS' 'retort was built without it'
		return
	fi
	visit "$secure_url"
	read_page
	holds '[.rows[].state] == ["ok", "ok", "ok", "ok", "ok", "ok"]' \
		'TLS: www/ is as expected'
	holds '.summary | startswith("6 of 6 as expected, at ")' \
		'TLS: the summary'
	run <<'JS'
return {
	protocol: location.protocol,
	secure: isSecureContext,
	next: performance.getEntriesByType('navigation')[0].nextHopProtocol,
};
JS
	holds '. == {protocol: "https:", secure: true, next: "http/1.1"}' \
		'TLS: the context is secure'
	quiet 'TLS'
	pid=$secure
	secure=
	stop 'TLS'
	# one that the profile does not know
	start --tls "$source/www"
	say POST /url "$(jq -n --arg url "$url" '{$url}')"
	say GET /title
	holds '. == "Privacy error"' 'TLS: another CA is not trusted'
	say POST /se/log '{"type":"browser"}' # it says so, too
	stop 'TLS: another CA'
	grep -q 'TLS failed: .*certificate unknown' "$dir/err"
	report $? 'TLS: the log says why'
}

# --- www/ ---

# read_page: its rows, once none is waiting
read_page()
{
	run <<'JS'
const table = document.getElementById('checks');
const done = () => table.dataset.state === 'done';
await new Promise((resolve) => {
	new MutationObserver(() => done() && resolve())
		.observe(table, { attributes: true });
	if (done())
		resolve();
});
const rows = [...table.querySelectorAll('[data-check]')].map((row) => ({
	check: row.dataset.check,
	state: row.dataset.state,
	shown: row.cells[3].textContent,
	asked: row.cells[1].innerText,
	answered: row.cells[2].innerText,
}));
return {
	agent: navigator.userAgent,
	summary: document.getElementById('summary').textContent,
	rows,
	...Object.fromEntries(rows.map((row) => [row.check, row])),
};
JS
}

# the same, on connections that are used again
page_on_kept_connections()
{
	start --keep-alive --scenario "$source/www/echo.retort" --log json \
		"$source/www"
	visit "$url"
	read_page
	holds 'all(.rows[]; .state == "ok")' 'kept connections: as expected'
	say POST /refresh '{}'
	read_page
	holds 'all(.rows[]; .state == "ok")' 'kept connections: after a reload'
	quiet 'kept connections'
	stop 'kept connections'
	equal true "$(logged '[.[] | .connection] |
		length > 2 * (unique | length)')" \
		'kept connections: fewer than half as many as requests'
}

page()
{
	start --scenario "$source/www/echo.retort" --log json "$source/www"
	visit "$url"
	read_page
	holds '[.rows[].check] ==
		["type", "caching", "304", "range", "404", "echo"]' 'www/: the rows'
	for check in type caching 304 range 404 echo; do
		holds ".[\"$check\"] | .state == \"ok\" and
			.shown == \"as expected\"" "www/: $check"
	done
	holds '.summary | startswith("6 of 6 as expected, at ")' \
		'www/: the summary'
	holds '.range.answered | contains("206 Partial Content") and
		contains("Content-Range: bytes 0-14/") and
		endswith("<!DOCTYPE html>")' 'www/: a range is shown'
	holds '.["304"] | (.asked | contains("If-None-Match: \"")) and
		.answered == "304 Not Modified"' 'www/: a 304 is shown'
	holds '.echo.answered | startswith("GET /echo HTTP/1.1")' \
		'www/: the request line is shown'
	# shellcheck disable=SC2016 # a variable of jq's
	holds '.agent as $agent | .echo.answered |
		contains("User-Agent: \($agent)")' 'www/: the User-Agent is shown'
	as_wide 'www/'
	accessible 'www/'
	by_keyboard 'www/'

	run <<'JS'
document.getElementById('again').click();
return document.getElementById('checks').dataset.state;
JS
	holds '. == "running"' 'www/: they are sent again'
	read_page
	holds 'all(.rows[]; .state == "ok")' 'www/: as expected, again'

	say POST /refresh '{}'
	read_page
	holds 'all(.rows[]; .state == "ok")' 'www/: as expected after a reload'
	quiet 'www/'

	links
	no_script
	run <<'JS'
return [...document.querySelectorAll('dd code')].map((e) => e.textContent);
JS
	cp "$dir/said" "$dir/recipes"
	stop 'www/'
	equal '200 304' "$(logged '[.[] |
		select(.request == "GET /style.css HTTP/1.1") | .status][:2] |
		join(" ")')" 'www/: the style sheet is 200, then 304'

	start "$source/www"
	visit "$url"
	read_page
	holds '.echo | .state == "off" and
		(.answered | contains("retort --scenario www/echo.retort www"))' \
		'www/ without --echo: how to start it'
	holds '[.rows[] | select(.check != "echo") | .state] ==
		["ok", "ok", "ok", "ok", "ok"]' 'www/ without --echo: the rest'
	quiet 'www/ without --echo'
	stop 'www/ without --echo'
}

# Each link to this server leads where the text next to it says.
links()
{
	run <<'JS'
const links = [...document.querySelectorAll('a')]
	.filter((a) => a.origin === location.origin);
return Object.fromEntries(await Promise.all(links.map(async (a) =>
	[a.getAttribute('href'), (await fetch(a.href)).status])));
JS
	# the manuals are there after `make html`
	holds 'with_entries(select(.key | startswith("man/") | not)) ==
		{"sweep.html": 200, "examples/": 200, "nothing-here": 404,
			".hidden": 404} and
		(keys | map(select(startswith("man/")))) == ["man/retort.1.html",
			"man/retort.3.html", "man/retort.5.html"]' 'www/: its links'
	run <<'JS'
return Promise.all([...document.querySelectorAll('figure img')].map((img) => {
	img.loading = 'eager';
	const shape = img.getAttribute('width') / img.getAttribute('height');
	return img.decode().then(() => img.alt !== '' &&
		Math.abs(img.naturalWidth / img.naturalHeight / shape - 1) < 0.01 &&
		Math.abs(img.width / img.height / shape - 1) < 0.01);
}));
JS
	holds 'length >= 3 and all' 'www/: its pictures'
	# the browser tells of each 404
	say POST /se/log '{"type":"browser"}'
	visit "${url}examples/"
	run <<'JS'
return [...document.querySelectorAll('tbody a')].map((a) => a.textContent);
JS
	holds '. == ["../", "reply.http", "user.json"]' 'www/examples/: listed'
	as_wide 'www/examples/'
	accessible 'www/examples/'
	by_keyboard 'www/examples/'
	quiet 'www/examples/'
}

no_script()
{
	devtools Emulation.setScriptExecutionDisabled '{"value":true}'
	visit "$url"
	devtools Emulation.setScriptExecutionDisabled '{"value":false}'
	run <<'JS'
return {
	text: document.querySelector('section noscript')?.innerText,
	table: document.getElementById('checks').getClientRects().length,
};
JS
	holds '.table == 0 and (.text | contains("curl"))' \
		'www/ without script: words in place of the table'
}

# The report of a sweep: styled, though its policy allows one style by its hash,
# and opened by the keyboard.
sweep_report()
{
	mkdir "$dir/pages"
	"$retort" sweep --body hello --at 100-139 \
		--report "$dir/pages/index.html" -- curl -sf '{url}' >"$dir/swept" 2>&1
	start "$dir/pages"
	visit "$url"
	run <<'JS'
const summary = document.querySelector('summary');
summary.focus();
return {
	width: getComputedStyle(document.body).maxWidth,
	focus: document.activeElement === summary,
	strips: document.querySelectorAll('svg[role=img][aria-label]').length,
	cells: document.querySelectorAll('.way rect title').length,
	scripts: document.scripts.length,
};
JS
	holds '.width != "none" and .focus and .strips == 3 and
		.cells == 120 and .scripts == 0' 'sweep: its report'
	as_wide 'sweep: its report'
	quiet 'sweep: its report'
	accessible 'sweep: its report'
	by_keyboard 'sweep: its report'
	stop 'sweep: its report'
}

# The ladder of a failed run, of a client that sends what may not come through.
ladder()
{
	mkdir -p "$dir/pages"
	printf '@on POST /\n@fault pause 20; cut body 3 reset\n%s\n\nhello\n%s\n' \
		'HTTP/1.1 200 OK' '@expect 2 POST /' >"$dir/ladder.retort"
	printf '<script>hit=1</script><img src=x onerror=hit=1>\033[31m\342\200\256' \
		>"$dir/hostile"
	"$retort" run --scenario "$dir/ladder.retort" \
		--report "$dir/pages/index.html" -- \
		curl -s --data-binary "@$dir/hostile" '{url}' >"$dir/ran" 2>&1
	start "$dir/pages"
	visit "$url"
	run <<'JS'
return {
	title: document.querySelector('h1').textContent,
	text: document.body.innerText,
	strange: document.querySelectorAll('script, img').length,
	hit: window.hit ?? null,
};
JS
	holds '(.title | startswith("Not as expected")) and .strange == 0 and
		.hit == null and (.text | contains("RST") and
		contains("<script>hit=1</script>"))' 'ladder'
	as_wide 'ladder'
	quiet 'ladder'
	accessible 'ladder'
	by_keyboard 'ladder'
	stop 'ladder'
}

# --- the page of --inspect ---

# until_true CODE: in the page, waits until that is true
until_true()
{
	run <<JS
const enough = () => { return $1; };
await new Promise((resolve) => {
	const look = () => enough() && resolve();
	new MutationObserver(look).observe(document.body,
		{ childList: true, subtree: true, characterData: true });
	look();
});
return true;
JS
}

# rows N: this many requests are listed, and have ended
rows()
{
	until_true "document.querySelectorAll('#list > li').length === $1 &&
		!document.getElementById('list').innerText.includes('under way')"
}

# chosen N: what the page says of the N-th of the list
chosen()
{
	run <<JS
document.querySelectorAll('#list button')[$1 - 1].click();
return {
	title: document.getElementById('detail-title').textContent,
	current: document.querySelectorAll('[aria-current=true]').length,
	text: document.getElementById('content').innerText,
	tables: [...document.querySelectorAll('#content table')].map((table) =>
		[table.getAttribute('aria-label'), [...table.rows].map((row) =>
			[...row.cells].map((cell) => cell.textContent))]),
	scripts: document.scripts.length,
	strange: document.querySelectorAll('main b, main img, main script').length,
	odd: [...document.querySelectorAll('#content .odd')]
		.map((e) => e.textContent),
};
JS
}

inspected()
{
	start_inspect --body ok
	curl -s -o /dev/null "${url}before"
	visit "$page"
	rows 1
	holds '. == true' 'inspect: what came before'
	curl -s -o /dev/null -H 'Content-Type: application/json' \
		-d '{"id":12345678901234567890,"a":[1,{}],"b":[]}' "${url}json"
	curl -s -o /dev/null -d 'name=a%20b&text=<b>x</b>' "${url}form?q=1"
	rows 3
	holds '. == true' 'inspect: what comes'
	chosen 1
	holds '.title == "POST /form?q=1" and .current == 1 and
		(.tables[] | select(.[0] == "Form") | .[1]) ==
		[["name", "a b"], ["text", "<b>x</b>"]]' 'inspect: a form'
	holds '.text | contains("curl") and contains("@on POST /form?q=1")' \
		'inspect: to be copied'
	chosen 2
	holds '.text | contains("{\n  \"id\": 12345678901234567890,\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}")' \
		'inspect: JSON'
	printf '<script>window.hit=1</script><img src=x onerror=hit=1>\000\033[31m\342\200\256evil' |
		curl -s -o /dev/null --data-binary @- \
			-H 'X-Bad: <b>"\x27</b>' "${url}<b>"
	printf '\000\377' |
		curl -s -o /dev/null --data-binary @- "${url}bytes"
	head -c 1048576 /dev/zero | tr '\0' x |
		curl -s -o /dev/null --data-binary @- "${url}long"
	rows 6
	chosen 3
	holds '.scripts == 1 and .strange == 0 and
		(.text | contains("<script>window.hit=1</script>")) and
		(.odd | contains(["\\0", "\\e", "U+202E"]))' \
		'inspect: hostile text is text'
	chosen 2
	holds '.text | contains("00000000  00 ff")' 'inspect: bytes'
	chosen 1
	holds '.text | contains("first 32768 of 1048576 bytes") and
		contains("not all of the request is known")' 'inspect: a long body'
	run <<'JS'
const typed = (id, value) => {
	document.getElementById(id).value = value;
	document.getElementById(id).dispatchEvent(new Event('input'));
	return [...document.querySelectorAll('#list > li')]
		.filter((e) => !e.hidden).length;
};
const press = (key) => {
	document.activeElement.dispatchEvent(
		new KeyboardEvent('keydown', { key, bubbles: true }));
	return document.getElementById('detail-title').textContent;
};
const found = typed('filter', 'json'), all = typed('filter', '');
document.querySelector('#list button').focus();
return { found, all, down: press('ArrowDown'), up: press('ArrowUp'),
	hit: window.hit ?? null };
JS
	holds '. == {found: 1, all: 6, down: "POST /bytes", up: "POST /long",
		hit: null}' 'inspect: filter and arrows'
	chosen 4
	as_wide 'inspect'
	accessible 'inspect'
	by_keyboard 'inspect'
	quiet 'inspect'
	stop 'inspect'
	until_true "document.getElementById('state').textContent ===
		'retort has ended'"
	holds '. == true' 'inspect: the end is told'
	say POST /se/log '{"type":"browser"}'
	equal 6 "$(grep -c '"[A-Z]* /' "$dir/err")" \
		'inspect: its own requests are not in the log'
}

# A page of another origin, to which a browser may not tell anything.
attacked()
{
	start_inspect --body ok
	visit "$url"
	jq -n --arg page "$page" '$page' >"$dir/page.json"
	run "$dir/page.json" <<'JS'
const tried = async (mode) => {
	try {
		const reply = await fetch(given + 'requests', { mode });
		return reply.type + ' ' + reply.status;
	} catch {
		return 'refused';
	}
};
const load = (name, attributes) => new Promise((resolve) => {
	const element = Object.assign(document.createElement(name), attributes);
	element.onload = () => resolve('loaded');
	element.onerror = () => resolve('refused');
	document.body.append(element);
});
const frame = document.createElement('iframe');
frame.src = given;
await new Promise((resolve) => {
	frame.onload = resolve;
	document.body.append(frame);
});
let inside = 'refused';
try {
	inside = frame.contentDocument ? 'read' : 'refused';
} catch {}
return {
	cors: await tried('cors'),
	opaque: await tried('no-cors'),
	script: await load('script', { src: given + 'inspect.js' }),
	style: await load('link', { rel: 'stylesheet', href: given + 'inspect.css' }),
	inside,
};
JS
	holds '. == {cors: "refused", opaque: "refused", script: "refused",
		style: "refused", inside: "refused"}' \
		'inspect: pages of other origins get nothing'
	say POST /se/log '{"type":"browser"}' # it says so, too
	# a name that leads here by DNS: the browser asks with the foreign Host
	port_of_page=${page#http://127.0.0.1:}
	visit "http://rebound.example:$port_of_page"
	run <<'JS'
return document.body.innerText;
JS
	holds 'contains("Misdirected")' 'inspect: a name that was rebound'
	say POST /se/log '{"type":"browser"}'
	stop 'inspect: attacks'
}

# recipe WORDS: a recipe of the page, on any port, for one request
recipe()
{
	case $1 in
	'./retort -p 8081 '*) ;;
	'./retort run --tls '*)
		"$retort" -V | grep -q 'TLS by' || return
		equal hello "$(eval "'$command' ${1#./retort }" 2>&1)" \
			"recipe: $1"
		return
		;;
	*)
		return
		;;
	esac
	given=$(cd "$source" && eval "exec '$command' -p 0 -b 127.0.0.1 \
		--requests 1 --lifetime $seconds ${1#./retort -p 8081 }" \
		2>/dev/null &)
	curl -sS -i --raw --max-time "$seconds" "$given" >"$dir/got" \
		2>"$dir/said"
	grep -qE '^HTTP/1.1 (200|503) ' "$dir/got"
	report $? "recipe: $1"
	recipes=$((recipes + 1))
}

# The commands on the page work as they are.
recipes()
{
	command=$(cd "$(dirname "$retort")" && pwd)/${retort##*/}
	recipes=0
	jq -r '.[]' "$dir/recipes" >"$dir/lines"
	while read -r line; do
		recipe "$line"
		case $line in
		*--raw*)
			cmp "$dir/got" "$source/www/examples/reply.http" \
				>"$dir/said" 2>&1
			report $? 'recipe: byte for byte'
			;;
		esac
	done <"$dir/lines"
	equal 5 $recipes 'recipes of the page'
	# its lines end in CRLF, whatever wrote it last
	equal 0 "$(grep -vc "$(printf '\r')\$" \
		"$source/www/examples/reply.http")" 'reply.http: CRLF'
}

# --- a listing ---

# hostile NAME SHOWN: a file that has its own name in it, in hex; both as for
# printf's %b
hostile()
{
	name=$(printf '%b.' "$1")
	name=${name%.}
	hex=$(printf %s "$name" | od -An -v -tx1 | tr -d ' \n')
	printf %s "$hex" >"$folder/$name"
	jq -n --arg hex "$hex" --arg text "$(printf %b "$2")" '{$hex, $text}' \
		>>"$dir/expected"
}

hostile_names()
{
	unseen='\0357\0277\0275' # U+FFFD
	long=$(printf '%0200d' 0).txt
	# shellcheck disable=SC2016 # as it stands here
	for name in '<script>ran=1<!--.txt' '<img src=x onerror=ran=1>.txt' \
		'"><script>ran=1<!--.txt' "'><script>ran=1<!--.txt" \
		'"onfocus="ran=1"autofocus="".txt' '&lt;&amp;&#60;.txt' '&.txt' \
		'%.txt' '%3Cb%3E.txt' '%00.txt' '?query.txt' '#fragment.txt' \
		'a b  c.txt' ' leading.txt' 'javascript:ran=1.txt' 'a:b.txt' \
		'data:text,x.txt' '~.txt' '+.txt' ';.txt' '=.txt' '@.txt' \
		'[].txt' '`{|}^.txt' '$(ran).txt' 'https:' \
		'\0303\0251.txt' '\0360\0237\0215\0211.txt' "$long"; do
		hostile "$name" "$name"
	done
	hostile 'back\\slash.txt' 'back\\slash.txt'
	hostile 'line\nbreak.txt' "line${unseen}break.txt"
	hostile 'tab\treturn\rbell\a.txt' \
		"tab${unseen}return${unseen}bell$unseen.txt"
	hostile 'invalid\0377\0300\0257.txt' \
		"invalid$unseen$unseen$unseen.txt"
	hostile 'right\0342\0200\0256txt.exe.txt' \
		"right${unseen}txt.exe.txt"
	hostile 'isolate\0342\0201\0247.txt' "isolate$unseen.txt"
	hostile 'trailing ' 'trailing '
}

listing()
{
	mkdir "$dir/site"
	# its path ends a title
	folder="$dir/site/&lt;\"<"
	mkdir "$folder"
	folder="$folder/title><script>ran=1<!--"
	mkdir "$folder" "$folder/<i>inner"
	hostile_names
	: >"$dir/site/favicon.ico" # a browser asks for it with a text
	jq -s 'sort' "$dir/expected" >"$dir/sorted"
	files=$(jq length "$dir/sorted")

	start "$dir/site"
	visit "$url"
	# by a real click, as all of them below
	click 0
	click 1
	run <<'JS'
const rows = [...document.querySelectorAll('tbody tr')];
const links = rows.map((row) => row.querySelector('a'));
const names = {};
for (const e of document.querySelectorAll('body *'))
	names[e.localName] = (names[e.localName] ?? 0) + 1;
return {
	title: document.title,
	heading: document.querySelector('h1').textContent,
	ran: typeof ran,
	names,
	head: [...new Set([...document.head.children].map((e) => e.localName))],
	attributes: [...new Set(links.flatMap((a) => a.getAttributeNames()))],
	folders: links.slice(0, 2).map((a) => a.textContent),
	files: links.slice(2).map((a) => ({ href: a.href, text: a.textContent })),
};
JS
	path='"/&lt;\"</title><script>ran=1<!--/"'
	holds ".title == $path" 'listing: the title'
	holds ".heading == $path" 'listing: the heading'
	holds '.ran == "undefined"' 'listing: no script ran'
	rows=$((files + 3)) # the head, the folder above, the one in it
	holds ".names == {main: 1, h1: 1, p: 1, table: 1, thead: 1, tbody: 1, th: 3,
		tr: $rows, td: $((3 * (rows - 1))), a: $((rows - 1))}" \
		'listing: no elements but its own'
	holds '.head - ["meta", "link", "style", "title"] == []' \
		'listing: none in its head'
	holds '.attributes == ["href"]' 'listing: links have nothing but href'
	holds '.folders == ["../", "<i>inner/"]' 'listing: folders'
	jq .files "$dir/said" >"$dir/links"
	as_wide 'listing'
	quiet 'listing'
	fetches
	clicks
	stop 'listing'
}

# The targets of links. A listing's policy lets it fetch nothing; a file may.
fetches()
{
	click 2
	run "$dir/links" <<'JS'
return await Promise.all(given.map(async ({ href, text }) =>
	({ hex: await (await fetch(href)).text(), text })));
JS
	jq sort "$dir/said" >"$dir/listed"
	cmp -s "$dir/sorted" "$dir/listed"
	result=$?
	report $result 'listing: each link shows its name and leads to its file'
	[ $result -eq 0 ] || diff "$dir/sorted" "$dir/listed" | sed 's/^/# /'
	quiet 'listing, fetched'
	say POST /back '{}'
}

# click N: on the Nth link of the page
click()
{
	say POST /elements '{"using":"css selector","value":"a"}'
	element=$(jq -r ".[$1] | .[]?" "$dir/said")
	say POST "/element/$element/click" '{}'
}

# The page shown after a click on each link that leads to text.
clicks()
{
	run <<'JS'
return [...document.querySelectorAll('a')].flatMap((a, i) =>
	a.textContent.endsWith('.txt') ? [i] : []);
JS
	numbers=$(jq -r '.[]' "$dir/said")
	rm -f "$dir/clicked"
	for number in $numbers; do
		click "$number"
		run <<'JS'
return {text: document.body.textContent, ran: typeof ran};
JS
		jq -r 'if .ran == "undefined" then .text else "ran" end' \
			"$dir/said" >>"$dir/clicked"
		say POST /back '{}'
	done
	jq -r '.[] | select(.text | endswith(".txt")) | .hex' \
		"$dir/sorted" >"$dir/texts"
	sort "$dir/clicked" | cmp -s - "$dir/texts"
	result=$?
	report $result 'listing: each click leads to its file'
	[ $result -eq 0 ] || sort "$dir/clicked" | diff "$dir/texts" - |
		sed 's/^/# /'
	quiet 'listing, clicked through'
}

# --- many at once ---

# An image N + 10 pixels wide, a script that says N, and a style that does.
make_twenty()
{
	mkdir "$dir/twenty"
	awk 'BEGIN { for (i = 0; i < 4000; i++) print " padding" }' \
		>"$dir/padding"
	{
		echo '<!DOCTYPE html><html lang="en"><title>twenty</title>'
		echo '<link rel="icon" href="data:,">'
		for number in 1 2 3 4 5 6; do
			echo '<link rel="preconnect" href="/" crossorigin>'
		done
		echo '<script>got = []</script>'
	} >"$dir/twenty/index.html"
	for number in 0 1 2 3 4 5 6; do
		{
			printf '<svg xmlns="http://www.w3.org/2000/svg" '
			printf 'width="%d" height="9"><!--' $((number + 10))
			cat "$dir/padding"
			echo '--></svg>'
		} >"$dir/twenty/$number.svg"
		{
			echo '/*'
			cat "$dir/padding"
			echo "*/ got[$number] = $number;"
		} >"$dir/twenty/$number.js"
		{
			echo '/*'
			cat "$dir/padding"
			echo "*/ :root { --got-$number: $number }"
		} >"$dir/twenty/$number.css"
		echo "<img src=\"$number.svg\" alt=\"\">"
		echo "<script async src=\"$number.js\"></script>"
		[ $number -eq 6 ] ||
			echo "<link rel=\"stylesheet\" href=\"$number.css\">"
	done >>"$dir/twenty/index.html"
}

# connect BYTES: a client that connects, sends no more than these, and waits;
# when this returns, it is connected
connect()
{
	{
		exec 4<&- 5<&-
		printf %s "$1"
		exec cat "$dir/hold"
	} | curl -v --max-time $((3 * seconds)) "telnet://$address" \
		4<&- 5<&- >/dev/null 2>"$dir/trace" &
	idle="$idle $!"
	timeout "$seconds" grep -q 'Connected to' <"$dir/trace"
}

twenty()
{
	make_twenty
	mkfifo "$dir/hold" "$dir/trace"
	# so that neither end of either closes
	exec 4<>"$dir/hold" 5<>"$dir/trace"
	start -v --log json --timeout 120 "$dir/twenty"
	address=${url#http://}
	address=${address%/}
	connected=0
	for number in 1 2 3 4 5 6 7 8 9 10; do
		# a byte makes sure that the server has accepted it
		connect G && connected=$((connected + 1))
		connect '' && connected=$((connected + 1))
	done
	equal 20 $connected 'idle clients'

	visit "$url"
	run <<'JS'
const style = getComputedStyle(document.documentElement);
return {
	images: [...document.images].map((image) => image.naturalWidth),
	scripts: got,
	styles: [0, 1, 2, 3, 4, 5].map((i) =>
		style.getPropertyValue('--got-' + i)),
};
JS
	holds '.images == [10, 11, 12, 13, 14, 15, 16]' 'twenty at once: images'
	holds '.scripts == [0, 1, 2, 3, 4, 5, 6]' 'twenty at once: scripts'
	holds '.styles == ["0", "1", "2", "3", "4", "5"]' \
		'twenty at once: styles'
	quiet 'twenty at once'
	alive=0
	for process in $idle; do
		! kill -0 "$process" 2>/dev/null || alive=$((alive + 1))
	done
	equal 20 $alive 'twenty at once: the idle clients are still there'
	stop 'twenty at once'
	equal 10 "$(logged '[.[] | select(.received == 1 and
		.end == "stopped")] | length')" \
		'twenty at once: so the server says'
	equal 21 "$(logged '[.[] | select(.status == 200 and
		.end == "answered")] | length')" \
		'twenty at once: 21 replies'
	# shellcheck disable=SC2086 # one word per process
	end $idle
	idle=
	exec 4<&- 5<&-
}

# --- a video ---

# little N: as four bytes, the lowest first
little()
{
	for shift in 1 256 65536 16777216; do
		# shellcheck disable=SC2059 # the format is made here
		printf "\\$(printf %03o $(($1 / shift % 256)))"
	done
}

# make_sound FILE BYTES: a WAV of 16 bits, stereo, 44100 Hz, that is silent; the
# file has a hole in it
make_sound()
{
	{
		printf RIFF
		little $(($2 + 36))
		printf 'WAVEfmt '
		little 16
		printf '\001\000\002\000'
		little 44100
		little 176400
		printf '\004\000\020\000data'
		little "$2"
	} >"$1"
	dd if=/dev/null of="$1" bs=1 seek=$(($2 + 44)) 2>/dev/null
}

video()
{
	mkdir "$dir/video"
	bytes=$((176400 * 360)) # six minutes
	make_sound "$dir/video/sound.wav" $bytes
	echo '<!DOCTYPE html><html lang="en"><title>video</title>' \
		'<link rel="icon" href="data:,">' \
		'<video preload="metadata" src="sound.wav"></video>' \
		>"$dir/video/index.html"
	start -v --log json "$dir/video"
	visit "$url"
	run <<'JS'
const video = document.querySelector('video');
const seen = (name) => new Promise((resolve, reject) => {
	video.addEventListener(name, resolve, { once: true });
	video.addEventListener('error', () =>
		reject(new Error(video.error.message)), { once: true });
	if (video.error)
		reject(new Error(video.error.message));
	if (name === 'loadedmetadata' && video.readyState > 0)
		resolve();
});
await seen('loadedmetadata');
video.currentTime = video.duration - 2;
await seen('seeked');
const { currentTime, duration, readyState, seekable } = video;
video.removeAttribute('src');
video.load();
return { currentTime, duration, readyState, seekable: seekable.end(0) };
JS
	holds '.duration == 360 and .seekable == 360' 'video: its length'
	holds '.currentTime == 358 and .readyState >= 2' 'video: sought'
	quiet 'video'
	stop 'video'
	equal true "$(logged '[.[] |
		select(.request == "GET /sound.wav HTTP/1.1") | .status] |
		[. - [206, 304], length - (. - [206] | length) >= 2] ==
		[[], true]')" 'video: 206'
	far=$(sed -n 's/^> Range: bytes=\([0-9]*\)-.*/\1/p' "$dir/err" |
		sort -n | tail -n 1)
	[ "${far:-0}" -gt $((bytes / 2)) ]
	report $? "video: asked for from byte ${far:-0}"
	equal true "$(logged "[.[] | .sent] | add < $bytes")" \
		'video: the whole file was not sent'
}

# A page of its own talks over it, and sees it closed.
websocket()
{
	start --framing websocket \
		--scenario "$source/tests/docs/talks/websocket.retort" \
		"$source/www/examples"
	visit "${url}user.json"
	run <<'JS'
return new Promise((resolve) => {
	const socket = new WebSocket(
		location.href.replace(/^http(.*)user.json$/, 'ws$1chat'));
	const came = {};
	socket.onmessage = (event) => {
		Object.assign(came, JSON.parse(event.data));
		if (came.price === undefined)
			socket.send('subscribe');
		else
			socket.close(3000, 'enough');
	};
	socket.onclose = ({ code, reason, wasClean }) =>
		resolve({ ...came, code, reason, wasClean });
});
JS
	holds '. == {market: "open", price: 7, code: 3000, reason: "enough",
		wasClean: true}' \
		'WebSocket: a message, and closed'
	stop 'WebSocket'
}

# A page of another origin makes a request that needs a preflight, for which
# there is no rule.
cors()
{
	printf '@on PUT /users\nHTTP/1.1 201 Created\n\n{}\n@expect 1 PUT\n' \
		>"$dir/put.retort"
	start "$source/www/examples"
	other=$pid
	other_url=$url
	start --cors --scenario "$dir/put.retort"
	printf '"%susers"' "$url" >"$dir/users"
	visit "${other_url}user.json"
	run "$dir/users" <<'JS'
const reply = await fetch(given, {
	method: 'PUT',
	headers: { 'Content-Type': 'application/json', 'X-Test': '1' },
	body: '{}',
});
return reply.status;
JS
	holds '. == 201' 'CORS: the preflight and the request are answered'
	stop 'CORS'
	pid=$other
	other=
	stop 'CORS: the other server'
}

begin_secure
open_browser
page
page_on_kept_connections
page_by_tls
recipes
listing
twenty
sweep_report
ladder
inspected
attacked
video
websocket
cors

conclude
