/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <curl/curl.h>
#include <retort.h>
#include <stdio.h>
#include <stdlib.h>

/* The code under test: sends a note, and once more if the server is busy. */
static long
send_note(const char *url, const char *text)
{
	CURL *curl = curl_easy_init();
	long status = 503;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
	for (int tries = 0; tries < 2 && status == 503; tries++) {
		curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	}
	curl_easy_cleanup(curl);
	return status;
}

int
main(void)
{
	struct retort *server = retort_start(NULL, NULL);
	char *wrong;
	long status;

	assert(server != NULL);
	retort_on(server, "POST /", .status = 503, .times = 1);
	retort_on(server, "POST /", .status = 201);
	retort_expect(server, 2, 2, "POST /", .body = "buy milk");

	status = send_note(retort_url(server, 0), "buy milk");
	if (retort_done(server, &wrong) && status == 201)
		return 0;
	printf("status %ld\n%s", status, wrong ? wrong : "");
	free(wrong);
	return 1;
}
