# SPDX-License-Identifier: MIT
#
# One file of all: awk -v src=FOLDER -v version=X -f amalgamate.awk FILE...
#
# FILEs, relative to FOLDER, stand in the order of their dependency. Headers
# come first, each once, but for those of a room's parts, which come with the
# room.
# What is static in a file, and its structs, enums and types, has the file's
# name before its own here: report.c's fail() is report_fail(). Macros end with
# their file.

# --- what a file has of its own ---

# name_before TEXT: the name that it declares
function name_before(text)
{
	if (text ~ /\(\*/) # a pointer to functions, or an array of them
		sub(/.*\(\*(const )?/, "", text)
	sub(/[[(=;{].*/, "", text)
	sub(/ *$/, "", text)
	sub(/.*[^A-Za-z0-9_]/, "", text)
	return text
}

function own(file, name)
{
	if (name !~ /^rt_|^retort_|^RT_|^$/)
		owns[file, name] = 1
}

function collect(file, path, line, text, body, word)
{
	if (file in collected)
		return
	collected[file] = 1
	if (file ~ /_parts\.h$/)
		parts[file] = file
	path = src "/" file
	text = body = ""
	while ((getline line < path) > 0) {
		if ((word = included(line)) ~ /_parts\.h$/) {
			parts[file] = word
			needed[++needs] = word
		}
		if (line ~ /^}/ && body != "") {
			if (body == "static")
				own(file, name_before(substr(line, 2)))
			body = ""
		} else if (body == "enum" && line ~ /^\t[A-Z][A-Z0-9_]*/) {
			word = line
			sub(/^\t/, "", word)
			sub(/[^A-Z0-9_].*/, "", word)
			own(file, word)
		}
		if (line ~ /^(static )?(const )?(struct|union|enum)( [a-z_0-9]+)? {/) {
			word = line
			sub(/ {.*/, "", word)
			if (word !~ /(struct|union|enum)$/)
				own(file, name_before(word))
			body = line ~ /^static/ ? "static" : \
				line ~ /^enum/ ? "enum" : "struct"
			if (line ~ /}/) { # all of it in a line
				if (body == "enum") {
					sub(/.*{/, "", line)
					while (match(line, /[A-Z][A-Z0-9_]+/)) {
						own(file, substr(line, RSTART,
							RLENGTH))
						line = substr(line,
							RSTART + RLENGTH)
					}
				}
				body = ""
			}
			continue
		}
		if (line ~ /^typedef .*[;(]/)
			own(file, name_before(line))
		if (line ~ /^static /)
			text = line
		else if (text != "")
			text = text " " line
		if (text ~ /[[(=;{]/) {
			gsub(/__attribute__\(\(([^()]|\([^()]*\))*\)\)/, "", text)
			if (text ~ /[[(=;{]/) {
				own(file, name_before(text))
				text = ""
			}
		}
	}
	close(path)
}

# --- a line as it stands in the one file ---

# prefix TOKEN FILE: what stands before it, if the file or its room owns it
function prefix(token, file)
{
	if (!((file, token) in owns))
		file = file in parts ? parts[file] : ""
	if (!((file, token) in owns))
		return ""
	sub(/.*\//, "", file)
	sub(/(_parts)?\.[ch]$/, "", file)
	return file "_"
}

# renamed FILE LINE: keeps the state of comments in `comment`, and of structs in
# `members`
function renamed(file, line, out, token, before)
{
	out = before = ""
	if (line ~ /^(static )?(const )?(struct|union)( [a-z_0-9]+)? {/)
		members = 1
	else if (line ~ /^}/)
		members = 0
	while (line != "") {
		if (comment) {
			if (!match(line, /\*\//))
				return out line
			comment = 0
			out = out substr(line, 1, RSTART + 1)
			line = substr(line, RSTART + 2)
			continue
		}
		if (!match(line, pattern))
			return out line
		out = out substr(line, 1, RSTART - 1)
		if (substr(line, 1, RSTART - 1) ~ /[^ \t]/)
			before = substr(line, 1, RSTART - 1)
		token = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		if (token == "/*") {
			comment = 1
			out = out token
			continue
		}
		if (token ~ /^[A-Za-z_]/ && before !~ /(\.|->) *$/ &&
			before !~ /[^.]\.$/ &&
			(!members || before ~ /^(struct|union|enum)$/ ||
				token ~ /^[A-Z0-9_]+$/ || out !~ /^\t/))
			out = out prefix(token, file) token
		else
			out = out token
		before = token
	}
	return out
}

# included LINE: the header of ours that it names, or ""
function included(line)
{
	if (line !~ /^[ \t]*#[ \t]*include[ \t]*"/)
		return ""
	sub(/^[^"]*"/, "", line)
	sub(/".*/, "", line)
	return line
}

# headers FILE: all that it needs, those first that others need
function headers(file, path, lines, n, i, header)
{
	path = src "/" file
	n = 0
	while ((getline header < path) > 0)
		if ((header = included(header)) != "")
			lines[++n] = header
	close(path)
	for (i = 1; i <= n; i++) {
		header = lines[i]
		if (header in skipped || header in seen)
			continue
		if (header ~ /_parts\.h$/) {
			if (!((header, "looked at") in seen)) {
				seen[header, "looked at"] = 1
				headers(header)
			}
			continue
		}
		seen[header] = 1
		headers(header)
		put(header)
	}
}

function condition(file)
{
	if (file == "tls/tls_none.c")
		return "#ifndef RT_OPENSSL"
	if (file ~ /^tls\/tls[_.]/)
		return "#ifdef RT_OPENSSL"
	if (file ~ /_epoll\.c$/)
		return "#ifdef HAVE_SYS_EPOLL_H"
	return ""
}

function put(file, path, line, header, macros, n, i, word)
{
	path = src "/" file
	print "\n/* ---- " file " ---- */\n"
	n = 0
	while ((getline line < path) > 0) {
		if (line ~ /SPDX-License-Identifier/)
			continue
		if ((header = included(line)) != "") {
			if (header ~ /_parts\.h$/ && !(header in seen)) {
				seen[header] = 1
				put(header)
			}
			continue
		}
		if (file ~ /\.c$/ && line ~ /^#[ \t]*define /) {
			word = line
			sub(/^#[ \t]*define */, "", word)
			sub(/[^A-Za-z0-9_].*/, "", word)
			macros[++n] = word
		}
		print renamed(file, line)
	}
	close(path)
	for (i = 1; i <= n; i++)
		print "#undef " macros[i]
}

BEGIN {
	pattern = "[A-Za-z_][A-Za-z0-9_]*|[0-9][A-Za-z0-9_.]*" \
		"|\"([^\"\\\\]|\\\\.)*\"|'([^'\\\\]|\\\\.)*'|/[*]"
	skipped["config.h"] = skipped["retort.h"] = 1
	skipped["http/rt_llhttp.h"] = 1

	print "/* SPDX-License-Identifier: MIT */"
	while ((getline line < (src "/install/amalgamate.config")) > 0) {
		gsub(/@VERSION@/, version, line)
		print line
	}
	for (i = 1; i < ARGC; i++)
		collect(ARGV[i])
	for (i = 1; i <= needs; i++)
		collect(needed[i])
	for (i = 1; i < ARGC; i++)
		headers(ARGV[i])
	for (i = 1; i < ARGC; i++) {
		when = condition(ARGV[i])
		if (when != "")
			print when
		put(ARGV[i])
		if (when != "")
			print "#endif"
	}
	exit
}
