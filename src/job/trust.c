/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "job/trust.h"

#include <stdio.h>
#include <string.h>

/* Whether the client gave up because of the certificate: in silence, or with an
   alert that says so. Any other one, or an error of ours, is not about
   trust. */
static bool
is_distrust(const char *why)
{
	return *why == '\0' ||
		(strstr(why, "alert") != NULL &&
			(strstr(why, "unknown ca") != NULL ||
				strstr(why, "certificate") != NULL));
}

/* Whether COMMAND may lack the CA: the certificate is ours, and has no fault,
   and no word of COMMAND is {ca}. */
static bool
may_need_ca(const struct args *args, const char *why)
{
	const struct retort_options *options = &args->options;
	char *const *word = args->command;

	if (options->tls_cert != NULL || options->tls_cert_fault != NULL ||
		options->tls_fault != NULL)
		return false;
	while (*word != NULL && strstr(*word, "{ca}") == NULL)
		word++;
	return *word == NULL && is_distrust(why);
}

bool
trust_line(const struct args *args, struct retort *server, const char *why,
	char line[TRUST_LINE])
{
	struct retort_stats stats = retort_stats(server);
	bool failed = *why != '\0';

	if (!args->options.tls)
		return false;
	(void)snprintf(line, TRUST_LINE, "%.60s%s%s%s",
		failed ? "" : args->command[0],
		failed ? "TLS failed: " : " connected, and sent no request",
		why, may_need_ca(args, why) ? "; a client may need {ca}" : "");
	return failed || (stats.accepted > 0 && stats.replies == 0);
}
