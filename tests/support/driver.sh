#!/bin/sh
# SPDX-License-Identifier: MIT
#
# driver.sh DRIVER OPTION... -- TEST...: Automake's driver for TAP, which leaves
# TEST.log and TEST.trs, with less to say: one line for a program that passes;
# of one that fails, all but the tests that passed. With RETORT_PROFILE=DIR (make
# coverage) each program leaves there what clang has counted in it.

set -u
driver=$1
shift
name='' log='' trs='' option=''
for word; do
	case $option in
	--test-name) name=$word ;;
	--log-file) log=$word ;;
	--trs-file) trs=$word ;;
	esac
	[ "$word" != -- ] || break
	option=$word
done

if [ -n "${RETORT_PROFILE:-}" ]; then
	LLVM_PROFILE_FILE=$RETORT_PROFILE/$(printf %s "$name" | tr / -)-%m
	export LLVM_PROFILE_FILE
fi
begun=$(date +%s)
said=$("${CONFIG_SHELL:-/bin/sh}" "$driver" "$@")
status=$?
seconds=$(($(date +%s) - begun))

if [ $status -ne 0 ] ||
	grep -qE '^:test-result: (FAIL|XPASS|ERROR)' "$trs"; then
	printf '%s\n' "$said" | grep -v '^PASS: '
	printf '%s:\n' "$log"
	grep -vE '^(ok [0-9]|PASS)' "$log"
	printf 'FAIL: %s, %d s\n' "$name" $seconds
	exit $status
fi
why=$(sed -n 's/^1\.\.0 *# SKIP *//p' "$log")
awk -v name="$name" -v seconds=$seconds -v why="$why" '
	/^:test-result: (PASS|XFAIL)/ { passed++ }
	/^:test-result: SKIP/ { skipped++ }
	END {
		if (passed == 0 && skipped == 1)
			printf "SKIP: %s: %s\n", name, why
		else
			printf "PASS: %s: %d passed%s, %d s\n", name, passed,
				skipped ? ", " skipped " skipped" : "", seconds
	}' "$trs"
