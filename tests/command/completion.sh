#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The completions of bash, zsh and fish. Prints TAP. $RETORT is the command, next
# to which the completions were made; shells that are not installed are skipped.

# shellcheck source=tests/support/tap.sh
. "$(dirname "$0")/../support/tap.sh"

case $retort in
/*) ;;
*) retort=$PWD/$retort ;;
esac
made=$(dirname "$retort")/completions
mkdir "$dir/files"
cd "$dir/files" || exit 1
echo '{}' >user.json

# the names of all options, and the letters
"$retort" --help all | grep -oE '^ +(-., )?--[a-z-]+' | tr -d ' ,' |
	sed 's/^-\(.\)--/-\1\n--/' | sort >../options

# in_bash WORD...: what is offered for the last word, one a line
cat >../in.bash <<'END'
compopt() { :; }
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_retort
printf '%s\n' "${COMPREPLY[@]}"
END
in_bash()
{
	bash --norc --noprofile ../in.bash "$made/bash/retort" "$@" 2>&1
}

# in_zsh LINE: the same of what zsh adds at the end of a line
cat >../in.zsh <<'END'
zmodload zsh/zpty || exit 1
zpty shell 'zsh -f -i'
zpty -w shell "source ../rc.zsh"
while zpty -r shell line; do
	:
done
END
cat >../rc.zsh <<'END'
unsetopt beep
fpath=($MADE/zsh $fpath)
autoload -Uz compinit
compinit -u -D
compadd()
{
	local -a hits

	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	builtin compadd -A hits "$@"
	print -rl -- $hits >>../got
	builtin compadd "$@"
}
capture() { _main_complete }
zle -C capture complete-word capture
zle-line-init()
{
	BUFFER=$LINE
	CURSOR=$#BUFFER
	zle capture
	exit
}
zle -N zle-line-init
END
in_zsh()
{
	: >../got
	MADE=$made LINE="$*" HOME=$dir TERM=dumb timeout 60 \
		zsh -f ../in.zsh >/dev/null 2>../err </dev/null
	grep . ../got
}

in_fish()
{
	HOME=$dir fish --no-config -c \
		"source $made/fish/retort.fish; complete -C '$*'" | cut -f1
}

# offers SHELL EXPECTED WORD...: these words, in whatever order
offers()
{
	shell=$1 expected=$2
	shift 2
	case $shell in
	bash) got=$(in_bash "$@") ;;
	*) got=$("in_$shell" "$*") ;;
	esac
	equal "$(echo "$expected" | tr ' ' '\n' | sort)" \
		"$(echo "$got" | sort)" "$shell: $*"
}

for shell in bash zsh fish; do
	have "$shell" || {
		skip "$shell" 'it is not installed'
		continue
	}
	offers "$shell" 'short common combined json none scenario' retort --log ''
	offers "$shell" '0 8080' retort -q --port ''
	offers "$shell" 'head= body= reply= idle=' retort --timeout ''
	offers "$shell" '--port --port-file' retort --port
	case $shell in
	bash) expected=$(grep -c . ../options) got=$(in_bash retort - |
		grep -v '^-vv$' | sort | comm -12 - ../options | grep -c .) ;;
	*) expected=$(grep -c '^--' ../options) got=$("in_$shell" 'retort --' |
		sort | comm -12 - ../options | grep -c .) ;;
	esac
	equal "$expected" "$got" "$shell: every option of --help"
done
if have bash; then
	# names of files are left to readline, but after "@"
	offers bash '' retort --raw us
	offers bash @user.json retort --body @
	offers bash 'run show sweep user.json' retort ''
	offers bash '' retort --requests ''
fi
if have zsh; then
	offers zsh user.json retort --raw us
	offers zsh user.json retort --body @us
	offers zsh user.json retort run --raw x -- cat us
fi
if have fish; then
	offers fish user.json retort --raw us
	offers fish user.json retort run --raw x -- cat us
fi
conclude
