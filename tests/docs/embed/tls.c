/* SPDX-License-Identifier: MIT */
#include <curl/curl.h>
#include <retort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main(void)
{
	struct retort *server = retort_start(.tls = true);
	retort_on(server, "POST /", .body = "bought\n");
	retort_expect(server, "POST /", .times = 1, .if_body = "buy milk");

	struct curl_blob ca = {
		.data = (char *)retort_ca(server),
		.len = strlen(retort_ca(server)),
	};
	CURL *curl = curl_easy_init(); /* the code under test */
	curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
	curl_easy_setopt(curl, CURLOPT_URL, retort_url(server));
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "buy milk");
	CURLcode result = curl_easy_perform(curl);
	curl_easy_cleanup(curl);

	char *wrong = NULL;
	bool right = retort_done(server, &wrong);
	if (wrong != NULL)
		fputs(wrong, stderr);
	free(wrong);
	return !right || result != CURLE_OK;
}
