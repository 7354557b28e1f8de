# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Sourced after tap.sh, by tests that use the library as others get it: what
# was built is installed in the folder `installed` of $dir, and copies of that
# have libraries of one kind. Sets
#
#	pkg_config  pkg-config; PKG_CONFIG_PATH is all that it needs

pkg_config=${PKG_CONFIG:-pkg-config}
own_path=${PKG_CONFIG_PATH:-}
own_library_path=${LD_LIBRARY_PATH:-}

# quietly COMMAND...: what it says is in the file `out`, itself on top
quietly()
{
	# shellcheck disable=SC2154 # tap.sh has it
	echo "$*" >"$dir/out"
	"$@" >>"$dir/out" 2>&1
}

# install_all NAME: ends the script, with a test of that name, where it cannot be
install_all()
{
	if ! have "$pkg_config"; then
		without "$1" "$pkg_config"
		conclude
		exit
	fi
	if ! MAKEFLAGS='' quietly make -s install DESTDIR="$dir/installed"; then
		report 1 'make install'
		conclude
		exit
	fi
}

# place KIND: what was installed, with libraries of that kind alone, for
# pkg-config and the dynamic linker; 1 if there are none
place()
{
	cp -R "$dir/installed" "$dir/$1"
	pc=$(find "$dir/$1" -name retort.pc)
	lib=$(dirname "$(dirname "$pc")")
	if [ "$1" = static ]; then
		rm -f "$lib"/libretort.so* "$lib"/libretort.*dylib
		set -- "$1" "$lib"/libretort.a
	else
		rm -f "$lib"/libretort.a
		set -- "$1" "$lib"/libretort.so
	fi
	[ -f "$2" ] || return 1
	# as if it had been configured for that folder
	sed "s,^\([a-z_]*=\)/,\1$dir/$1/," "$pc" >"$dir/pc" &&
		cp "$dir/pc" "$pc"
	PKG_CONFIG_PATH=$(dirname "$pc")${own_path:+:$own_path}
	export PKG_CONFIG_PATH
	# also where an llhttp is that the system's linker does not know
	LD_LIBRARY_PATH=$("$pkg_config" --static --libs-only-L retort |
		sed 's/ *$//; s/^ *-L//; s/  *-L/:/g')
	LD_LIBRARY_PATH=$LD_LIBRARY_PATH${own_library_path:+:$own_library_path}
	export LD_LIBRARY_PATH
}
