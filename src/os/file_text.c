/* SPDX-License-Identifier: MIT */
/* The meaning of the path of a request, and texts about a file. Makes no system
   calls. Called by the site. */
#include "config.h"

#include "os/file.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

bool
rt_file_is_hidden(const char *name, size_t size, bool top, bool dotfiles)
{
	return !dotfiles && size > 0 && name[0] == '.' &&
		!(top && size == 11 && memcmp(name, ".well-known", 11) == 0);
}

/*
 * Ends the segment text[segment..end): folds it away, refuses it, or keeps
 * it, with its slash. Returns where the next one starts, or -errno.
 */
static ssize_t
end_segment(char *text, size_t segment, size_t end, bool slash, bool dotfiles)
{
	const char *name = text + segment;
	size_t size = end - segment;

	if (size > 0 && name[0] == '.') {
		if (size == 1)
			return (ssize_t)segment;
		if (size == 2 && name[1] == '.') {
			if (segment > 0)
				segment--;
			while (segment > 0 && text[segment - 1] != '/')
				segment--;
			return (ssize_t)segment;
		}
	}
	if (rt_file_is_hidden(name, size, segment == 0, dotfiles))
		return -ENOENT;
	if (size > 0 && slash)
		text[end++] = '/';
	return (ssize_t)end;
}

int
rt_file_path(struct rt_buf *out, const char *path, size_t size, bool dotfiles)
{
	size_t segment = 0, end = 0;
	ssize_t next;
	char *text;

	/* the result is never longer than what it is made of */
	if (size >= out->max - out->len)
		return -ENAMETOOLONG;
	if ((text = rt_buf_reserve(out, size + 1)) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++) {
		int c = (unsigned char)path[i];

		if (c == '%') {
			c = rt_text_percent(path + i, path + size);
			i += 2;
		}
		if (c <= 0)
			return -EINVAL;
		if (c != '/') {
			text[end++] = (char)c;
			continue;
		}
		next = end_segment(text, segment, end, true, dotfiles);
		if (next < 0)
			return (int)next;
		segment = end = (size_t)next;
	}
	next = end_segment(text, segment, end, false, dotfiles);
	if (next < 0)
		return (int)next;
	if (next >= PATH_MAX)
		return -ENAMETOOLONG;
	text[next] = '\0';
	out->len += (size_t)next;
	return 0;
}

void
rt_file_encode(struct rt_buf *out, const char *path)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *path != '\0'; path++) {
		unsigned char c = (unsigned char)*path;
		char code[3] = {'%', hex[c >> 4], hex[c & 15]};

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || strchr("-._~/", c) != NULL)
			rt_buf_add(out, path, 1);
		else
			rt_buf_add(out, code, sizeof code);
	}
}

bool
rt_file_is_older(const struct rt_file *a, const struct rt_file *b)
{
	if (a->modified != b->modified)
		return a->modified < b->modified;
	return a->modified_ns != 0 && a->modified_ns < b->modified_ns;
}

int
rt_file_status(int error)
{
	switch (error > 0 ? -error : error) {
	case -ENOENT:
	case -ENOTDIR:
	case -ENAMETOOLONG:
	case -ELOOP:
		return 404;
	case -EINVAL:
		return 400;
	case -EACCES:
	case -EPERM:
	case -EXDEV:
		return 403;
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -EAGAIN:
		return 503;
	default:
		return 500;
	}
}

static char *
put_hex(char *to, uint64_t number)
{
	int shift = 60;

	while (shift > 0 && number >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[number >> shift & 15];
	return to;
}

void
rt_file_etag(const struct rt_file *file, char text[RT_ETAG_TEXT])
{
	char *to = text;

	/* may wrap: only has to differ */
	*to++ = '"';
	to = put_hex(to,
		(uint64_t)file->modified * 1000000000 + file->modified_ns);
	*to++ = '-';
	to = put_hex(to, file->size);
	*to++ = '-';
	to = put_hex(to, file->inode);
	*to++ = '"';
	*to = '\0';
}
