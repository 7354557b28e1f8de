# SPDX-License-Identifier: MIT
#
# A chart of the bench as SVG, of the figures that run.sh gathers, as lines
# "NAME METRIC VALUE": times the floor, less is better.
#
#	awk -f tests/bench/chart.awk bench.txt >bench.svg

{
	value[$1, $2] = $3
	if (!($1 in known)) {
		known[$1] = 1
		name[++names] = $1
	}
}

# Where bars end: what is longer is written, and cut off.
BEGIN {
	most = 4
	left = 150
	unit = 130
	step = 24
	y = 24
}

function label(who)
{
	if (who == "floor")
		return "does nothing"
	if (who == "retort-body")
		return "retort, a body"
	if (who == "unrecorded")
		return "retort, no records"
	if (who == "nginx-cache")
		return "nginx, its cache"
	return who
}

function text(x, y, class, what)
{
	out = out sprintf("<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n",
		class, x, y, what)
}

function bar(who, times,    width, shown, class)
{
	shown = times > most ? most : times
	width = shown * unit
	class = who ~ /^(retort|unrecorded)/ ? "own" : \
		who == "floor" ? "floor" : "other"
	text(left - 8, y + 14, "name", label(who))
	out = out sprintf("<rect class=\"%s\" x=\"%d\" y=\"%d\" " \
		"width=\"%.1f\" height=\"18\" rx=\"2\"/>\n", class, left, y,
		width)
	text(left + width + 6, y + 14, "value",
		sprintf("%.2f%s", times, times > most ? " \302\273" : ""))
	y += step
}

# panel(TITLE, METRIC): all that have it, the least first
function panel(title, metric,    i, j, n, who, order)
{
	if (!(("floor", metric) in value) || value["floor", metric] == 0)
		return
	n = 0
	for (i = 1; i <= names; i++) {
		who = name[i]
		if (!((who, metric) in value))
			continue
		for (j = n++; j > 0 && value[order[j], metric] > \
			value[who, metric]; j--)
			order[j + 1] = order[j]
		order[j + 1] = who
	}
	text(8, y + 14, "title", title)
	y += step
	for (i = 1; i <= n; i++)
		bar(order[i], value[order[i], metric] / value["floor", metric])
	y += step / 2
}

END {
	panel("CPU of a reply of 12 bytes, a connection each", "cpu-12")
	panel("CPU of a file of 1 KiB, a connection each", "cpu-1k")
	panel("Start, one request and stop in one process, own thread",
		"thread-wall")
	panel("The same, stepped by the client", "stepped-wall")
	if (out == "")
		exit 1
	text(8, y + 2, "note", "Times a server that parses nothing and sends" \
		" a fixed reply; less is better.")
	width = left + most * unit + 70
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" " \
		"height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n", width,
		y + 16, width, y + 16
	print "<title>What a reply costs, in times a server that does" \
		" nothing</title>"
	print "<style>"
	print "text { font: 13px sans-serif; fill: #24292f }"
	print ".title { font-weight: bold }"
	print ".name { text-anchor: end }"
	print ".note { fill: #57606a }"
	print ".own { fill: #0969da }"
	print ".other { fill: #9aa4ae }"
	print ".floor { fill: #d0d7de }"
	print ".ground { fill: #ffffff }"
	print "@media (prefers-color-scheme: dark) {"
	print "text { fill: #e6edf3 }"
	print ".note { fill: #9198a1 }"
	print ".own { fill: #4493f8 }"
	print ".other { fill: #656c76 }"
	print ".floor { fill: #3d444d }"
	print ".ground { fill: #0d1117 }"
	print "}"
	print "</style>"
	print "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>"
	printf "%s</svg>\n", out
}
