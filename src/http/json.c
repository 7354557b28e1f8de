/* SPDX-License-Identifier: MIT */
/* Parses JSON. The limits bound what a client can ask
   for. */
#include "config.h"

#include "http/json.h"

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

json_t *
rt_json_parse(const char *bytes, size_t size, char *wrong, size_t room)
{
	struct rt_locale locale;
	json_error_t error;
	json_t *value;
	char *near;

	*wrong = '\0';
	if (size == 0 || size > RT_JSON_BYTES) {
		(void)snprintf(wrong, room, "%s",
			size == 0 ? "it is empty" : "more than 1 MiB");
		return NULL;
	}
	if (!rt_locale_enter(&locale))
		return NULL;
	value = json_loadb(bytes, size,
		JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
		&error);
	rt_locale_leave(&locale);
	if (value == NULL) {
		if (json_error_code(&error) == json_error_out_of_memory)
			return NULL;
		/* after that are bytes of a client's */
		near = strstr(error.text, " near ");
		if (near != NULL)
			*near = '\0';
		(void)snprintf(wrong, room, "%s at byte %d", error.text,
			error.position);
	} else if (is_deep(value, RT_JSON_DEEPEST)) {
		(void)snprintf(wrong, room, "deeper than %d levels",
			RT_JSON_DEEPEST);
		json_decref(value);
		value = NULL;
	}
	return value;
}

#endif
