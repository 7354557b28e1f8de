#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The scenarios of tests/docs/talks, with the clients that they name: mail is
# sent and fetched, values are set and published. Prints TAP. $RETORT is the
# command.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
talks=$source/tests/docs/talks
deadline=60 # seconds, for a client

# speaks PROTOCOL: whether curl does
speaks()
{
	have curl && curl --version | grep -q "^Protocols:.* $1\( \|$\)"
}

# talk SCENARIO FRAMING COMMAND: its status; the command has $address
talk()
{
	# shellcheck disable=SC2016 # the inner shell has it
	RETORT_TALK=$3 timeout -k 5 $deadline "$retort" run --tcp \
		--framing "$2" --scenario "$talks/$1.retort" -p 0 -b 127.0.0.1 \
		-- sh -c 'address=${1#tcp://} port=${1##*:}
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
	talk smtp lines "$send"
	report $? 'curl sends a mail'
	talk smtp lines "$send; $send"
	[ $? -eq 4 ] && grep -q 'expected exactly 1, came 2' "$dir/err"
	report $? 'two mails are one too many'
else
	skip SMTP 'curl does not speak it'
	skip SMTP 'curl does not speak it'
fi

if speaks pop3; then
	# shellcheck disable=SC2016
	talk pop3 lines 'curl -sS -u me:secret "pop3://$address/1"' &&
		grep -q '^how are you?' "$dir/out"
	report $? 'curl fetches a mail'
	# shellcheck disable=SC2016
	talk pop3 lines 'curl -sS -u me:wrong "pop3://$address/1"'
	[ $? -eq 67 ]
	report $? 'and not with another password'
else
	skip POP3 'curl does not speak it'
	skip POP3 'curl does not speak it'
fi

if speaks mqtt; then
	# shellcheck disable=SC2016
	talk mqtt mqtt 'curl -sS -d 21.5 "mqtt://$address/kitchen"'
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
	talk redis crlf 'printf "$bytes" | nc -N 127.0.0.1 "$port"' &&
		[ "$(tr -d '\r' <"$dir/out" | tr '\n' ,)" = '+OK,$1,7,+PONG,' ]
	report $? 'a client of Redis sets and gets'
else
	skip Redis 'there is no nc'
fi
if have redis-cli; then
	# shellcheck disable=SC2016
	talk redis crlf 'redis-cli -p "$port" GET a; redis-cli -p "$port" SET a 7
		redis-cli -p "$port" GET a' &&
		[ "$(tr '\n' , <"$dir/out")" = ',OK,7,' ]
	report $? 'redis-cli sets and gets'
else
	skip Redis 'there is no redis-cli'
fi

conclude
