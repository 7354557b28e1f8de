/* SPDX-License-Identifier: MIT */
/* Tests of form.c: pairs of forms of all kinds, and what is malformed. */
#include "config.h"

#include "base/buf.h"
#include "http/form.h"
#include "support/harness.h"

#include <stdlib.h>
#include <string.h>

/* name=value, @file (type), with a bar after each; and what is wrong */
static void
show(struct rt_pair_reader *form, struct rt_buf *to)
{
	struct rt_form_pair pair;

	while (rt_form_next(form, &pair)) {
		rt_buf_add(to, pair.name.text, pair.name.size);
		rt_buf_add_text(to, pair.valued ? "=" : "");
		rt_buf_add(to, pair.value.text, pair.value.size);
		if (pair.file.text != NULL) {
			rt_buf_add_text(to, "@");
			rt_buf_add(to, pair.file.text, pair.file.size);
		}
		if (pair.type.text != NULL) {
			rt_buf_add_text(to, " (");
			rt_buf_add(to, pair.type.text, pair.type.size);
			rt_buf_add_text(to, ")");
		}
		rt_buf_add_text(to, "|");
	}
	if (form->wrong != NULL)
		rt_buf_add_format(to, "%zu: %s",
			(size_t)(form->at - form->begin), form->wrong);
}

/* The body ends where its memory does. */
static void
check_form(const char *type, const char *body, size_t size,
	const char *expected)
{
	char *copy = malloc(size > 0 ? size : 1);
	struct rt_pair_reader form;
	struct rt_buf text;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, body, size);
	rt_buf_init(&text, 1 << 20);
	if (!rt_form_begin(&form, type, copy, size)) {
		rt_buf_add_text(&text, "no form");
	} else {
		show(&form, &text);
		/* once more, it is the same */
		rt_buf_clear(&text, 0);
		rt_form_rewind(&form);
		show(&form, &text);
	}
	assert_bytes(text.data ? text.data : "", text.len, expected,
		strlen(expected));
	rt_buf_free(&text);
	free(copy);
}

#define URLENCODED "application/x-www-form-urlencoded"
#define PARTS "multipart/form-data; boundary=b"
#define NAMED(rest) "Content-Disposition: form-data; name=" rest "\r\n"

static const struct {
	const char *type;
	const char *body;
	const char *pairs;
} forms[] = {
	{"text/plain", "a=b", "no form"},
	{"", "a=b", "no form"},
	{"multipart/mixed; boundary=b", "--b--", "no form"},
	{"multipart/form-dataX; boundary=b", "--b--", "no form"},
	/* as in URLs */
	{URLENCODED, "", ""},
	{URLENCODED, "&&", ""},
	{URLENCODED, "a=b", "a=b|"},
	{"Application/X-WWW-Form-Urlencoded ; charset=utf-8", "a=b", "a=b|"},
	{URLENCODED, "a=b&c=&d&=e&&f=g=h&a=b", "a=b|c=|d|=e|f=g=h|a=b|"},
	{URLENCODED, "a=%26+%zz", "a=%26+%zz|"},
	/* parts */
	{PARTS, "--b\r\n" NAMED("a") "\r\nx\r\n--b--\r\n", "a=x|"},
	{PARTS, "--b\r\n" NAMED("a") "\r\nx\r\n--b--", "a=x|"},
	{PARTS, "--b--", ""},
	{PARTS, "before\r\n--b \t\r\n" NAMED("a") "\r\nx\r\n--b--after",
		"a=x|"},
	{"Multipart/Form-Data; charset=\"a;b\"; Boundary=\"b\"",
		"--b\r\n" NAMED("a") "\r\nx\r\n--b--", "a=x|"},
	{PARTS,
		"--b\r\n" NAMED("a") "\r\n1\r\n--b\r\n" NAMED(
			"\"c d\"") "\r\n2\r\n--b--",
		"a=1|c d=2|"},
	{PARTS,
		"--b\r\n" NAMED(
			"\"a\"; filename=\"x;y.png\"") ""
						       "content-type: image/png; x=y\r\n\r\n\r\n\r\n--b--",
		"a=\r\n@x;y.png (image/png)|"},
	{PARTS, "--b\r\nX-Other: y\r\n" NAMED("a; filename=b.c") "\r\n--b--",
		"a=@b.c|"},
	{PARTS, "--b\r\n" NAMED("\"a\"; filename=\"\"") "\r\n\r\n--b--",
		"a=@|"},
	/* what is escaped in names */
	{PARTS, "--b\r\n" NAMED("\"%22%0D%0A%41\"") "\r\n\r\n--b--",
		"\"\r\n%41=|"},
	{PARTS,
		"--b\r\n" NAMED(
			"\"\\\"\\\\\\x\"; filename=\"c:\\d\"") "\r\n\r\n"
							       "--b--",
		"\"\\\\x=@c:\\d|"},
	/* what looks like a delimiter, and is none */
	{PARTS, "--b\r\n" NAMED("a") "\r\nx--b\n\n--b\r--b\r\n-b\r\n--b--",
		"a=x--b\n\n--b\r--b\r\n-b|"},
	/* malformed */
	{"multipart/form-data", "--b--",
		"0: its Content-Type has no boundary of 1 to 70 bytes"},
	{"multipart/form-data; boundary=", "--b--",
		"0: its Content-Type has no boundary of 1 to 70 bytes"},
	{"multipart/form-data; boundary=\"b", "--b--",
		"0: its Content-Type has no boundary of 1 to 70 bytes"},
	{PARTS, "", "0: its boundary is missing"},
	{PARTS, "a=b", "0: its boundary is missing"},
	{PARTS, "--b", "3: expected CR LF or '--' after a boundary"},
	{PARTS, "--b\n", "3: expected CR LF or '--' after a boundary"},
	{PARTS, "--bx\r\n", "3: expected CR LF or '--' after a boundary"},
	{PARTS, "--b\r\n", "5: the head of a part is cut"},
	{PARTS, "--b\r\n" NAMED("a"), "45: the head of a part is cut"},
	{PARTS, "--b\r\n" NAMED("a") "\r\nx",
		"48: its last boundary is missing"},
	{PARTS, "--b\r\n" NAMED("a") "\r\nx\r\n--bc",
		"a=x|53: expected CR LF or '--' after a boundary"},
	{PARTS, "--b\r\n\r\nx\r\n--b--",
		"5: expected Content-Disposition with a name"},
	{PARTS, "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
		"5: expected Content-Disposition with a name"},
	{PARTS, "--b\r\nname\r\n\r\nx\r\n--b--",
		"5: expected a field of a part"},
	{PARTS, "--b\r\n" NAMED("\"a") "\r\nx\r\n--b--",
		"5: a name does not end, or has more than 1024 bytes"},
};

START_TEST(reads_forms)
{
	check_form(forms[_i].type, forms[_i].body, strlen(forms[_i].body),
		forms[_i].pairs);
}
END_TEST

/* Cut anywhere, a form of parts is malformed, and is read no further than it
   goes; what comes before the cut is the same. */
START_TEST(a_form_that_is_cut)
{
	static const char body[] =
		"--b\r\n" NAMED("\"a\"") "\r\n1\0\r\n--b\r\n" NAMED(
			"c; filename=\"d\"") "Content-Type: e/f\r\n\r\n2\r\n"
					     "--b--";
	struct rt_form_pair pair;

	for (size_t size = 0; size < sizeof body; size++) {
		char *copy = malloc(size > 0 ? size : 1);
		struct rt_pair_reader form;
		size_t count = 0;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, body, size);
		ck_assert(rt_form_begin(&form, PARTS, copy, size));
		while (rt_form_next(&form, &pair))
			ck_assert_int_eq(*pair.name.text,
				count++ == 0 ? 'a' : 'c');
		ck_assert_msg((form.wrong == NULL) == (size == sizeof body - 1),
			"cut at %zu: %s", size,
			form.wrong ? form.wrong : "nothing is wrong");
		ck_assert_msg(form.at >= copy && form.at <= copy + size,
			"cut at %zu", size);
		free(copy);
	}
}
END_TEST

START_TEST(values_hold_any_byte)
{
	static const char body[] = "--b\r\n" NAMED("a") "\r\n\0\r\r\n\n\xff\r\n"
							"--b--";
	struct rt_pair_reader form;
	struct rt_form_pair pair;

	ck_assert(rt_form_begin(&form, PARTS, body, sizeof body - 1));
	ck_assert(rt_form_next(&form, &pair));
	assert_bytes(pair.value.text, pair.value.size, "\0\r\r\n\n\xff", 6);
	ck_assert(!rt_form_next(&form, &pair));
	ck_assert_ptr_null(form.wrong);
}
END_TEST

/* A text of `count` times the same, with something before and after it. */
static void
check_limit(const char *type, const char *before, const char *again,
	size_t count, const char *after, const char *wrong)
{
	struct rt_form_pair pair;
	struct rt_pair_reader form;
	struct rt_buf body;

	rt_buf_init(&body, 1 << 24);
	rt_buf_add_text(&body, before);
	for (size_t i = 0; i < count; i++)
		rt_buf_add_text(&body, again);
	rt_buf_add_text(&body, after);
	ck_assert(!body.failed);
	ck_assert(rt_form_begin(&form, type, body.data, body.len));
	while (rt_form_next(&form, &pair))
		;
	if (wrong == NULL)
		ck_assert_msg(form.wrong == NULL, "%zu: %s", count, form.wrong);
	else
		ck_assert_str_eq(form.wrong ? form.wrong : "nothing", wrong);
	rt_buf_free(&body);
}

START_TEST(limits)
{
	static const char part[] = NAMED("a") "\r\n\r\n--b\r\n",
			  last[] = NAMED("a") "\r\n\r\n--b--",
			  name[] = "--b\r\nContent-Disposition: x; name=\"",
			  file[] = "--b\r\n"
				   "Content-Disposition: x; name=a; "
				   "filename=\"";

	check_limit(PARTS, "--b\r\n", part, RT_FORM_PARTS - 1, last, NULL);
	check_limit(PARTS, "--b\r\n", part, RT_FORM_PARTS, last,
		"more than 1000 parts");
	check_limit(PARTS, name, "n", RT_FORM_NAME, "\"\r\n\r\n\r\n--b--",
		NULL);
	check_limit(PARTS, name, "n", RT_FORM_NAME + 1, "\"\r\n\r\n\r\n--b--",
		"a name does not end, or has more than 1024 bytes");
	check_limit(PARTS, file, "n", RT_FORM_NAME, "\"\r\n\r\n\r\n--b--",
		NULL);
	check_limit(PARTS, file, "n", RT_FORM_NAME + 1, "\"\r\n\r\n\r\n--b--",
		"a name does not end, or has more than 1024 bytes");
	check_limit(PARTS, "--b\r\n" NAMED("a"), "A: b\r\n",
		(RT_FORM_HEAD - 41) / 6, "\r\n\r\n--b--", NULL);
	check_limit(PARTS, "--b\r\n" NAMED("a"), "A: b\r\n",
		(RT_FORM_HEAD - 41) / 6 + 1, "\r\n\r\n--b--",
		"the head of a part has more than 8192 bytes");
}
END_TEST

START_TEST(a_boundary_has_up_to_70_bytes)
{
	char type[200] = "multipart/form-data; boundary=";
	char body[200] = "--";
	const struct {
		size_t size;
		bool fits;
	} cases[] = {{1, true}, {70, true}, {71, false}};

	for (int i = 0; i < COUNT(cases); i++) {
		size_t size = cases[i].size;
		struct rt_form_pair pair;
		struct rt_pair_reader form;

		memset(type + 30, 'b', size);
		type[30 + size] = '\0';
		memset(body + 2, 'b', size);
		memcpy(body + 2 + size, "--", 3);
		ck_assert(rt_form_begin(&form, type, body, strlen(body)));
		ck_assert(!rt_form_next(&form, &pair));
		ck_assert_msg((form.wrong == NULL) == cases[i].fits,
			"%zu bytes: %s", size,
			form.wrong ? form.wrong : "nothing is wrong");
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("form");
	TCase *read = tcase_create("reading");

	tcase_add_loop_test(read, reads_forms, 0, COUNT(forms));
	tcase_add_test(read, a_form_that_is_cut);
	tcase_add_test(read, values_hold_any_byte);
	tcase_add_test(read, limits);
	tcase_add_test(read, a_boundary_has_up_to_70_bytes);
	rt_test_case(suite, read);
	return rt_test_run(suite);
}
