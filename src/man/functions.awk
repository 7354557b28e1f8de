# SPDX-License-Identifier: MIT
#
# The functions that retort.h has, one a line: those of the library; and, unless
# `linked` is set, what a caller writes instead of retort_x_sized(), and those
# that are inline. make install makes links to retort(3) of them.
/^(RETORT_API|static inline) / {
	text = ""
	open = 1
	inlined = /^static/
}
open {
	text = text " " $0
	if (text !~ /\(/)
		next
	open = 0
	sub(/ *\(.*/, "", text)
	sub(/.*[^A-Za-z0-9_]/, "", text)
	if (!inlined || !linked)
		print text
	if (!linked && sub(/_sized$/, "", text))
		print text
}
