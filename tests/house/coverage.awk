# SPDX-License-Identifier: MIT
#
# What gcov says of the objects in src/, as a table: for each file of the library
# the share of its lines that have run, for each wing, and for all of it. Fails
# if that is less than `least`.

function row(name, run, all)
{
	printf "%6.2f%% of %5d  %s\n", all ? 100 * run / all : 100, all, name
}

BEGIN {
	library = " base os tls http reply fault canned site conn scenario " \
		"match route journal server api "
}

/^File / {
	file = $0
	sub(/^File '/, "", file)
	sub(/'$/, "", file)
	sub(/^.*src\//, "", file)
	wing = file
	sub(/\/.*/, "", wing)
}

# of a header each object has its share, and it is counted for none
/^Lines executed:/ && file ~ /^[a-z]+\/[a-z0-9_]+\.c$/ &&
		index(library, " " wing " ") {
	share = all = $0
	sub(/^Lines executed:/, "", share)
	sub(/%.*/, "", share)
	sub(/.* of /, "", all)
	run = int(share * all / 100 + 0.5)
	row(file, run, all)
	if (!(wing in lines))
		names[++count] = wing
	lines[wing] += all
	ran[wing] += run
	of_all += all
	ran_of_all += run
	file = ""
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
