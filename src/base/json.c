/* SPDX-License-Identifier: MIT */
/* Parses JSON, and finds a value in it. The limits bound what a client can ask
   for. */
#include "config.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_JANSSON

#include "base/c_locale.h"

static bool
is_deep(const json_t *value, size_t left)
{
	json_t *child;
	const char *key;
	size_t i;

	if (!json_is_object(value) && !json_is_array(value))
		return false;
	if (left == 0)
		return true;
	json_object_foreach((json_t *)(uintptr_t)value, key,
		child) if (is_deep(child, left - 1)) return true;
	json_array_foreach(value, i,
		child) if (is_deep(child, left - 1)) return true;
	return false;
}

/* Notes what jansson says, and the byte: that where the token begins whose end it
   says, if it quotes it, as it does if it is short. What it quotes are bytes of
   a client's. */
static void
note_wrong(json_error_t *error, struct rt_json_wrong *wrong)
{
	static const char before[] = " near '";
	char *token = strstr(error->text, before);
	char *near = token ? token : strstr(error->text, " near ");

	wrong->at = (size_t)error->position;
	/* a quote follows it, too */
	if (token != NULL &&
		json_error_code(error) != json_error_invalid_utf8 &&
		strlen(token) - sizeof before <= wrong->at)
		wrong->at -= strlen(token) - sizeof before;
	if (near != NULL)
		*near = '\0';
	(void)snprintf(wrong->why, sizeof wrong->why, "%s", error->text);
}

json_t *
rt_json_parse(const char *bytes, size_t size, struct rt_json_wrong *wrong)
{
	struct rt_locale locale;
	json_error_t error;
	json_t *value;

	*wrong = (struct rt_json_wrong){.at = 0};
	if (size == 0 || size > RT_JSON_BYTES) {
		(void)snprintf(wrong->why, sizeof wrong->why, "%s",
			size == 0 ? "it is empty" : "more than 1 MiB");
		return NULL;
	}
	if (!rt_locale_enter(&locale))
		return NULL;
	value = json_loadb(bytes, size,
		JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
		&error);
	rt_locale_leave(&locale);
	if (value == NULL &&
		json_error_code(&error) != json_error_out_of_memory) {
		note_wrong(&error, wrong);
	} else if (value != NULL && is_deep(value, RT_JSON_DEEPEST)) {
		(void)snprintf(wrong->why, sizeof wrong->why,
			"deeper than %d levels", RT_JSON_DEEPEST);
		json_decref(value);
		value = NULL;
	}
	return value;
}

/* The next name of a pointer, which begins with a slash, decoded. */
static bool
next_name(struct rt_word *pointer, struct rt_buf *name)
{
	const char *at = pointer->text, *end = at + pointer->size;

	if (at == end || *at != '/')
		return false;
	name->len = 0;
	for (at++; at < end && *at != '/'; at++) {
		if (*at == '~' && end - at > 1 &&
			(at[1] == '0' || at[1] == '1'))
			rt_buf_add(name, *++at == '0' ? "~" : "/", 1);
		else
			rt_buf_add(name, at, 1);
	}
	pointer->size = (size_t)(end - at);
	pointer->text = at;
	return true;
}

static const json_t *
member_of(const json_t *value, struct rt_buf *name)
{
	struct rt_word word = {name->data, name->len};
	const char *text = rt_buf_text(name);
	uint64_t index;

	if (text == NULL)
		return NULL;
	if (json_is_object(value))
		return json_object_get(value, text);
	return rt_word_number(word, SIZE_MAX, &index) ?
		json_array_get(value, (size_t)index) :
		NULL;
}

static void
add_value(const json_t *value, struct rt_buf *to)
{
	struct rt_locale locale;
	char *text;

	if (json_is_string(value)) {
		rt_buf_add(to, json_string_value(value),
			json_string_length(value));
		return;
	}
	if (!rt_locale_enter(&locale))
		return;
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	rt_locale_leave(&locale);
	rt_buf_add(to, text, text ? strlen(text) : 0);
	free(text);
}

void
rt_json_find(const char *bytes, size_t size, struct rt_word pointer,
	struct rt_buf *to)
{
	struct rt_json_wrong wrong;
	json_t *root = rt_json_parse(bytes, size, &wrong);
	const json_t *value = root;
	struct rt_buf name;

	rt_buf_init(&name, RT_JSON_BYTES);
	while (value != NULL && next_name(&pointer, &name))
		value = member_of(value, &name);
	if (value != NULL && pointer.size == 0)
		add_value(value, to);
	rt_buf_free(&name);
	json_decref(root);
}

#else /* without it */

void
rt_json_find(const char *bytes, size_t size, struct rt_word pointer,
	struct rt_buf *to)
{
	(void)bytes;
	(void)size;
	(void)pointer;
	(void)to;
}

#endif
