/* SPDX-License-Identifier: MIT */
/* The code under test: a client of a service that keeps users. */
#ifndef USER_H
#define USER_H

#include <curl/curl.h>

#ifdef __cplusplus
extern "C" {
#endif

enum user_error {
	USER_OK,
	USER_UNREACHABLE, /* nobody listens */
	USER_BROKEN,      /* the reply is cut off, or makes no sense */
	USER_REFUSED      /* the service said no */
};

struct user {
	long id;
	char name[64];
};

/* `url` is the service's, with its final slash. */
enum user_error fetch_user(const char *url, long id, struct user *user);

/* When the service is busy (503), it is asked again after the time that it
   names, three times in all. */
enum user_error create_user(const char *url, const char *name,
	struct user *user);

/* fetch_user() in two halves, for who has a curl multi handle. */
struct user_text {
	char bytes[512];
	size_t size;
};
CURL *user_begin_fetch(const char *url, long id, struct user_text *text);
enum user_error user_end_fetch(CURL *curl, CURLcode code,
	const struct user_text *text, struct user *user);

#ifdef __cplusplus
}
#endif

#endif
