/* SPDX-License-Identifier: MIT */
/* Patterns with asterisks, and targets. Called by match/. */
#include "config.h"

#include "base/glob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Added to a separator that was encoded. */
#define ENCODED 0x100u

/* The meaning of a byte that was encoded. */
static unsigned
meaning(int byte, enum rt_coding coding)
{
	static const char *const separators[] = {
		[RT_IN_PATH] = "/",
		[RT_IN_QUERY] = "&=+",
		[RT_IN_FORM] = "",
		[RT_IN_FILE] = "",
	};

	return byte != '\0' && strchr(separators[coding], byte) != NULL ?
		ENCODED + (unsigned)byte :
		(unsigned)byte;
}

/* The meaning of one that was not. */
static unsigned
plain(char c, enum rt_coding coding)
{
	if (coding == RT_CASELESS)
		return rt_fold(c);
	return coding == RT_IN_FORM && c == '+' ? ' ' : (unsigned char)c;
}

/* The byte that is encoded there; -1: it stands for itself. */
static int
decode(const char *at, const char *end, enum rt_coding coding)
{
	return *at == '%' && coding < RT_AS_IT_IS ? rt_text_percent(at, end) :
						    -1;
}

/* Takes what stands first, or last, off the text. */
static unsigned
take(const char **at, const char *end, enum rt_coding coding)
{
	int byte = decode(*at, end, coding);

	if (byte < 0)
		return plain(*(*at)++, coding);
	*at += 3;
	return meaning(byte, coding);
}

static unsigned
take_last(const char *begin, const char **end, enum rt_coding coding)
{
	/* no encoding overlaps another: a digit is no '%' */
	int byte = *end - begin < 3 ? -1 : decode(*end - 3, *end, coding);

	if (byte < 0)
		return plain(*--*end, coding);
	*end -= 3;
	return meaning(byte, coding);
}

/* --- with asterisks --- */

static int
set_part(struct rt_needle *part, const char *text, size_t size,
	enum rt_coding coding, uint16_t *codes)
{
	const char *end = text + size;
	size_t count = 0;

	while (text < end)
		codes[count++] = (uint16_t)take(&text, end, coding);
	return rt_needle_set(part, codes, count);
}

int
rt_glob_set(struct rt_glob *glob, const char *text, size_t size,
	enum rt_coding coding)
{
	uint16_t *codes = calloc(size + 1, sizeof *codes);
	const char *at, *star;
	int code = 0;

	glob->count = 1;
	for (size_t i = 0; i < size; i++)
		glob->count += text[i] == '*';
	glob->text = strndup(text, size);
	glob->parts = calloc(glob->count, sizeof *glob->parts);
	if (codes == NULL || glob->text == NULL || glob->parts == NULL) {
		code = -ENOMEM;
		goto out;
	}
	at = glob->text;
	for (size_t i = 0; i < glob->count && code == 0; i++) {
		star = at + strcspn(at, "*");
		/* in a rule "+" is no space */
		code = set_part(glob->parts + i, at, (size_t)(star - at),
			coding == RT_IN_FORM ? RT_IN_FILE : coding, codes);
		at = star + 1;
	}
out:
	free(codes);
	if (code < 0)
		rt_glob_free(glob);
	return code;
}

void
rt_glob_free(struct rt_glob *glob)
{
	for (size_t i = 0; glob->parts != NULL && i < glob->count; i++)
		rt_needle_free(glob->parts + i);
	free(glob->parts);
	free(glob->text);
	*glob = (struct rt_glob){.text = NULL};
}

static bool
begins(const struct rt_needle *part, const char **at, const char *end,
	enum rt_coding coding)
{
	for (size_t i = 0; i < part->size; i++)
		if (*at >= end || take(at, end, coding) != part->codes[i])
			return false;
	return true;
}

static bool
ends(const struct rt_needle *part, const char *at, const char **end,
	enum rt_coding coding)
{
	for (size_t i = part->size; i-- > 0;)
		if (at >= *end || take_last(at, end, coding) != part->codes[i])
			return false;
	return true;
}

/* Moves *at past the first occurrence of the part. */
static bool
seek(const struct rt_needle *part, const char **at, const char *end,
	enum rt_coding coding)
{
	size_t came = 0;

	while (came < part->size) {
		/* most bytes begin nothing */
		while (came == 0 && *at < end && **at != '%' &&
			plain(**at, coding) != part->codes[0])
			(*at)++;
		if (*at == end)
			return false;
		came = rt_needle_step(part, came, take(at, end, coding));
	}
	return true;
}

/* The bytes from `from` on, up to the part, which ends at `end`. */
static struct rt_word
before(const struct rt_needle *part, const char *from, const char *end,
	enum rt_coding coding)
{
	for (size_t i = part->size; i > 0; i--)
		(void)take_last(from, &end, coding);
	return (struct rt_word){from, (size_t)(end - from)};
}

bool
rt_glob_fits(const struct rt_glob *glob, const char *at, const char *end,
	enum rt_coding coding, struct rt_word *stars)
{
	const struct rt_needle *part = glob->parts,
			       *last = part + glob->count - 1;
	const char *star;

	if (!begins(part, &at, end, coding))
		return false;
	if (part == last)
		return at == end;
	if (!ends(last, at, &end, coding))
		return false;
	while (++part < last) {
		star = at;
		if (!seek(part, &at, end, coding))
			return false;
		if (stars != NULL)
			*stars++ = before(part, star, at, coding);
	}
	if (stars != NULL)
		*stars = (struct rt_word){at, (size_t)(end - at)};
	return true;
}

/* --- paths --- */

/* The path of a target as it arrived, not terminated, and where it ends. If the
   target begins with a scheme or is an authority, all but the query. */
static const char *
raw_path(const struct rt_glob *path, const char *target, const char **end)
{
	static const char root[] = "/";
	const char *scheme;

	if (target == NULL) {
		*end = root;
		return root;
	}
	if (*target != '/' && strchr("/*", *path->text) != NULL &&
		(scheme = strstr(target, "://")) != NULL) {
		target = scheme + 3 + strcspn(scheme + 3, "/?");
		if (*target != '/') {
			*end = root + 1;
			return root;
		}
	}
	*end = target + strcspn(target, "?");
	return target;
}

bool
rt_path_fits(const struct rt_glob *path, const char *target,
	struct rt_word *stars)
{
	const char *end, *at = raw_path(path, target, &end);

	return rt_glob_fits(path, at, end, RT_IN_PATH, stars);
}

size_t
rt_path_common(const struct rt_glob *path, const char *target)
{
	const char *end, *at = raw_path(path, target, &end);
	const char *own = path->text, *own_end = own + strlen(own), *next = own;

	while (next < own_end && at < end && *next != '*' &&
		take(&next, own_end, RT_IN_PATH) == take(&at, end, RT_IN_PATH))
		own = next;
	return (size_t)(own - path->text);
}
