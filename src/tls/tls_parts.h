/* SPDX-License-Identifier: MIT */
/* Shared by the files of the room tls, the only ones that know OpenSSL. */
#ifndef RT_TLS_PARTS_H
#define RT_TLS_PARTS_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tls/tls.h"

/* The functions of OpenSSL that are called, of either library. */
#define RT_TLS_LIBSSL(F) \
	F(SSL_CIPHER_get_name) \
	F(SSL_CTX_callback_ctrl) \
	F(SSL_CTX_ctrl) \
	F(SSL_CTX_free) \
	F(SSL_CTX_get_cert_store) \
	F(SSL_CTX_load_verify_file) \
	F(SSL_CTX_new) \
	F(SSL_CTX_set_alpn_select_cb) \
	F(SSL_CTX_set_cipher_list) \
	F(SSL_CTX_set_client_CA_list) \
	F(SSL_CTX_set_default_passwd_cb) \
	F(SSL_CTX_set_keylog_callback) \
	F(SSL_CTX_set_options) \
	F(SSL_CTX_set_security_level) \
	F(SSL_CTX_set_session_id_context) \
	F(SSL_CTX_set_verify) \
	F(SSL_CTX_use_PrivateKey) \
	F(SSL_CTX_use_PrivateKey_file) \
	F(SSL_CTX_use_certificate) \
	F(SSL_CTX_use_certificate_chain_file) \
	F(SSL_clear_options) \
	F(SSL_do_handshake) \
	F(SSL_free) \
	F(SSL_get0_alpn_selected) \
	F(SSL_get1_peer_certificate) \
	F(SSL_get_current_cipher) \
	F(SSL_get_error) \
	F(SSL_get_servername) \
	F(SSL_get_version) \
	F(SSL_key_update) \
	F(SSL_load_client_CA_file) \
	F(SSL_new) \
	F(SSL_peek_ex) \
	F(SSL_read_ex) \
	F(SSL_renegotiate) \
	F(SSL_renegotiate_pending) \
	F(SSL_session_reused) \
	F(SSL_set_accept_state) \
	F(SSL_set_bio) \
	F(SSL_set_session_id_context) \
	F(SSL_set_shutdown) \
	F(SSL_set_ex_data) \
	F(SSL_shutdown) \
	F(SSL_version) \
	F(SSL_write_ex) \
	F(TLS_server_method)
#define RT_TLS_LIBCRYPTO(F) \
	F(ASN1_INTEGER_set_uint64) \
	F(ASN1_STRING_get0_data) \
	F(ASN1_STRING_length) \
	F(ASN1_TIME_set) \
	F(BIO_ctrl) \
	F(BIO_ctrl_pending) \
	F(BIO_free) \
	F(BIO_new) \
	F(BIO_read) \
	F(BIO_s_mem) \
	F(BIO_write) \
	F(ERR_clear_error) \
	F(ERR_peek_error) \
	F(ERR_reason_error_string) \
	F(EVP_DigestFinal_ex) \
	F(EVP_DigestInit_ex) \
	F(EVP_DigestUpdate) \
	F(EVP_MD_CTX_free) \
	F(EVP_MD_CTX_new) \
	F(EVP_PKEY_Q_keygen) \
	F(EVP_PKEY_free) \
	F(EVP_md5) \
	F(EVP_sha256) \
	F(PEM_write_bio_X509) \
	F(RAND_bytes) \
	F(X509V3_EXT_conf_nid) \
	F(X509V3_set_ctx) \
	F(X509_EXTENSION_free) \
	F(X509_NAME_add_entry_by_txt) \
	F(X509_NAME_print_ex) \
	F(X509_STORE_set1_param) \
	F(X509_VERIFY_PARAM_free) \
	F(X509_VERIFY_PARAM_new) \
	F(X509_VERIFY_PARAM_set_time) \
	F(X509_add_ext) \
	F(X509_free) \
	F(X509_get0_signature) \
	F(X509_get_serialNumber) \
	F(X509_get_subject_name) \
	F(X509_getm_notAfter) \
	F(X509_getm_notBefore) \
	F(X509_new) \
	F(X509_set_issuer_name) \
	F(X509_set_pubkey) \
	F(X509_set_subject_name) \
	F(X509_set_version) \
	F(X509_sign)

/* OpenSSL, loaded: its functions by their names. */
struct rt_openssl {
	void *libcrypto; /* as dlopen(3) has them */
	void *libssl;
#define RT_TLS_MEMBER(name) __typeof__(name) *(name);
	RT_TLS_LIBSSL(RT_TLS_MEMBER)
	RT_TLS_LIBCRYPTO(RT_TLS_MEMBER)
#undef RT_TLS_MEMBER
};

struct rt_tls_server {
	struct rt_openssl ssl;
	SSL_CTX *context;
	char *ca;                  /* PEM; NULL */
	int keylog;                /* a file; -1: none */
	struct rt_buf *ends;       /* of records: rt_tls_note_ends(); NULL */
	char wire[32u << 10];      /* where wire bytes are received */
	char plain[RT_TLS_RECORD]; /* where pieces become one record */
};

/* --- tls_load.c --- */

/* Loads OpenSSL. 0, or -ENOTSUP with a line in `error` that begins with
   `member`. */
int rt_openssl_load(struct rt_openssl *ssl, const char *member, char *error);
void rt_openssl_unload(struct rt_openssl *ssl);

/* A few words on what has gone wrong; they live for ever, unless the system has
   failed. */
const char *rt_openssl_why(const struct rt_openssl *ssl);

/* The connection that OpenSSL's is for, in callbacks that get nothing else. */
struct rt_tls *rt_openssl_owner(const SSL *connection);

/* --- tls_keylog.c --- */

/* From now on appends the secrets of connections to the file. 0, or -EINVAL
   with a line in `error`. */
int rt_tls_log_keys(struct rt_tls_server *server, const char *file,
	char *error);

/* --- tls_cert.c --- */

/*
 * Gives the server a certificate for localhost and the hosts of `options`, of a
 * CA of its own, both made now: s since the epoch; with `tls_cert_fault`. 0 or
 * -errno with a line in `error`.
 */
int rt_tls_certify(struct rt_tls_server *server,
	const struct retort_options *options, int64_t now, char *error);

#endif
