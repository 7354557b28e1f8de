/* SPDX-License-Identifier: MIT */
/* States: as words, and as they are now. */
#include "config.h"

#include "match/state.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "http/http.h"

static const char start[] = "start";
static const char of_connection[] = "connection";

static bool
same(struct rt_word a, struct rt_word b)
{
	return a.size == b.size &&
		(a.size == 0 || memcmp(a.text, b.text, a.size) == 0);
}

/* --- words --- */

bool
rt_state_next(const char **text, struct rt_state_word *word)
{
	static const char blanks[] = " \t\r\n";
	const char *at, *colon;
	size_t size;

	if (*text == NULL)
		return false;
	at = *text + strspn(*text, blanks);
	size = strcspn(at, blanks);
	*text = at + size;
	colon = memchr(at, ':', size);
	word->text = (struct rt_word){at, size};
	word->name = (struct rt_word){at, colon ? (size_t)(colon - at) : 0};
	word->state = word->text;
	if (colon != NULL)
		word->state =
			(struct rt_word){colon + 1, size - word->name.size - 1};
	return size > 0;
}

static bool
is_right(const struct rt_state_word *word)
{
	return rt_http_is_token(word->state.text, word->state.size) &&
		word->state.size <= RT_STATE_BYTES &&
		word->name.size <= RT_STATE_BYTES &&
		(word->state.text == word->text.text ||
			rt_http_is_token(word->name.text, word->name.size));
}

int
rt_state_check(const char *text, const char *member, char *error)
{
	const char *at = text, *others;
	struct rt_state_word word, other;
	size_t count = 0;

	for (; rt_state_next(&at, &word); count++) {
		if (!is_right(&word))
			return rt_fail(error, -EINVAL,
				"%s: '%.*s': expected a state, such as ready, "
				"cart:full or connection:data, at most %d "
				"bytes each",
				member,
				(int)(word.text.size < 80 ? word.text.size :
							    80),
				word.text.text, RT_STATE_BYTES);
		others = at;
		while (rt_state_next(&others, &other))
			if (same(word.name, other.name))
				return rt_fail(error, -EINVAL,
					"%s: '%.*s': expected one state of "
					"each name; '%.*s' is one already",
					member,
					(int)(other.text.size < 80 ?
							other.text.size :
							80),
					other.text.text, (int)word.text.size,
					word.text.text);
	}
	if (text != NULL && count == 0)
		return rt_fail(error, -EINVAL,
			"%s: expected a state, such as ready", member);
	return 0;
}

struct rt_word
rt_state_of(const char *text, struct rt_word name)
{
	struct rt_state_word word;

	while (rt_state_next(&text, &word))
		if (same(word.name, name))
			return word.state;
	return (struct rt_word){start, sizeof start - 1};
}

/* --- as they are now --- */

static bool
is_connections(const struct rt_state_word *word)
{
	return rt_word_is(word->name, of_connection);
}

/* The state of that name; NULL: there is none. */
static char *
find(struct rt_states *states, struct rt_word name)
{
	for (size_t i = 0; i < states->count; i++)
		if (rt_word_is(name, states->of[i].name))
			return states->of[i].now;
	return NULL;
}

/* The place of a state of the connection; 0: there is none. */
static rt_place
find_place(const struct rt_states *states, struct rt_word state)
{
	for (size_t i = 0; i < states->place_count; i++)
		if (rt_word_is(state, states->places[i]))
			return (rt_place)(i + 1);
	return 0;
}

static void
set(char to[RT_STATE_BYTES + 1], struct rt_word word)
{
	if (word.size > 0)
		memcpy(to, word.text, word.size);
	to[word.size] = '\0';
}

static bool
note_name(struct rt_states *states, struct rt_word name)
{
	if (find(states, name) != NULL)
		return true;
	if (states->count == RT_STATE_NAMES)
		return false;
	set(states->of[states->count].name, name);
	states->of[states->count++].now[0] = '\0';
	return true;
}

static bool
note_place(struct rt_states *states, struct rt_word state)
{
	if (find_place(states, state) != 0)
		return true;
	if (states->place_count == RT_STATE_NAMES)
		return false;
	set(states->places[states->place_count++], state);
	return true;
}

bool
rt_states_note(struct rt_states *states, const char *text)
{
	struct rt_state_word word;
	bool all = true;

	while (all && rt_state_next(&text, &word))
		all = is_connections(&word) ? note_place(states, word.state) :
					      note_name(states, word.name);
	return all;
}

void
rt_states_copy(struct rt_states *to, const struct rt_states *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const char *name = from->of[i].name;
		char *now = find(to, rt_word_of(name));

		if (now != NULL)
			memcpy(now, from->of[i].now, sizeof from->of[i].now);
	}
}

void
rt_states_enter(struct rt_states *states, rt_place *connection,
	const char *text)
{
	struct rt_state_word word;
	char *now;

	while (rt_state_next(&text, &word)) {
		if (is_connections(&word))
			*connection = find_place(states, word.state);
		else if ((now = find(states, word.name)) != NULL)
			set(now, word.state);
	}
}

static void
say(struct rt_buf *to, const char *name, const char *state)
{
	if (to->len > 0)
		rt_buf_add(to, " ", 1);
	if (*name != '\0')
		rt_buf_add_format(to, "%s:", name);
	rt_buf_add_text(to, *state != '\0' ? state : start);
}

void
rt_states_say(const struct rt_states *states, rt_place connection,
	struct rt_buf *to)
{
	for (size_t i = 0; i < states->count; i++)
		say(to, states->of[i].name, states->of[i].now);
	say(to, of_connection,
		connection > 0 ? states->places[connection - 1] : "");
}
