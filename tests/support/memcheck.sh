#!/bin/sh
# SPDX-License-Identifier: MIT
#
# memcheck.sh TEST: runs a test under valgrind; or, if it is one of the command,
# the commands `retort` that it starts, by way of a $RETORT that stands in for
# it: each with an option that none had before, since each start takes half a
# second, and what a server does after it is tested within the test programs.
# Errors and leaks fail it; so does a descriptor that the command leaves open
# when it exits. (In the test programs the harness counts descriptors, with or
# without valgrind.)

set -eu

logs=$(mktemp -d "${TMPDIR:-/tmp}/retort-memcheck.XXXXXX")
trap 'rm -rf "$logs"' EXIT
trap 'exit 1' HUP INT TERM

cat >"$logs/retort" <<END
#!/bin/sh
# nothing that forks: dash would not leave the mask of signals as it was
set -C
new=
for word in - "\$@"; do
	case \$word in
	-*) true 2>/dev/null >"$logs/\${word%%[!-a-z0-9]*}.seen" && new=yes ;;
	esac
done
[ -n "\$new" ] || exec '$RETORT' "\$@"
exec valgrind --log-file='$logs/%p.command' --error-exitcode=99 \\
	--leak-check=full --track-fds=yes --read-inline-info=no -- '$RETORT' "\$@"
END
chmod +x "$logs/retort"
RETORT=$logs/retort
export RETORT

# valgrind is slow: Check's own time-outs are stretched
CK_TIMEOUT_MULTIPLIER=${CK_TIMEOUT_MULTIPLIER:-20}
export CK_TIMEOUT_MULTIPLIER

status=0
case $1 in
*.sh | *tests/command/*)
	RETORT_MEMCHECK=1 "$@" || status=$?
	;;
*)
	valgrind --log-file="$logs/%p.test" --error-exitcode=99 \
		--leak-check=full -- "$@" || status=$?
	;;
esac

# open_descriptors LOG: whether any is open that was not there at the start
open_descriptors()
{
	awk '
		/Open .*(file descriptor|socket) / { pending = 1; next }
		pending && /inherited from parent/ { pending = 0 }
		pending && / (at|by) 0x/ { found = 1; pending = 0 }
		END { exit !found }
	' "$1"
}

for log in "$logs"/*.test "$logs"/*.command; do
	[ -f "$log" ] || continue
	if grep -q 'ERROR SUMMARY: [1-9]' "$log"; then
		[ "$status" -ne 0 ] || status=99
	elif [ "$log" != "${log%.command}" ] && open_descriptors "$log"; then
		[ "$status" -ne 0 ] || status=98
	else
		continue
	fi
	sed 's/^/# /' "$log"
done
exit "$status"
