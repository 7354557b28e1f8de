#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Compares retort with a server that does nothing (floor.c) and with others
# where they are installed, in one run, round by round, so that whatever else
# the machine does meets all of them alike. All servers answer with the same
# three files, one request per connection, and those that keep connections two
# of them also on these; every byte of every reply is compared. Everything stays
# on 127.0.0.1, and no process is left running.
#
# And the library, started, asked once and stopped within one process, next to
# libmicrohttpd where that is installed (cycle.c); and what TLS costs it, next to
# a bare loop of SSL_accept(3) (tls.c).
#
#	RETORT=./retort tests/bench/run.sh
#
# The library is the one next to RETORT, where it was built.
#
# In the environment, besides RETORT:
#	BENCH_ROUNDS    5: rounds; what is printed are medians
#	BENCH_SECONDS   0.6: of load for each server and file in each round
#	BENCH_SERVERS   which ones: "floor retort retort-body nginx nginx-cache
#	                h2o lighttpd darkhttpd busybox python"; empty: the
#	                library alone
#	BENCH_CYCLES    250: of start, request and stop; 0: none
#	BENCH_TLS       100: connections with TLS in each of 11 rounds; 0: none
#	BENCH_FIGURES   a file for what the tables are made of: `make chart`
#	                draws it
#	CC, CFLAGS      for the bench's own programs
#
# Exits 1 when a reply of retort was wrong.

set -eu
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
rounds=${BENCH_ROUNDS:-5}
seconds=${BENCH_SECONDS:-0.6}
wanted=${BENCH_SERVERS-floor retort retort-body nginx nginx-cache h2o \
	lighttpd darkhttpd busybox python}
cycles=${BENCH_CYCLES:-250}
tls=${BENCH_TLS:-100}
clients=16
idle=1000
traced=400
sizes='12 1k 1m'
# for kept connections, too
keeping='floor retort retort-body nginx nginx-cache h2o lighttpd'

tmp=
pids=
servers=
keepers=
kept= # set: of connections that are kept
missing=
lacking=
status=0

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	say "bench: $*"
	exit 1
}

have()
{
	command -v "$1" >/dev/null 2>&1
}

# stop PID: by SIGTERM, and by SIGKILL after two seconds
# shellcheck disable=SC2317 # called by the trap
stop()
{
	kill "$1" 2>/dev/null || return 0
	tries=0
	while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 20 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	kill -KILL "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
}

# shellcheck disable=SC2317 # called by the trap
clean_up()
{
	status=$?
	trap - EXIT
	for pid in $pids; do
		stop "$pid"
	done
	[ -z "$tmp" ] || rm -rf "$tmp"
	exit "$status"
}

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- what is compared ---

python=

# installed SERVER
installed()
{
	case $1 in
	floor)
		;;
	retort | retort-body)
		[ -x "${RETORT:-}" ] || die 'RETORT does not name the command'
		;;
	busybox)
		have busybox && busybox httpd --help >/dev/null 2>&1
		;;
	python)
		# itself, not a wrapper that starts it
		python=$(python3 -c 'import sys; print(sys.executable)' \
			2>/dev/null) && [ -n "$python" ]
		;;
	nginx | nginx-cache)
		have nginx
		;;
	h2o | lighttpd | darkhttpd)
		have "$1"
		;;
	*)
		die "no such server: $1"
		;;
	esac
}

# Debian keeps some of them out of users' way
PATH=$PATH:/usr/sbin

# serve SERVER SIZE PORT PREFIX...: runs the server's command after PREFIX
# (such as exec, or a program that starts it). SIZE matters where each port has
# its own.
serve()
{
	server=$1
	size=$2
	port=$3
	conf=$tmp/$server-$port.conf
	shift 3
	case $server in
	floor)
		"$@" "$tmp/floor" "$tmp/www/$size.txt" "$port" ${kept:+keep}
		;;
	retort)
		"$@" "$RETORT" -q ${kept:+--keep-alive} -p "$port" "$tmp/www"
		;;
	retort-body)
		"$@" "$RETORT" -q ${kept:+--keep-alive} -p "$port" \
			--type text/plain --body "@$tmp/www/$size.txt"
		;;
	nginx | nginx-cache)
		# both as fast as it can be told to be; but only one of them
		# looks at the file for each request, as the others do
		cache=off
		[ "$server" = nginx ] || cache='max=1000 inactive=60s'
		cat >"$conf" <<-END
			daemon off;
			worker_processes 1;
			pid $conf.pid;
			events { worker_connections 4096; }
			http {
				access_log off;
				sendfile on;
				tcp_nopush on;
				open_file_cache $cache;
				open_file_cache_valid 60s;
				open_file_cache_min_uses 1;
				keepalive_timeout ${kept:+75}${kept:-0};
				keepalive_requests 1000000000;
				default_type text/plain;
				client_body_temp_path $conf.body;
				proxy_temp_path $conf.proxy;
				fastcgi_temp_path $conf.fastcgi;
				uwsgi_temp_path $conf.uwsgi;
				scgi_temp_path $conf.scgi;
				server {
					listen 127.0.0.1:$port deferred;
					root $tmp/www;
				}
			}
		END
		# so that the worker can read a folder of root's
		[ "$(id -u)" != 0 ] || echo 'user root;' >>"$conf"
		"$@" nginx -e /dev/null -c "$conf"
		;;
	h2o)
		cat >"$conf" <<-END
			num-threads: 1
			max-connections: 4096
			hosts:
			  default:
			    listen:
			      host: 127.0.0.1
			      port: $port
			    paths:
			      "/":
			        file.dir: $tmp/www
		END
		[ "$(id -u)" != 0 ] || echo 'user: root' >>"$conf"
		"$@" h2o -c "$conf"
		;;
	lighttpd)
		cat >"$conf" <<-END
			server.bind = "127.0.0.1"
			server.port = $port
			server.document-root = "$tmp/www"
			server.defer-accept = 1
			server.max-keep-alive-requests = ${kept:+1000000}${kept:-0}
			server.max-fds = 8192
			server.max-connections = 4096
			mimetype.assign = ( ".txt" => "text/plain" )
		END
		"$@" lighttpd -D -f "$conf"
		;;
	darkhttpd)
		"$@" darkhttpd "$tmp/www" --addr 127.0.0.1 --port "$port" \
			--maxconn 4096 --no-keepalive
		;;
	busybox)
		"$@" busybox httpd -f -p "127.0.0.1:$port" -h "$tmp/www"
		;;
	python)
		"$@" "$python" -m http.server --bind 127.0.0.1 \
			--directory "$tmp/www" "$port"
		;;
	esac
}

# version SERVER: a line
version()
{
	case $1 in
	floor)
		echo 'parses nothing, sends a reply that lies in memory'
		;;
	retort-body)
		echo 'the same, with a reply that lies in memory'
		;;
	retort)
		"$RETORT" --version
		;;
	nginx)
		nginx -v 2>&1
		;;
	nginx-cache)
		echo 'nginx that keeps files open, and shows a change after' \
			'up to 60 seconds'
		;;
	h2o)
		h2o --version
		;;
	lighttpd)
		lighttpd -v
		;;
	darkhttpd)
		darkhttpd 2>&1
		;;
	busybox)
		busybox 2>&1
		;;
	python)
		"$python" --version
		;;
	esac 2>/dev/null | sed -n 's/^nginx version: //;s/,* *copyright.*//;s/ - .*//;1p'
}

# --- preparation ---

build()
{
	for program in load floor start; do
		# shellcheck disable=SC2086 # CFLAGS are words
		${CC:-cc} -std=c11 ${CFLAGS:--O2} -o "$tmp/$program" \
			"$here/$program.c" "$here/common.c" ||
			die "$program.c cannot be built"
	done
}

# The library says itself what it needs, to the libtool that made it.
build_cycle()
{
	built=$(dirname "$RETORT")
	libtool=$built/libtool
	if [ ! -x "$libtool" ] || [ ! -f "$built/libretort.la" ]; then
		lacking='no library next to the command, so no cycles'
		cycles=0
		return 0
	fi
	set -- -I"$here/../../src"
	libs=
	if pkg-config --exists libmicrohttpd 2>/dev/null; then
		# shellcheck disable=SC2046 # words
		set -- "$@" -DHAVE_MICROHTTPD $(pkg-config --cflags libmicrohttpd)
		libs=$(pkg-config --libs libmicrohttpd)
	else
		lacking='libmicrohttpd: not installed'
	fi
	for source in cycle common; do
		# shellcheck disable=SC2086 # CFLAGS are words
		${CC:-cc} -std=c11 ${CFLAGS:--O2} -pthread "$@" -c \
			-o "$tmp/$source.o" "$here/$source.c" ||
			die "$source.c cannot be built"
	done
	# shellcheck disable=SC2086 # CFLAGS and libs are words
	"$libtool" --quiet --tag=CC --mode=link ${CC:-cc} ${CFLAGS:--O2} \
		-pthread -static -o "$tmp/cycle" "$tmp/cycle.o" \
		"$tmp/common.o" "$built/libretort.la" $libs ||
		die 'cycle.c cannot be linked'
}

build_tls()
{
	built=$(dirname "$RETORT")
	libtool=$built/libtool
	if [ ! -x "$libtool" ] || ! "$RETORT" -V | grep -q 'TLS by' ||
		! pkg-config --exists openssl 2>/dev/null; then
		tls=0
		return 0
	fi
	for source in tls common; do
		# shellcheck disable=SC2046,SC2086 # words
		${CC:-cc} -std=c11 ${CFLAGS:--O2} -pthread \
			-I"$here/../../src" $(pkg-config --cflags openssl) -c \
			-o "$tmp/$source.o" "$here/$source.c" ||
			die "$source.c cannot be built"
	done
	# shellcheck disable=SC2046,SC2086 # words
	"$libtool" --quiet --tag=CC --mode=link ${CC:-cc} ${CFLAGS:--O2} \
		-pthread -static -o "$tmp/tls" "$tmp/tls.o" "$tmp/common.o" \
		"$built/libretort.la" $(pkg-config --libs openssl) ||
		die 'tls.c cannot be linked'
}

make_files()
{
	mkdir "$tmp/www"
	printf 'hello world\n' >"$tmp/www/12.txt"
	awk 'BEGIN {
		srand(1)
		for (i = 0; i < 1048576; i++)
			printf "%c", 97 + int(rand() * 26)
	}' >"$tmp/www/1m.txt"
	dd if="$tmp/www/1m.txt" of="$tmp/www/1k.txt" bs=1024 count=1 \
		2>/dev/null
	chmod 755 "$tmp" "$tmp/www"
}

# sized SERVER: it offers one file at each of its ports
sized()
{
	[ "$1" = floor ] || [ "$1" = retort-body ]
}

# address SERVER SIZE: where that server offers that file
address()
{
	key=$1${kept:+-kept}
	! sized "$1" || key=$key-$2
	printf '127.0.0.1:%s/%s.txt' "$(cat "$tmp/$key.port")" "$2"
}

# pid SERVER SIZE
pid_of()
{
	key=$1${kept:+-kept}
	! sized "$1" || key=$key-$2
	cat "$tmp/$key.pid"
}

# launch SERVER SIZE KEY: starts it for good
launch()
{
	taken=$((taken + 1))
	port=$(sed -n "${taken}p" "$tmp/ports")
	# shellcheck disable=SC2086 # the prefix is words
	serve "$1" "$2" "$port" exec $on_server </dev/null >/dev/null 2>&1 &
	pids="$pids $!"
	echo "$!" >"$tmp/$3.pid"
	echo "$port" >"$tmp/$3.port"
}

# answers SERVER: whether it serves all three files
answers()
{
	for size in $sizes; do
		"$tmp/load" -w 5 ${kept:+-K} -e "$tmp/www/$size.txt" \
			"$(address "$1" "$size")" >/dev/null || return 1
	done
}

# launch_kept SERVER: the same server, that keeps connections
launch_kept()
{
	name=$1
	kept=1
	if sized "$name"; then
		for size in $sizes; do
			launch "$name" "$size" "$name-kept-$size"
		done
	else
		launch "$name" 1k "$name-kept"
	fi
	if answers "$name"; then
		keepers="$keepers $name"
	elif [ "${name#retort}" != "$name" ]; then
		die 'retort does not answer on connections that it keeps'
	else
		say "bench: $name keeps no connections, and is left out there"
	fi
	kept=
}

launch_all()
{
	taken=0
	for server in $wanted; do
		if ! installed "$server"; then
			missing="$missing $server"
			continue
		fi
		name=$server # launch changes $server
		if sized "$name"; then
			for size in $sizes; do
				launch "$name" "$size" "$name-$size"
			done
		else
			launch "$name" 1k "$name"
		fi
		if answers "$name"; then
			servers="$servers $name"
			case " $keeping " in
			*" $name "*) launch_kept "$name" ;;
			esac
		elif [ "${name#retort}" != "$name" ]; then
			die 'retort does not answer'
		else
			say "bench: $name does not answer and is left out"
		fi
	done
	[ -n "$servers" ] || die "none of these is installed: $wanted"
}

# --- measuring ---

# sample SERVER METRIC VALUE
sample()
{
	printf '%s %s %s\n' "$1" "$2" "$3" >>"$tmp/samples"
}

# load_one SERVER SIZE
load_one()
{
	connections=$clients
	[ "$2" != 1m ] || connections=4
	# shellcheck disable=SC2086 # the prefix is words
	$on_client "$tmp/load" ${kept:+-K} -d "$seconds" -c "$connections" \
		-e "$tmp/www/$2.txt" -p "$(pid_of "$1" "$2")" -k 0 \
		"$(address "$1" "$2")" >"$tmp/line" ||
		{ [ "${1#retort}" = "$1" ] || status=1; }
	awk -v server="$1" -v size="${kept:+kept-}$2" '{
		for (i = 1; i <= NF; i++) {
			split($i, pair, "=")
			value[pair[1]] = pair[2]
		}
		n = value["requests"]
		if (n == 0)
			exit
		print server, "rate-" size, value["rate"]
		print server, "errors-" size, value["errors"]
		cpu = value["cpu"]
		# it lets the kernel reap its children, so that only the core
		# knows what they used
		if (server == "busybox") {
			print server, "cpu-" size, value["busy"] / n * 1e6
			exit
		}
		print server, "cpu-" size, cpu / n * 1e6
		print server, "user-" size, value["user"]
		print server, "system-" size, value["system"]
	}' "$tmp/line" >>"$tmp/samples"
}

# start_one SERVER
start_one()
{
	port=$(sed -n '$p' "$tmp/ports")
	# shellcheck disable=SC2086 # the prefix is words
	if took=$(serve "$1" 1k "$port" $on_client "$tmp/start" $start_core \
		"127.0.0.1:$port/1k.txt"); then
		sample "$1" start "$took"
	fi
}

# idle_one SERVER
idle_one()
{
	if line=$("$tmp/load" -i "$idle" -p "$(pid_of "$1" 1k)" \
		"$(address "$1" 1k)"); then
		sample "$1" memory "${line#memory=}"
	fi
}

# trace_one SERVER
trace_one()
{
	main=$(pid_of "$1" 1k)
	traced_server=$1
	set -- -p "$main"
	children=$(cat "/proc/$main/task/$main/children" 2>/dev/null) || :
	for child in $children; do
		set -- "$@" -p "$child"
	done
	: >"$tmp/strace" # which is read before strace may have opened it
	strace -f -c -o "$tmp/calls" "$@" </dev/null >/dev/null \
		2>>"$tmp/strace" &
	strace_pid=$!
	pids="$pids $strace_pid"
	tries=0
	until [ "$(grep -c attached "$tmp/strace")" -ge $(($# / 2)) ]; do
		kill -0 "$strace_pid" 2>/dev/null || return 0 # not allowed
		tries=$((tries + 1))
		[ "$tries" -lt 50 ] || break
		sleep 0.1
	done
	"$tmp/load" -n "$traced" -c "$clients" -e "$tmp/www/1k.txt" \
		"$(address "$traced_server" 1k)" >/dev/null || :
	# SIGINT makes it print, but is ignored by what runs in the background
	kill -TERM "$strace_pid" 2>/dev/null || :
	wait "$strace_pid" 2>/dev/null || :
	calls=$(awk -v n="$traced" \
		'$NF == "total" { print $4 / n }' "$tmp/calls" 2>/dev/null)
	[ -z "$calls" ] || sample "$traced_server" calls "$calls"
}

# count_calls NAME-KIND: system calls of a cycle, the client's among them
count_calls()
{
	for n in 50 150; do
		strace -f -c -o "$tmp/calls-$n" "$tmp/cycle" -n "$n" -o "$1" \
			>/dev/null 2>&1 || return 1
	done
	awk '$NF == "total" { total[++files] = $4 }
		END { if (files == 2) print (total[2] - total[1]) / 100 }' \
		"$tmp/calls-50" "$tmp/calls-150"
}

measure_cycles()
{
	say 'bench: start, one request and stop in one process'
	# on one core: otherwise it is chance, and worth a third of the time,
	# whether a thread starts next to the client or elsewhere
	# shellcheck disable=SC2086 # the prefix is words
	if ! $on_server "$tmp/cycle" -n "$cycles" >"$tmp/cycles"; then
		status=1
		return
	fi
	have strace || return 0
	while read -r name kind rest; do
		calls=$(count_calls "$name-$kind" </dev/null) || calls=
		echo "$name $kind $rest calls=${calls:--}"
	done <"$tmp/cycles" >"$tmp/counted"
	mv "$tmp/counted" "$tmp/cycles"
}

# As lines of figures: what is counted, not measured.
count_instructions()
{
	[ "$cycles" -gt 0 ] || return 0
	BUILT=$built sh "$here/instructions.sh" 2>/dev/null |
		awk 'NF > 4 && $2 ~ /^[0-9]+$/ {
			print "retort", "instructions-" $1, $2
		}' || :
}

measure_tls()
{
	say 'bench: a handshake and one request'
	# on one core, for the same reason
	# shellcheck disable=SC2086 # the prefix is words
	$on_server "$tmp/tls" -n "$tls" >"$tmp/handshakes" || status=1
}

measure()
{
	round=1
	while [ "$round" -le "$rounds" ]; do
		say "bench: round $round of $rounds"
		for size in $sizes; do
			for name in $servers; do
				load_one "$name" "$size"
			done
		done
		kept=1
		for size in 12 1k; do
			for name in $keepers; do
				load_one "$name" "$size"
			done
		done
		kept=
		for name in $servers $servers $servers; do
			start_one "$name"
		done
		round=$((round + 1))
	done
	say 'bench: idle connections and system calls'
	for name in $servers; do
		idle_one "$name"
	done
	if have strace; then
		for name in $servers; do
			trace_one "$name"
		done
	fi
}

# --- the tables ---

# The medians, as lines "NAME METRIC VALUE".
gather()
{
	[ ! -s "$tmp/samples" ] ||
		sort -k1,2 -k3,3n "$tmp/samples" | awk '
		function flush() {
			if (n)
				print key, (value[int((n + 1) / 2)] + \
					value[int(n / 2) + 1]) / 2
			n = 0
		}
		$1 " " $2 != key {
			flush()
			key = $1 " " $2
		}
		{
			value[++n] = $3
		}
		END {
			flush()
		}'
	[ ! -s "$tmp/cycles" ] || awk '{
		for (i = 3; i <= NF; i++) {
			split($i, pair, "=")
			if (pair[2] != "-")
				print $1, $2 "-" pair[1], pair[2]
		}
	}' "$tmp/cycles"
}

print_tables()
{
	for name in $servers; do
		echo "$name $(version "$name")"
	done >"$tmp/versions"
	awk -v servers="$servers" -v keepers="$keepers" -v missing="$missing" \
		-v rounds="$rounds" -v pinned="$pinned" -v idle="$idle" \
		-v clients="$clients" '
	FILENAME ~ /versions$/ {
		version[$1] = substr($0, length($1) + 2)
		next
	}

	{
		key = $1 " " $2
		sum[key] += $3
		values[key, ++count[key]] = $3 + 0
	}

	function median(key,    n, i, j, value, half) {
		n = count[key]
		for (i = 2; i <= n; i++) {
			value = values[key, i]
			for (j = i - 1; j > 0 && values[key, j] > value; j--)
				values[key, j + 1] = values[key, j]
			values[key, j + 1] = value
		}
		half = int((n + 1) / 2)
		if (n % 2)
			return values[key, half]
		return (values[key, half] + values[key, half + 1]) / 2
	}

	# a figure, and in a column of its own what it is times the floor
	function figure(server, metric, format, ratio,    key, text, base) {
		key = server " " metric
		text = "-"
		if (count[key])
			text = sprintf(format, median(key))
		if (server == "busybox" && metric ~ /^cpu/ && count[key])
			text = "~" text
		printf "%12s", text
		if (!ratio)
			return
		base = "floor " metric
		text = "-"
		if (count[key] && count[base] && median(base) > 0)
			text = sprintf("%.2f", median(key) / median(base))
		printf "%9s", text
	}

	# the share of user or system time: ticks are too few in one round
	function share(server, metric, size,    ticks, text) {
		ticks = sum[server " user-" size] + sum[server " system-" size]
		text = "-"
		if (ticks > 0)
			text = sprintf("%.1f", median(server " cpu-" size) * \
				sum[server " " metric "-" size] / ticks)
		printf "%12s", text
	}

	function load_table(size, title, names,    i, name, n) {
		n = split(names, name, " ")
		printf "\n%s\n%-11s%12s%9s%12s%12s%12s%9s\n", title, "",
			"CPU us", "/ floor", "user", "system", "requests/s",
			"/ floor"
		for (i = 1; i <= n; i++) {
			printf "%-11s", name[i]
			figure(name[i], "cpu-" size, "%.1f", 1)
			share(name[i], "user", size)
			share(name[i], "system", size)
			figure(name[i], "rate-" size, "%.0f", 1)
			printf "\n"
		}
	}

	END {
		n = split(servers, name, " ")
		printf "Each server sends the same files, one for each" \
			" connection; %s.\nMedians of rounds: %d.\n\n", pinned,
			rounds
		for (i = 1; i <= n; i++)
			printf "%-11s  %s\n", name[i], version[name[i]]
		split(missing, lack, " ")
		for (i = 1; i in lack; i++)
			printf "%-11s  not installed\n", lack[i]
		print "\nCPU us: what one reply costs the server, in" \
			" microseconds of user and system time."
		print "/ floor: this many times the figure of floor. By CPU" \
			" less is better; by requests/s"
		print "more is, but a fast server waits for the client that" \
			" measures it."
		load_table("12", "12 bytes, " clients " at a time", servers)
		load_table("1k", "1 KiB, " clients " at a time", servers)
		load_table("1m", "1 MiB, 4 at a time (floor copies it;" \
			" sendfile does not)", servers)
		load_table("kept-12", "12 bytes, " clients \
			" connections that are kept", keepers)
		load_table("kept-1k", "1 KiB, " clients \
			" connections that are kept", keepers)
		printf "\n%-11s%12s%9s%12s%9s%12s\n", "", "calls",
			"/ floor", "start ms", "/ floor", "idle bytes"
		for (i = 1; i <= n; i++) {
			printf "%-11s", name[i]
			figure(name[i], "calls", "%.1f", 1)
			figure(name[i], "start", "%.2f", 1)
			figure(name[i], "memory", "%.0f", 0)
			printf "\n"
		}
		print ""
		print "calls: system calls for each reply of 1 KiB"
		print "start: from exec to the end of the first reply"
		print "idle: memory (Pss) for each of " idle \
			" connections that sent half a request line"
		for (i = 1; i <= n; i++) {
			if (name[i] == "busybox")
				print "~ busy time of the core, with whatever" \
					" else ran on it"
			for (s = split("12 1k 1m kept-12 kept-1k", size, " ");
				s > 0; s--)
				if (sum[name[i] " errors-" size[s]] > 0)
					printf "ERRORS: %s, %s: %d\n", name[i],
						size[s],
						sum[name[i] " errors-" size[s]]
		}
	}' "$tmp/versions" "$tmp/samples"
}

# The floor is the first of its kind.
print_cycles()
{
	awk -v cycles="$cycles" -v cores="${on_server:+ on one core}" '
	{
		wall = cpu = calls = ""
		for (i = 3; i <= NF; i++) {
			split($i, pair, "=")
			if (pair[1] == "wall")
				wall = pair[2]
			else if (pair[1] == "cpu")
				cpu = pair[2]
			else
				calls = pair[2]
		}
		if ($1 == "floor") {
			least = wall
			least_cpu = cpu
		}
		line[++n] = sprintf("%-16s%10.1f%9.2f%10.1f%9.2f",
			"  " $1, wall, wall / least, cpu, cpu / least_cpu)
		called[n] = calls == "" ? "-" : calls
		kind[n] = $2
		took[n] = wall
		if ($1 == "libmicrohttpd" && $2 == "thread")
			other = wall
	}
	END {
		print "\nStart, one request and stop within one process;"
		printf "medians of %d cycles%s; the client is included.\n",
			cycles, cores
		print "/ floor: times the floor of its kind; / mhd: times" \
			" libmicrohttpd on its own thread"
		title["thread"] = "on its own thread"
		title["stepped"] = "stepped by the client\047s thread"
		for (i = 1; i <= n; i++) {
			if (kind[i] != kind[i - 1])
				printf "\n%-16s%10s%9s%10s%9s%8s%8s\n%s:\n",
					"", "us", "/ floor", "CPU us",
					"/ floor", "/ mhd", "calls",
					title[kind[i]]
			ratio = other ? sprintf("%.2f", took[i] / other) : "-"
			if (called[i] != "-")
				called[i] = sprintf("%.1f", called[i])
			printf "%s%8s%8s\n", line[i], ratio, called[i]
		}
		print "\nunrecorded: retort that keeps no records"
	}' "$tmp/cycles"
	[ -z "$lacking" ] || echo "$lacking"
}

print_tls()
{
	awk -v rounds=11 -v count="$tls" '
	BEGIN {
		print "\nTLS 1.3: a handshake and one request; medians of " \
			rounds " rounds of " count "; the server alone."
		print "/ floor: times a loop of SSL_accept, read, write and" \
			" SSL_shutdown"
		printf "\n%-16s%10s%9s\n", "", "CPU us", "/ floor"
	}
	{
		if ($2 != last)
			print $2 == "full" ? "with certificates:" : \
				"resumed by a ticket:"
		last = $2
		split($3, cpu, "=")
		split($4, ratio, "=")
		printf "  %-14s%10.1f%9.2f\n", $1, cpu[2], ratio[2]
	}' "$tmp/handshakes"
}

# --- the whole ---

[ "$(uname -s)" = Linux ] || die 'runs on Linux only'
tmp=$(mktemp -d)
on_server=
on_client=
start_core=
pinned='not pinned: this machine has one core, or no taskset'
if have taskset && taskset -c 0 true 2>/dev/null &&
	taskset -c 1 true 2>/dev/null; then
	on_server='taskset -c 0'
	on_client='taskset -c 1'
	start_core='-k 0'
	pinned='servers on core 0, the client on core 1'
fi
# shellcheck disable=SC3045 # Linux shells have it
ulimit -n "$(ulimit -Hn)" 2>/dev/null || :
build
[ "$cycles" -eq 0 ] || build_cycle
# before the load, which leaves thousands of ports in TIME_WAIT
[ "$cycles" -eq 0 ] || measure_cycles
[ "$tls" -eq 0 ] || build_tls
[ "$tls" -eq 0 ] || measure_tls
if [ -n "$wanted" ]; then
	make_files
	"$tmp/start" -f 32 >"$tmp/ports"
	: >"$tmp/samples"
	launch_all
	measure
	print_tables
fi
if [ -s "$tmp/cycles" ]; then
	print_cycles
else
	[ -z "$lacking" ] || echo "$lacking"
fi
[ ! -s "$tmp/handshakes" ] || print_tls
gather >"$tmp/figures"
count_instructions >>"$tmp/figures"
awk -f "$here/short.awk" "$tmp/figures"
[ -z "${BENCH_FIGURES:-}" ] || cp "$tmp/figures" "$BENCH_FIGURES"
exit "$status"
