/* SPDX-License-Identifier: MIT */
/* Why a COMMAND failed with TLS, when it does not say so itself: it may not
   trust the server. */
#ifndef TRUST_H
#define TRUST_H

#include <stdbool.h>

#include "args/args.h"
#include "retort.h"

/* Bytes of a line. */
#define TRUST_LINE 160

/* Call this when COMMAND has failed, and no connection of it is left. `why`
   says why TLS failed, in OpenSSL's words; "": it did not. Whether that may be
   the reason, and then a line that says so. */
bool trust_line(const struct args *args, struct retort *server, const char *why,
	char line[TRUST_LINE]);

#endif
