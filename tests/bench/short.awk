# SPDX-License-Identifier: MIT
#
# What the bench comes to, of the figures that run.sh gathers, as lines
# "NAME METRIC VALUE": retort next to the floor and the best of the others.

{
	value[$1, $2] = $3
	if (!($1 in known)) {
		known[$1] = 1
		name[++names] = $1
	}
}

function has(who, metric)
{
	return (who, metric) in value
}

# The one with the least, which is neither retort nor the floor; "": none.
function best(metric,    i, who, found)
{
	found = ""
	for (i = 1; i <= names; i++) {
		who = name[i]
		if (who ~ /^(floor|retort|retort-body|unrecorded)$/ ||
			!has(who, metric))
			continue
		if (found == "" || value[who, metric] < value[found, metric])
			found = who
	}
	return found
}

function figure(who, metric, base)
{
	if (!has(who, metric) || base == 0)
		return sprintf("%11s", "-")
	return sprintf(base != 1 ? "%11.2f" : \
		value[who, metric] < 1000 ? "%11.1f" : "%11d",
		value[who, metric] / base)
}

# row(TITLE, METRIC, ANOTHER, IN FLOORS): of retort, and of ANOTHER of it
function row(title, metric, another, floors,    base, other)
{
	if (!has("retort", metric) && !has(another, metric))
		return
	base = 1
	if (floors)
		base = has("floor", metric) ? value["floor", metric] : 0
	other = best(metric)
	printf "%-28s%s%s%s%s %s\n", title, figure("retort", metric, base),
		figure(another, metric, base), figure("floor", metric, base),
		figure(other, metric, base), other
}

function head(another)
{
	printf "\n%-28s%11s%11s%11s%11s\n", "", "retort", another, "floor",
		"best other"
}

END {
	printf "\nIn short:"
	head("a body")
	row("CPU, 12 bytes, / floor", "cpu-12", "retort-body", 1)
	row("CPU, 1 KiB, / floor", "cpu-1k", "retort-body", 1)
	row("CPU, 12 bytes, kept, / floor", "cpu-kept-12", "retort-body", 1)
	row("CPU, 1 KiB, kept, / floor", "cpu-kept-1k", "retort-body", 1)
	row("system calls, 1 KiB", "calls", "retort-body", 0)
	row("from exec to a reply, ms", "start", "retort-body", 0)
	row("instructions, a body", "instructions-canned", "", 0)
	row("instructions, 1 KiB", "instructions-file", "", 0)
	head("unrecorded")
	row("a cycle, thread, / floor", "thread-wall", "unrecorded", 1)
	row("a cycle, stepped, / floor", "stepped-wall", "unrecorded", 1)
	row("calls, thread", "thread-calls", "unrecorded", 0)
	row("calls, stepped", "stepped-calls", "unrecorded", 0)
	row("instructions, stepped", "instructions-cycle", "", 0)
	print "\na cycle: start, one request and stop within one process"
	if (has("retort", "instructions-canned"))
		print "instructions: of the library alone, by make instructions"
}
