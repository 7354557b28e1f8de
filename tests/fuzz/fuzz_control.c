/* SPDX-License-Identifier: MIT */
/*
 * The lines of --control, in pieces, obeyed by a server that listens nowhere:
 * each command has one answer, of as many lines as it says. What is replayed is
 * also cut short; --corpus DIR writes a small corpus: see fuzz.h.
 */
#include "config.h"

#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/clock.h"
#include "retort.h"
#include "talk/control_parts.h"

/* "ok 2", and two lines. */
static void
check_answer(const struct control_answer *answer)
{
	const char *at = answer->text, *end = at + answer->size;
	unsigned long lines, count = 0;
	char *after;

	must(answer->size > 0 && end[-1] == '\n');
	at += strncmp(at, "ok ", 3) == 0 ? 3 : 6;
	must(at[-1] == ' ' &&
		(at == answer->text + 3 ||
			strncmp(answer->text, "error ", 6) == 0));
	lines = strtoul(at, &after, 10);
	must(after > at && *after == '\n');
	for (at = after + 1; at < end; at++)
		count += *at == '\n';
	must(count == lines);
}

static void
obey(struct control_server *server, const struct control_command *command,
	int64_t began)
{
	struct control_answer answer = {.text = NULL};

	if (control_obey(server, command, began, &answer) == 0)
		check_answer(&answer);
	free(answer.owned);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_server server = {
		.server = retort_start(.bind = "", .stepped = true)};
	struct control_reader reader = {.bytes = NULL};
	struct control_command command;
	uint64_t seed = fuzz_seed(data, size);
	/* waits are over, but for the longest */
	int64_t began = clock_ms() - 60000;

	must(server.server != NULL);
	while (size > 0) {
		size_t piece = 1 + fuzz_below(&seed, 64);

		if (piece > size)
			piece = size;
		must(control_reader_add(&reader, (const char *)data, piece) ==
			0);
		data += piece;
		size -= piece;
		while (control_reader_next(&reader, &command))
			obey(&server, &command, began);
	}
	control_reader_free(&reader);
	retort_close(server.server);
	return 0;
}

static const char *const corpus[] = {
	"rules\n@on GET /a\nHTTP/1.1 200 OK\n\nb\n\n@expect 1 GET /a\n.\n"
	"verdict\nurl\nrequests\n",
	"rules END\r\n@on\r\n@echo\r\n.\r\nEND\r\nreset rules\nverdict 1s\n",
	"push 1 END\nx\n.\nEND\npush 2\n.\nend 1 reset\nrefuse\nrefuse off\n",
	"push 1 \"a\\x00\"\npush 2 @frame text \"hello\"\npush 1 @frame\n",
	"rules\n@on GET\n@fault cut nothing\n.\nwait 1 5ms\ntranscript 1\n",
	"\n wait  2 500ms x\nreset all\nreset records\ntranscript 0\nnothing\n"
	"stop\n",
};

const struct fuzz fuzz = {NULL, "\n\r. @\0N\t", "control", corpus,
	sizeof corpus / sizeof *corpus};
