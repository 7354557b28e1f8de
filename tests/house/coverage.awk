# SPDX-License-Identifier: MIT
#
# What llvm-cov exports of the library, in the format of lcov, as a table: for
# each file the share of its lines that have run, and those that have not, by
# function; for each wing, and for all of it. Fails if that is less than `least`.

function row(name, run, all, rest)
{
	printf "%6.2f%% of %5d  %s%s\n", all ? 100 * run / all : 100, all, name,
		rest
}

# The function that a line is in: that which begins last before it.
function at(line, f, best)
{
	for (f in begins)
		if (begins[f] <= line && (best == "" || begins[f] > begins[best]))
			best = f
	return best
}

# "  one 12-14 20, two 31"
function list_missed(f, last, i, from, rest)
{
	for (i = 1; i <= missed; i++) {
		f = at(miss[i])
		if (f != last)
			rest = rest (last == "" ? "  " : ", ") f
		last = f
		from = miss[i]
		while (i < missed && miss[i + 1] <= miss[i] + 2 &&
				at(miss[i + 1]) == f)
			i++
		rest = rest " " from (miss[i] > from ? "-" miss[i] : "")
	}
	return rest
}

function end_of_file()
{
	row(file, run, all, list_missed())
	if (!(wing in lines))
		names[++count] = wing
	lines[wing] += all
	ran[wing] += run
	of_all += all
	ran_of_all += run
}

BEGIN {
	FS = "[:,]"
	library = " base os tls http reply fault canned site conn scenario " \
		"match route journal server api "
}

/^SF:/ {
	file = path = substr($0, 4)
	sub(/^.*\/src\//, "", file)
	wing = file
	sub(/\/.*/, "", wing)
	run = all = missed = read = asserts = 0
	split("", begins)
	# a header has no lines of its own: each file has its copy of them
	counts = file ~ /^[a-z]+\/[a-z0-9_]+\.c$/ && file !~ /rt_llhttp/ &&
		index(library, " " wing " ")
}

/^FN:/ { begins[$NF] = $2 + 0 }

# What is not counted: a macro's line, before all functions, which runs where it
# is used; and assert(), of which a part never runs, with the line after it.
function is_counted(line, after)
{
	while (read < line && (getline text < path) > 0) {
		after = asserts
		asserts = text ~ /^\t+assert\(/
		read++
	}
	return at(line) != "" && !asserts && !after
}

/^DA:/ && is_counted($2 + 0) {
	all++
	if ($3 > 0)
		run++
	else
		miss[++missed] = $2 + 0
}

/^end_of_record/ {
	close(path)
	if (counts)
		end_of_file()
}

END {
	print ""
	for (i = 1; i <= count; i++)
		row(names[i] "/", ran[names[i]], lines[names[i]])
	row("the library", ran_of_all, of_all)
	if (100 * ran_of_all < least * of_all)
		print "less than " least "%"
	exit count == 0 || 100 * ran_of_all < least * of_all
}
