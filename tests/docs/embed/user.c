/* SPDX-License-Identifier: MIT */
#include "user.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

/* -DUSERS='"people"' is the mistake that the tests must find. */
#ifndef USERS
#define USERS "users"
#endif

static size_t
keep(char *bytes, size_t one, size_t size, void *arg)
{
	struct user_text *text = arg;

	(void)one;
	if (size >= sizeof text->bytes - text->size)
		return 0;
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	text->bytes[text->size] = '\0';
	return size;
}

static CURL *
begin(const char *url, struct user_text *text)
{
	CURL *curl = curl_easy_init();

	*text = (struct user_text){.size = 0};
	if (curl == NULL)
		return NULL;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, text);
	return curl;
}

static enum user_error
judge(CURL *curl, CURLcode code, const struct user_text *text,
	struct user *user)
{
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_COULDNT_CONNECT)
		return USER_UNREACHABLE;
	if (code != CURLE_OK)
		return USER_BROKEN;
	if (status / 100 != 2)
		return USER_REFUSED;
	if (sscanf(text->bytes, "{\"id\":%ld,\"name\":\"%63[^\"]\"}", &user->id,
		    user->name) != 2)
		return USER_BROKEN;
	return USER_OK;
}

CURL *
user_begin_fetch(const char *url, long id, struct user_text *text)
{
	char target[256];

	(void)snprintf(target, sizeof target, "%s" USERS "/%ld", url, id);
	return begin(target, text);
}

enum user_error
user_end_fetch(CURL *curl, CURLcode code, const struct user_text *text,
	struct user *user)
{
	enum user_error error = judge(curl, code, text, user);

	curl_easy_cleanup(curl);
	return error;
}

enum user_error
fetch_user(const char *url, long id, struct user *user)
{
	struct user_text text;
	CURL *curl = user_begin_fetch(url, id, &text);

	return user_end_fetch(curl, curl_easy_perform(curl), &text, user);
}

/* The seconds of Retry-After; -1: it need not be asked again. */
static curl_off_t
retry_after(CURL *curl)
{
	curl_off_t seconds = 0;
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
	return status == 503 ? seconds : -1;
}

enum user_error
create_user(const char *url, const char *name, struct user *user)
{
	struct curl_slist *fields =
		curl_slist_append(NULL, "Content-Type: application/json");
	enum user_error error = USER_UNREACHABLE;
	char target[256], body[256];
	struct user_text text;
	curl_off_t seconds = 0;

	(void)snprintf(target, sizeof target, "%s" USERS, url);
	(void)snprintf(body, sizeof body, "{\"name\":\"%s\"}", name);
	for (int tries = 0; tries < 3 && seconds >= 0; tries++) {
		CURL *curl = begin(target, &text);
		CURLcode code;

		(void)poll(NULL, 0, (int)seconds * 1000);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		code = curl_easy_perform(curl);
		seconds = retry_after(curl);
		error = user_end_fetch(curl, code, &text, user);
	}
	curl_slist_free_all(fields);
	return error;
}
