#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The library as others get it: installs what was built beneath a temporary
# folder, and with nothing but PKG_CONFIG_PATH builds the programs of
# tests/docs/embed against it, warnings as errors, linked statically and, when the
# build has it, with the shared library. Each must pass; and each must fail,
# and say how its client's request missed, when the client has a mistake.
# Prints TAP.
#
# Anything missing on this machine is skipped, or, with RETORT_NEED_EMBED=1, a
# failure; but one compiler is enough. RETORT_EMBED=shared leaves the static
# library out.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
# shellcheck source=tests/support/installed.sh
. "$(dirname "$0")/../support/installed.sh"
embed=$source/tests/docs/embed
cc=${CC:-cc}
warnings='-Wall -Wextra -Wpedantic -Wshadow -Werror'
deadline=60 # seconds, for a program

# The C++ compiler that belongs to $cc: objects with sanitizers do not mix.
find_cxx()
{
	case ${CXX:+given}$cc in
	given*) ;;
	*clang*) CXX=clang++ ;;
	*gcc*) CXX=g++ ;;
	*) CXX=c++ ;;
	esac
}

# --- the header ---

cat >"$dir/header.c" <<'END'
#include <retort.h>
struct retort_options options;
END
cat >"$dir/braces.cc" <<'END'
#include <retort.h>
#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
int use(struct retort *server);
int
use(struct retort *server)
{
	return retort_on(server, "GET /", {.times = 1, .body = "hello\n"}) +
		retort_expect(server, "GET /", {.times = 1});
}
END
cat >"$dir/header.cc" <<'END'
#include <retort.h>
int use(struct retort *server, retort_client *client);
int
use(struct retort *server, retort_client *client)
{
	char *report = nullptr;
	int n = retort_on(server, "/", &retort_reply::body, "hello",
		&retort_reply::times, 1);

	n += retort_on(server, nullptr, &retort_reply::status, 404);
	n += retort_on(server, &retort_reply::status, 404);
	n += retort_reply_later(server, 1, &retort_reply::body, "x");
	n += retort_load(server, "/dev/null") + retort_load(server,
		&retort_scenario::text, "");
	n += retort_sweep(server, client, &retort_sweep::report, &report);
	n += retort_stats(server).connections > 0;
	n += retort_on(server, "/") + retort_on(server, "/", retort_reply{});
	n += retort_answer(server, &retort_reply::body, "");
	n += retort_serve(server, ".", &retort_files::unlisted, true);
	n += retort_expect(server, "/", &retort_requests::never, true);
	n += (int)retort_count(server) + (int)retort_count(server, "/",
		&retort_requests::if_body, "x");
	n += retort_wait(server, "/", &retort_requests::timeout, 5) != nullptr;
	n += retort_url(server) != retort_url(server, "/file");
	n += retort_listener(server).port + retort_listener(server, 1).port;
	retort_stop(server);
	return n + retort_done(server) + (retort_start() == retort_start(
		&retort_options::port, 8080, &retort_options::stepped, true));
}
END

cat >"$dir/macros.c" <<'END'
#include <retort.h>
int use(struct retort *server, retort_client *client, char *error);
int
use(struct retort *server, retort_client *client, char *error)
{
	int n = retort_on(server, "GET /");

	n += retort_on(server, .status = 404);
	n += retort_on(server, "/a", .if_absent = "Cookie", .times = 1);
	n += retort_answer(server) + retort_answer(server, .body = "", .error = error);
	n += retort_reply_later(server, 1) + retort_sweep(server, client);
	n += retort_reply_later(server, 1, .body = "x");
	n += retort_sweep(server, client, .error = error);
	n += retort_load(server, "/dev/null", .error = error);
	n += retort_load(server, .text = "");
	retort_reset(server, RETORT_RECORDS);
	retort_reset(server);
	n += retort_serve(server, ".") + retort_listener(server).port;
	n += retort_serve(server, ".", .unlisted = true, .error = error);
	n += retort_url(server) != retort_url(server, "/file");
	retort_stop(server);
	n += retort_done(server) + retort_listener(server, 0).port;
	n += (int)retort_count(server);
	n += (int)retort_count(server, "POST", .if_body_has = "a");
	n += retort_wait(server) != NULL;
	n += retort_wait(server, "/", .times = 2, .timeout = 1000) != NULL;
	n += retort_wait(server, .timeout = -1, .if_field = "A: b") != NULL;
	n += retort_expect(server, "/");
	n += retort_expect(server, "/", .never = true, .if_contains = "A: b");
	return n + (retort_start(.error = error) == retort_start());
}
END

# compiles NAME COMPILER ARGUMENT...
compiles()
{
	name="$1 with $2"
	shift
	if ! have "$1"; then
		skip "$name" "there is no $1"
		return
	fi
	# shellcheck disable=SC2046,SC2086 # one word per option
	quietly "$@" $warnings $("$pkg_config" --cflags retort) \
		-o "$dir/header.o" -c
	report $? "$name"
}

header()
{
	for compiler in gcc clang; do
		compiles 'retort.h as C11' $compiler -std=c11 "$dir/header.c"
		compiles 'the macros as C11' $compiler -std=c11 "$dir/macros.c"
	done
	for compiler in g++ clang++; do
		compiles 'retort.h as C++17' $compiler -std=c++17 \
			"$dir/header.cc"
		compiles 'braces as C++20' $compiler -std=c++20 \
			"$dir/braces.cc"
	done
}

# --- the programs ---

# compile C|C++ ARGUMENT...
compile()
{
	case $1 in
	C) set -- "$cc" -std=c11 "$@" ;;
	C++) set -- "$CXX" -std=c++17 "$@" ;;
	esac
	compiler=$1 standard=$2
	shift 3
	# they run for milliseconds, and are compiled for seconds
	# shellcheck disable=SC2086 # one word per option
	quietly $compiler ${CFLAGS:-} -O0 $standard $warnings "$@" ${LDFLAGS:-}
}

# language SOURCE
language()
{
	case $1 in
	*.cc) echo C++ ;;
	*) echo C ;;
	esac
}

# object SOURCE MODULES: compiles the program
object()
{
	# shellcheck disable=SC2046,SC2086 # one word per option
	compile "$(language "$1")" -o "$dir/program.o" -c "$1" -I"$embed" \
		$("$pkg_config" --cflags retort libcurl $2)
}

# link KIND SOURCE MODULES FILE...: the object of the source, with more files
link()
{
	language=$(language "$2") modules="libcurl $3" static=
	[ "$1" != static ] || static=--static
	shift 3
	# other libraries may not be there as static ones
	# shellcheck disable=SC2046,SC2086 # one word per option
	compile "$language" -o "$dir/program" "$dir/program.o" "$@" \
		$("$pkg_config" $static --libs retort) \
		$("$pkg_config" --libs $modules)
}

# missing MODULES: the first that is not here
missing()
{
	for module in libcurl $1; do
		"$pkg_config" --exists "$module" || {
			echo "$module"
			return
		}
	done
}

# passes NAME
passes()
{
	quietly timeout -k 5 $deadline "$dir/program"
	report $? "$1 passes"
}

# fails NAME: it ends by itself, and tells how the request missed
fails()
{
	quietly timeout -k 5 $deadline "$dir/program"
	status=$?
	[ $status -gt 0 ] && [ $status -lt 124 ] &&
		grep -q 'nearest: .* differs from expectation 1' \
			"$dir/out"
	report $? "$1 fails and says why (got $status)"
}

# wrong_client KIND SOURCE MODULES [RIGHT WRONG]: the program again; the mistake
# is in WRONG, or in its own client
wrong_client()
{
	if [ $# -lt 5 ]; then
		sed 's/POSTFIELDS, text/&+1/; s/POSTFIELDS, "/&x/' \
			"$embed/$2" >"$dir/$2" && object "$dir/$2" "$3" || return
	fi
	link "$1" "$2" "$3" ${5:+"$5"}
}

# program KIND SOURCE MODULES
program()
{
	name="$2, $1"
	lacks=$(missing "$3")
	case $2 in
	*.cc) have "${CXX%% *}" || lacks=$CXX ;;
	esac
	if [ -n "$lacks" ]; then
		without "$name" "$lacks"
		return
	fi
	case $2 in
	first.c | tls.c) set -- "$1" "$2" "$3" ;; # its client is its own
	*) set -- "$1" "$2" "$3" "$dir/user.o" "$dir/wrong.o" ;;
	esac
	if ! object "$embed/$2" "$3" ||
		! link "$1" "$2" "$3" ${4:+"$4"}; then
		report 1 "$name is built"
		return
	fi
	passes "$name"
	[ "$1" = "$first_kind" ] || return
	wrong_client "$@" || {
		report 1 "$name is built with a mistake"
		return
	}
	fails "$name"
}

# the client that most of them share, and the one with a mistake
users()
{
	compile C -o "$dir/user.o" -c "$embed/user.c" &&
		compile C -o "$dir/wrong.o" -c "$embed/user.c" \
			-DUSERS='"people"'
	report $? 'user.c is compiled'
}

# What pkg-config says of either kind, it says once.
no_repeats()
{
	for flags in --libs '--static --libs'; do
		# shellcheck disable=SC2086 # one word per option
		"$pkg_config" $flags retort | tr -s ' ' '\n' | sort | uniq -d
	done >"$dir/out"
	[ ! -s "$dir/out" ]
	report $? "retort.pc names each library once, $1"
}

programs()
{
	no_repeats "$1"
	program "$1" first.c ''
	if "$retort" -V | grep -q 'TLS by'; then
		program "$1" tls.c ''
	fi
	program "$1" tap.c ''
	program "$1" check.c 'check'
	program "$1" cmocka.c 'cmocka'
	program "$1" multi.c ''
	program "$1" cplusplus.cc ''
	# the headers of these are compiled for a minute, and hide nothing
	case " ${CFLAGS:-} " in
	*-fsanitize=*) return ;;
	esac
	program "$1" gtest.cc 'gtest'
	# version 3 has a library with main()
	if "$pkg_config" --exists catch2-with-main; then
		program "$1" catch2.cc 'catch2-with-main'
	else
		program "$1" catch2.cc 'catch2'
	fi
}

find_cxx
install_all 'tests/docs/embed'
first_kind=
for kind in ${RETORT_EMBED:-static shared}; do
	place "$kind" || continue
	[ -n "$first_kind" ] || { header; users; }
	first_kind=${first_kind:-$kind}
	programs "$kind"
done
[ -n "$first_kind" ]
report $? 'a library was installed'
conclude
