#!/bin/sh
# SPDX-License-Identifier: MIT
#
# --inspect: who may see its page, and who may not, each tried as an attack;
# what its stream says, whatever clients send; and that what it offers to be
# copied does the same again. Prints TAP. $RETORT is the command.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

if ! have curl || ! have python3; then
	skip '--inspect' 'there is no curl, or no python3'
	conclude
	exit
fi

refused 'sweep: not with --inspect' sweep --inspect --body x -- true
refused '--inspect' --inspect --tcp --echo

# answers STATUS NAME ARGUMENT...: curl gets that
answers()
{
	expected=$1
	tried=$2
	shift 2
	status=$(curl -s --max-time 20 -D "$dir/head" -o "$dir/out" \
		-w '%{http_code}' "$@")
	equal "$expected" "$status" "$tried"
}

cat >"$dir/rules" <<'EOS'
@on GET /slow
@fault pause 30000
HTTP/1.1 200 OK

EOS
start_inspect --keep-alive --body hello --scenario "$dir/rules"
root=${page%/*/}/
secret=${page#"$root"}
case $page in
http://127.0.0.1:*/*/) result=0 ;;
*) result=1 ;;
esac
report $result "it is on the loopback: $page"

# --- the page ---

answers 200 'the page' "$page"
for field in "content-security-policy: default-src 'none'; script-src 'self'" \
	'cache-control: no-store' 'cross-origin-resource-policy: same-origin' \
	'cross-origin-opener-policy: same-origin' \
	'referrer-policy: no-referrer' 'x-content-type-options: nosniff'; do
	tr 'A-Z\r' 'a-z\n' <"$dir/head" | grep -q "^$field"
	report $? "the page says $field"
done
! grep -Eq '(src|href)="?[a-z]*:?//|style=|onclick|<style|<script>' "$dir/out"
report $? 'the page has nothing from elsewhere, and nothing inline'
for part in html css js; do
	name=inspect.$part
	[ $part = html ] && name=
	curl -s "$page$name" | cmp -s - "$source/src/inspect/inspect.$part"
	report $? "the page has inspect.$part"
done
! grep -Eq 'innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(' \
	"$source/src/inspect/inspect.js"
report $? 'the script makes no HTML of text'

answers 308 'the page without its final slash' "${page%/}"
answers 200 'the page without its final slash, followed' -L "${page%/}"

# --- attacks ---

for name in evil.example 127.0.0.1.evil.example "evil.example:80" 0.0.0.0 \
	'[::1]' localhost.evil.example; do
	answers 421 "rebinding: Host: $name" -H "Host: $name" "$page"
	answers 421 "rebinding: Host: $name, the stream" -H "Host: $name" \
		"${page}requests"
done
for site in cross-site same-site bogus; do
	answers 403 "another origin: Sec-Fetch-Site: $site" \
		-H "Sec-Fetch-Site: $site" "${page}requests"
	answers 403 "another origin: Sec-Fetch-Site: $site, the page" \
		-H "Sec-Fetch-Site: $site" "$page"
done
for origin in http://evil.example null "$(echo "$url" | sed 's/.$//')" \
	https://127.0.0.1 file://; do
	answers 403 "another origin: Origin: $origin" -H "Origin: $origin" \
		"${page}requests"
done
answers 403 'a preflight' -X OPTIONS -H 'Origin: http://evil.example' \
	-H 'Access-Control-Request-Method: GET' "${page}requests"
! grep -qi '^access-control' "$dir/head"
report $? 'a preflight: nothing is allowed'
answers 200 'its own origin' -H "Origin: ${root%/}" "${page}inspect.js"
for path in '' requests inspect.js "${secret%??}" "${secret%??}/requests" \
	"${secret%/}0/" "$(echo "$secret" | tr 0-9 1-90)" "x/../$secret"; do
	answers 404 "without the secret: /$path" --path-as-is "$root$path"
	! grep -q "${secret%/}" "$dir/out" "$dir/head"
	report $? "without the secret: /$path: it is not told"
done
answers 404 'the secret alone' "$root$secret/unknown"
answers 404 'the secret and more' "$root${secret%/}x"
answers 405 'another method' -d x "${page}requests"
answers 405 'another method' -X DELETE "$page"

# --- what came ---

cat >"$dir/inspect.py" <<'EOS'
import http.client, json, os, shutil, socket, subprocess, sys
from urllib.parse import urlsplit

url, page = urlsplit(sys.argv[1]), urlsplit(sys.argv[2])
failed = 0

def report(fine, name, *seen):
    print("ok" if fine else "not ok", name)
    for what in seen if not fine else ():
        print("#", repr(what)[:2000])

def stream():
    there = http.client.HTTPConnection(page.hostname, page.port, timeout=20)
    there.request("GET", page.path + "requests")
    return there.getresponse()

def line(reply):
    return json.loads(reply.readline())

def until(reply, what):
    while not what(call := line(reply)):
        pass
    return call

def ask(method, target, body=None, **fields):
    there = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    there.request(method, target, body=body,
        headers={k.replace("_", "-"): v for k, v in fields.items()})
    there.getresponse().read()
    there.close()

def raw(data):
    with socket.create_connection((url.hostname, url.port), 20) as there:
        there.sendall(data)
        there.shutdown(socket.SHUT_WR)
        while there.recv(65536):
            pass

def whole(target):
    return lambda call: (call.get("target") == target
        and call["log"]["end"] != "open")

reply = stream()
hello = line(reply)
report(reply.getheader("Content-Type") == "application/x-ndjson"
    and hello["url"] == sys.argv[1], "stream: begins with the URL", hello)

ask("GET", "/one?a=b", X_Some="thing")
call = until(reply, whole("/one?a=b"))
log = call["log"]
report(call["method"] == "GET" and ["X-Some", "thing"] in call["fields"]
    and log["status"] == 200 and log["end"] == "answered" and log["ms"] >= 0
    and log["request"] == "GET /one?a=b HTTP/1.1", "stream: a request", call)
report("> hello" in call["transcript"], "stream: its bytes", call)

held = socket.create_connection((url.hostname, url.port), 20)
held.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
call = until(reply, lambda call: call.get("target") == "/slow")
report(call["log"]["end"] == "open" and call["fields"] == [["Host", "a"]],
    "stream: a request whose reply is under way", call)
number = call["id"]
held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
held.close()
call = until(reply, lambda call: call["id"] == number)
report(call["log"]["end"] == "reset", "stream: and then it has ended", call)

ask("POST", "/form", b"a=1&b=%20", Content_Type="text/plain")
call = until(reply, whole("/form"))
report(call["body"] == "a=1&b=%20" and call["body_size"] == 9,
    "stream: a body", call)
ask("POST", "/bytes", bytes(range(256)))
call = until(reply, whole("/bytes"))
report(bytes.fromhex(call["body_hex"]) == bytes(range(256)) and
    "body" not in call, "stream: bytes that are no text", call)

nasty = "<script>alert(1)</script>\0\x1b[31m\u202e\u2066'\"\\`$(id)\r\n"
ask("POST", "/nasty", nasty.encode())
call = until(reply, whole("/nasty"))
report(call["body"] == nasty, "stream: hostile text", call)
ask("POST", "/long", b"x" * (1 << 20))
call = until(reply, whole("/long"))
report(call["body_size"] == 1 << 20 and call["body"] == "x" * 32768
    and "curl" not in call and "rule" not in call,
    "stream: a body of 1 MiB is cut, and cannot be copied", call["id"])
ask("POST", "/wide", "\u20ac".encode() * 20000)
call = until(reply, whole("/wide"))
report(call["body"] == "\u20ac" * (32768 // 3),
    "stream: no half of a character", call["body"][-2:])
ask("GET", "/" + "\\" * 8000, X="\t".join("\\" * 20000))
call = until(reply, lambda call: len(call.get("target", "")) > 8000)
report(call["log"]["status"] == 200 and call["fields"][-1][0] == "Accept-Encoding"
    and "curl" not in call, "stream: fields are cut, too", call["fields"][:1])
raw(b"GET /\x1b[2J HTTP/1.1\r\n<b>: \xff\r\n\r\n")
call = until(reply, lambda call: call["log"]["status"] == 400)
report("curl" not in call and "rule" not in call,
    "stream: a malformed request cannot be copied", call)

# --- copies ---

def same(was, now):
    return all(was.get(key) == now.get(key) for key in
        ("method", "target", "body", "body_hex", "body_size")) and \
        sorted(was["fields"]) == sorted(now["fields"])

# fish reads backslashes in quotes, the others do not
shells = [shell for shell in map(shutil.which, ("sh", "bash", "zsh", "fish"))
    if shell]
rules = []
for method, target, body, fields in (
    ("GET", "/plain", None, {}),
    ("HEAD", "/head", None, {}),
    ("DELETE", "/a'b/$(id)/;x?y=`z`&%00=[1-3]{a,b}", None, {}),
    ("GET", "/a/../b//./c", None, {"X_Empty": "", "X_Quote": "'\"\\%s $x"}),
    ("OPTIONS", "*", None, {}),
    ("POST", "/@file", b"@/etc/passwd", {}),
    ("POST", "/text", "a\n'b' \u20ac\t%d\\n\n\n".encode(),
        {"Content_Type": "text/plain"}),
    ("PUT", "/esc", b"\x1b[201~\rid\r\0-%\\\x7f" + bytes(range(256)), {}),
    ("POST", "/json", '{"a": [1,\n "\u20ac"]}'.encode(),
        {"Content_Type": "application/json"}),
    ("POST", "/pairs", b"a=+b+c&d=%26*%2A%zz%00&e=&a=1",
        {"Content_Type": "application/x-www-form-urlencoded"}),
    ("POST", "/parts", b'--b\r\nContent-Disposition: form-data; name="=a"\r\n'
        b'\r\nx % *+&y \r\n--b\r\nContent-Disposition: form-data; name="f"; '
        b'filename="a;type=\xff"\r\nContent-Type: image/png\r\n\r\n\0\r\n'
        b'--b--\r\n', {"Content_Type": "multipart/form-data; boundary=b"}),
    ("POST", "/bidi", "\u202eab\u2066".encode(), {"X_Odd": "caf\xe9 \xff"}),
    ("PATCH", "/chunked", b"3\r\nabc\r\n0\r\n\r\n",
        {"Transfer_Encoding": "chunked"}),
    ("PUT", "/empty-chunks", b"0\r\n\r\n", {"Transfer_Encoding": "chunked"}),
    ("PUT", "/empty", b"", {}),
    ("POST", "/fish/\\';exit;\\'", b"\\'; exit; \\'\ta!b",
        {"X_Fish": "\\'; exit; \\'"}),
):
    if fields.get("Transfer_Encoding"):
        ask(method, target, body, **fields)
    else:
        ask(method, target, body, User_Agent="me", **fields)
    was = until(reply, whole(target))
    made = was.get("curl", "false")
    report(not any(c < " " and c != "\n" or c > "~" and c != "\u20ac"
        for c in made), "copy: " + target + ": nothing that is not seen", made)
    for shell in shells:
        copied = "copy: %s: %s" % (target, os.path.basename(shell))
        done = subprocess.run([shell, "-c", made], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, timeout=30)
        report(done.returncode == 0, copied + ": curl", made, done.stderr)
        now = until(reply, whole(target))
        report(same(was, now), copied + ": is the same", made, was, now)
    if target in ("/pairs", "/parts"):
        report("if-body" not in was["rule"],
            "copy: " + target + ": by what a form means", was["rule"])
    rules.append((was["rule"].replace("200 OK", "299 Fine"), made))

# --- one that does not read ---

deaf = socket.socket()
deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
deaf.settimeout(20)
deaf.connect((page.hostname, page.port))
deaf.sendall(("GET %srequests HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    % page.path).encode())
deaf.recv(1)
for i in range(150):
    ask("POST", "/many", b"x" * 32000)
    until(reply, whole("/many"))
cut = False
try:
    while deaf.recv(1 << 20):
        pass
except ConnectionResetError:
    cut = True
report(cut, "a page that does not read is cut off")
others = [stream() for i in range(8)]
report([other.status for other in others] == [200] * 7 + [503],
    "at most eight pages", [other.status for other in others])
for other in others:
    other.close()
while (again := stream()).status != 200:
    again.close()
report(line(again)["url"] == sys.argv[1], "a page that leaves makes room")

with open(sys.argv[3], "w") as file:
    for rule, made in rules:
        file.write(rule + "\n")
with open(sys.argv[4], "w") as file:
    for rule, made in rules:
        file.write(made.replace("curl", "curl -s -o /dev/null "
            "-w '%{http_code} %{size_download}\\n'", 1) if not made.startswith("printf") else
            made.replace("|\ncurl", "|\ncurl -s -o /dev/null "
            "-w '%{http_code} %{size_download}\\n'", 1))
EOS
timeout -k 5 100 python3 "$dir/inspect.py" "$url" "$page" "$dir/copies" \
	"$dir/commands" >"$dir/said" 2>"$dir/traceback"
result=$?
while read -r word rest; do
	case $word in
	ok) report 0 "$rest" ;;
	not) report 1 "${rest#ok }" ;;
	'#') echo "$word $rest" ;;
	esac
done <"$dir/said"
report $result 'the stream is read to its end'
[ $result -eq 0 ] || sed 's/^/# /' "$dir/traceback"
! grep -q "${secret%/}/requests" "$dir/err" && ! grep -q 'GET /requests' "$dir/err"
report $? 'its own requests are not in the log'
stop '--inspect'

# --- its own requests are not counted ---

start_inspect --body x --requests 2
curl -s "$page" -o "$dir/out" "${page}inspect.css" -o "$dir/out" \
	"${page}inspect.js" -o "$dir/out"
curl -sN "${page}requests" >"$dir/seen" &
reader=$!
while [ ! -s "$dir/seen" ] && kill -0 $reader 2>/dev/null; do :; done
curl -s "$url" "$url" >/dev/null
wait "$pid"
equal 0 $? 'two requests are two, whoever looks'
wait $reader
equal 0 $? 'at the end the stream ends as it should'
equal 2 "$(grep -c '"end":"answered".*"target":"/"' "$dir/seen")" \
	'and the page has all that came'
pid=
equal 2 "$(grep -c 'GET / ' "$dir/err")" 'two are in the log'

# --- rules that were copied ---

start --scenario "$dir/copies" --body x
here=${url#http://}
sed "s,http://127.0.0.1:[0-9]*/,http://${here%/}/," "$dir/commands" \
	>"$dir/again"
equal '299 5 299 0 299 5 299 5 299 5 299 5 299 5 299 5 299 5 299 5 299 5 299 5 299 5 299 5 299 5 299 5' \
	"$(timeout 60 sh "$dir/again" 2>/dev/null | tr '\n' ' ' |
		sed 's/ $//')" 'rules that were copied answer what they were made of'
kill "$pid"
wait "$pid"
pid=

# --- TLS ---

if "$retort" -V | grep -q 'TLS by'; then
	start_inspect --tls --keep-alive --body x
	(timeout 20 curl -sN "${page}requests" || :) |
		grep -m 1 '"target":"/secret"' >"$dir/seen" &
	reader=$!
	curl -sk "${url}secret" "${url}secret" >/dev/null
	wait "$reader"
	grep -q '"curl":"curl -k ' "$dir/seen"
	report $? 'TLS: a request is shown'
	stop 'TLS'
else
	skip 'TLS' 'retort was built without it'
fi

conclude
