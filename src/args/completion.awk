# SPDX-License-Identifier: MIT
#
# completion.awk args_options.c TEMPLATE: the completion of a shell, of the rows
# of the table. `shell` is bash, zsh or fish. In the template a line that is
# @options@ stands for all options, and @values@ for what they take.

# The first string of what is left of the row, which begins after it.
function string(    text)
{
	if (!match(row, /"[^"]*"/))
		return ""
	text = substr(row, RSTART + 1, RLENGTH - 2)
	row = substr(row, RSTART + RLENGTH)
	return text
}

function add_row(    at)
{
	gsub(/"[ \t]+"/, "", row) # two literals are one
	if (row !~ /\.read = / || row ~ /\.part = true/)
		return
	count++
	words[count] = "FILE"
	if (match(row, /\.words = "[^"]*"/))
		words[count] = substr(row, RSTART + 10, RLENGTH - 11)
	name[count] = string()
	letter[count] = substr(row, 4, 1)
	if (row !~ /^, '/)
		letter[count] = ""
	value[count] = row ~ /^, ('.'|0), NULL/ ? "" : string()
	help[count] = string()
	if (value[count] == "")
		words[count] = ""
	if (value[count] == "DIR")
		words[count] = "DIR"
	many[count] = row ~ /\.many = true/
	gsub(/[ \t]+/, " ", words[count])
	# something must follow some of them: no space then
	open[count] = words[count] ~ /[=:]( |$)/ || value[count] == "CLAUSES"
}

function quote(text)
{
	gsub(/'/, "'\\''", text)
	return text
}

function bash_options(    i, text)
{
	for (i = 1; i <= count; i++)
		text = text (letter[i] ? " -" letter[i] : "") " --" name[i]
	print "\t\twords='" substr(text, 2) " -vv'"
}

function bash_values(    i)
{
	for (i = 1; i <= count; i++) {
		if (value[i] == "" || words[i] == "FILE" || words[i] == "DIR")
			continue
		printf "\t%s--%s)", letter[i] ? "-" letter[i] " | " : "",
			name[i]
		if (words[i] != "")
			printf " words='%s'", quote(words[i])
		print open[i] ? "; compopt -o nospace ;;" : " ;;"
	}
}

# Colons and brackets mean something to _arguments.
function zsh_text(text)
{
	gsub(/\[|\]|:/, "\\\\&", text)
	return quote(text)
}

function zsh_action(i)
{
	if (words[i] == "FILE")
		return value[i] == "TEXT" ? "_retort_text" : "_files"
	if (words[i] == "DIR")
		return "_files -/"
	if (words[i] == "")
		return " "
	return open[i] ? "{compadd -S \"\" - " zsh_text(words[i]) "}" : \
		"(" zsh_text(words[i]) ")"
}

function zsh_options(    i, title)
{
	for (i = 1; i <= count; i++) {
		title = value[i]
		gsub(/'/, "", title)
		printf "\t\t"
		if (many[i])
			printf "'*'"
		else if (letter[i])
			printf "'(-%s --%s)'", letter[i], name[i]
		if (letter[i])
			printf "{-%s%s,--%s%s}", letter[i], title ? "+" : "",
				name[i], title ? "=" : ""
		else
			printf "--%s%s", name[i], title ? "=" : ""
		printf "'[%s]", zsh_text(help[i])
		if (title)
			printf ":%s:%s", zsh_text(title), zsh_action(i)
		print "' \\"
	}
}

function fish_options(    i)
{
	for (i = 1; i <= count; i++) {
		printf "complete -c retort%s -l %s",
			letter[i] ? " -s " letter[i] : "", name[i]
		if (words[i] == "FILE" || words[i] == "DIR")
			printf " -r -F"
		else if (value[i] != "")
			printf " -x -a '%s'", quote(words[i])
		gsub(/'/, "\\'", help[i])
		print " -d '" help[i] "'"
	}
}

FNR == 1 { file++ }

file == 1 && /^\t\{/ { row = ""; inside = 1 }
file == 1 && inside { row = row " " $0 }
file == 1 && inside && /\},$/ { add_row(); inside = 0 }

file == 2 && $0 == "@options@" {
	if (shell == "bash")
		bash_options()
	else if (shell == "zsh")
		zsh_options()
	else
		fish_options()
	next
}
file == 2 && $0 == "@values@" { bash_values(); next }
file == 2 { print }
