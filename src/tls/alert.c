/* SPDX-License-Identifier: MIT */
/* The alerts of TLS by name, as RFC 8446 6 and RFC 5246 7.2 have them. */
#include "config.h"

#include "tls/alert.h"

#include <string.h>

static const struct {
	const char *name;
	unsigned char number;
} alerts[] = {
	{"close-notify", 0},
	{"unexpected-message", 10},
	{"bad-record-mac", 20},
	{"record-overflow", 22},
	{"handshake-failure", 40},
	{"bad-certificate", 42},
	{"unsupported-certificate", 43},
	{"certificate-revoked", 44},
	{"certificate-expired", 45},
	{"certificate-unknown", 46},
	{"illegal-parameter", 47},
	{"unknown-ca", 48},
	{"access-denied", 49},
	{"decode-error", 50},
	{"decrypt-error", 51},
	{"protocol-version", 70},
	{"insufficient-security", 71},
	{"internal-error", 80},
	{"inappropriate-fallback", 86},
	{"user-canceled", 90},
	{"no-renegotiation", 100},
	{"missing-extension", 109},
	{"unsupported-extension", 110},
	{"unrecognized-name", 112},
	{"bad-certificate-status-response", 113},
	{"unknown-psk-identity", 115},
	{"certificate-required", 116},
	{"no-application-protocol", 120},
};

/* Compares without underscores, which the names in the RFCs have. */
static bool
is_name(struct rt_word word, const char *name)
{
	size_t size = strlen(name);

	if (word.size != size)
		return false;
	for (size_t i = 0; i < size; i++)
		if (word.text[i] != name[i] &&
			!(word.text[i] == '_' && name[i] == '-'))
			return false;
	return true;
}

bool
rt_alert_number(struct rt_word word, uint64_t *number)
{
	for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++)
		if (is_name(word, alerts[i].name)) {
			*number = alerts[i].number;
			return true;
		}
	return rt_word_number(word, 255, number);
}
