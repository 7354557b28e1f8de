#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A test in the shell: bats users.bats

setup() {
	coproc retort { exec retort --control - 3>&-; }
	pid=$retort_PID
	read -r url <&"${retort[0]}"
}

teardown() {
	exec {retort[1]}>&- # ends it
	wait "$pid"
}

ask() {
	printf '%s\n' "$@" >&"${retort[1]}"
	read -r answer count <&"${retort[0]}"
	while ((count-- > 0)); do
		read -r line <&"${retort[0]}"
		echo "$line"
	done
	[ "$answer" = ok ]
}

@test 'a user' {
	ask rules '@on GET /users/1' 'HTTP/1.1 200 OK' '' Ada \
		'@expect 1 GET /users/1' .
	[ "$(curl -fsS "${url}users/1")" = Ada ]
	ask verdict
}
