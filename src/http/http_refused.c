/* SPDX-License-Identifier: MIT */
/*
 * A head that was refused, for those who want to see all of it: where it ends,
 * and its parts, as far as they can be told apart. This decides nothing that
 * strict parsing has not decided before: the request stays refused.
 */
#include "config.h"

#include "http/http_parts.h"

#include <string.h>

#include "base/text.h"

/* A line without its end, and where the next one begins; 0: it has no end. */
struct line {
	const char *text;
	size_t size;
	size_t next;
};

static struct line
line_at(const char *base, size_t at, size_t size)
{
	const char *lf = memchr(base + at, '\n', size - at);
	struct line line = {.text = base + at, .size = size - at};

	if (lf != NULL) {
		line.size = (size_t)(lf - line.text);
		line.next = at + line.size + 1;
	}
	if (line.size > 0 && line.text[line.size - 1] == '\r')
		line.size--;
	return line;
}

/* Where the last " HTTP/" of a line is; its size: there is none. */
static size_t
version_at(const struct line *line)
{
	static const char name[] = " HTTP/";
	size_t size = sizeof name - 1;

	for (size_t at = line->size; at-- > 0;)
		if (line->size - at >= size &&
			memcmp(line->text + at, name, size) == 0)
			return at;
	return line->size;
}

/* The first byte that no text has, such as one of TLS; its size: none. */
static size_t
binary_at(const struct line *line)
{
	size_t at = 0;

	while (at < line->size &&
		((unsigned char)line->text[at] >= ' ' ||
			line->text[at] == '\t' || line->text[at] == '\r'))
		at++;
	return at;
}

/* Where the request line begins. */
static size_t
begin_of(const struct rt_http *http, const char *base, size_t size)
{
	size_t at = http->part_at;

	while (at < size && (base[at] == '\r' || base[at] == '\n'))
		at++;
	return at;
}

/*
 * The end of the head: an empty line, or the end of a first line that names no
 * version, as in HTTP/0.9, or its first byte that is no text. 0: more is to
 * come.
 */
static size_t
find_end(const struct rt_http *http, const char *base, size_t size)
{
	size_t at = begin_of(http, base, size), binary;
	struct line line;

	if (at == size)
		return 0;
	line = line_at(base, at, size);
	binary = binary_at(&line);
	if (binary < line.size)
		return at + binary + 1;
	if (line.next == 0 || version_at(&line) == line.size)
		return line.next;
	do {
		at = line.next;
		line = line_at(base, at, size);
	} while (line.next != 0 && line.size > 0);
	return line.next;
}

static struct rt_span
span_of(const char *base, const char *text, size_t size)
{
	return (struct rt_span){(uint32_t)(text - base), (uint32_t)size};
}

/* METHOD TARGET, and a version or not; the target may have spaces in it. */
static void
take_request_line(struct rt_http *http, const char *base,
	const struct line *line)
{
	struct rt_request *request = &http->request;
	const char *space = memchr(line->text, ' ', line->size);
	size_t end = version_at(line);

	request->line = span_of(base, line->text, line->size);
	request->name = (struct rt_span){0, 0};
	request->target = (struct rt_span){0, 0};
	if (space == NULL || space == line->text)
		return;
	request->name = span_of(base, line->text, (size_t)(space - line->text));
	if (space + 1 < line->text + end)
		request->target = span_of(base, space + 1,
			(size_t)(line->text + end - space) - 1);
}

/* Any line "Name: value", whatever the name and the value are made of. */
static void
take_field(struct rt_http *http, const char *base, const struct line *line)
{
	struct rt_request *request = &http->request;
	const char *colon = memchr(line->text, ':', line->size);
	struct rt_word name, value;

	if (colon == NULL || rt_is_blank(*line->text) ||
		request->field_count >= http->limits->fields)
		return;
	name = rt_text_rest(line->text, colon);
	value = rt_text_rest(colon + 1, line->text + line->size);
	if (name.size > 0 &&
		rt_http_add(request, base, request->field_count,
			(struct rt_http_field){
				.name = span_of(base, name.text, name.size),
				.value = span_of(base, value.text, value.size),
			}))
		request->field_count++;
}

static void
take_parts(struct rt_http *http, const char *base, size_t end)
{
	struct rt_request *request = &http->request;
	struct line line = line_at(base, begin_of(http, base, end), end);

	request->field_count = request->trailer_count = 0;
	request->path = request->query = (struct rt_span){0, 0};
	take_request_line(http, base, &line);
	while (line.next != 0) {
		line = line_at(base, line.next, end);
		if (line.next != 0)
			take_field(http, base, &line);
	}
	http->marked_target = true;
	/* these refuse nothing any more, but find the parts of the target */
	if (request->target.size > 0)
		(void)rt_http_check_before(http);
	(void)rt_http_check_host(http);
}

/* Whether a field says that a body follows. */
static bool
announces_body(const struct rt_request *request, const char *base)
{
	return rt_http_field(request, base, "Content-Length") != NULL ||
		rt_http_field(request, base, "Transfer-Encoding") != NULL;
}

bool
rt_http_see_refused(struct rt_http *http, const char *base, size_t size,
	bool last)
{
	size_t most = http->part_at + http->limits->head;
	size_t end;

	if (http->part != PART_HEAD)
		return true;
	if (size > most)
		size = most;
	end = http->request.head_size > 0 ? http->request.head_size :
					    find_end(http, base, size);
	if (end == 0 && size < most && !last)
		return false;
	http->base = base;
	http->request.head_size = end > 0 ? end : size;
	take_parts(http, base, http->request.head_size);
	http->request.bare = end > 0 && base[end - 1] == '\n' &&
		http->request.field_count < http->limits->fields &&
		!announces_body(&http->request, base);
	return true;
}
