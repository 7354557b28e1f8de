/* SPDX-License-Identifier: MIT */
/*
 * The sweep of a client that is a function: libcurl, in the process of the
 * server.
 *
 *	libcurl FRAMING [CA [POINTS]]
 *
 * FRAMING is that of the reply, as tests/peers/sweep has it; the report is
 * printed, and the exit status is that of retort sweep. With CA, a file that it
 * writes, there is TLS; POINTS are those of --at. Without arguments it prints
 * its version, and that of what it has TLS by.
 */
#include <curl/curl.h>
#include <errno.h>
#include <retort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *ca; /* a file; NULL: there is no TLS */

/* The bytes that come are not looked at. */
static size_t
drop(char *bytes, size_t one, size_t size, void *arg)
{
	(void)bytes;
	(void)one;
	(void)arg;
	return size;
}

static int
fetch(void *arg, const char *url, const char *fault)
{
	CURL *curl = curl_easy_init();
	CURLcode code;

	(void)arg;
	(void)fault;
	if (curl == NULL)
		return -ENOMEM;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	if (ca != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	code = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	return code == CURLE_OK;
}

/* False: there is no such framing. The body is standard input. */
static bool
frame(const char *framing, struct retort_reply *reply)
{
	static char body[32768];

	reply->body_size = fread(body, 1, sizeof body, stdin);
	reply->body = body;
	reply->chunked = strcmp(framing, "chunked") == 0;
	reply->raw = strcmp(framing, "none") == 0;
	if (!reply->raw) {
		reply->type = "text/plain";
		reply->omit = "Date";
	}
	return reply->chunked || reply->raw ||
		strcmp(framing, "Content-Length") == 0;
}

static void
write_ca(struct retort *server)
{
	FILE *to = fopen(ca, "w");

	if (to == NULL || fputs(retort_ca(server), to) < 0 || fclose(to) != 0)
		perror(ca);
}

static int
print_version(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	(void)printf("%s, %s\n", info->version,
		info->ssl_version ? info->ssl_version : "no TLS");
	return 0;
}

int
main(int argc, char **argv)
{
	char error[RETORT_ERROR_SIZE];
	struct retort_reply reply = {.status = 0};
	struct retort *server;
	char *report = NULL;
	int wrong;

	if (argc == 1)
		return print_version();
	if (argc > 4 || !frame(argv[1], &reply)) {
		(void)fputs(
			"usage: libcurl Content-Length|chunked|none [CA [POINTS]]\n",
			stderr);
		return 2;
	}
	(void)curl_global_init(CURL_GLOBAL_ALL);
	ca = argv[2];
	server = retort_start(.tls = ca != NULL, .error = error);
	if (server != NULL && ca != NULL)
		write_ca(server);
	reply.server = server;
	reply.error = error;
	wrong = server ? retort_answer_sized(&reply, sizeof reply) : -1;
	if (wrong == 0)
		wrong = retort_sweep(server, fetch, .report = &report,
			.at = argc > 3 ? argv[3] : NULL, .error = error);
	if (wrong < 0)
		(void)fprintf(stderr, "libcurl: %s\n", error);
	else
		(void)fputs(report ? report : "", stdout);
	free(report);
	if (server != NULL)
		retort_close(server);
	curl_global_cleanup();
	return wrong < 0 ? 2 : wrong > 0;
}
