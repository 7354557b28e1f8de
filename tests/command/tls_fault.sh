#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Faults of TLS, as curl, OpenSSL's s_client and GnuTLS's gnutls-cli report
# them. Prints TAP. $RETORT is the command.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
deadline=120 # seconds, for what would not end otherwise
unset RETORT_URL RETORT_CA SSL_CERT_FILE CURL_CA_BUNDLE

refused "--tls-fault: needs --tls or --tls-certs" --tls-fault 'cut wire 5'
refused "--fault: 'cut wire 5': expected a server with TLS" \
	-p 0 --body x --fault 'cut wire 5'
refused "--fault: '999': expected an alert" \
	-p 0 --body x --fault 'alert 999'
if ! "$retort" -V | grep -q 'TLS by'; then
	skip 'the rest' 'this was built without OpenSSL'
	conclude
	exit
fi
refused "--tls-fault: 'cut 5': expected a position such as wire N" \
	-p 0 --tls --tls-fault 'cut 5'
for faults in 'close-notify body 2' 'rekey 2' 'each 1'; do
	refused "--tls-fault: '$faults': expected it in --fault" \
		-p 0 --tls --tls-fault "$faults"
done
echo x >"$dir/x"
printf '@on GET /\n@file x\n@fault cut wire 5\n' >"$dir/file.retort"
refused "file.retort:3:8: 'cut wire 5': expected a server with TLS" \
	-p 0 --scenario "$dir/file.retort"
refused "--tls-fault: 'flig': expected N, -N" \
	-p 0 --tls --tls-fault 'cut flig 1'
refused "--fault: 'cut flight 1': expected no flight" \
	-p 0 --tls --body x --fault 'cut flight 1'

# finds NAME PATTERN ARGUMENT...: what a client of `retort run ARGUMENT...` says
# of the answer to the request that it reads
finds()
{
	name=$1
	pattern=$2
	shift 2
	rm -f "$dir/in"
	mkfifo "$dir/in"
	exec 5<>"$dir/in" # it never ends, and opening it waits for nobody
	printf 'GET / HTTP/1.0\r\n\r\n' >&5
	timeout -k 5 $deadline "$retort" run --tls -q --body 0123456789 "$@" \
		<&5 >"$dir/out" 2>&1
	grep -q -e "$pattern" "$dir/out"
	report $? "$name: $faults"
}

# all OPTION FAULTS CURL OPENSSL GNUTLS OPTION...: what each of them reports
# shellcheck disable=SC2016 # expanded by the sh of COMMAND
all()
{
	option=$1
	faults=$2
	by_curl=$3
	by_openssl=$4
	by_gnutls=$5
	shift 5
	if have curl; then
		finds curl "$by_curl" "$option" "$faults" "$@" -- sh -c \
			'curl -sS --max-time 20 {url} 2>&1; echo " status $?"'
	fi
	if have openssl; then
		finds openssl "$by_openssl" "$option" "$faults" "$@" -- sh -c \
			'port=${RETORT_URL##*:}
			openssl s_client -connect "localhost:${port%/}" -quiet \
				-CAfile {ca} -ign_eof'
	fi
	if have gnutls-cli; then
		finds gnutls-cli "$by_gnutls" "$option" "$faults" "$@" -- sh -c \
			'port=${RETORT_URL##*:}
			gnutls-cli --x509cafile {ca} -p "${port%/}" localhost'
	fi
}

eof='unexpected eof while reading'
mac='decryption failed or bad record mac'
lost='non-properly terminated\|Error decoding the received TLS packet'

# --- the handshake ---

all --tls-fault 'cut flight 0' 'SSL_ERROR_SYSCALL\|unexpected eof' "$eof" "$lost"
all --tls-fault 'cut wire 60' 'SSL_ERROR_SYSCALL\|unexpected eof' "$eof" "$lost"
all --tls-fault 'cut flight 0 reset' 'reset by peer' 'errno=104' \
	'Error in the pull function'
all --tls-fault 'cut flight 2' 'status 52\|unexpected eof' "$eof" "$lost" \
	--tls-max 1.2
all --tls-fault 'pause 20 flight 0+90; split wire 10 record 1+5; gap 2' \
	'^0123456789 status 0' '0123456789' '0123456789'
all --tls-fault 'corrupt record 2+9' "$mac" "$mac" 'Decryption has failed'
for alert in '40 handshake.failure' '80 internal.error' '112 unrecognized.name' \
	'70 protocol.version'; do
	all --tls-fault "alert ${alert% *}" "alert ${alert#* }\|${alert#* }" \
		"SSL alert number ${alert% *}" "Received alert .${alert% *}."
done
all --tls-fault 'alert access-denied flight 1' 'access denied' 'number 49' \
	'Received alert .49.' --tls-max 1.2
all --tls-fault 'insert wire 0 "HTTP/1.1 400 Bad Request\r\n\r\n"; cut wire 0' \
	'wrong version number' 'wrong version number' 'unexpected TLS packet'

# --- the reply ---

all --fault 'cut record 0+9' 'status 52\|unexpected eof' "$eof" "$lost"
all --fault 'split body 5; cut record 1+9' 'status \(18\|56\)' "$eof" "$lost"
all --fault 'split body 5; corrupt record 1+9' "$mac" "$mac" \
	'Decryption has failed'
all --fault 'each 1' '^0123456789 status 0' '0123456789' '0123456789'
all --fault 'cut record 1 reset' '^0123456789' 'errno=104' \
	'Error in the pull function'

for version in 1.2 1.3; do
	all --fault 'rekey body 3' '^0123456789 status 0' '3456789' \
		'3456789' --tls-max $version
done
all --fault 'close-notify body 3' '^012 status 18\|^012 status 56' '^012' '^012'

# --- a stall lasts until the client leaves, and the log says what it met ---

if have curl; then
	# it comes so far before it gives up: so much time it must have
	for most in 0.2 2 20; do
		timeout -k 5 $deadline "$retort" run --tls --body x \
			--log short --tls-fault 'cut flight 0+50 stall' -- \
			curl -sS --max-time $most '{url}' >"$dir/out" \
			2>"$dir/err"
		status=$?
		grep -q ' (reset) \[cut flight 0+50 stall\]$' "$dir/err"
		named=$?
		[ $named -ne 0 ] || break
	done
	equal 28 "$status" 'curl: cut flight 0+50 stall'
	report "$named" 'the log names the fault'
	printf '@accepted\n@fault cut flight 0\n' >"$dir/accepted.retort"
	for option in '--tls-fault=cut flight 0' \
		"--scenario=$dir/accepted.retort"; do
		timeout -k 5 $deadline "$retort" run --tls --log json \
			"$option" -- curl -s '{url}' >"$dir/out" 2>"$dir/err"
		grep -q '"end":"TLS failed","reason":"cut by a fault","faults":"cut flight 0"' \
			"$dir/err"
		report $? "the log says what broke: $option"
	done
fi
conclude
