/* SPDX-License-Identifier: MIT */
/* Tests of match: logins by Basic and by Digest. */
#include "config.h"

#include "support/harness.h"
#include "unit/matching.h"

#include <errno.h>
#include <string.h>

#define DIFFERS "login differs from rule 2: "

/* --- Basic --- */

#define B(field, ...) \
	.when = {.if_basic = "ada:secret"}, "GET /", field, NULL, 0, __VA_ARGS__

static const struct situation basics[] = {
	{B("Authorization: Basic YWRhOnNlY3JldA==", NULL)},
	{B("authorization: BASIC  YWRhOnNlY3JldA== ", NULL)},
	{B("Accept: a\nAuthorization: Basic YWRhOnNlY3JldA==", NULL)},
	{B("Accept: a", DIFFERS "no Authorization")},
	{B("Proxy-Authorization: Basic YWRhOnNlY3JldA==",
		DIFFERS "no Authorization")},
	{B("Authorization: Bearer YWRhOnNlY3JldA==",
		DIFFERS "expected scheme \"Basic\", got \"Bearer\"")},
	{B("Authorization: Basic YWRhOm90aGVy",
		DIFFERS "the password is another one")},
	{B("Authorization: Basic Ym9iOnNlY3JldA==",
		DIFFERS "expected user \"ada\", got \"bob\"")},
	{B("Authorization: Basic Og==",
		DIFFERS "expected user \"ada\", got \"\"")},
/* no base64 of a user and a password */
#define NO_BASIC DIFFERS "expected base64 of USER:PASSWORD"
	{B("Authorization: Basic", NO_BASIC)},
	{B("Authorization: ", DIFFERS "expected scheme \"Basic\", got \"\"")},
	{B("Authorization: Basic YWRh", NO_BASIC)},
	{B("Authorization: Basic ada:secret", NO_BASIC)},
	{B("Authorization: Basic YWRhOnNlY3JldA", NO_BASIC)},
	{B("Authorization: Basic YWRhOnNlY3JldA=", NO_BASIC)},
	{B("Authorization: Basic YWRhOnNlY3JldA==YWRh", NO_BASIC)},
	{B("Authorization: Basic YWRhOnNlY3JldA==, x", NO_BASIC)},
	{B("Authorization: Basic YWRhOnNlY3JldA=A", NO_BASIC)},
	{B("Authorization: Basic ====", NO_BASIC)},
	{B("Authorization: Basic A===", NO_BASIC)},
	/* colons and blanks belong to the password; bytes are any */
	{.when = {.if_basic = "ada:se:cret \n"},
		"GET /",
		"Authorization: Basic YWRhOnNlOmNyZXQg",
		.why = NULL},
	{.when = {.if_basic = ":"},
		"GET /",
		"Authorization: Basic Og==",
		.why = NULL},
	{.when = {.if_basic = "\xc3\xa4"
			      "da:secr\xc3\xa9t"},
		"GET /",
		"Authorization: Basic w6RkYTpzZWNyw6l0",
		.why = NULL},
	/* a proxy's */
	{.when = {.if_proxy_basic = "ada:secret"},
		"CONNECT x:443",
		"Proxy-Authorization: Basic YWRhOnNlY3JldA==",
		.why = NULL},
	{.when = {.if_proxy_basic = "ada:secret"},
		"CONNECT x:443",
		"Authorization: Basic YWRhOnNlY3JldA==",
		.why = DIFFERS "no Proxy-Authorization"},
	/* both at once */
	{.when = {.if_basic = "ada:secret", .if_proxy_basic = "bob:secret"},
		"GET http://x/",
		"Authorization: Basic YWRhOnNlY3JldA==\n"
		"Proxy-Authorization: Basic Ym9iOnNlY3JldA==",
		.why = NULL},
	{.when = {.if_basic = "ada:secret", .if_proxy_basic = "bob:secret"},
		"GET http://x/",
		"Authorization: Basic YWRhOnNlY3JldA==\n"
		"Proxy-Authorization: Basic YWRhOnNlY3JldA==",
		.why = DIFFERS "expected user \"bob\", got \"ada\""},
};

START_TEST(basic_logins)
{
	check_situation(&basics[_i]);
}
END_TEST

static const struct {
	struct retort_requests when;
	const char *error;
} malformed[] = {
	{{.if_basic = ""}, "if_basic: expected USER:PASSWORD"},
	{{.if_basic = "ada"}, "if_basic: expected USER:PASSWORD"},
	{{.if_basic = "ada:x\x7f"}, "if_basic: expected no control characters"},
	{{.if_basic = "ada:x\nbob:y"},
		"if_basic: 'bob:y': expected one line, USER:PASSWORD"},
	{{.if_proxy_basic = "ada"}, "if_proxy_basic: expected USER:PASSWORD"},
	{{.if_proxy_basic = "a:b", .if_proxy_digest = "a:b"},
		"if_proxy_digest: nothing can fit: Proxy-Authorization is "
		"by Basic or by Digest"},
	{{.if_digest = "ada"}, "if_digest: expected USER:PASSWORD"},
	{{.if_digest = "ada:x\nrealm"},
		"if_digest: 'realm': expected '=' at byte 5"},
	{{.if_digest = "ada:x\nrealm=\"a\", realm=b"},
		"if_digest: 'realm=\"a\", realm=b': expected each parameter "
		"once at byte 11"},
	{{.if_digest = "ada:x\nrealm=a\nqop=auth\r\nrealm=b"},
		"if_digest: 'realm=b': expected each parameter once at byte 0"},
	{{.if_digest = "ada:x\nnonce=n\nrealm=\"a\nqop=\"auth\""},
		"if_digest: 'realm=\"a': expected a quote that ends the value "
		"at byte 8"},
	{{.if_digest = "ada:x\nnonce=n\nrelm=a"},
		"if_digest: 'relm=a': expected realm, nonce, opaque, "
		"algorithm, qop, cnonce or nc"},
	{{.if_digest = "ada:x\nalgorithm=SHA-512\nrealm=a"},
		"if_digest: 'algorithm=SHA-512': expected an algorithm of MD5, "
		"SHA-256, MD5-sess, SHA-256-sess"},
	{{.if_digest = "ada:x\nrealm=a\nqop=auth-int"},
		"if_digest: 'qop=auth-int': expected a qop of auth"},
	{{.if_digest = "ada:x\nuri=\"/\""},
		"if_digest: 'uri=\"/\"': expected a challenge, without "
		"username, uri and response"},
	{{.if_digest = "ada:x\nusername=ada"},
		"if_digest: 'username=ada': expected a challenge, without "
		"username, uri and response"},
};

START_TEST(malformed_logins)
{
	fail_match(&malformed[_i].when);
	ck_assert_str_eq(error, malformed[_i].error);
}
END_TEST

START_TEST(challenges_are_limited)
{
	char text[5000] = "ada:x\n";

	memset(text + 6, ',', 4097);
	fail_match(&(struct retort_requests){.if_digest = text});
	ck_assert_str_eq(error,
		"if_digest: expected a challenge of at most 4096 bytes");
	text[6 + 4096] = '\0';
#ifdef RT_OPENSSL
	rt_match_free(new_match(&(struct retort_requests){.if_digest = text}));
#endif
}
END_TEST

START_TEST(only_http_has_logins)
{
	ck_assert_ptr_null(
		rt_match_new(&(struct retort_requests){.if_proxy_digest =
							       "a:b"},
			RETORT_TCP, error));
	ck_assert_str_eq(error,
		"if_proxy_digest: only a request of HTTP has it");
}
END_TEST

START_TEST(fields_are_limited)
{
	struct rt_match *match =
		new_match(&(struct retort_requests){.if_basic = "ada:secret"});
	char value[5000] = "Basic ";
	struct request request;
	struct rt_buf why;

	for (size_t i = 0; i < 2; i++) {
		const char *expected = i == 0 ?
			DIFFERS "expected user \"ada\", got \"\"" :
			DIFFERS "it has more than 4096 bytes";

		/* ":" and NULs */
		memset(value + 6, 'A', 4096 + 4 * i);
		memcpy(value + 6, "OgAA", 4);
		value[6 + 4096 + 4 * i] = '\0';
		make_request(&request, "GET /", "Authorization: x", NULL, 0);
		request.fields[0].value = value;
		rt_buf_init(&why, 1000);
		(void)rt_match_explain(match, &request.seen, "rule 2", &why);
		assert_bytes(why.data, why.len, expected, strlen(expected));
		rt_buf_free(&why);
	}
	rt_match_free(match);
}
END_TEST

/* --- Digest --- */

#ifdef RT_OPENSSL

#define CHALLENGE \
	"ada:secret\n" \
	"realm=\"users\", nonce=\"n1\", qop=\"auth,auth-int\"\n" \
	"algorithm=SHA-256, opaque=\"o\", domain=\"/\", stale=false"
#define FIELD(text) "Authorization: Digest " text
#define ADA "username=\"ada\", realm=\"users\", nonce=\"n1\", uri=\"/a?b\", "
#define AUTH "qop=auth, nc=00000001, cnonce=\"c\", "
#define MD5 "response=\"069f40b1785f70bd715b167750d79b5d\""
#define MD5_OLD "response=\"8b8feea048cfe4779180d82537341bb3\""
#define SHA256 \
	"response=" \
	"\"53275b4e82e2df924367104c7605d112ff49cd9f921a89a7fd53039a2c015ced\""
#define SHA256_OLD \
	"response=" \
	"\"28fc9923463f54a7dc783dfa13f7bb099c0156c5c663db8e9878156027f87cc5\""

#define D(field, ...) \
	.when = {.if_digest = "ada:secret"}, "GET /a?b", FIELD(field), NULL, \
	0, __VA_ARGS__
#define C(field, ...) \
	.when = {.if_digest = CHALLENGE}, "GET /a?b", FIELD(field), NULL, 0, \
	__VA_ARGS__

static const struct situation digests[] = {
	/* the example of RFC 2617 */
	{.when = {.if_digest = "Mufasa:Circle Of Life\n"
			       "realm=\"testrealm@host.com\", "
			       "qop=\"auth,auth-int\", "
			       "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
			       "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""},
		"GET /dir/index.html",
		FIELD("username=\"Mufasa\", realm=\"testrealm@host.com\", "
		      "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
		      "uri=\"/dir/index.html\", qop=auth, nc=00000001, "
		      "cnonce=\"0a4f113b\", "
		      "response=\"6629fae49393a05397450978507c4ef1\", "
		      "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""),
		.why = NULL},
	/* the algorithms */
	{D(ADA AUTH MD5, NULL)},
	{D(ADA MD5_OLD, NULL)},
	{D(ADA AUTH MD5 ",algorithm=MD5", NULL)},
	{D(ADA AUTH SHA256 ", algorithm=SHA-256", NULL)},
	{D(ADA SHA256_OLD ", algorithm=\"sha-256\"", NULL)},
	{D(ADA AUTH "algorithm=MD5-sess, "
		    "response=\"bd1c54e72431449631f17c78d6aca52b\"",
		NULL)},
	{D(ADA AUTH "algorithm=SHA-256-sess, response=\"f223e0dfb138dd2aa4afabf"
		    "3487597d57d6cf265866e929f9abc2bac5283b9ef\"",
		NULL)},
	{D(ADA AUTH SHA256,
		DIFFERS
		"expected by the password the response "
		"\"069f40b1785f70bd715b167750d79b5d\", got \"53275b4e82e2df924"
		"367104c7605d112ff49cd9f921a89a7fd53039a2c015ced\"")},
	{D(ADA AUTH MD5 ", algorithm=SHA-512",
		DIFFERS
		"expected algorithm \"MD5 or SHA-256\", got \"SHA-512\"")},
	/* however it is written */
	{D(",  uri = \"\\/a?b\" ,,username=ada, realm=users, nonce=n1, " AUTH
			MD5 ", x=y,",
		NULL)},
	{D("USERNAME=ada, Realm=users, nonce=n1, uri=\"/a?b\"," MD5_OLD, NULL)},
	{.when = {.if_digest = "ada:secret\nrealm=\"a\\\"b\\\\c\""},
		"GET /a?b",
		FIELD("username=ada, realm=\"a\\\"b\\\\c\", nonce=n1, "
		      "uri=\"/a?b\", "
		      "response=\"477a07f1aba2bbcc898459059653ac68\""),
		.why = NULL},
	/* what is missing, and what is wrong */
	{D("", DIFFERS "no parameter username")},
	{D("username=ada", DIFFERS "no parameter realm")},
	{D(ADA "x=y", DIFFERS "no parameter response")},
	{D(ADA MD5 ", qop=auth, nc=00000001", DIFFERS "no parameter cnonce")},
	{D(ADA MD5 ", qop=auth, cnonce=c", DIFFERS "no parameter nc")},
	{D(ADA MD5 ", algorithm=MD5-sess", DIFFERS "no parameter cnonce")},
	{D(ADA AUTH MD5 ", userhash=true",
		DIFFERS "expected the user's name, got its hash")},
	{D(ADA AUTH MD5 ", userhash=false", NULL)},
	{D(ADA MD5 ", qop=auth-int, nc=1, cnonce=c",
		DIFFERS "expected qop \"auth\", got \"auth-int\"")},
	{D("username=\"bob\", realm=users, nonce=n1, uri=\"/a?b\", " MD5_OLD,
		DIFFERS "expected user \"ada\", got \"bob\"")},
	{D("username=ada, realm=users, nonce=n1, uri=\"/a\", " MD5_OLD,
		DIFFERS "expected uri \"/a?b\", got \"/a\"")},
	{D("username=ada, realm=users, nonce=n2, uri=\"/a?b\", " MD5_OLD,
		DIFFERS "expected by the password the response "
			"\"362c6ddc4b362f54031991d8974adabe\", got "
			"\"8b8feea048cfe4779180d82537341bb3\"")},
	{D("username=\"ada",
		DIFFERS
		"malformed at byte 13: expected a quote that ends the value")},
	{D("username=\"ada\\",
		DIFFERS
		"malformed at byte 14: expected a quote that ends the value")},
	{D("username", DIFFERS "malformed at byte 8: expected '='")},
	{D("username=", DIFFERS "malformed at byte 9: expected a value")},
	{D("username=a b",
		DIFFERS "malformed at byte 11: expected ',' or the end")},
	{D("=a",
		DIFFERS
		"malformed at byte 0: expected the name of a parameter")},
	{D("nc=1, NC=2",
		DIFFERS "malformed at byte 6: expected each parameter once")},
	/* what the challenge has */
	{C(ADA AUTH SHA256 ", algorithm=SHA-256, opaque=\"o\"", NULL)},
	{C(ADA AUTH SHA256 ", algorithm=SHA-256",
		DIFFERS "expected opaque \"o\", got none")},
	{C(ADA AUTH SHA256 ", algorithm=SHA-256, opaque=p",
		DIFFERS "expected opaque \"o\", got \"p\"")},
	{C(ADA AUTH MD5 ", opaque=o",
		DIFFERS "expected algorithm \"SHA-256\", got none")},
	{C(ADA SHA256_OLD ", algorithm=SHA-256, opaque=o",
		DIFFERS "expected qop \"auth\", got none")},
	{C("username=ada, realm=people, nonce=n1, uri=\"/a?b\", " MD5_OLD,
		DIFFERS "expected realm \"users\", got \"people\"")},
	{C("username=ada, realm=users, nonce=n2, uri=\"/a?b\", " MD5_OLD,
		DIFFERS "expected nonce \"n1\", got \"n2\"")},
	{.when = {.if_digest = "ada:secret\nalgorithm=MD5\nnc=00000002"},
		"GET /a?b",
		FIELD(ADA AUTH MD5),
		.why = DIFFERS "expected nc \"00000002\", got \"00000001\""},
	{.when = {.if_digest = "ada:secret\nalgorithm=md5\ncnonce=c"},
		"GET /a?b",
		FIELD(ADA AUTH MD5),
		.why = NULL},
	/* another field, and another scheme */
	{.when = {.if_digest = "ada:secret"},
		"GET /",
		"Authorization: Basic YWRhOnNlY3JldA==",
		.why = DIFFERS "expected scheme \"Digest\", got \"Basic\""},
	{.when = {.if_proxy_digest = "ada:secret"},
		"GET /a?b",
		FIELD(ADA AUTH MD5),
		.why = DIFFERS "no Proxy-Authorization"},
/* of a proxy the URI is the target, or its path */
#define PROXY(uri, response) \
	"Proxy-Authorization: Digest username=ada, realm=users, nonce=n1, " \
	"uri=\"" uri "\", response=\"" response "\""
#define P(target, uri, response, ...) \
	.when = {.if_proxy_digest = "ada:secret"}, target, \
	PROXY(uri, response), NULL, 0, __VA_ARGS__
	{P("GET http://x/a", "/a", "f15852648318c1babfab0f156530fcfe", NULL)},
	{P("GET http://x/a", "http://x/a", "128825e067699f902c4515297c982956",
		NULL)},
	{P("GET http://x", "/", "999ba674b66313d1fdb28c8537aabe75", NULL)},
	{P("GET http://x/b", "/a", "f15852648318c1babfab0f156530fcfe",
		DIFFERS "expected uri \"http://x/b\", got \"/a\"")},
	{P("CONNECT x:443", "x:443", "48e09f45e92cb11419e849a23d99cc95", NULL)},
	{P("CONNECT x:443", "/", "48e09f45e92cb11419e849a23d99cc95",
		DIFFERS "expected uri \"x:443\", got \"/\"")},
};

START_TEST(digest_logins)
{
	check_situation(&digests[_i]);
}
END_TEST

START_TEST(describes_logins_without_passwords)
{
	check_description(&(struct retort_requests){.if_basic = "ada:secret",
				  .if_proxy_digest = "b\"b:secret\nrealm=x"},
		"any request, Authorization by Basic as \"ada\", "
		"Proxy-Authorization by Digest as \"b\\\"b\"");
}
END_TEST

#else

START_TEST(without_openssl)
{
	errno = 0;
	ck_assert_ptr_null(
		rt_match_new(&(struct retort_requests){.if_digest = "a:b"},
			RETORT_HTTP, error));
	ck_assert_int_eq(errno, ENOTSUP);
	ck_assert_str_eq(error, "if_digest: this was built without OpenSSL");
}
END_TEST

#endif

int
main(void)
{
	Suite *suite = suite_create("match");
	TCase *logins = tcase_create("logins");

	tcase_add_loop_test(logins, basic_logins, 0, COUNT(basics));
	tcase_add_loop_test(logins, malformed_logins, 0, COUNT(malformed));
	tcase_add_test(logins, challenges_are_limited);
	tcase_add_test(logins, only_http_has_logins);
	tcase_add_test(logins, fields_are_limited);
#ifdef RT_OPENSSL
	tcase_add_loop_test(logins, digest_logins, 0, COUNT(digests));
	tcase_add_test(logins, describes_logins_without_passwords);
#else
	tcase_add_test(logins, without_openssl);
#endif
	rt_test_case(suite, logins);
	return rt_test_run(suite);
}
