# SPDX-License-Identifier: MIT
#
# What gcov says of the objects in src/, as a table: for each file the share of
# its lines that have run, for each wing, and for the library.

function row(name, run, all)
{
	printf "%6.2f%% of %5d  %s\n", all ? 100 * run / all : 100, all, name
}

BEGIN {
	library = " base os tls http reply site conn scenario match route server api "
}

/^File / {
	file = $0
	sub(/^File '/, "", file)
	sub(/'$/, "", file)
	sub(/^.*src\//, "", file)
}

# of a header each object has its share, and it is counted for none
/^Lines executed:/ && file ~ /^[a-z]+\/[a-z0-9_]+\.c$/ {
	share = all = $0
	sub(/^Lines executed:/, "", share)
	sub(/%.*/, "", share)
	sub(/.* of /, "", all)
	run = int(share * all / 100 + 0.5)
	row(file, run, all)
	wing = file
	sub(/\/.*/, "", wing)
	if (!(wing in lines))
		names[++count] = wing
	lines[wing] += all
	ran[wing] += run
	if (index(library, " " wing " ")) {
		lines["the library"] += all
		ran["the library"] += run
	}
	file = ""
}

END {
	print ""
	for (i = 1; i <= count; i++)
		row(names[i] "/", ran[names[i]], lines[names[i]])
	row("the library", ran["the library"], lines["the library"])
	exit count == 0
}
