/* SPDX-License-Identifier: MIT */
/* Negotiation: tables of fields, and what the client prefers by them. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site/negotiate.h"
#include "unit/heads.h"

/* --- asking --- */

/* `expected` is their names, best first, with spaces between them. */
static void
expect_codings(const char *fields, const char *expected)
{
	struct head head = head_begin("GET", fields);
	const struct rt_content_coding *codings[RT_CODINGS] = {NULL};
	char got[256] = "";
	size_t count = rt_negotiate_codings(rt_http_request(head.http),
		head.text, codings);

	ck_assert_msg(count <= RT_CODINGS, "%zu codings: %s", count,
		shown(head.text, head.size));
	for (size_t i = 0; i < count; i++) {
		ck_assert_ptr_nonnull(codings[i]);
		(void)snprintf(got + strlen(got), sizeof got - strlen(got),
			"%s%s", i == 0 ? "" : " ", codings[i]->name);
	}
	ck_assert_msg(strcmp(got, expected) == 0,
		"expected \"%s\", got \"%s\": %s", expected, got,
		shown(head.text, head.size));
	head_end(&head);
}

/* --- codings --- */

/* clang-format off */
static const struct {
	const char *value; /* of Accept-Encoding */
	const char *expected;
} codings[] = {
	{"", ""},
	{"gzip", "gzip"},
	{"br", "br"},
	{"zstd", "zstd"},
	{"gzip, deflate, br, zstd", "br zstd gzip"},
	{"gzip, deflate, br", "br gzip"},
	{"gzip, deflate", "gzip"},
	{"zstd,gzip,br", "br zstd gzip"},
	{"identity", ""},
	{"deflate", ""},
	{"compress", ""},
	{"deflate, compress, bzip2, dcb, dcz, x-unknown", ""},
	/* names are whole, and in any case */
	{"GZIP", "gzip"},
	{"Br, ZSTD, gZip", "br zstd gzip"},
	{"gzi", ""},
	{"gzipp", ""},
	{"brotli", ""},
	{"b", ""},
	{"zst", ""},
	{"xgzip", ""},
	{"x-br", ""},
	{"x-zstd", ""},
	{"x-gzip", "gzip"},
	{"X-GZip", "gzip"},
	{"x-gzip;q=0.5, br;q=0.4", "gzip br"},
	{"x-gzip;q=0", ""},
	{"gzip, x-gzip", "gzip"},
	{"gzip;q=0.5, x-gzip;q=0.5", "gzip"},
	/* weights */
	{"gzip;q=1", "gzip"},
	{"gzip;q=1.", "gzip"},
	{"gzip;q=1.0", "gzip"},
	{"gzip;q=1.00", "gzip"},
	{"gzip;q=1.000", "gzip"},
	{"gzip;q=0.5", "gzip"},
	{"gzip;q=0.05", "gzip"},
	{"gzip;q=0.001", "gzip"},
	{"gzip;q=0", ""},
	{"gzip;q=0.", ""},
	{"gzip;q=0.0", ""},
	{"gzip;q=0.00", ""},
	{"gzip;q=0.000", ""},
	{"gzip;q=0, br", "br"},
	{"gzip;Q=0", ""},
	{"gzip;Q=0.7", "gzip"},
	{"gzip; q=0.5", "gzip"},
	{"gzip ;q=0.5", "gzip"},
	{"gzip \t; \tq=0.5", "gzip"},
	{"gzip ; q=0", ""},
	{"gzip\t;\tq=0\t, br", "br"},
	{"gzip;q=1.0, br;q=0.9", "gzip br"},
	{"gzip;q=0.9, br;q=0.8, zstd;q=0.7", "gzip br zstd"},
	{"gzip;q=0.8, br;q=0.7, zstd;q=0.9", "zstd gzip br"},
	{"gzip;q=0.8, br;q=0.9, zstd;q=0.8", "br zstd gzip"},
	{"zstd;q=0.8, gzip;q=0.9, br;q=0.8", "gzip br zstd"},
	{"gzip;q=0.002, br;q=0.001", "gzip br"},
	{"gzip;q=0.1, br;q=0.09", "gzip br"},
	{"gzip;q=0.10, br;q=0.1", "br gzip"},
	{"gzip;q=1, br;q=0.999", "gzip br"},
	{"gzip;q=1.000, br;q=1", "br gzip"},
	{"br;q=0.5, gzip", "gzip br"},
	/* malformed: the member is passed over */
	{"gzip;q=", ""},
	{"gzip;q", ""},
	{"gzip;q=2", ""},
	{"gzip;q=10", ""},
	{"gzip;q=01", ""},
	{"gzip;q=00.5", ""},
	{"gzip;q=1.1", ""},
	{"gzip;q=1.5", ""},
	{"gzip;q=1.001", ""},
	{"gzip;q=1.0000", ""},
	{"gzip;q=0.0000", ""},
	{"gzip;q=0.1234", ""},
	{"gzip;q=.5", ""},
	{"gzip;q=.", ""},
	{"gzip;q=-1", ""},
	{"gzip;q=-0.5", ""},
	{"gzip;q=+0.5", ""},
	{"gzip;q=0x1", ""},
	{"gzip;q=0.5e0", ""},
	{"gzip;q=0.5x", ""},
	{"gzip;q=0.x", ""},
	{"gzip;q=1x", ""},
	{"gzip;q=1 x", ""},
	{"gzip;q=\"1\"", ""},
	{"gzip;q=\"0.5\"", ""},
	{"gzip;q=99999999999999999999", ""},
	{"gzip;q =1", ""},
	{"gzip;q= 1", ""},
	{"gzip;q = 1", ""},
	{"gzip;qq=1", ""},
	{"gzip;q=1;q=1", ""},
	{"gzip;q=0.5;x=1", ""},
	{"gzip;level=9", ""},
	{"gzip;level=9;q=1", ""},
	{"gzip q=1", ""},
	{"gzip=1", ""},
	{"gzip br", ""},
	{"gzip/br", ""},
	{"\"gzip\"", ""},
	{"(gzip)", ""},
	{";q=1", ""},
	{"=gzip", ""},
	{"gzip\xff", ""},
	{"gzip;q=2, br", "br"},
	{"br, gzip;q=2", "br"},
	{"zstd, gzip br, br", "br zstd"},
	{"gzip;q=0,5", ""},
	{"gzip;q=0,5, br;q=0,8", ""},
	{"gzip;q=1,5, br;q=1,8", "br gzip"},
	/* as though it were not there */
	{"gzip;q=2, *", "br zstd gzip"},
	{"gzip;q=0.0000, *;q=0.5", "br zstd gzip"},
	{"gzip, identity;q=7", "gzip"},
	{"*;q=2, gzip", "gzip"},
	/* white space and members that are empty */
	{",", ""},
	{",gzip", "gzip"},
	{"gzip,", "gzip"},
	{", ,, gzip , ,\t,br ,", "br gzip"},
	{"gzip\t,\tbr", "br gzip"},
	/* the star: what is not named */
	{"*", "br zstd gzip"},
	{"*;q=1", "br zstd gzip"},
	{"*;q=0.5", "br zstd gzip"},
	{"* ; q=0.001", "br zstd gzip"},
	{"*;q=0", ""},
	{"*;q=0.0", ""},
	{"gzip, *;q=0", "gzip"},
	{"*;q=0, gzip", "gzip"},
	{"*, br;q=0", "zstd gzip"},
	{"br;q=0, *", "zstd gzip"},
	{"*, x-gzip;q=0", "br zstd"},
	{"gzip;q=0.5, *;q=0.4", "gzip br zstd"},
	{"gzip;q=0.5, *;q=0.6", "br zstd gzip"},
	{"zstd;q=0.9, *;q=0.5, br;q=0.1", "zstd gzip br"},
	{"zstd;q=0, br;q=0, gzip;q=0, *", ""},
	{"deflate, *", "br zstd gzip"},
	{"**", ""},
	{"*/*", ""},
	{"*gzip", ""},
	{"gzip*", ""},
	/* identity, where it is named */
	{"identity, gzip", "gzip"},
	{"gzip, identity;q=0.5", "gzip"},
	{"gzip;q=0.5, identity;q=0.5", "gzip"},
	{"gzip;q=0.5, identity", ""},
	{"gzip;q=0.5, identity;q=0.6", ""},
	{"gzip;q=0.599, identity;q=0.6", ""},
	{"gzip;q=0.6, identity;q=0.599", "gzip"},
	{"identity;q=0.5, br;q=0.4, gzip;q=0.6", "gzip"},
	{"identity;q=0.5, br;q=0.5, gzip;q=0.6, zstd;q=0.1", "gzip br"},
	{"identity;q=0", ""},
	{"identity;q=0, gzip;q=0.001", "gzip"},
	{"identity;q=0, gzip;q=0", ""},
	{"identity;q=0, *;q=0", ""},
	{"IDENTITY;q=0.5, gzip;q=0.4", ""},
	{"identity;q=0.5, *;q=0.4", ""},
	{"identity;q=0.5, *;q=0.5", "br zstd gzip"},
	{"identity;q=0.5, *;q=0.4, gzip;q=0.7", "gzip"},
	{"gzip;q=0.3, *;q=0.8", "br zstd gzip"},
	{"identity;q=1, *;q=0", ""},
	/* what clients send */
	{"gzip, deflate, br;q=1.0, *;q=0.5", "br gzip zstd"},
	{"gzip;q=1.0, identity; q=0.5, *;q=0", "gzip"},
	{"compress;q=0.5, gzip;q=1.0", "gzip"},
	{"identity;q=1, *;q=0.001", ""},
	{"gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "gzip"},
};
/* clang-format on */

START_TEST(codings_of_a_field)
{
	char fields[512];

	(void)snprintf(fields, sizeof fields, "Accept-Encoding: %s\r\n",
		codings[_i].value);
	expect_codings(fields, codings[_i].expected);
}
END_TEST

static const struct {
	const char *fields;
	const char *expected;
} coding_fields[] = {
	{"", ""},
	{"Accept: gzip, br\r\n", ""},
	{"Content-Encoding: gzip\r\n", ""},
	{"Accept-Encodings: gzip\r\n", ""},
	{"TE: gzip\r\n", ""},
	{"aCCEPT-eNCODING: gzip\r\n", "gzip"},
	{"Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n", "br gzip"},
	{"Accept-Encoding: gzip\r\nX: zstd\r\naccept-encoding: br;q=0.5\r\n",
		"gzip br"},
	{"Accept-Encoding:\r\nAccept-Encoding: br\r\n", "br"},
	{"Accept-Encoding: br\r\nAccept-Encoding:\r\n", "br"},
	{"Accept-Encoding: *\r\nAccept-Encoding: br;q=0\r\n", "zstd gzip"},
	{"Accept-Encoding: br;q=0\r\nAccept-Encoding: *\r\n", "zstd gzip"},
	{"Accept-Encoding: gzip;q=0.5\r\nAccept-Encoding: identity\r\n", ""},
	{"Accept-Encoding: gzip;q=\r\nAccept-Encoding: 0.5, br\r\n", "br"},
	{"Accept-Encoding: \"a\r\nAccept-Encoding: br\r\n", "br"},
};

START_TEST(codings_of_fields)
{
	expect_codings(coding_fields[_i].fields, coding_fields[_i].expected);
}
END_TEST

START_TEST(codings_have_their_suffix)
{
	static const char *const suffixes[] = {".br", ".zst", ".gz"};
	struct head head = head_begin("GET", "Accept-Encoding: *\r\n");
	const struct rt_content_coding *got[RT_CODINGS];

	ck_assert_uint_eq(rt_negotiate_codings(rt_http_request(head.http),
				  head.text, got),
		RT_CODINGS);
	for (int i = 0; i < RT_CODINGS; i++)
		ck_assert_str_eq(got[i]->suffix, suffixes[i]);
	head_end(&head);
}
END_TEST

/* A coding is offered once, whatever its two weights come to. */
START_TEST(codings_named_twice)
{
	static const char *const twice[] = {"gzip;q=0.2, gzip;q=0.8",
		"gzip;q=0.8, gzip;q=0.2", "gzip, x-gzip;q=0.5, GZIP;q=0.1"};
	char fields[128];

	for (int i = 0; i < COUNT(twice); i++) {
		(void)snprintf(fields, sizeof fields, "Accept-Encoding: %s\r\n",
			twice[i]);
		expect_codings(fields, "gzip");
	}
}
END_TEST

/* --- text/html --- */

#define CHROMIUM \
	"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif," \
	"image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;" \
	"q=0.7"
#define FIREFOX \
	"text/html,application/xhtml+xml,application/xml;q=0.9," \
	"image/avif,image/webp,*/*;q=0.8"
#define SAFARI "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

static const struct {
	const char *value; /* of Accept */
	bool html;
} accepts[] = {
	{"", false},
	{"text/html", true},
	{"TEXT/HTML", true},
	{"Text/Html", true},
	{"text/plain, text/html", true},
	{"text/html, text/plain", true},
	{"text/plain,text/html,image/png", true},
	{" \ttext/html\t ", true},
	{", ,,text/html,,", true},
	{"text/plain\t,\ttext/html\t,x/y", true},
	{"*/*, text/html", true},
	{"application/xhtml+xml, text/html", true},
	/* other names */
	{"*/*", false},
	{"text/*", false},
	{"*", false},
	{"*/html", false},
	{"text/htm", false},
	{"text/htmlx", false},
	{"text/html5", false},
	{"xtext/html", false},
	{"text/x-html", false},
	{"text/html+xml", false},
	{"application/html", false},
	{"application/xhtml+xml", false},
	{"application/xhtml+xml, application/xml", false},
	{"text", false},
	{"html", false},
	{"text/", false},
	{"/html", false},
	{"texthtml", false},
	{"text/plain, */*", false},
	{"text/plain;text/html", false},
	{"text/plain text/html", false},
	/* weights */
	{"text/html;q=1", true},
	{"text/html;q=1.000", true},
	{"text/html;q=0.001", true},
	{"text/html ; q=0.5", true},
	{"text/html\t;\tQ=0.5", true},
	{"text/html;q=0.", false},
	{"text/html;q=0", false},
	{"text/html;q=0.0", false},
	{"text/html;q=0.000", false},
	{"text/html;Q=0", false},
	{"text/html; q=0, */*", false},
	{"text/html;q=0, application/xhtml+xml;q=1", false},
	{"*/*;q=0, text/html;q=0.1", true},
	{"text/plain;q=0, text/html", true},
	{"text/html, text/plain;q=0", true},
	/* parameters, before the weight */
	{"text/html;charset=utf-8", true},
	{"text/html;level=1", true},
	{"text/html;level=1;q=0.4", true},
	{"text/html; charset=\"utf-8\" ; q=0.4", true},
	{"text/html;level=1;q=0", false},
	{"text/html;charset=utf-8;q=0.0", false},
	{"text/html;a=\"q=0\"", true},
	{"text/html;a=\";q=0\"", true},
	{"text/html;a=\";q=1\";q=0", false},
	{"text/html;xq=0", true},
	{"text/html;qx=0", true},
	/* a comma, a quote or a weight within a quoted string */
	{"text/plain;a=\"b,text/html\"", false},
	{"text/plain;a=\"b, text/html, c\"", false},
	{"text/plain;a=\",text/html;q=1,\"", false},
	{"text/plain;a=\"\\\",text/html,\\\"\"", false},
	{"text/plain;a=\"\\\\\",text/html", true},
	{"text/plain;a=\"b,c\",text/html", true},
	{"text/plain;a=\"b,c\";q=0,text/html;q=1", true},
	{"text/html;a=\"b,c\"", true},
	{"text/html;a=\"b,c\";q=0", false},
	{"text/html;a=\"\\\";q=0,\"", true},
	{"text/html;a=\"\"", true},
	/* malformed members are passed over */
	{"text/html;q=2", false},
	{"text/html;q=", false},
	{"text/html;q", false},
	{"text/html;q=1.5", false},
	{"text/html;q=.5", false},
	{"text/html;q=0.1234", false},
	{"text/html;q=-1", false},
	{"text/html;q= 1", false},
	{"text/html;q =1", false},
	{"text / html", false},
	{"text/ html", false},
	{"text /html", false},
	{"text/html text/plain", false},
	{"\"text/html\"", false},
	{"text/html/x", false},
	{"text//html", false},
	{"text/html;q=2, text/html", true},
	{"text/html x, text/html", true},
	{"/, text/html", true},
	{"/;q=x, text/html;q=0.5", true},
	/* what clients send: going to a page */
	{CHROMIUM, true},
	{FIREFOX, true},
	{SAFARI, true},
	{"text/html,application/xhtml+xml,image/jxr,*/*", true},
	{"text/html, application/xhtml+xml, */*", true},
	{"text/html, text/plain, text/sgml, text/css, */*;q=0.01", true},
	/* and not: curl, fetch(), images, style sheets, scripts */
	{"application/json, text/plain, */*", false},
	{"image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
		false},
	{"image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", false},
	{"text/css,*/*;q=0.1", false},
	{"text/event-stream", false},
	{"application/json", false},
	{"audio/webm,audio/ogg,audio/*;q=0.9,application/ogg;q=0.7,*/*;q=0.5",
		false},
};

static void
expect_html(const char *fields, bool expected)
{
	struct head head = head_begin("GET", fields);
	bool html = rt_negotiate_html(rt_http_request(head.http), head.text);

	ck_assert_msg(html == expected, "expected %s text/html: %s",
		expected ? "to name" : "not to name",
		shown(head.text, head.size));
	head_end(&head);
}

START_TEST(html_of_a_field)
{
	char fields[512];

	(void)snprintf(fields, sizeof fields, "Accept: %s\r\n",
		accepts[_i].value);
	expect_html(fields, accepts[_i].html);
}
END_TEST

static const struct {
	const char *fields;
	bool html;
} accept_fields[] = {
	{"", false},
	{"Content-Type: text/html\r\n", false},
	{"Accepts: text/html\r\n", false},
	{"Accept-Encoding: text/html\r\n", false},
	{"X-Accept: text/html\r\n", false},
	{"aCCEPT: text/html\r\n", true},
	{"Accept: */*\r\nAccept: text/html\r\n", true},
	{"Accept: text/html\r\nAccept: */*\r\n", true},
	{"Accept:\r\naccept: text/html\r\n", true},
	{"Accept: text/plain\r\nAccept: text/html;q=0\r\n", false},
	{"Accept: text/\r\nAccept: html\r\n", false},
	{"Accept: text/html;\r\nAccept: q=0\r\n", true},
};

START_TEST(html_of_fields)
{
	expect_html(accept_fields[_i].fields, accept_fields[_i].html);
}
END_TEST

/* No value, however it is cut, is read past its end. */
START_TEST(every_beginning_of_a_value)
{
	static const char both[] = "text/plain;a=\"\\\",b\\\\\" ; q=0.123 , "
				   "gzip;q=0.555,*;q=0.5,text/html;q=1.000";
	const struct rt_content_coding *got[RT_CODINGS];
	char fields[256];

	for (int i = 0; i < COUNT(both); i++) {
		struct head head;

		(void)snprintf(fields, sizeof fields,
			"Accept: %.*s\r\nAccept-Encoding: %.*s\r\n", i, both, i,
			both);
		head = head_begin("GET", fields);
		(void)rt_negotiate_html(rt_http_request(head.http), head.text);
		ck_assert_uint_le(rt_negotiate_codings(rt_http_request(
							       head.http),
					  head.text, got),
			RT_CODINGS);
		head_end(&head);
	}
	(void)snprintf(fields, sizeof fields,
		"Accept: %s\r\nAccept-Encoding: %s\r\n", both, both);
	expect_html(fields, true);
	expect_codings(fields, "gzip br zstd");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("negotiate");
	TCase *encoding = tcase_create("codings");
	TCase *html = tcase_create("html");

	tcase_add_loop_test(encoding, codings_of_a_field, 0, COUNT(codings));
	tcase_add_loop_test(encoding, codings_of_fields, 0,
		COUNT(coding_fields));
	tcase_add_test(encoding, codings_have_their_suffix);
	tcase_add_test(encoding, codings_named_twice);
	rt_test_case(suite, encoding);
	tcase_add_loop_test(html, html_of_a_field, 0, COUNT(accepts));
	tcase_add_loop_test(html, html_of_fields, 0, COUNT(accept_fields));
	tcase_add_test(html, every_beginning_of_a_value);
	rt_test_case(suite, html);
	return rt_test_run(suite);
}
