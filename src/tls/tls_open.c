/* SPDX-License-Identifier: MIT */
/* Opens what all connections of a server share: OpenSSL, and its options. */
#include "config.h"

#include "tls/tls_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* Sessions are resumed by the server that began them. */
static const unsigned char session_context[] = "retort";

/* Reports OpenSSL's error about `what`. */
static int
fail(const struct rt_tls_server *server, char *error, const char *what,
	const char *name)
{
	int code = rt_fail(error, -EINVAL, "%s%s%.100s%s: %s", what,
		name ? " '" : "", name ? name : "", name ? "'" : "",
		rt_openssl_why(&server->ssl));

	server->ssl.ERR_clear_error();
	return code;
}

/* --- the options --- */

static int
check(const struct retort_options *options, char *error)
{
	if (options->protocol == RETORT_UDP)
		return rt_fail(error, -EINVAL,
			"tls: expected RETORT_HTTP or RETORT_TCP");
	if ((options->tls_cert == NULL) != (options->tls_key == NULL))
		return rt_fail(error, -EINVAL,
			"tls_cert, tls_key: expected both or neither");
	if (options->tls_cert != NULL && options->tls_cert_fault != NULL)
		return rt_fail(error, -EINVAL,
			"tls_cert_fault: expected no tls_cert");
	if (options->tls_min > RETORT_TLS_1_3 ||
		options->tls_max > RETORT_TLS_1_3)
		return rt_fail(error, -EINVAL,
			"tls_min, tls_max: expected RETORT_TLS_1_0 to _1_3");
	if (options->tls_max != RETORT_TLS_DEFAULT &&
		options->tls_max < options->tls_min)
		return rt_fail(error, -EINVAL,
			"tls_max: it is older than the oldest version");
	if (options->tls_client > RETORT_TLS_CLIENT_REQUIRED)
		return rt_fail(error, -EINVAL,
			"tls_client: expected RETORT_TLS_CLIENT_NOT, "
			"_WANTED or _REQUIRED");
	if (options->tls_client_ca != NULL &&
		options->tls_client == RETORT_TLS_CLIENT_NOT)
		return rt_fail(error, -EINVAL,
			"tls_client_ca: expected tls_client, too");
	return 0;
}

/* Selects HTTP/1.1, the only protocol that there is. */
static int
select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
	const unsigned char *in, unsigned size, void *arg)
{
	static const char own[] = "http/1.1";

	(void)ssl;
	(void)arg;
	for (unsigned i = 0; i < size; i += 1u + in[i])
		if (in[i] == sizeof own - 1 && i + in[i] < size &&
			memcmp(in + i + 1, own, sizeof own - 1) == 0) {
			*out = in + i + 1;
			*out_size = sizeof own - 1;
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static long
version_of(enum retort_tls_version version, long otherwise)
{
	static const long versions[] = {
		[RETORT_TLS_1_0] = TLS1_VERSION,
		[RETORT_TLS_1_1] = TLS1_1_VERSION,
		[RETORT_TLS_1_2] = TLS1_2_VERSION,
		[RETORT_TLS_1_3] = TLS1_3_VERSION,
	};

	return version == RETORT_TLS_DEFAULT ? otherwise : versions[version];
}

/* The oldest version: tls_min, or tls_max if that is older. */
static long
least_version(const struct retort_options *options)
{
	long least = version_of(options->tls_min, TLS1_2_VERSION);
	long most = version_of(options->tls_max, TLS1_3_VERSION);

	return least < most ? least : most;
}

/* Ignores the security policy of the system, which is not meant for tests: the
   options of the server decide. */
static int
set_versions(struct rt_tls_server *server, const struct retort_options *options,
	char *error)
{
	const struct rt_openssl *ssl = &server->ssl;
	SSL_CTX *context = server->context;

	ssl->SSL_CTX_set_security_level(context, 0);
	if (ssl->SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION,
		    least_version(options), NULL) != 1 ||
		ssl->SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION,
			version_of(options->tls_max, 0), NULL) != 1 ||
		ssl->SSL_CTX_set_cipher_list(context, "DEFAULT") != 1)
		return fail(server, error, "tls_min, tls_max", NULL);
	return 0;
}

/* Any name will do. A session keeps one that was taken, for the connection that
   resumes it in TLS 1.2. */
static int
take_name(SSL *connection, int *alert, void *arg)
{
	(void)connection;
	(void)alert;
	(void)arg;
	return SSL_TLSEXT_ERR_OK;
}

static void
set_modes(struct rt_tls_server *server, const struct retort_options *options)
{
	const struct rt_openssl *ssl = &server->ssl;
	SSL_CTX *context = server->context;

	(void)ssl->SSL_CTX_set_options(context,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	(void)ssl->SSL_CTX_ctrl(context, SSL_CTRL_MODE, SSL_MODE_NO_AUTO_CHAIN,
		NULL);
	(void)ssl->SSL_CTX_set_session_id_context(context, session_context,
		sizeof session_context - 1);
	(void)ssl->SSL_CTX_callback_ctrl(context,
		SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, (void (*)(void))take_name);
	if (options->protocol == RETORT_HTTP)
		ssl->SSL_CTX_set_alpn_select_cb(context, select_alpn, NULL);
}

/* --- certificates --- */

/* Nobody is asked for a password. */
static int
have_no_password(char *password, int size, int writing, void *arg)
{
	(void)password;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int
use_files(struct rt_tls_server *server, const struct retort_options *options,
	char *error)
{
	const struct rt_openssl *ssl = &server->ssl;
	SSL_CTX *context = server->context;

	ssl->SSL_CTX_set_default_passwd_cb(context, have_no_password);
	if (ssl->SSL_CTX_use_certificate_chain_file(context,
		    options->tls_cert) != 1)
		return fail(server, error, "tls_cert", options->tls_cert);
	/* this compares the two */
	if (ssl->SSL_CTX_use_PrivateKey_file(context, options->tls_key,
		    SSL_FILETYPE_PEM) != 1)
		return fail(server, error, "tls_key", options->tls_key);
	return 0;
}

/* Accepts any certificate. */
static int
take_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static int
trust_file(struct rt_tls_server *server, const char *file, int64_t now,
	char *error)
{
	const struct rt_openssl *ssl = &server->ssl;
	X509_VERIFY_PARAM *param;

	if (ssl->SSL_CTX_load_verify_file(server->context, file) != 1)
		return fail(server, error, "tls_client_ca", file);
	param = ssl->X509_VERIFY_PARAM_new();
	if (param == NULL)
		return rt_fail_errno(error, -ENOMEM, "tls_client_ca");
	ssl->X509_VERIFY_PARAM_set_time(param, (time_t)now);
	(void)ssl->X509_STORE_set1_param(ssl->SSL_CTX_get_cert_store(
						 server->context),
		param);
	ssl->X509_VERIFY_PARAM_free(param);
	ssl->SSL_CTX_set_client_CA_list(server->context,
		ssl->SSL_load_client_CA_file(file));
	return 0;
}

static int
ask_clients(struct rt_tls_server *server, const struct retort_options *options,
	int64_t now, char *error)
{
	int mode = SSL_VERIFY_PEER;

	if (options->tls_client == RETORT_TLS_CLIENT_NOT)
		return 0;
	if (options->tls_client == RETORT_TLS_CLIENT_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	server->ssl.SSL_CTX_set_verify(server->context, mode,
		options->tls_client_ca ? NULL : take_any);
	return options->tls_client_ca == NULL ?
		0 :
		trust_file(server, options->tls_client_ca, now, error);
}

/* --- the server --- */

static int
open_context(struct rt_tls_server *server, const struct retort_options *options,
	int64_t now, char *error)
{
	const struct rt_openssl *ssl = &server->ssl;
	int code = rt_openssl_load(&server->ssl, "tls", error);

	if (code < 0)
		return code;
	server->context = ssl->SSL_CTX_new(ssl->TLS_server_method());
	if (server->context == NULL)
		return fail(server, error, "tls", NULL);
	set_modes(server, options);
	code = set_versions(server, options, error);
	if (code == 0)
		code = options->tls_cert != NULL ?
			use_files(server, options, error) :
			rt_tls_certify(server, options, now, error);
	if (code == 0)
		code = ask_clients(server, options, now, error);
	if (code == 0 && options->tls_keylog != NULL)
		code = rt_tls_log_keys(server, options->tls_keylog, error);
	return code;
}

int
rt_tls_open(struct rt_tls_server **opened, const struct retort_options *options,
	int64_t now, char *error)
{
	struct rt_tls_server *server;
	int code = check(options, error);

	if (code < 0)
		return code;
	server = calloc(1, sizeof *server);
	if (server == NULL)
		return rt_fail_errno(error, -ENOMEM, "tls");
	server->keylog = -1;
	code = open_context(server, options, now, error);
	if (code < 0)
		rt_tls_close(server);
	else
		*opened = server;
	return code;
}

void
rt_tls_close(struct rt_tls_server *server)
{
	if (server == NULL)
		return;
	if (server->context != NULL)
		server->ssl.SSL_CTX_free(server->context);
	rt_openssl_unload(&server->ssl);
	if (server->keylog >= 0)
		(void)close(server->keylog);
	free(server->ca);
	free(server);
}

void
rt_tls_note_ends(struct rt_tls_server *server, struct rt_buf *ends)
{
	server->ends = ends;
}

const char *
rt_tls_ca(const struct rt_tls_server *server)
{
	return server ? server->ca : NULL;
}
