/* SPDX-License-Identifier: MIT */
/*
 * Text as people and protocols write it: ASCII letters without case, words,
 * numbers, percent-encoding (RFC 3986 2.1), and bytes in double quotes, as in
 * C; and hashes. The host program's locale has no say in any of it.
 */
#ifndef RT_TEXT_H
#define RT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

/* An ASCII letter as a small one, any other byte as it is. */
static inline unsigned char
rt_fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/*
 * The order of `size` bytes and a text, as strcmp() has it, with ASCII letters
 * compared without case. strcasecmp() and tolower() obey the host program's
 * locale, in which 'I' need not be the capital of 'i'.
 */
int rt_caseless_order(const char *bytes, size_t size, const char *text);

/* rt_caseless_same() of texts that are not the same byte for byte. */
bool rt_caseless_similar(const char *one, const char *two, size_t size);

/* Whether two texts of `size` bytes, which is not 0, are the same, but for the
   case of ASCII letters. */
static inline bool
rt_caseless_same(const char *one, const char *two, size_t size)
{
	/* most differ at once, by more than the bit of a letter's case */
	return ((*one ^ *two) & ~0x20) == 0 &&
		(memcmp(one, two, size) == 0 ||
			rt_caseless_similar(one, two, size));
}

/* The same of a text with a NUL. */
static inline bool
rt_caseless(const char *bytes, size_t size, const char *text)
{
	if (size == 0)
		return *text == '\0';
	/* or in their size, which a compiler knows of a constant */
	return ((*bytes ^ *text) & ~0x20) == 0 && size == strlen(text) &&
		rt_caseless_same(bytes, text, strlen(text));
}

/* White space within a line: SP or HT. */
static inline bool
rt_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* --- words and numbers --- */

/* A piece of a text, not terminated. */
struct rt_word {
	const char *text;
	size_t size;
};

/* The next word from *at on, up to a blank or the end, which *at moves to. */
struct rt_word rt_text_word(const char **at, const char *end);

/* All from `at` on, without blanks around it. */
struct rt_word rt_text_rest(const char *at, const char *end);

/* All of a text. */
static inline struct rt_word
rt_word_of(const char *text)
{
	return (struct rt_word){text, strlen(text)};
}

/* Whether it is this text. */
bool rt_word_is(struct rt_word word, const char *text);

/* The digits from *at on as a number, which is the largest if it is too large;
   *at moves to their end. False: there are none. */
bool rt_text_digits(const char **at, const char *end, uint64_t *number);

/* Whether the word is digits alone, which say a number of at most `most`. */
bool rt_word_number(struct rt_word word, uint64_t most, uint64_t *number);

/* "2", "2+", "2-3": numbers of at most `most`, and with a plus all from there
   on. False: it is none of these. The first may be the larger one. */
bool rt_word_range(struct rt_word word, uint64_t most, uint64_t *from,
	uint64_t *to);

/* Whether it is a time of at most `most` ms: "200" and "200ms", "2s" and
   "0.5s", or "1m"; rounded up. */
bool rt_word_time(struct rt_word word, uint64_t most, uint64_t *ms);

/* The status of the line of HTTP that begins there, "HTTP/1.1 200"; 0: it is
   none. */
int rt_text_status(const char *at, const char *end);

/* The lines of a text, which end in LF or CR LF; empty ones are left out.
   NULL-terminated, and one piece of memory, which the caller frees; NULL: there
   is none. */
const char **rt_text_lines(const char *text);

/* The next member of a list, with commas between them, which *at moves past;
   empty ones do not count (RFC 9110 5.6.1). Size 0: there is no more. */
struct rt_word rt_text_member(const char **at, const char *end);

/* Whether a list, with commas between its members, has this one, compared
   without case. */
bool rt_text_lists(const char *list, size_t size, const char *member);

/* --- single bytes --- */

/* The value of a hexadecimal digit, or -1. */
int rt_text_hex(char c);

/* The byte that "%41" at the beginning of the text stands for; -1: none. */
int rt_text_percent(const char *at, const char *end);

/* --- as a number --- */

/* The hash of no bytes. */
#define RT_TEXT_HASH UINT64_C(0xcbf29ce484222325)

/* The hash of some bytes, which is `hash`, and of these after them (FNV-1a). */
static inline uint64_t
rt_text_hash(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* --- in quotes --- */

#define RT_TEXT_QUOTED \
	"bytes in double quotes, with \\r \\n \\t \\0 \\\\ \\\" \\xHH"

/* Bytes in double quotes, at most `most` of them and then "...", escaped as C
   has them: what is not printable ASCII, quotes and backslashes. */
void rt_text_quote(struct rt_buf *buf, const void *bytes, size_t size,
	size_t most);

/*
 * Reads `"bytes"` from *at on, adds the bytes to `to`, and moves *at past
 * it. False: it is none; *at is where.
 */
bool rt_text_unquote(const char **at, const char *end, struct rt_buf *to);

/* The same for a whole text without quotes around it. */
bool rt_text_unescape(const char *at, const char *end, struct rt_buf *to);

#endif
