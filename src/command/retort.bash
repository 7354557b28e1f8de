# SPDX-License-Identifier: MIT
# Completion of retort(1) for bash.

# How the value of --fault and --faults begins.
_retort_faults()
{
	compopt -o nospace
	if [[ $1 == --faults ]]; then
		words='rst:5% cut:5% stall:5% 503:10% delay:20ms'
	else
		words='add bare-lf continue corrupt cut deaf each early
			empty end endless fold force-body gap garbage headless
			insert length no-range pause rate read-slowly refuse
			split spread status stop-reading'
	fi
}

# The words that may follow an option, into `words`. No word and status 0: a
# value that cannot be guessed. Status 1: a file name, or no option of ours.
_retort_values()
{
	case $1 in
	-b | --bind)
		words='127.0.0.1 ::1 localhost 0.0.0.0 [::] unix: fd:'
		compopt -o nospace
		;;
	-p | --port) words='0 8080' ;;
	--socket-mode) words='600 660 666' ;;
	--host) words='localhost 127.0.0.1 [::1]' ;;
	-s | --status)
		words='200 201 202 204 301 302 303 304 307 308 400 401 403
			404 405 408 409 410 418 429 500 502 503 504'
		;;
	--type)
		words='application/json application/octet-stream text/css
			text/html text/javascript text/plain'
		;;
	--log) words='short common combined json none' ;;
	--io) words='best epoll poll' ;;
	--max-body) words='none' ;;
	--cache) words='0 60 3600 86400' ;;
	--idle) words='10 60 600' ;;
	--fault | --faults) _retort_faults "$1" ;;
	-H | --header | --prefix | --greet | --grace | --lifetime | --max-fields) ;;
	--seed) ;;
	--max-head) ;;
	--max-target | --mime | --requests) ;;
	--timeout)
		words='head= body= reply='
		compopt -o nospace
		;;
	*) return 1 ;;
	esac
}

# The completion of the command that begins with the word of that number.
_retort_command()
{
	if declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	elif ((COMP_CWORD == $1)); then
		mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[$1]}")
	fi
}

_retort()
{
	local word=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1))
	local words='' choice i

	COMPREPLY=()
	# behind "--" of run and sweep is a command of its own
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]] &&
			[[ ${COMP_WORDS[1]} == @(run|sweep) ]]; then
			_retort_command $((i + 1))
			return
		fi
	done
	if [[ $word == = ]]; then
		word=
	elif ((at > 0)) && [[ ${COMP_WORDS[at]} == = ]]; then
		((at -= 1))
	fi
	if _retort_values "${COMP_WORDS[at]}"; then
		compopt +o default
	elif [[ $word == -* ]]; then
		words='-H -V -b -h -p -q -s -v -vv --answer --bind --body
			--cache --chunked --dotfiles --echo --echo=/echo --fault
			--faults --follow-links --grace --greet --header --help --host --html
			--idle --io --lifetime --log --max-body --max-fields --max-head
			--max-target --mime --no-listing --port --port-file
			--precompressed --prefix --quiet --raw --replay --requests
			--scenario --seed --socket-mode --spa --status --tcp --timeout
			--transcript --type --udp --verbose --version
			--with-parent'
	elif ((COMP_CWORD == 1)); then
		words='run sweep'
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
	for choice in $words; do
		[[ $choice == "$word"* ]] && COMPREPLY+=("$choice")
	done
	# The "@" of --body @FILE is a word of its own, yet part of the text
	# that readline replaces.
	if [[ $word == *@ ]]; then
		word=
		((at += 1))
	fi
	if [[ ${COMP_WORDS[at]} == *@ ]]; then
		# Quoted here: -o filenames would quote the "@" as well.
		while IFS= read -r choice; do
			[[ -d $choice ]] && compopt -o nospace && choice+=/
			printf -v choice %q "$choice"
			COMPREPLY+=("@$choice")
		done < <(compgen -f -- "$word")
	fi
}

# Other file names, those after "=" and "unix:" too, are left to readline.
complete -o default -F _retort retort
