/* SPDX-License-Identifier: MIT */
/* Certificates for tests: a CA, and what it signs, made in memory. */
#include "config.h"

#include "tls/tls_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define DAY INT64_C(86400)

/* How long certificates are valid: clients may refuse a server's if it is valid
   for longer, and their clocks may be a little late. */
#define BEFORE DAY
#define LEAF_DAYS 365
#define CA_DAYS 3650

/* The size of a weak RSA key: half of what clients expect today. */
#define WEAK_BITS 1024

/* Bytes of all hosts in a certificate: a record holds at most 16 KiB, including
   the other parts of the certificate. */
#define MAX_HOSTS 8192
#define MAX_NAMES ((size_t)8 * MAX_HOSTS)

/* The plan of a certificate. */
struct plan {
	const char *name; /* CN */
	bool ca;
	const char *names; /* subjectAltName, as OpenSSL's configuration has
	                      it; NULL: none */
	const char *use;   /* extendedKeyUsage; NULL: none */
	bool weak;         /* with a key that is too short */
	int64_t from;      /* s since the epoch */
	int64_t until;
};

/* The faults of the server's certificate, in the order of their names. */
enum fault {
	NO_FAULT,
	EXPIRED,
	NOT_YET_VALID,
	WRONG_HOST,
	NO_NAMES,
	SELF_SIGNED,
	UNKNOWN_ISSUER,
	NO_INTERMEDIATE,
	WRONG_USE,
	WEAK_KEY,
	BAD_SIGNATURE,
	FAULTS
};

static const char *const fault_names[FAULTS] = {"none", "expired",
	"not-yet-valid", "wrong-host", "no-names", "self-signed",
	"unknown-issuer", "no-intermediate", "wrong-use", "weak-key",
	"bad-signature"};

struct cert {
	EVP_PKEY *key;
	X509 *x509;
};

static void
free_cert(const struct rt_openssl *ssl, struct cert *cert)
{
	ssl->X509_free(cert->x509);
	ssl->EVP_PKEY_free(cert->key);
}

/* --- one certificate --- */

static bool
add_extension(const struct rt_openssl *ssl, X509 *cert, X509V3_CTX *context,
	int nid, const char *value)
{
	X509_EXTENSION *extension =
		ssl->X509V3_EXT_conf_nid(NULL, context, nid, value);
	bool added = extension != NULL &&
		ssl->X509_add_ext(cert, extension, -1) == 1;

	ssl->X509_EXTENSION_free(extension);
	return added;
}

/* Adds the extensions that RFC 5280, or a strict client, wants. */
static bool
extend(const struct rt_openssl *ssl, X509 *cert, X509 *issuer,
	const struct plan *plan)
{
	const struct {
		int nid;
		const char *value;
	} extensions[] = {
		{NID_basic_constraints,
			plan->ca ? "critical,CA:TRUE" : "critical,CA:FALSE"},
		{NID_key_usage,
			plan->ca ? "critical,keyCertSign,cRLSign" :
				   "critical,digitalSignature"},
		{NID_ext_key_usage, plan->use},
		{NID_subject_key_identifier, "hash"},
		{NID_authority_key_identifier, "keyid:always"},
		{NID_subject_alt_name, plan->names},
	};
	X509V3_CTX context = {.flags = 0};
	bool ok = true;

	ssl->X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
		if (ok && extensions[i].value != NULL)
			ok = add_extension(ssl, cert, &context,
				extensions[i].nid, extensions[i].value);
	return ok;
}

/* Gives it a serial number that no other certificate has. */
static bool
number(const struct rt_openssl *ssl, X509 *cert)
{
	uint64_t serial;

	if (ssl->RAND_bytes((unsigned char *)&serial, sizeof serial) != 1)
		return false;
	serial >>= 1;
	return ssl->ASN1_INTEGER_set_uint64(ssl->X509_get_serialNumber(cert),
		       serial | 1) == 1;
}

/* Fills in everything but the signature; `issuer` is `cert` itself for a CA. */
static bool
fill(const struct rt_openssl *ssl, const struct cert *cert,
	const struct cert *issuer, const struct plan *plan)
{
	X509 *x509 = cert->x509;
	X509_NAME *name = ssl->X509_get_subject_name(x509);

	return ssl->X509_set_version(x509, X509_VERSION_3) == 1 &&
		number(ssl, x509) &&
		ssl->ASN1_TIME_set(ssl->X509_getm_notBefore(x509),
			(time_t)plan->from) != NULL &&
		ssl->ASN1_TIME_set(ssl->X509_getm_notAfter(x509),
			(time_t)plan->until) != NULL &&
		ssl->X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
			(const unsigned char *)plan->name, -1, -1, 0) == 1 &&
		ssl->X509_set_issuer_name(x509,
			ssl->X509_get_subject_name(issuer->x509)) == 1 &&
		ssl->X509_set_pubkey(x509, cert->key) == 1 &&
		extend(ssl, x509, issuer->x509, plan);
}

/* Makes a certificate that `issuer` signs, or itself if that is NULL. On
   failure the caller frees what there is of it. */
static bool
make(const struct rt_openssl *ssl, struct cert *cert, const struct cert *issuer,
	const struct plan *plan)
{
	if (issuer == NULL)
		issuer = cert;
	cert->x509 = ssl->X509_new();
	cert->key = plan->weak ?
		ssl->EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)WEAK_BITS) :
		ssl->EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	return cert->x509 != NULL && cert->key != NULL &&
		fill(ssl, cert, issuer, plan) &&
		ssl->X509_sign(cert->x509, issuer->key, ssl->EVP_sha256()) > 0;
}

/* --- names --- */

/* Adds a host as a Host field has it, "NAME", "NAME:PORT" or "[::1]:PORT",
   without the port and the brackets. */
static void
add_name(struct rt_buf *names, const char *host)
{
	bool bracketed = *host == '[';
	const char *colon = strrchr(host, ':');
	size_t size = bracketed ? strcspn(++host, "]") : strlen(host);
	unsigned char address[16];
	char text[256];

	if (!bracketed && colon != NULL && strchr(host, ':') == colon)
		size = (size_t)(colon - host);
	if (size == 0 || size >= sizeof text)
		return;
	memcpy(text, host, size);
	text[size] = '\0';
	rt_buf_add_format(names, "%s%s:%s", names->len > 0 ? "," : "",
		inet_pton(AF_INET, text, address) == 1 ||
				inet_pton(AF_INET6, text, address) == 1 ?
			"IP" :
			"DNS",
		text);
}

/* Refuses characters that OpenSSL gives a meaning; no host name has them. */
static int
check_names(const char *const *hosts, char *error)
{
	size_t size = 0;

	for (; *hosts != NULL; hosts++) {
		if ((*hosts)[strcspn(*hosts, ",;= \t\"\\@")] != '\0')
			return rt_fail(error, -EINVAL,
				"hosts: '%.100s' cannot stand in a certificate",
				*hosts);
		size += strlen(*hosts);
	}
	return size <= MAX_HOSTS ?
		0 :
		rt_fail(error, -EINVAL,
			"hosts: expected at most %d bytes for a certificate",
			MAX_HOSTS);
}

/* Lists the names of this machine, and `hosts`. NULL: no memory. */
static const char *
list_names(struct rt_buf *names, const char *const *hosts)
{
	static const char *const own[] = {"localhost", "127.0.0.1", "::1"};

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		add_name(names, own[i]);
	for (; *hosts != NULL; hosts++)
		add_name(names, *hosts);
	return rt_buf_text(names);
}

/* --- the CA and the server's own --- */

static char *
write_pem(const struct rt_openssl *ssl, X509 *cert)
{
	BIO *to = ssl->BIO_new(ssl->BIO_s_mem());
	char *text = NULL;
	size_t size;

	if (to != NULL && ssl->PEM_write_bio_X509(to, cert) == 1) {
		size = ssl->BIO_ctrl_pending(to);
		text = malloc(size + 1);
		if (text != NULL) {
			(void)ssl->BIO_read(to, text, (int)size);
			text[size] = '\0';
		}
	}
	ssl->BIO_free(to);
	return text;
}

/* Makes a CA that `issuer` signs, or itself if that is NULL. Each CA has
   another name, because a client may know several. */
static bool
make_ca(const struct rt_openssl *ssl, struct cert *ca,
	const struct cert *issuer, int64_t now)
{
	unsigned char bytes[4];
	char name[64];
	struct plan plan = {
		.name = name,
		.ca = true,
		.from = now - BEFORE,
		.until = now + CA_DAYS * DAY,
	};

	if (ssl->RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	(void)snprintf(name, sizeof name, "retort test CA %02x%02x%02x%02x",
		bytes[0], bytes[1], bytes[2], bytes[3]);
	return make(ssl, ca, issuer, &plan);
}

static bool
use(struct rt_tls_server *server, const struct cert *leaf)
{
	const struct rt_openssl *ssl = &server->ssl;

	return ssl->SSL_CTX_use_certificate(server->context, leaf->x509) == 1 &&
		ssl->SSL_CTX_use_PrivateKey(server->context, leaf->key) == 1;
}

/* --- faults --- */

static enum fault
find_fault(const char *name)
{
	enum fault fault = NO_FAULT;

	while (name != NULL && fault < FAULTS &&
		strcmp(fault_names[fault], name) != 0)
		fault++;
	return fault;
}

/* Plans a mistake in the contents of the certificate. */
static void
spoil_plan(struct plan *plan, enum fault fault, int64_t now)
{
	switch (fault) {
	case EXPIRED:
		plan->from = now - 30 * DAY;
		plan->until = now - DAY;
		break;
	case NOT_YET_VALID:
		plan->from = now + DAY;
		break;
	case WRONG_HOST:
		plan->name = "wrong.invalid";
		plan->names = "DNS:wrong.invalid";
		break;
	case NO_NAMES:
		plan->names = NULL;
		break;
	case WRONG_USE:
		plan->use = "clientAuth";
		break;
	case WEAK_KEY:
		plan->weak = true;
		break;
	default: /* of its signature */
		break;
	}
}

/* Changes one bit of the signature, where it stays well-formed. */
static void
spoil_signature(const struct rt_openssl *ssl, X509 *cert)
{
	const ASN1_BIT_STRING *signature;
	unsigned char *bytes;

	ssl->X509_get0_signature(&signature, NULL, cert);
	bytes = (unsigned char *)(uintptr_t)ssl->ASN1_STRING_get0_data(
		signature);
	bytes[ssl->ASN1_STRING_length(signature) - 1] ^= 1;
}

/* --- both certificates --- */

/* Makes the certificate of the server. The CA that clients trust signs it or,
   if the fault says so, another one. */
static bool
make_leaf(const struct rt_openssl *ssl, struct cert *leaf,
	const struct cert *ca, const struct plan *plan, enum fault fault,
	int64_t now)
{
	struct cert other = {NULL, NULL};
	const struct cert *issuer = ca;
	bool made = true;

	if (fault == UNKNOWN_ISSUER || fault == NO_INTERMEDIATE) {
		made = make_ca(ssl, &other,
			fault == NO_INTERMEDIATE ? ca : NULL, now);
		issuer = &other;
	}
	if (fault == SELF_SIGNED)
		issuer = NULL;
	made = made && make(ssl, leaf, issuer, plan);
	if (made && fault == BAD_SIGNATURE)
		spoil_signature(ssl, leaf->x509);
	free_cert(ssl, &other);
	return made;
}

/* Makes the CA and the certificate. False: OpenSSL says why. */
static bool
make_both(struct rt_tls_server *server, const char *names, enum fault fault,
	int64_t now)
{
	const struct rt_openssl *ssl = &server->ssl;
	struct cert ca = {NULL, NULL}, leaf = {NULL, NULL};
	struct plan plan = {
		.name = "localhost",
		.names = names,
		.use = "serverAuth",
		.from = now - BEFORE,
		.until = now + LEAF_DAYS * DAY,
	};

	spoil_plan(&plan, fault, now);
	if (make_ca(ssl, &ca, NULL, now) &&
		make_leaf(ssl, &leaf, &ca, &plan, fault, now) &&
		use(server, &leaf))
		server->ca = write_pem(ssl, ca.x509);
	free_cert(ssl, &leaf);
	free_cert(ssl, &ca);
	return server->ca != NULL;
}

static int
refuse_fault(const char *name, char *error)
{
	char names[160] = "";

	/* "none" comes last */
	for (int n = 1; n <= FAULTS; n++) {
		size_t used = strlen(names);

		(void)snprintf(names + used, sizeof names - used, "%s%s",
			used > 0 ? ", " : "", fault_names[n % FAULTS]);
	}
	return rt_fail(error, -EINVAL,
		"tls_cert_fault '%.40s': expected one of %s", name, names);
}

int
rt_tls_certify(struct rt_tls_server *server,
	const struct retort_options *options, int64_t now, char *error)
{
	enum fault fault = find_fault(options->tls_cert_fault);
	const char **hosts, *names;
	struct rt_buf text;
	int code;

	if (fault == FAULTS)
		return refuse_fault(options->tls_cert_fault, error);
	hosts = rt_text_lines(options->hosts ? options->hosts : "");
	if (hosts == NULL)
		return rt_fail_errno(error, -ENOMEM, "tls: certificate");
	rt_buf_init(&text, MAX_NAMES);
	code = check_names(hosts, error);
	if (code == 0) {
		names = list_names(&text, hosts);
		if (names == NULL || !make_both(server, names, fault, now))
			code = rt_fail(error, -ENOMEM, "tls: certificate: %s",
				names ? rt_openssl_why(&server->ssl) :
					strerror(ENOMEM));
	}
	server->ssl.ERR_clear_error();
	rt_buf_free(&text);
	free(hosts);
	return code;
}
