/* SPDX-License-Identifier: MIT */
/* Clauses about what TLS sends: their text, and the edits that they are. */
#include "config.h"

#include "fault/fault.h"
#include "support/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static const char a_position[] =
	"N, -N, N%, any, head N, body N, wire N, record N or flight N";
static const char an_alert[] =
	"an alert, such as handshake-failure, or its number";

static const struct {
	const char *text;
	size_t at;
	const char *expected;
} wrong[] = {
	{"cut wire", 8, "a whole number"},
	{"cut wire x", 9, "a whole number"},
	{"cut wire 1+2", 9, "a whole number"},
	{"cut wire -1", 9, "a whole number"},
	{"cut record", 10, "N or N+M"},
	{"cut record 1+", 11, "N or N+M"},
	{"cut record +1", 11, "N or N+M"},
	{"cut record 1+2+3", 11, "N or N+M"},
	{"cut flight 1-2", 11, "N or N+M"},
	{"split record 1 flight", 21, "N or N+M"},
	{"cut record 1 2", 13, "fin, reset, stall or half"},
	{"cut wires 1", 4, a_position},
	{"alert", 5, an_alert},
	{"alert handshake", 6, an_alert},
	{"alert 256", 6, an_alert},
	{"alert unknown-ca here", 17, a_position},
	{"rekey", 5, a_position},
	{"close-notify wire 3", 18, "a position of the reply's bytes"},
	{"rekey record 1+2", 13, "a position of the reply's bytes"},
};

START_TEST(test_wrong)
{
	struct rt_error error;
	struct rt_faults *faults = rt_faults_new(wrong[_i].text, &error);

	ck_assert_msg(faults == NULL, "'%s' was taken", wrong[_i].text);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_msg(error.at == wrong[_i].at &&
			strstr(error.text, wrong[_i].expected) != NULL,
		"'%s': expected \"%s\" at %zu, got \"%s\" at %zu",
		wrong[_i].text, wrong[_i].expected, wrong[_i].at, error.text,
		error.at);
}
END_TEST

static struct rt_faults *
read_faults(const char *text)
{
	struct rt_error error;
	struct rt_faults *faults = rt_faults_new(text, &error);

	ck_assert_msg(faults != NULL, "'%s' was refused at %zu: %s", text,
		error.at, error.text);
	return faults;
}

static void
show(const struct rt_wire_edit *edit, struct rt_buf *to)
{
	static const char *const acts[] = {
		[RT_WIRE_INSERT] = "insert",
		[RT_WIRE_CORRUPT] = "corrupt",
		[RT_WIRE_PAUSE] = "pause",
		[RT_WIRE_CUT] = "cut",
	};
	static const char units[] = {'w', 'r', 'f'};

	rt_buf_add_format(to, "%s%s %c%llu+%llu", to->len > 0 ? ", " : "",
		acts[edit->act], units[edit->unit],
		(unsigned long long)edit->after,
		(unsigned long long)edit->plus);
	for (size_t i = 0; i < edit->size; i++)
		rt_buf_add_format(to, "%s%02x", i > 0 ? "" : " ",
			(unsigned char)edit->bytes[i]);
	if (edit->act == RT_WIRE_PAUSE)
		rt_buf_add_format(to, " %lld", (long long)(edit->time / RT_MS));
	if (edit->act == RT_WIRE_CUT)
		rt_buf_add_text(to,
			edit->how == RT_STEP_RESET         ? " reset" :
				edit->how == RT_STEP_STALL ? " stall" :
				edit->how == RT_STEP_HALF  ? " half" :
							     " fin");
}

static const struct {
	const char *text;
	const char *edits;
} right[] = {
	{"cut 5; split 7", ""},
	{"cut wire 5", "cut w5+0 fin"},
	{"cut record 2 reset", "cut r2+0 reset"},
	{"cut record 2+13 half", "cut r2+13 half"},
	{"cut flight 1+0 stall", "cut f1+0 stall"},
	{"corrupt record 0+6; cut 3", "corrupt r0+6"},
	{"insert wire 0 \"HT\\x00\"", "insert w0+0 485400"},
	{"pause 20 flight 1", "pause f1+0 20"},
	{"split wire 3 record 1+2 4; gap 5", "pause w3+0 5, pause r1+2 5"},
	{"split record 1+2 wire 4", "pause r1+2 0, pause w4+0 0"},
	/* in the order in which they are made at one place */
	{"cut wire 1; pause 1 wire 1; corrupt wire 1; insert wire 1 \"x\"; "
	 "alert 90 wire 1",
		"insert w1+0 1503030002015a, insert w1+0 78, corrupt w1+0, "
		"pause w1+0 1, cut w1+0 fin"},
	{"alert handshake-failure", "insert w0+0 15030300020228, cut w0+0 fin"},
	{"alert handshake_failure flight 1; cut flight 1 reset",
		"insert f1+0 15030300020228, cut f1+0 reset, cut f1+0 fin"},
	{"alert 255 record 2", "insert r2+0 150303000202ff, cut r2+0 fin"},
	{"alert close-notify", "insert w0+0 15030300020100"},
	{"alert no-renegotiation wire 9", "insert w9+0 15030300020164"},
};

START_TEST(test_edits)
{
	struct rt_faults *faults = read_faults(right[_i].text);
	struct rt_wire_list list = {NULL, 0, 0};
	struct rt_buf got;

	rt_buf_init(&got, 4096);
	ck_assert(rt_faults_edit_wire(faults, &list, true));
	for (size_t i = 0; i < list.count; i++) {
		ck_assert(list.edits[i].stays);
		show(list.edits + i, &got);
	}
	ck_assert_msg(strcmp(rt_buf_text(&got), right[_i].edits) == 0,
		"'%s'\nexpected: %s\ngot:      %s", right[_i].text,
		right[_i].edits, rt_buf_text(&got));
	rt_buf_free(&got);
	rt_wire_clear(&list);
	rt_faults_free(faults);
}
END_TEST

/* The script is as it was, and the edits go with the reply. */
START_TEST(test_reply)
{
	struct rt_faults *faults = read_faults(
		"cut wire 3; corrupt record 1; rekey 2; close-notify -1");
	struct rt_reply reply;
	struct bytes script;

	rt_reply_init(&reply);
	rt_reply_step(&reply,
		(struct rt_step){.kind = RT_STEP_BYTES,
			.bytes = "abcdef",
			.size = 6});
	rt_reply_step(&reply, (struct rt_step){.kind = RT_STEP_CLOSE});
	ck_assert_int_eq(rt_faults_apply(faults, &reply, NULL), 0);
	script = script_shown(&reply);
	ck_assert_msg(strcmp(script.data, "ab<tell>cde<tell>f<fin>") == 0, "%s",
		script.data);
	ck_assert_uint_eq(reply.struck.wire.count, 2);
	ck_assert(!reply.struck.wire.edits[0].stays);
	rt_reply_reset(&reply);
	ck_assert_uint_eq(reply.struck.wire.count, 0);
	bytes_free(&script);
	rt_reply_free(&reply);
	rt_faults_free(faults);
}
END_TEST

/* It is held in memory. */
START_TEST(test_much)
{
	static char text[300000] = "insert wire 0 \"";
	struct rt_error error;
	struct rt_faults *faults;
	size_t begin = strlen(text);

	for (size_t size = 262144; size <= 262145; size++) {
		memset(text + begin, 'x', size);
		text[begin + size] = '"';
		text[begin + size + 1] = '\0';
		faults = rt_faults_new(text, &error);
		ck_assert_int_eq(faults != NULL, size == 262144);
		rt_faults_free(faults);
	}
	ck_assert_msg(strstr(error.text, "at most 262144 bytes on the wire") !=
			NULL,
		"%s", error.text);
}
END_TEST

/* What is drawn says where, too. */
START_TEST(test_chance)
{
	struct rt_faults *faults =
		read_faults("cut record 1+2 reset chance 100% or cut wire 5 "
			    "chance 0%; pause 1-1 flight 0");
	struct rt_faults *drawn = rt_faults_draw(faults, 1, 1);

	ck_assert_ptr_nonnull(drawn);
	ck_assert_str_eq(rt_faults_text(drawn),
		"cut record 1+2 reset; pause 1 flight 0");
	rt_faults_free(drawn);
	rt_faults_free(faults);
}
END_TEST

static const struct {
	const char *text;
	bool tls;
	bool begins;
	const char *error; /* NULL: none */
} fitting[] = {
	{"cut 5", false, false, NULL},
	{"cut wire 5", true, false, NULL},
	{"cut wire 5", false, true, "'cut wire 5': expected a server with TLS"},
	{"cut 5; alert 40", false, false,
		"'alert 40': expected a server with TLS"},
	{"no-resume", true, true, "'no-resume': expected it in --tls-fault"},
	{"rekey 5", false, true, "'rekey 5': expected a server with TLS"},
	{"close-notify 5", true, false, NULL},
	{"cut flight 1 reset", true, true, NULL},
	{"cut flight 1 reset", true, false,
		"'cut flight 1 reset': expected no flight, which is of the "
		"handshake, but for @accepted and --tls-fault"},
};

START_TEST(test_fitting)
{
	struct rt_faults *faults = read_faults(fitting[_i].text);
	char error[RETORT_ERROR_SIZE] = "";
	int code = rt_faults_check_wire(faults, fitting[_i].tls,
		fitting[_i].begins, error);

	ck_assert_int_eq(code, fitting[_i].error ? -EINVAL : 0);
	ck_assert_str_eq(error, fitting[_i].error ? fitting[_i].error : "");
	ck_assert(!rt_faults_suit_datagram(faults) ||
		strcmp(fitting[_i].text, "cut 5") == 0);
	rt_faults_free(faults);
}
END_TEST

START_TEST(test_handshake)
{
	struct rt_faults *faults =
		read_faults("split record 1; gap 2; alert 1; no-resume");
	char error[RETORT_ERROR_SIZE] = "";

	ck_assert_int_eq(rt_faults_check_handshake(faults, error), 0);
	rt_faults_free(faults);
	faults = read_faults("cut wire 3; pause 5");
	ck_assert_int_eq(rt_faults_check_handshake(faults, error), -EINVAL);
	ck_assert_str_eq(error,
		"'pause 5': expected a position such as wire N, record N or "
		"flight N");
	rt_faults_free(faults);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int
main(void)
{
	Suite *suite = suite_create("faults of TLS");
	TCase *text = tcase_create("text"), *uses = tcase_create("uses");

	rt_test_case(suite, text);
	tcase_add_loop_test(text, test_wrong, 0, COUNT(wrong));
	tcase_add_loop_test(text, test_edits, 0, COUNT(right));
	rt_test_case(suite, uses);
	tcase_add_test(uses, test_reply);
	tcase_add_test(uses, test_much);
	tcase_add_test(uses, test_chance);
	tcase_add_loop_test(uses, test_fitting, 0, COUNT(fitting));
	tcase_add_test(uses, test_handshake);
	return rt_test_run(suite);
}
