#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The scenarios of tests/docs/talks, with the clients that they name: mail is
# sent and fetched, values are set and published, pages come through a proxy.
# Prints TAP. $RETORT is the command.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
talks=$source/tests/docs/talks
deadline=60 # seconds, for a client

# speaks PROTOCOL: whether curl does
speaks()
{
	have curl && curl --version | grep -q "^Protocols:.* $1\( \|$\)"
}

# talk SCENARIO OPTIONS COMMAND: its status; the command has $address and $port
talk()
{
	# shellcheck disable=SC2016,SC2086 # the inner shell has it; words
	RETORT_TALK=$3 timeout -k 5 $deadline "$retort" run $2 \
		--scenario "$talks/$1.retort" -p 0 -b 127.0.0.1 \
		-- sh -c 'address=${1#*://} address=${address%/} port=${address##*:}
			eval "$RETORT_TALK"' sh '{url}' \
		>"$dir/out" 2>"$dir/err"
}

mail=$dir/mail
export mail
# a line of it is a command elsewhere
printf 'Subject: hello\r\n\r\nDATA\r\nQUIT\r\n' >"$mail"
# shellcheck disable=SC2016
send='curl -sS "smtp://$address" --mail-from a@x --mail-rcpt b@x -T "$mail"'
if speaks smtp; then
	talk smtp '--tcp --lines' "$send"
	report $? 'curl sends an email'
	talk smtp '--tcp --lines' "$send; $send"
	[ $? -eq 4 ] && grep -q 'expected exactly 1, got 2' "$dir/err"
	report $? 'two mails are one too many'
else
	skip SMTP 'curl does not speak it'
	skip SMTP 'curl does not speak it'
fi

if speaks pop3; then
	# shellcheck disable=SC2016
	talk pop3 '--tcp --lines' \
		'curl -sS -u me:secret "pop3://$address/1"' &&
		grep -q '^how are you?' "$dir/out"
	report $? 'curl fetches an email'
	# shellcheck disable=SC2016
	talk pop3 '--tcp --lines' \
		'curl -sS -u me:wrong "pop3://$address/1"'
	[ $? -eq 67 ]
	report $? 'and not with another password'
else
	skip POP3 'curl does not speak it'
	skip POP3 'curl does not speak it'
fi

if speaks mqtt; then
	# shellcheck disable=SC2016
	talk mqtt '--tcp --framing mqtt' \
		'curl -sS -d 21.5 "mqtt://$address/kitchen"'
	report $? 'curl publishes a value'
else
	skip MQTT 'curl does not speak it'
fi

# what redis-cli sends for SET a 7, GET a, PING
# shellcheck disable=SC2016
bytes='*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n7\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n'
# shellcheck disable=SC2016
bytes=$bytes'*1\r\n$4\r\nPING\r\n'
export bytes
if have nc; then
	# shellcheck disable=SC2016
	talk redis '--tcp --framing crlf' \
		'printf "$bytes" | nc -N 127.0.0.1 "$port"' &&
		[ "$(tr -d '\r' <"$dir/out" | tr '\n' ,)" = '+OK,$1,7,+PONG,' ]
	report $? 'a client of Redis sets and gets'
else
	skip Redis 'there is no nc'
fi
if have redis-cli; then
	# shellcheck disable=SC2016
	talk redis '--tcp --framing crlf' \
		'redis-cli -p "$port" GET a; redis-cli -p "$port" SET a 7
		redis-cli -p "$port" GET a' &&
		[ "$(tr '\n' , <"$dir/out")" = ',OK,7,' ]
	report $? 'redis-cli sets and gets'
else
	skip Redis 'there is no redis-cli'
fi

if have curl; then
	# shellcheck disable=SC2016
	talk proxy '' 'curl -sS -p --noproxy "" -x "http://ada:secret@$address" \
			--proxy-anyauth http://example.com/' &&
		grep -q '^inside the tunnel' "$dir/out"
	report $? 'curl opens a tunnel when it is asked who it is'
	# shellcheck disable=SC2016
	talk proxy '' 'curl -sS -p --noproxy "" -x "http://ada:guess@$address" \
			--proxy-anyauth http://example.com/'
	[ $? -eq 56 ] && grep -q '407' "$dir/err"
	report $? 'and none with another password'
else
	skip 'a proxy' 'there is no curl'
	skip 'a proxy' 'there is no curl'
fi

if speaks smtps && "$retort" -V | grep -q 'TLS by'; then
	export dir
	# shellcheck disable=SC2016
	talk starttls "--tcp --lines --tls-later --tls-ca $dir/ca.pem" \
		'curl -sS --ssl-reqd --cacert "$dir/ca.pem" \
			--connect-to "localhost:$port:$address" \
			"smtp://localhost:$port" \
			--mail-from a@x --mail-rcpt b@x -T "$mail"'
	report $? 'curl sends an email over TLS, after STARTTLS'
else
	skip STARTTLS 'there is no TLS, here or in curl'
fi

# Node.js has them from 22 on, and 20.10 if it is told to
if have node && node --experimental-websocket -e 0 2>/dev/null; then
	export talks
	# shellcheck disable=SC2016
	talk websocket '' 'node --experimental-websocket \
			"$talks/websocket.js" "ws://$address/chat"' &&
		[ "$(tr '\n' , <"$dir/out")" = 'open,7,3000 enough,' ]
	report $? 'Node.js talks over a WebSocket'
else
	skip 'a WebSocket' 'there is no Node.js that has them'
fi

# what README.md shows of them
for name in proxy websocket; do
	text=$(sed '/^#/d' "$talks/$name.retort" | sed '1,/./{/^$/d;}')
	case $(cat "$source/README.md") in
	*"$text"*) report 0 "README.md has $name.retort" ;;
	*) report 1 "README.md has $name.retort" ;;
	esac
done

conclude
