#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bootstrap where there is no apt-get: it names what to install, by the names
# that the packages have there, and changes nothing. Prints TAP.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

mkdir "$dir/bin" "$dir/tree"
# as if this machine had no sources of llhttp
sed 's|/usr/share/llhttp|/nonexistent|' "$source/bootstrap" \
	>"$dir/tree/bootstrap"
chmod +x "$dir/tree/bootstrap"
for command in sh cat dirname grep; do
	ln -s "$(command -v "$command")" "$dir/bin/$command"
done

# names NAME MANAGER EXPECTED TARGET...: what is said where nothing is installed
names()
{
	name=$1 manager=$2 expected=$3
	shift 3
	[ -z "$manager" ] || ln -s "$dir/bin/cat" "$dir/bin/$manager"
	status=0
	env -i PATH="$dir/bin" "$dir/tree/bootstrap" "$@" \
		>"$dir/out" 2>"$dir/err" || status=$?
	[ -z "$manager" ] || rm "$dir/bin/$manager"
	equal "1 $expected" "$status $(tail -n 1 "$dir/err" |
		sed 's/^bootstrap: *//')" "$name"
}

tools='make autoconf automake libtool'
fedora="sudo dnf install gcc glibc-devel $tools pkgconf-pkg-config llhttp-devel"
brew="brew install gcc $tools pkgconf llhttp"
lacks='no apt-get here: install these or their like, then run it again:'
names 'no package manager' '' "$lacks gcc libc6-dev $tools pkgconf llhttp"
names Fedora dnf "$fedora"
names Alpine apk "sudo apk add gcc musl-dev $tools pkgconf llhttp-dev"
names Arch pacman "sudo pacman -S --needed gcc glibc $tools pkgconf llhttp"
names openSUSE zypper "sudo zypper ${fedora#sudo dnf }"
names Homebrew brew "$brew"
tests='check-devel jansson-devel libcmocka-devel gtest-devel catch-devel'
tests="$tests libcurl-devel openssl-devel"
names 'Fedora, for the tests' dnf \
	"$fedora $tests curl gcc-c++ gnutls-utils netcat openssl socat wget" check
brew="$brew check jansson cmocka googletest catch2 curl openssl@3"
names 'Homebrew, for the tests: gcc and curl are named once' brew \
	"$brew gnutls netcat socat wget" check
equal bootstrap "$(ls "$dir/tree")" 'nothing is made'
conclude
