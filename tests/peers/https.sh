#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Clients that people have, over TLS: each gets a file whole by the CA that
# `retort run` makes known, and nothing without it; git clones and pip installs.
# Prints TAP. $RETORT is the command. Clients that are not here are skipped, or
# fail when $RETORT_NEED_EMBED is set.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
deadline=60 # seconds, for what would not end otherwise
trap 'rm -rf "$dir"' EXIT
unset RETORT_URL RETORT_CA SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE \
	NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE SSLKEYLOGFILE GIT_SSL_CAINFO
# nobody's settings
GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
PIP_CONFIG_FILE=/dev/null PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
export GIT_CONFIG_NOSYSTEM GIT_TERMINAL_PROMPT
export PIP_CONFIG_FILE PIP_NO_INPUT PIP_DISABLE_PIP_VERSION_CHECK

if ! "$retort" -V | grep -q 'TLS by'; then
	skip_all 'retort was built without TLS'
fi

# run ARGUMENT...: retort run with TLS; its output in `out` and `err`; sets
# status
run()
{
	timeout -k 5 $deadline "$retort" run --tls "$@" >"$dir/out" \
		2>"$dir/err" </dev/null
	status=$?
}

# got FILE NAME: the output is that file
got()
{
	[ $status -eq 0 ] && cmp "$1" "$dir/out" >>"$dir/err" 2>&1
	result=$?
	# it is long
	: >"$dir/out"
	report $result "$2"
}

# more than a record, and than sockets hold
mkdir "$dir/site" "$dir/home"
awk 'BEGIN { for (i = 0; i < 60000; i++) print "line " i }' >"$dir/site/lines"

# fetches NAME COMMAND...: a client whose standard output is what it gets
fetches()
{
	name=$1
	shift
	for version in 1.2 1.3; do
		run --tls-max $version "$dir/site" -- "$@"
		got "$dir/site/lines" "$name, TLS $version: the whole file"
	done
	# a CA that it is not told of
	run "$dir/site" -- env -u SSL_CERT_FILE -u CURL_CA_BUNDLE \
		-u NODE_EXTRA_CA_CERTS -u REQUESTS_CA_BUNDLE "$@"
	[ $status -ne 0 ] && [ ! -s "$dir/out" ]
	report $? "$name: nothing from whom it does not know (status $status)"
	for fault in expired wrong-host self-signed; do
		run --tls-cert-fault $fault "$dir/site" -- "$@"
		[ $status -ne 0 ] && [ ! -s "$dir/out" ]
		report $? "$name: nothing with a certificate that is $fault"
	done
}

if have curl; then
	fetches curl curl -sS '{url}lines'
	run --keep-alive "$dir/site" -- curl -sS -w '%{num_connects} ' \
		-o "$dir/one" '{url}lines' -o "$dir/two" '{url}lines'
	equal '1 0 ' "$(cat "$dir/out")" 'curl: two requests on a connection'
	cmp -s "$dir/one" "$dir/site/lines" &&
		cmp -s "$dir/two" "$dir/site/lines"
	report $? 'curl: both whole'
else
	without curl curl
fi

if have wget; then
	# Debian's is linked with GnuTLS, which reads no variable
	cat >"$dir/wget" <<-'SH'
		wget -q -O- --no-hsts --tries=1 \
			${SSL_CERT_FILE:+--ca-certificate="$SSL_CERT_FILE"} "$@"
	SH
	fetches wget sh "$dir/wget" '{url}lines'
else
	without wget wget
fi

python=
if have python3; then
	# itself, not a wrapper that starts it
	python=$(python3 -c 'import sys; print(sys.executable)')
	cat >"$dir/get.py" <<-'PYTHON'
		import sys
		import urllib.request
		with urllib.request.urlopen(sys.argv[1], timeout=20) as reply:
		    sys.stdout.buffer.write(reply.read())
	PYTHON
	fetches urllib "$python" -E "$dir/get.py" '{url}lines'
else
	without python3 python3
fi

if have node; then
	cat >"$dir/get.js" <<-'JS'
		require('https').get(process.argv[2], (reply) =>
			reply.pipe(process.stdout));
	JS
	fetches node node "$dir/get.js" '{url}lines'
else
	without node node
fi

# spoken NAME COMMAND...: a client that only speaks TLS sends a request by
# itself, and what it gets has its head before it
spoken()
{
	name=$1
	shift
	cat >"$dir/speak" <<-'SH'
		address=${RETORT_URL#*//}
		port=${address##*:}
		port=${port%/}
		ca=${SSL_CERT_FILE:-/dev/null}
		printf 'GET /lines HTTP/1.1\r\nHost: localhost\r\n\r\n' |
	SH
	echo "$*" >>"$dir/speak"
	run "$dir/site" -- sh "$dir/speak"
	tail -c "$(wc -c <"$dir/site/lines")" "$dir/out" >"$dir/tail"
	cmp "$dir/site/lines" "$dir/tail" >>"$dir/err" 2>&1
	result=$?
	cut -c 1-200 "$dir/out" | head -n 20 >"$dir/tail"
	mv "$dir/tail" "$dir/out"
	report $result "$name: the whole file"
	run "$dir/site" -- env -u SSL_CERT_FILE sh "$dir/speak"
	! grep -q '^line 1' "$dir/out"
	report $? "$name: nothing from whom it does not know"
}

# shellcheck disable=SC2016 # of the script that they are part of
if have openssl; then
	spoken 'openssl s_client' 'openssl s_client -quiet -ign_eof' \
		'-verify_return_error -verify_hostname localhost' \
		'-CAfile "$ca" -connect "localhost:$port"'
else
	without openssl openssl
fi
# shellcheck disable=SC2016 # likewise
if have gnutls-cli; then
	spoken gnutls-cli 'gnutls-cli --logfile=/dev/null --x509cafile="$ca"' \
		'--port="$port" localhost'
else
	without gnutls-cli gnutls-cli
fi

# --- git: many files, by many requests ---

clone()
{
	run "$@" "$dir/site" -- env HOME="$dir/home" \
		git -c http.sslCAInfo='{ca}' clone -q '{url}repo.git' \
		"$dir/clone"
	[ $status -eq 0 ] && cmp "$dir/work/file" "$dir/clone/file" \
		>>"$dir/err" 2>&1
	report $? "git: clones${1:+ with $1}"
	rm -rf "$dir/clone"
}

if have git && [ -x "$(git --exec-path)/git-remote-https" ]; then
	(
		HOME=$dir/home
		export HOME
		git init -q "$dir/work"
		cp "$dir/site/lines" "$dir/work/file"
		git -C "$dir/work" add file
		git -C "$dir/work" -c user.name=n -c user.email=e@example.org \
			commit -q -m one
		git clone -q --bare "$dir/work" "$dir/site/repo.git"
		# what serves files knows no more of it
		git -C "$dir/site/repo.git" update-server-info
	) >"$dir/out" 2>&1
	report $? 'git: a repository'
	clone
	clone --keep-alive
	clone --tls-max 1.2
	run "$dir/site" -- env HOME="$dir/home" -u SSL_CERT_FILE -u CURL_CA_BUNDLE \
		git clone -q '{url}repo.git' "$dir/clone"
	[ $status -ne 0 ] && [ ! -e "$dir/clone/file" ]
	report $? 'git: nothing from whom it does not know'
else
	without git git
fi

# --- pip: an index and a package ---

# make_wheel: a package of one file, and the pages that lead to it
make_wheel()
{
	mkdir -p "$dir/site/simple/hello"
	"$python" - "$dir/site/simple/hello" <<-'PYTHON'
		import sys
		import zipfile
		name = "hello-1.0-py3-none-any.whl"
		info = "hello-1.0.dist-info/"
		with zipfile.ZipFile(sys.argv[1] + "/" + name, "w") as wheel:
		    wheel.writestr("hello.py", "print('hello from a wheel')\n")
		    wheel.writestr(info + "METADATA",
		        "Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n")
		    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\n"
		        "Generator: test\nRoot-Is-Purelib: true\n"
		        "Tag: py3-none-any\n")
		    wheel.writestr(info + "RECORD", "hello.py,,\n"
		        + info + "METADATA,,\n" + info + "WHEEL,,\n"
		        + info + "RECORD,,\n")
		with open(sys.argv[1] + "/index.html", "w") as page:
		    page.write('<!DOCTYPE html><a href="%s">%s</a>\n' % (name, name))
	PYTHON
}

install()
{
	rm -rf "$dir/installed"
	run "$@" "$dir/site" -- "$python" -m pip install -q --no-deps \
		--no-cache-dir --target "$dir/installed" --cert '{ca}' \
		--index-url '{url}simple/' hello
	equal 'hello from a wheel' "$("$python" "$dir/installed/hello.py" 2>&1)" \
		"pip: installs${1:+ with $1} (status $status)"
}

if [ -n "$python" ] && "$python" -m pip --version >"$dir/out" 2>&1; then
	make_wheel
	report $? 'pip: an index'
	install
	install --keep-alive
	run "$dir/site" -- env -u REQUESTS_CA_BUNDLE -u CURL_CA_BUNDLE \
		-u SSL_CERT_FILE "$python" -m pip download -q --no-deps --no-cache-dir \
		--retries 0 -d "$dir/installed" --index-url '{url}simple/' hello
	[ $status -ne 0 ] && [ ! -e "$dir/installed/hello-1.0-py3-none-any.whl" ]
	report $? 'pip: nothing from whom it does not know'
else
	without pip pip
fi
conclude
