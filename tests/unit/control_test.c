/* SPDX-License-Identifier: MIT */
/* Tests of control_reader.c, bytes become commands, and of control_command.c,
   these get answers. */
#include "config.h"

#include "job/clock.h"
#include "support/serving.h"
#include "talk/control_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The commands in these bytes, each as "<line>", "<line|text>" or
   "<line=said>". */
static struct bytes
read_in_pieces(const char *bytes, size_t size, size_t first)
{
	struct control_reader reader = {.bytes = NULL};
	struct control_command command;
	struct bytes read = {.data = NULL};
	size_t at = 0, piece = first;

	bytes_add(&read, "", 0);
	while (at < size) {
		if (piece > size - at)
			piece = size - at;
		ck_assert_int_eq(control_reader_add(&reader, bytes + at, piece),
			0);
		at += piece;
		piece = first > 1 ? size - at : 1;
		while (control_reader_next(&reader, &command)) {
			bytes_add(&read, "<", 1);
			bytes_add(&read, command.line, strlen(command.line));
			if (command.said != NULL) {
				bytes_add(&read, "=", 1);
				bytes_add(&read, command.said,
					strlen(command.said));
			}
			if (command.size > 0) {
				bytes_add(&read, "|", 1);
				bytes_add(&read, command.text, command.size);
			}
			bytes_add(&read, ">", 1);
		}
	}
	control_reader_free(&reader);
	return read;
}

static const struct {
	const char *bytes;
	const char *commands;
} rows[] = {
	{"", ""},
	{"verdict", ""},
	{"verdict\n", "<verdict>"},
	{"verdict\r\n", "<verdict>"},
	{"\n\r\n", "<><>"},
	{"reset\nwait 2 500ms\nurl", "<reset><wait 2 500ms>"},
	{"rules\n.\n", "<rules>"},
	{"rules\r\n.\r\nurl\r\n", "<rules><url>"},
	{"rules\n@on /\n@echo\n.\nverdict\n",
		"<rules|@on /\n@echo\n><verdict>"},
	{"url\nrules\na\n.\nrules\nb\n.\n", "<url><rules|a\n><rules|b\n>"},
	{"rules\na\n..\n. \n .\n.\n", "<rules|a\n..\n. \n .\n>"},
	{"rules\nverdict\n\n.\n", "<rules|verdict\n\n>"},
	{"rules END\n.\nEN\nENDE\nEND\nurl\n",
		"<rules END|.\nEN\nENDE\n><url>"},
	{" \trules \t END \nx\nEND\nurl\n", "< \trules \t END |x\n><url>"},
	{"rules END more\nurl\n", "<rules END more><url>"},
	{"rules\na\r\n.\r\n", "<rules|a\r\n>"},
	{"rules\nnever ended\n", ""},
	{"rulesx\n.\n", "<rulesx><.>"},
	{"push 1\ndata: 1\r\n\n.\nurl\n", "<push 1|data: 1\r\n\n><url>"},
	{"push 1 END\n.\nEND\n push\t1\n.\n", "<push 1 END|.\n>< push\t1>"},
	{"push\nx\n.\npush 1 END more\nurl\n",
		"<push|x\n><push 1 END more><url>"},
	{"push 1 \"a b\"\r\npush\t12 \t@frame text \"c\"\nurl\n",
		"<push 1=\"a b\"><push\t12 =@frame text \"c\"><url>"},
	{"push 1 \"a\npush 1 @\npush \"a\"\nurl\n",
		"<push 1=\"a><push 1=@><push=\"a\"><url>"},
	{"push 1 a\"\nb\na\"\npush 1 a \"b\"\npush\"a\"\n",
		"<push 1 a\"|b\n><push 1 a \"b\"><push\"a\">"},
	{"rules \"\na\n\"\nrules @\n@\nwait \"1\"\n",
		"<rules \"|a\n><rules @><wait \"1\">"},
	{"rule\nurl\n", "<rule><url>"},
};

/* Split at every byte, and byte by byte. */
START_TEST(reads_commands)
{
	const char *bytes = rows[_i].bytes, *wanted = rows[_i].commands;
	size_t size = strlen(bytes);

	for (size_t first = 1; first <= size + 1; first++) {
		struct bytes read = read_in_pieces(bytes, size, first);

		assert_bytes(read.data, read.size, wanted, strlen(wanted));
		bytes_free(&read);
	}
}
END_TEST

/* A NUL neither ends a command early nor gets lost in its text. */
START_TEST(reads_nuls)
{
	static const char bytes[] = "stop\0it\nrules\0\nurl\nrules\na\0b\n.\n";
	static const char wanted[] = "<stop?it><rules?><url><rules|a\0b\n>";

	for (size_t first = 1; first < sizeof bytes; first++) {
		struct bytes read =
			read_in_pieces(bytes, sizeof bytes - 1, first);

		assert_bytes(read.data, read.size, wanted, sizeof wanted - 1);
		bytes_free(&read);
	}
}
END_TEST

/* Lines of any length, up to the limit of all of them. */
START_TEST(reads_much)
{
	const size_t size = CONTROL_MOST / 2, line = 1 << 20;
	char *much = malloc(size);
	struct control_reader reader = {.bytes = NULL};
	struct control_command command;

	ck_assert_ptr_nonnull(much);
	memset(much, 'a', size);
	for (size_t i = line - 1; i < size; i += line)
		much[i] = '\n';
	ck_assert_int_eq(control_reader_add(&reader, "url\nrules\n", 10), 0);
	ck_assert(control_reader_next(&reader, &command));
	ck_assert(!control_reader_next(&reader, &command));
	ck_assert_int_eq(control_reader_add(&reader, much, size), 0);
	ck_assert(!control_reader_next(&reader, &command));
	ck_assert_int_eq(control_reader_add(&reader, ".\n", 2), 0);
	ck_assert(control_reader_next(&reader, &command));
	assert_bytes(command.line, strlen(command.line), "rules", 5);
	ck_assert_uint_eq(command.size, size);
	ck_assert_int_eq(memcmp(command.text, much, size), 0);

	ck_assert_int_eq(control_reader_add(&reader, much, size), 0);
	ck_assert_int_eq(control_reader_add(&reader, much, size), 0);
	ck_assert_int_eq(control_reader_add(&reader, "a", 1), -EMSGSIZE);
	control_reader_free(&reader);
	free(much);
}
END_TEST

/* A line is looked at once, however small its pieces are: what takes millions
   of looks at megabytes would not end in time. */
START_TEST(reads_a_long_line)
{
	const size_t size = CONTROL_MOST / 8, piece = 64;
	struct control_reader reader = {.bytes = NULL};
	struct control_command command;
	char some[64];

	memset(some, 'a', sizeof some);
	ck_assert_int_eq(control_reader_add(&reader, "url\n", 4), 0);
	ck_assert(control_reader_next(&reader, &command));
	for (size_t i = 0; i < size; i += piece) {
		ck_assert_int_eq(control_reader_add(&reader, some, piece), 0);
		ck_assert(!control_reader_next(&reader, &command));
	}
	ck_assert_int_eq(control_reader_add(&reader, "\n", 1), 0);
	ck_assert(control_reader_next(&reader, &command));
	ck_assert_uint_eq(strlen(command.line), size);
	ck_assert(!control_reader_next(&reader, &command));
	control_reader_free(&reader);
}
END_TEST

/* --- answers --- */

/* Of the allocations for the next answer, this one fails; 0: none. */
static size_t failing;

/* What was told, by the commands before. */
static struct control_server told;

static void
open_told(void)
{
	open_plain(STEPPED);
	told = (struct control_server){.server = server};
}

/* The answer to a command that arrived this long ago. */
static struct bytes
ask(struct control_command command, int ago)
{
	struct control_answer answer = {.text = NULL};
	struct bytes got = {.data = NULL};
	int left;

	allocations = 0;
	fail_at = failing;
	left = control_obey(&told, &command, clock_ms() - ago, &answer);
	fail_at = 0;
	if (left > 0)
		bytes_add(&got, "later", 5);
	else
		bytes_add(&got, answer.text, answer.size);
	if (answer.stop)
		bytes_add(&got, "stop", 4);
	free(answer.owned);
	return got;
}

/* The same of one that has `text`. */
static struct bytes
ask_with(const char *line, const char *text, int ago)
{
	return ask((struct control_command){line, NULL, text, strlen(text)},
		ago);
}

#define COMMANDS \
	"error 1\nexpected rules, requests, transcript, verdict, wait, " \
	"push, end, refuse, reset, url or stop, not "
#define BAD_WAIT \
	"error 1\nexpected wait N [TIME], as wait 2, wait 2 500ms or " \
	"wait 2 3s\n"
#define BAD_VERDICT \
	"error 1\nexpected verdict [TIME], as verdict or verdict 2s\n"
#define BAD_TRANSCRIPT \
	"error 1\nexpected transcript N, the number of a connection\n"
#define BAD_PUSH \
	"error 1\nexpected push N [END], push N QUOTED or push N @frame TYPE " \
	"[QUOTED], N the number of a connection\n"
#define BAD_END \
	"error 1\nexpected end N [reset], N the number of a connection\n"
#define BAD_RESET "error 1\nexpected reset or reset records\n"
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* One after another, of one server to which nobody comes. */
static const struct {
	const char *line;
	const char *text;
	int ago; /* ms */
	const char *answer;
} asked[] = {
	{"requests", "", 0, "ok 0\n"},
	{"verdict", "", 0, "ok 0\n"},
	{" verdict\t1s ", "", 0, "ok 0\n"},
	{"rules", "@on GET /\n@echo\n", 0, "ok 0\n"},
	{"rules END", "@expect 1 GET /\n", 0, "ok 0\n"},
	{"rules END more", "", 0, "error 1\nexpected rules [END]\n"},
	{"rules", "@on GET /\n@ech\n", 0,
		"error 1\nrules-3:2:1: '@ech': expected a directive; did you "
		"mean @echo?\n"},
	{"rules", "@\xc3\xa9\xff\x1b", 0,
		"error 1\nrules-3:1:1: '@\xc3\xa9\\xff\\u001b': expected a "
		"directive, such as @on, @fault or @expect\n"},
	{"rules", "", 0, "ok 0\n"},
	{"rules", "@on GET /b\n@echo\n@on GET /b\n@echo\n", 0,
		"ok 1\nrules-4:3: never reached: the rule of line 1 answers all "
		"of these\n"},
	{"rules", "@on A B\n@expect 2 GET /c\n@echo", 0,
		"error 1\nrules-5:1:7: 'B': expected a target, which begins "
		"with '/' or '*'\n"},
	{"verdict", "", 0,
		"error 1\nrules-2:1 (GET /): expected exactly 1, got 0\n"},
	{"verdict 1s", "", 0, "later"},
	{"verdict 1s", "", 1000,
		"error 1\nrules-2:1 (GET /): expected exactly 1, got 0\n"},
	{"reset records", "", 0, "ok 0\n"},
	{"verdict .5s", "", 500,
		"error 1\nrules-2:1 (GET /): expected exactly 1, got 0\n"},
	{"reset", "", 0, "ok 0\n"},
	{"verdict", "", 0, "ok 0\n"},
	{"rules", "@ech", 0,
		"error 1\nrules:1:1: '@ech': expected a directive; did you "
		"mean @echo?\n"},
	{"reset rules", "", 0, BAD_RESET},
	{"reset records now", "", 0, BAD_RESET},
	{"reset records right now", "", 0, BAD_RESET},
	{"wait 1", "", 9000, "later"},
	{"wait 1", "", 10000,
		"error 1\n0 of 1 requests arrived within 10000 ms\n"},
	{"wait 2 1s", "", 900, "later"},
	{"wait 2 0ms", "", 0, "error 1\n0 of 2 requests arrived within 0 ms\n"},
	{"wait", "", 0, BAD_WAIT},
	{"wait 0", "", 0, BAD_WAIT},
	{"wait -1", "", 0, BAD_WAIT},
	{"wait 1x", "", 0, BAD_WAIT},
	{"wait 99999999999999999999", "", 0, BAD_WAIT},
	{"wait 1 soon", "", 0, BAD_WAIT},
	{"wait 1 -1", "", 0, BAD_WAIT},
	{"wait 1 2", "", 0, BAD_WAIT},
	{"wait 1 0.5", "", 0, BAD_WAIT},
	{"wait 1 2.", "", 0, BAD_WAIT},
	{"wait 1 2s 3", "", 0, BAD_WAIT},
	{"verdict now", "", 0, BAD_VERDICT},
	{"verdict 2", "", 0, BAD_VERDICT},
	{"verdict 99999999s", "", 0, BAD_VERDICT},
	{"transcript", "", 0, BAD_TRANSCRIPT},
	{"transcript x", "", 0, BAD_TRANSCRIPT},
	{"transcript 1", "", 0,
		"error 1\nconnection 1: there is no record of it\n"},
	{"push", "", 0, BAD_PUSH},
	{"push x", "y\n", 0, BAD_PUSH},
	{"push 1 END more", "", 0, BAD_PUSH},
	{"push 1", "x\n", 0,
		"error 1\nconnection 1: it has ended or never was, or its reply "
		"is not open (@open)\n"},
	{"end", "", 0, BAD_END},
	{"end 0", "", 0, BAD_END},
	{"end 1 fin", "", 0, BAD_END},
	{"end 1 reset now", "", 0, BAD_END},
	{"end 1 reset", "", 0,
		"error 1\nconnection 1: it has ended, or never was\n"},
	{"refuse on", "", 0, "error 1\nexpected refuse or refuse off\n"},
	{"refuse", "", 0, "ok 0\n"},
	{"refuse off", "", 0, "ok 0\n"},
	{"@on GET /", "", 0, COMMANDS "'@on GET /'\n"},
	{"Verdict", "", 0, COMMANDS "'Verdict'\n"},
	{" ", "", 0, COMMANDS "' '\n"},
	{"\x1b[1m\xff", "", 0, COMMANDS "'?[1m?'\n"},
	{"stops " HUNDRED, "", 0,
		COMMANDS "'stops " TEN TEN TEN TEN TEN "0123...'\n"},
	{"urls " HUNDRED HUNDRED HUNDRED, "", 0,
		COMMANDS "'urls " TEN TEN TEN TEN TEN "01234...'\n"},
	{"reset " HUNDRED HUNDRED HUNDRED, "", 0, BAD_RESET},
	{"url of it", "", 0, "error 1\nexpected url alone\n"},
	{"requests 1", "", 0, "error 1\nexpected requests or requests whole\n"},
	{"requests whole 1", "", 0,
		"error 1\nexpected requests or requests whole\n"},
	{"stop now", "", 0, "error 1\nexpected stop alone\n"},
	{"stop", "", 0, "ok 0\nstop"},
};

START_TEST(answers)
{
	char url[100];
	struct bytes got;

	open_told();
	for (int i = 0; i < COUNT(asked); i++) {
		got = ask_with(asked[i].line, asked[i].text, asked[i].ago);
		ck_assert_msg(strcmp(got.data, asked[i].answer) == 0,
			"%s: expected %s, got %s",
			shown(asked[i].line, strlen(asked[i].line)),
			asked[i].answer, got.data);
		bytes_free(&got);
	}
	(void)snprintf(url, sizeof url, "ok 1\n%s\n", retort_url(server));
	got = ask_with("url", "", 0);
	assert_bytes(got.data, got.size, url, strlen(url));
	bytes_free(&got);
	close_server();
}
END_TEST

#define QUOTES "bytes in double quotes, with \\r \\n \\t \\0 \\\\ \\\" \\xHH"
#define NONE \
	"error 1\nconnection 1: it has ended or never was, or its reply is " \
	"not open (@open)\n"

static const struct {
	const char *line;
	const char *said;
	const char *answer;
} pushed[] = {
	{"push", "\"a\"", BAD_PUSH},
	{"push x", "\"a\"", BAD_PUSH},
	{"push 1", "\"\"", NONE},
	{"push 1", "\"a\"", NONE},
	{"push 1", "@frame ping ", NONE},
	{"push 1", "\"a", "error 1\nthe line ends: expected " QUOTES "\n"},
	{"push 1", "\"a\\q\xff\"",
		"error 1\n'\\q\\xff\"': expected " QUOTES "\n"},
	{"push 1", "\"a\" END",
		"error 1\n' END': expected the end of the line\n"},
	{"push 1", "@end",
		"error 1\n'@end': expected bytes in double quotes, or @frame\n"},
	{"push 1", "@frame txt \"a\"",
		"error 1\n'txt \"a\"': expected text, binary, close, ping or "
		"pong\n"},
};

START_TEST(answers_what_is_pushed)
{
	struct bytes got;

	open_told();
	got = ask((struct control_command){pushed[_i].line, pushed[_i].said, "",
			  0},
		0);
	assert_bytes(got.data, got.size, pushed[_i].answer,
		strlen(pushed[_i].answer));
	bytes_free(&got);
	close_server();
}
END_TEST

/* The bytes and the answer need some. */
START_TEST(pushes_without_memory)
{
	const struct control_command push = {"push 1", "@frame ping", "", 0};
	const char *none = "error 1\nCannot allocate memory\n";
	struct bytes got;

	open_told();
	for (failing = 1; failing <= 2; failing++) {
		got = ask(push, 0);
		assert_bytes(got.data, got.size, none, strlen(none));
		bytes_free(&got);
	}
	failing = 0;
	got = ask(push, 0);
	assert_bytes(got.data, got.size, NONE, strlen(NONE));
	bytes_free(&got);
	close_server();
}
END_TEST

/* Whatever fails, it is told, and the server can be used on. */
START_TEST(lacks_memory)
{
	const char *rules = "@on GET /\n@echo\n@expect 1 GET /\n";
	const char *wrong = "error 1\nrules:3 (GET /): expected exactly 1, "
			    "got 0\n";
	size_t made, n = 0;

	do {
		struct bytes got;

		open_told();
		failing = ++n;
		got = ask_with("rules", rules, 0);
		made = allocations;
		failing = 0;
		if (strcmp(got.data, "ok 0\n") != 0) {
			assert_has(got, "error 1\n");
			assert_has(got, "Cannot allocate memory\n");
			free(ask_with("reset", "", 0).data);
			free(ask_with("rules", rules, 0).data);
		}
		bytes_free(&got);
		got = ask_with("verdict", "", 0);
		assert_bytes(got.data, got.size, wrong, strlen(wrong));
		bytes_free(&got);
		close_server();
	} while (made >= n);
	ck_assert_uint_gt(n, 3);
}
END_TEST

/* Bytes for which there is no memory are not taken; the next ones are. */
START_TEST(reads_without_memory)
{
	struct control_reader reader = {.bytes = NULL};
	struct control_command command;
	struct control_answer answer = control_refuse(-ENOMEM);

	allocations = 0;
	fail_at = 1;
	ck_assert_int_eq(control_reader_add(&reader, "reset\n", 6), -ENOMEM);
	fail_at = 0;
	ck_assert_int_eq(control_reader_add(&reader, "url\n", 4), 0);
	ck_assert(control_reader_next(&reader, &command));
	ck_assert_str_eq(command.line, "url");
	control_reader_free(&reader);
	ck_assert_str_eq(answer.text, "error 1\nCannot allocate memory\n");
	ck_assert_uint_eq(answer.size, strlen(answer.text));
	answer = control_refuse(-EMSGSIZE);
	ck_assert_str_eq(answer.text,
		"error 1\na command has 64 MiB at most, with its lines\n");
	ck_assert_uint_eq(answer.size, strlen(answer.text));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("control");
	TCase *tcase = tcase_create("reader");

	tcase_add_loop_test(tcase, reads_commands, 0, COUNT(rows));
	tcase_add_test(tcase, reads_nuls);
	tcase_add_test(tcase, reads_much);
	tcase_add_test(tcase, reads_a_long_line);
	tcase_add_test(tcase, reads_without_memory);
	rt_test_case(suite, tcase);
	tcase = tcase_create("answers");
	tcase_add_test(tcase, answers);
	tcase_add_loop_test(tcase, answers_what_is_pushed, 0, COUNT(pushed));
	tcase_add_test(tcase, pushes_without_memory);
	tcase_add_test(tcase, lacks_memory);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
