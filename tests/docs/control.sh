#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tests of tests/docs/control, each in another language: they pass; they
# fail, and show the verdict, when the client asks for something else; and no
# server is left. README.md shows some of them as they are. Prints TAP.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"
source=$(cd "$source" && pwd) || exit 99
control=$source/tests/docs/control
deadline=60 # seconds, for a test

# their word for it
mkdir "$dir/bin" "$dir/good" "$dir/bad" || exit 99
cat >"$dir/bin/retort" <<END
#!/bin/sh
echo \$\$ >>'$dir/pids'
exec '$(cd "$(dirname "$retort")" && pwd)/$(basename "$retort")' "\$@"
END
chmod +x "$dir/bin/retort"
PATH=$dir/bin:$PATH
PYTHONDONTWRITEBYTECODE=1
export PATH PYTHONDONTWRITEBYTECODE

# try FOLDER COMMAND...: its status
try()
{
	folder=$dir/$1
	shift
	: >"$dir/pids"
	(cd "$folder" && exec timeout -k 5 $deadline "$@") >"$dir/out" 2>&1
}

# gone: whether the servers of the last try are
gone()
{
	while read -r server; do
		! kill -0 "$server" 2>/dev/null || return
	done <"$dir/pids"
	[ -s "$dir/pids" ]
}

# language FILE COMMAND...
language()
{
	name=$1
	shift
	if ! have "$1"; then
		skip "$name" "there is no $*"
		return
	fi
	cp "$control/$name" "$dir/good"
	# what it asks for, not what it expects
	sed '/@/!s,users/1,people/1,' "$control/$name" >"$dir/bad/$name"
	set -- "$@" "$name"

	try good "$@"
	report $? "$name passes"
	gone
	report $? "$name leaves no server"

	try bad "$@"
	status=$?
	[ $status -gt 0 ] && [ $status -lt 124 ] &&
		grep -q 'nearest: GET /people/1 .*: path differs' "$dir/out"
	report $? "$name fails and says why (got $status)"
	gone
	report $? "$name leaves no server when it fails"
}

# shown FILE LANGUAGE: README.md has it, without its first line
shown()
{
	awk -v begin="\`\`\`$2" '
		$0 == "```" { inside = 0 }
		inside { print }
		$0 == begin { inside = 1 }' "$source/README.md" >"$dir/shown"
	sed 1d "$control/$1" | cmp - "$dir/shown" >"$dir/out" 2>&1
	report $? "README.md shows $1 as it is"
}

language users_test.py python3 -m unittest
language test_users.py pytest
language users.test.mjs node --test
language users.t prove
if have curl; then
	language users.bats bats
else
	skip users.bats 'there is no curl'
fi
shown users_test.py python
shown users.test.mjs js
conclude
