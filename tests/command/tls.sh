#!/bin/sh
# SPDX-License-Identifier: MIT
#
# retort --tls: what curl gets, what COMMAND of run and sweep trusts, and what is
# refused. Without TLS: how that is said. Prints TAP. $RETORT is the command.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
deadline=120 # seconds, for what would not end otherwise
trap 'test -z "$pid" || kill "$pid"; rm -rf "$dir"' EXIT
unset RETORT_URL RETORT_CA SSL_CERT_FILE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS \
	REQUESTS_CA_BUNDLE

# run ARGUMENT...: retort run; its output in `out` and `err`; sets status
run()
{
	timeout -k 5 $deadline "$retort" run "$@" >"$dir/out" 2>"$dir/err"
	status=$?
}

refused '--tls-ca: needs --tls, --tls-later or --tls-certs' --tls-ca x
refused '--tls-min: needs --tls, --tls-later or --tls-certs' --tls-min 1.2

if ! "$retort" -V | grep -q 'TLS by'; then
	refused '--tls: this was built without OpenSSL' -p 0 --tls
	refused '--tls: this was built without OpenSSL' run --tls -- true
	conclude
	exit
fi

refused '--tls-cert: needs --tls-key' --tls --tls-cert x
refused '--tls-key: needs --tls-cert' --tls --tls-key x
refused '--tls-cert-fault: needs --tls' --tls-cert-fault expired
refused "--tls-cert-fault 'old': expected" -p 0 --tls --tls-cert-fault old
refused '--tls-certs: needs sweep' --tls-certs
refused '--tls-client-ca: needs --tls-client' --tls --tls-client-ca x
refused "--tls-min '1.4': expected 1.0, 1.1, 1.2 or 1.3" --tls --tls-min 1.4
refused "--tls-client 'yes': expected wanted or required" --tls \
	--tls-client yes
refused '--tls-max: it is older than the oldest version' -p 0 --tls --tls-min 1.3 \
	--tls-max 1.2
refused "--tls-cert '/nonexistent': No such file or directory" -p 0 --tls \
	--tls-cert /nonexistent --tls-key /nonexistent
refused '--tls-keylog: needs --tls, --tls-later or --tls-certs' --tls-keylog x
refused "--tls-keylog '/nonexistent/keys': No such file or directory" -p 0 \
	--tls --tls-keylog /nonexistent/keys
refused '--tls and --udp exclude each other' --tls --udp --echo
refused '--tls-ca /nonexistent/ca: No such file or directory' -p 0 --tls \
	--tls-ca /nonexistent/ca

# --- serving ---

have curl || {
	skip 'the rest' 'there is no curl'
	conclude
	exit
}

# another CA: a machine need not have any of its own
"$retort" run --tls -- cat '{ca}' >"$dir/other.pem"
start --tls --tls-ca "$dir/ca.pem" --transcript "$dir/seen" --body hello
case $url in
https://127.0.0.1:*) true ;;
*) false ;;
esac
report $? "its URL is https ($url)"
for name in localhost 127.0.0.1; do
	equal hello "$(curl -sS --cacert "$dir/ca.pem" \
		"https://$name:${url##*:}" 2>&1)" "curl trusts the CA: $name"
done
curl -sS --cacert "$dir/other.pem" "$url" >"$dir/out" 2>&1
equal 60 $? 'curl distrusts what it does not know'
curl -sS "http://${url#*//}" >"$dir/out" 2>&1
equal 52 $? 'curl without TLS gets nothing'
stop 'with TLS'
grep -q '(TLS failed: tlsv1 alert unknown ca)$' "$dir/err" &&
	grep -q '(TLS failed: http request)$' "$dir/err"
report $? 'the log says why'
[ ! -e "$dir/ca.pem" ]
report $? 'the CA is removed'
grep -q ' > (TLS: [0-9]* bytes)$' "$dir/seen/1.txt" &&
	grep -q ' - (TLS: TLSv1.[23], .*, SNI localhost)$' "$dir/seen/1.txt" &&
	grep -q ' - (TLS: failed: tlsv1 alert unknown ca)$' "$dir/seen/3.txt" &&
	grep -q ' - (TLS: failed: http request)$' "$dir/seen/4.txt"
report $? 'transcripts show handshakes'
run --scenario "$dir/seen/1.txt" -- curl -sS '{url}'
equal 'hello 0' "$(cat "$dir/out" "$dir/err") $status" \
	'a transcript of TLS is a scenario'

start --tls --tls-ca "$dir/ca.pem" --tls-max 1.2 --log json "$source/www"
curl -sS --cacert "$dir/ca.pem" "$url" 2>"$dir/out" |
	cmp - "$source/www/index.html" >"$dir/out"
report $? 'a file is whole'
stop 'with TLS'

# --- run and sweep ---

run --tls --body hello -- curl -sS '{url}'
equal 'hello 0' "$(cat "$dir/out" "$dir/err") $status" 'run: curl trusts it'
# shellcheck disable=SC2016 # expanded by the sh of COMMAND
run --tls -- sh -c 'for file in "$RETORT_CA" "$SSL_CERT_FILE" "$NODE_EXTRA_CA_CERTS" \
	"$REQUESTS_CA_BUNDLE" "$CURL_CA_BUNDLE"; do test "$file" = {ca} || exit 1
	done; head -n 1 {ca}; echo {ca}'
equal '-----BEGIN CERTIFICATE-----' "$(head -n 1 "$dir/out")" \
	'run: {ca} and the environment name the CA'
name=$(tail -n 1 "$dir/out")
[ -n "$name" ] && [ ! -e "$name" ]
report $? "run: the temporary file is removed ($name)"
run --tls --tls-ca "$dir/ca.pem" --body hello -- \
	curl -sS --cacert "$dir/ca.pem" '{url}'
equal 'hello 0' "$(cat "$dir/out" "$dir/err") $status" 'run: with --tls-ca'
# what curl says of the same secrets, which retort does not unless it is asked
for version in 1.2 1.3; do
	rm -f "$dir/own" "$dir/keys"
	SSLKEYLOGFILE=$dir/own run --tls --tls-max $version \
		--tls-keylog "$dir/keys" --body hello -- curl -sS '{url}'
	if [ -s "$dir/own" ]; then
		sort "$dir/own" >"$dir/sorted"
		sort "$dir/keys" | cmp -s "$dir/sorted" -
		report $? "run: the key log is that of curl ($version)"
	else
		skip 'run: the key log is that of curl' 'this curl has none'
	fi
	case $version in
	1.2) lines=1 ;;
	*) lines=5 ;;
	esac
	equal $lines "$(wc -l <"$dir/keys")" "run: its lines ($version)"
done
SSLKEYLOGFILE=$dir/keys run --tls --body hello -- \
	env -u SSLKEYLOGFILE curl -sS '{url}'
equal 5 "$(wc -l <"$dir/keys")" 'run: no key log without the option'
# a client that heeds nothing of what it is told of the CA, and has another one
printf '#!/bin/sh\nexec curl -s --cacert "%s" "$@"\n' "$dir/other.pem" \
	>"$dir/distrust"
chmod +x "$dir/distrust"
told='retort: TLS failed: tlsv1 alert unknown ca; a client may need {ca}'
run --tls -- "$dir/distrust" '{url}'
equal "60 $told" "$status $(cat "$dir/err")" 'run: why TLS failed'
timeout -k 5 $deadline "$retort" sweep --tls --body a -- "$dir/distrust" \
	'{url}' >"$dir/out" 2>"$dir/err"
equal "1 $told" "$? $(tail -n 1 "$dir/err")" 'sweep: why TLS failed'
timeout -k 5 $deadline "$retort" sweep --tls-certs -- "$dir/distrust" \
	'{url}' >"$dir/out" 2>"$dir/err"
equal "1 $told" "$? $(tail -n 1 "$dir/err")" 'sweep: why the right one fails'
run --tls -- sh -c 'curl -s telnet://127.0.0.1:{port} </dev/null; exit 3'
equal '3 retort: sh connected, and sent no request; a client may need {ca}' \
	"$status $(cat "$dir/err")" 'run: a client that gives up in silence'
run --tls -- "$dir/distrust" '{url}' -H '{ca}'
equal "60 ${told%;*}" "$status $(cat "$dir/err")" 'run: who has {ca} already'
run --tls --fault 'corrupt record 0+9' -- curl -s '{url}'
# "sslv3" stands before it, or what later versions of OpenSSL have for that
equal 'retort: TLS failed: ... alert bad record mac' \
	"$(sed 's,: [^ ]* alert,: ... alert,' "$dir/err")" \
	'run: an alert that is not about the certificate'
run --tls -- curl -s 'http://127.0.0.1:{port}'
equal '52 retort: TLS failed: http request' "$status $(cat "$dir/err")" \
	'run: a client without TLS'
run --tls --body hello -- sh -c 'curl -s {url}; exit 3'
equal '3 hello' "$status $(cat "$dir/out" "$dir/err")" \
	'run: nothing is said of TLS that worked'
run --tls --tls-cert-fault expired -- curl -sS '{url}'
grep -q '^curl: (60) .*expired' "$dir/err"
report $? 'run: curl finds that it is expired'
timeout -k 5 $deadline "$retort" sweep --tls-certs -- curl -s '{url}' \
	>"$dir/out" 2>"$dir/err"
status=$?
[ $status -le 1 ] &&
	grep -q '^right  *taken for success$' "$dir/out" &&
	grep -q '^expired  *taken for failure$' "$dir/out" &&
	grep -q '^bad-signature  *taken for failure$' "$dir/out"
report $? "sweep: certificates (status $status)"
"$retort" sweep --tls-certs -- true >"$dir/out" 2>"$dir/err"
equal 125 $? 'sweep: a client that does not connect'
"$retort" sweep --tls-certs --tls-min 1.2 -- curl -sk '{url}' >"$dir/out" 2>"$dir/err"
equal 1 $? 'sweep: a client that takes any certificate'
equal 11 "$(grep -c ' taken for success$' "$dir/out")" 'sweep: it takes all'
# the same words in either place
sed -n 's/  *taken for .*//p' "$dir/out" | grep -vx right >"$dir/names"
while read -r name; do
	run --tls --tls-cert-fault "$name" -- true
	equal 0 $status "--tls-cert-fault $name"
done <"$dir/names"
run --tls --tcp --echo -- sh -c 'echo {url}'
grep -q '^tls://localhost:[0-9]*$' "$dir/out"
report $? 'run: the URL of --tcp'
if have openssl; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$dir/key.pem" -out "$dir/cert.pem" -days 2 \
		-subj /CN=own -addext subjectAltName=DNS:localhost \
		>"$dir/out" 2>&1
	run --tls --tls-cert "$dir/cert.pem" --tls-key "$dir/key.pem" \
		--body hello -- curl -sS --cacert "$dir/cert.pem" '{url}'
	equal 'hello 0' "$(cat "$dir/out" "$dir/err") $status" \
		'run: a certificate of our own'
	run --tls --tls-client required --log json --body hello -- \
		curl -sS --cert "$dir/cert.pem" --key "$dir/key.pem" '{url}'
	equal 'hello 0' "$(cat "$dir/out") $status" \
		'run: a client with a certificate'
	grep -q '"status":200,"tls":{"version":"TLSv1.[23]","cipher":"[^"]*",'\
'"alpn":"http/1.1","sni":"localhost","client":"CN=own","resumed":false},' \
		"$dir/err"
	report $? 'the log has its facts'
	run --tls --tls-client required --body hello -- curl -s '{url}'
	[ "$status" -ne 0 ]
	report $? 'run: a client without one'
	# a session that is kept in a file
	cat >"$dir/resumed.retort" <<-'RULES'
		@on GET /
		@if-tls resumed: yes
		HTTP/1.1 200 OK

		resumed

		@on GET /
		HTTP/1.1 200 OK

		new
	RULES
	cat >"$dir/twice" <<-'TWICE'
		say()
		{
			printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client \
				-connect "localhost:$port" -CAfile "$1" \
				-servername localhost -quiet -ign_eof "$2" "$3"
		}
		port=${RETORT_URL##*:}
		port=${port%/}
		say "$1" -sess_out "$2"
		say "$1" -sess_in "$2"
	TWICE
	for version in 1.2 1.3; do
		run --tls --tls-max $version --log json \
			--scenario "$dir/resumed.retort" -- \
			sh "$dir/twice" '{ca}' "$dir/session"
		equal 'new resumed' "$(grep -a -o 'new\|resumed' "$dir/out" |
			xargs)" "run: a session is resumed ($version)"
		equal 'false true' "$(sed -n 's/.*"sni":"localhost","resumed":\([a-z]*\)}.*/\1/p' \
			"$dir/err" | xargs)" "the log tells of it ($version)"
	done
	run --tls --tls-fault no-resume --scenario "$dir/resumed.retort" -- \
		sh "$dir/twice" '{ca}' "$dir/session"
	equal 'new new' "$(grep -a -o 'new\|resumed' "$dir/out" | xargs)" \
		'run: no session is resumed'
else
	skip 'certificates of our own' 'there is no openssl'
fi
printf 'HTTP/1.0 200 OK\r\n\r\n' >"$dir/raw"
timeout -k 5 $deadline "$retort" sweep --tls --raw "$dir/raw" -- \
	curl -sS '{url}' >"$dir/out" 2>"$dir/err"
grep -q '^whole  *1  taken for success$' "$dir/out"
report $? 'sweep: curl trusts it'
grep -q '^cut N fin; no-close-notify  *19  taken for success: ' "$dir/out"
report $? 'sweep: TLS itself is truncated'

# cuts within records, each in five places
printf %020000d 0 >"$dir/body"
timeout -k 5 $deadline "$retort" sweep --tls --at 0,records --raw "$dir/raw" -- \
	sh -c 'curl -s {url}; true' >"$dir/out" 2>"$dir/err"
grep -q '^reply of 19 .*, 0,records; 1 record, 41 bytes on the wire$' \
	"$dir/out" &&
	grep -q '^cut N reset  *1  taken for success: 0$' "$dir/out" &&
	grep -q '^cut wire N fin  *5  taken for success: 0-40 (5 tried)$' \
		"$dir/out" &&
	grep -q '^cut wire N reset  *5  taken for success: 0-40 (5 tried)$' \
		"$dir/out"
report $? 'sweep: a client that is always content with a record'
timeout -k 5 $deadline "$retort" sweep --tls --at records --body @"$dir/body" \
	-- curl -sf '{url}' >"$dir/out" 2>"$dir/err"
equal 0 $? 'sweep: curl notices cuts within records'
grep -q ': head 0-[0-9]*, body .*; 10 tried, records; 2 records, [0-9]* ' \
	"$dir/out" &&
	! grep -q '^cut N' "$dir/out" &&
	grep -q '^cut wire N fin  *10  taken for success: none$' "$dir/out"
report $? 'sweep: two records'
conclude
