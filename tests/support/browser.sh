# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Sourced after tap.sh: chromium, driven by chromedriver (W3C WebDriver, spoken
# by curl), without a window. What it said last is in $dir/said. Without
# chromium, chromedriver, curl or jq all is skipped, or fails when
# $RETORT_NEED_BROWSER is set; so it is without a command of $needed.
#
# shellcheck disable=SC2119,SC2120,SC2154 # what tap.sh sets; arguments to come

seconds=30 # for one wait; the browser as a whole has eight times as many
driver=    # of chromedriver
browser=   # of chromium
session=
for command in chromium chromedriver curl jq ${needed:-}; do
	have "$command" && continue
	if [ -n "${RETORT_NEED_BROWSER:-}" ]; then
		report 1 "there is no $command"
		conclude
		exit
	fi
	skip_all "there is no $command"
done

# end PID...: those that are still there
end()
{
	for process; do
		kill "$process" 2>/dev/null || :
	done
}

# close_browser: at the end, before `dir` is removed
close_browser()
{
	[ -z "$session" ] || webdriver DELETE '' >/dev/null 2>&1
	# shellcheck disable=SC2086 # one word, or none
	end $driver $browser
}

# show: what the browser said last, and what the server has logged
show()
{
	for file in said err; do
		[ ! -f "$dir/$file" ] ||
			sed "s/^/# $file: /" "$dir/$file" | cut -c 1-4000
	done
}

# holds FILTER NAME: what jq makes of what the browser said last is true
holds()
{
	jq -e "$1" <"$dir/said" >/dev/null 2>&1
	result=$?
	report $result "$2"
	[ $result -eq 0 ] || printf 'expected: %s\n' "$1" | sed 's/^/# /'
}

# webdriver METHOD PATH [JSON]: a command of the session
webdriver()
{
	curl -sS --max-time $((2 * seconds)) -X "$1" \
		-H 'Content-Type: application/json' \
		${3+--data-binary "$3"} \
		"http://127.0.0.1:$port/session${session:+/}$session$2"
}

# say METHOD PATH [JSON]: the same, with the value in the file `said`
say()
{
	webdriver "$@" 2>"$dir/reply" >>"$dir/reply"
	jq .value "$dir/reply" >"$dir/said" 2>/dev/null ||
		cp "$dir/reply" "$dir/said"
}

# devtools COMMAND PARAMETERS
devtools()
{
	say POST /goog/cdp/execute "{\"cmd\":\"$1\",\"params\":$2}"
}

visit()
{
	say POST /url "$(jq -n --arg url "$1" '{$url}')"
	holds '. == null' "loaded: $1"
}

# run [FILE]: runs the body of an async function, from standard input, in the
# page; `given` there is the JSON of FILE. What it returns is in the file `said`
run()
{
	say POST /execute/sync "$(jq -Rs --slurpfile given "${1:-/dev/null}" '{
		script: "return (async (given) => {\(.)})(arguments[0])",
		args: [$given[0]]
	}')"
}

# quiet NAME: nothing went wrong by the browser's console since it was last
# asked
quiet()
{
	say POST /se/log '{"type":"browser"}'
	holds 'type == "array" and
		all(.[]; .level != "SEVERE" and .level != "WARNING")' \
		"$1: the console is quiet"
}

# as_wide NAME: at 360 pixels nothing is cut off
as_wide()
{
	devtools Emulation.setDeviceMetricsOverride '{
		"width": 360, "height": 740, "deviceScaleFactor": 1,
		"mobile": true
	}'
	run <<'JS'
while (innerWidth !== 360)
	await new Promise(requestAnimationFrame);
const { scrollWidth, clientWidth } = document.documentElement;
return {
	scrollWidth, clientWidth,
	beyond: [...document.body.querySelectorAll('*')]
		.filter((e) => e.getBoundingClientRect().right > 360.5)
		.map((e) => e.outerHTML.slice(0, 200)),
};
JS
	holds '.scrollWidth == 360 and .clientWidth == 360 and .beyond == []' \
		"$1: 360 pixels are enough"
	devtools Emulation.clearDeviceMetricsOverride '{}'
}

# what ./bootstrap check-browser gets from npm, if there is npm
axe=${RETORT_AXE:-$source/build-axe/node_modules/axe-core/axe.min.js}

# accessible NAME: axe-core finds nothing wrong with the page, light or dark
accessible()
{
	if [ ! -f "$axe" ]; then
		skip "$1: axe-core" 'there is no axe-core'
		return
	fi
	jq -n --rawfile axe "$axe" '{args: [], script: "\($axe);
		return axe.run().then((found) => found.violations.map((rule) => ({
			rule: rule.id,
			help: rule.help,
			nodes: rule.nodes.slice(0, 5).map((node) => node.html),
		})))"}' >"$dir/axe.json"
	for scheme in light dark; do
		devtools Emulation.setEmulatedMedia "{\"features\": [{
			\"name\": \"prefers-color-scheme\", \"value\": \"$scheme\"}]}"
		say POST /execute/sync "@$dir/axe.json"
		holds '. == []' "$1, $scheme: axe-core finds no violation"
	done
	devtools Emulation.setEmulatedMedia '{"features": []}'
}

# by_keyboard NAME: Tab reaches all that can be used, and shows where it is
by_keyboard()
{
	run <<'JS'
const usable = [...document.querySelectorAll(
	'a[href], button, input, select, textarea, summary, [tabindex="0"]')]
	.filter((e) => !e.disabled && e.checkVisibility({ visibilityProperty: true }));
window.unreached = new Set(usable);
window.unseen = new Set(usable);
document.addEventListener('focusin', ({ target }) => {
	window.unreached.delete(target);
	// a window that is slow to be in front shows it when it comes by again
	const { outlineStyle, boxShadow } = getComputedStyle(target);
	if (outlineStyle !== 'none' || boxShadow !== 'none')
		window.unseen.delete(target);
});
document.activeElement.blur();
getSelection().collapse(document.body, 0);
return usable.length;
JS
	jq '{actions: [{type: "key", id: "keys", actions: [range(. + 5) |
		{type: "keyDown", value: "\ue004"}, {type: "keyUp", value: "\ue004"}
		]}]}' "$dir/said" >"$dir/keys.json"
	say POST /actions "@$dir/keys.json"
	run <<'JS'
const show = (set) => [...set].map((e) => e.outerHTML.slice(0, 200));
return { unreached: show(window.unreached), unseen: show(window.unseen) };
JS
	holds '. == {unreached: [], unseen: []}' "$1: the keyboard reaches all"
}

open_browser()
{
	mkfifo "$dir/driver"
	HOME=$dir timeout -k 5 $((8 * seconds)) chromedriver --port=0 \
		--log-path="$dir/driver.log" </dev/null >"$dir/driver" 2>&1 &
	driver=$!
	exec 3<"$dir/driver"
	port=
	while [ -z "$port" ] && read -r line <&3; do
		port=$(echo "$line" |
			sed -n 's/.* started successfully on port \([0-9]*\).*/\1/p')
	done
	[ -n "$port" ]
	report $? 'chromedriver starts'

	say POST '' "$(jq -n --arg binary "$(command -v chromium)" \
		--arg profile "$dir/profile" --arg uid "$(id -u)" \
		--argjson time "${seconds}000" '{capabilities: {alwaysMatch: {
		timeouts: {script: $time, pageLoad: $time},
		"goog:loggingPrefs": {browser: "ALL"},
		"goog:chromeOptions": {$binary, args: ([
			"--headless", "--disable-gpu", "--disable-quic",
			"--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync",
			"--disable-dev-shm-usage", "--no-proxy-server",
			"--host-resolver-rules=MAP rebound.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
			"--window-size=1200,900", "--user-data-dir=\($profile)"
		] + if $uid == "0" then ["--no-sandbox"] else [] end)}
	}}}')"
	session=$(jq -r '.sessionId // empty' "$dir/said")
	browser=$(jq -r '.capabilities["goog:processID"] // empty' "$dir/said")
	[ -n "$session" ]
	report $? 'chromium starts'
	[ -n "$session" ] || {
		sed 's/^/# driver: /' "$dir/driver.log" | tail -n 40
		conclude
		exit
	}
}
