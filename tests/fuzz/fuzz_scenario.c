/* SPDX-License-Identifier: MIT */
/*
 * The texts that people write: scenarios of all three kinds (rules, messages,
 * transcripts) and faults, which are then done to a reply. What is replayed is
 * also cut short; --corpus DIR writes a small corpus: see fuzz.h.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "canned/condition.h"
#include "canned/fill.h"
#include "fault/fault.h"
#include "fuzz/fuzz.h"
#include "match/match.h"
#include "scenario/scenario.h"

/* Every string ends, and every body can be read. */
static size_t
touch(const char *text)
{
	return text != NULL ? strlen(text) : 0;
}

static void
touch_bytes(const void *bytes, size_t size)
{
	volatile char last;

	if (size == 0)
		return;
	must(bytes != NULL);
	last = ((const char *)bytes)[size - 1];
	(void)last;
}

/* The body with parts of a request that is made of the rule's own text. */
static void
check_fill(const struct retort_reply *rule)
{
	struct retort_exchange seen = {
		.path = rule->request,
		.query = rule->fields,
		.body = rule->body,
		.body_size = rule->body_size,
	};
	struct rt_filling filling = {.seen = &seen};
	struct rt_fill fill = {.pieces = NULL};
	struct rt_error wrong;
	struct rt_buf to;

	rt_buf_init(&to, 64u << 10);
	for (size_t i = 0; i < RT_MAX_STARS && rule->body != NULL; i++)
		filling.stars[i] =
			(struct rt_word){rule->body, rule->body_size};
	/* the reader has looked at it line by line, chunks or not */
	must(rule->body == NULL || rule->chunked ||
		rt_fill_read(&fill, rule->body, rule->body_size,
			(enum rt_fill_in)(rule->body_size % 7), RETORT_HTTP,
			&wrong) == 0);
	(void)rt_fill_add(&fill, &filling, 0, &to);
	must(to.failed || fill.any || to.len <= rule->body_size);
	rt_buf_free(&to);
	rt_fill_free(&fill);
}

static void
check_item(const struct rt_item *item, unsigned lines)
{
	const struct retort_reply *rule = &item->rule;
	struct rt_faults *faults;
	struct rt_error wrong;

	must(item->begins.line >= 1 && item->begins.line <= lines);
	for (size_t i = 0; i < item->place_count; i++) {
		const struct rt_place *place = &item->places[i];

		must(place->line >= 1 && place->line <= lines);
		must(place->column >= 1);
		touch_bytes(place->said.text, place->said.size);
		must(rt_scenario_place(item, place->directive,
			     strlen(place->directive), "'x'") != NULL ||
			strcmp(place->directive, "nocase") == 0 ||
			strchr(place->directive, '-') != NULL);
	}
	for (size_t i = 0; i < RT_CONDITIONS; i++)
		if (rt_conditions[i].kind == RT_MEMBER_LINES ||
			rt_conditions[i].kind == RT_MEMBER_LINE ||
			rt_conditions[i].kind == RT_MEMBER_TEXT ||
			rt_conditions[i].kind == RT_MEMBER_RANGE)
			(void)touch(rt_condition_text(rule, i));
	(void)(touch(rule->reason) + touch(rule->fields) + touch(rule->omit) +
		touch(rule->file) + touch(rule->trailers) +
		touch(rule->interim) + touch(rule->parts));
	touch_bytes(rule->if_body, rule->if_body_size);
	touch_bytes(rule->body, rule->body_size);
	must(item->kind != RT_ITEM_EXPECT || item->least <= item->most);
	(void)touch(item->connections);
	if (item->kind == RT_ITEM_ORDER)
		for (size_t i = 0; item->requests[i] != NULL; i++)
			(void)touch(item->requests[i]);
	if (rule->fill && !rule->raw)
		check_fill(rule);
	must(rule->chunks == NULL || (touch(rule->chunks) && rule->chunked));
	if (rule->faults == NULL)
		return;
	/* each line was read; together there may be too many */
	faults = rt_faults_new(rule->faults, &wrong);
	must(faults != NULL || strstr(wrong.text, "fewer clauses") != NULL);
	rt_faults_free(faults);
}

static void
check_scenario(const char *text, size_t size)
{
	char error[RETORT_ERROR_SIZE];
	struct rt_scenario scenario;
	unsigned lines = 1, line, column;
	int code, end = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	code = rt_scenario_read(&scenario, "name", "folder", text, size, error);
	if (code == 0) {
		must(*error == '\0');
		for (size_t i = 0; i < scenario.count; i++)
			check_item(scenario.items + i, lines);
	} else {
		must(memchr(error, '\0', sizeof error) != NULL);
		must(sscanf(error, "name:%u:%u: %n", &line, &column, &end) ==
			2);
		must(end > 0 && error[end] != '\0');
		must(line >= 1 && line <= lines);
		must(column >= 1 && column <= size + 1);
	}
	must(!scenario.notices.failed);
	rt_scenario_free(&scenario);
}

static void
build(struct rt_reply *reply, unsigned kind)
{
	static const char sizes[] = "1 10 3";
	static const struct retort_reply in_chunks = {.chunked = true,
		.chunks = sizes,
		.interim = "HTTP/1.1 103 Early Hints\r\n\r\n",
		.trailers = "A: b",
		.pause_head = 1,
		.pause_chunk = 1,
		.pause_end = 1};
	struct rt_draft draft = {.reply = reply};

	rt_reply_init(reply);
	if (kind == 0) {
		rt_draft_raw(&draft, 200, "raw", 3);
		return;
	}
	draft.own = kind == 1 ? &in_chunks : NULL;
	rt_draft_begin(&draft, kind == 3 ? 204 : 200, "today");
	if (kind == 1)
		rt_draft_body_repeat(&draft, "again", 5, 77);
	else
		rt_draft_body(&draft, "hello", 5);
}

/* Runs over the script as a connection would. */
static void
check_script(const struct rt_reply *reply)
{
	uint64_t size = 0;

	must(reply->step_count >= 1 && reply->step_count <= RT_MAX_STEPS);
	for (size_t i = 0; i < reply->step_count; i++) {
		const struct rt_step *step = reply->steps + i;

		must((step->kind >= RT_STEP_NEXT) ==
			(i == reply->step_count - 1));
		if (step->kind <= RT_STEP_FILE) {
			must(step->size > 0);
			size = step->size > UINT64_MAX - size ?
				UINT64_MAX :
				size + step->size;
		}
		if (step->kind == RT_STEP_TEXT)
			must(step->at <= reply->text.len &&
				step->size <= reply->text.len - step->at);
		if (step->kind == RT_STEP_REPEAT)
			must(step->at > 0 && step->from < step->at);
		if (step->kind == RT_STEP_BYTES)
			touch_bytes(step->bytes, (size_t)step->size);
	}
	must(size == rt_reply_size(reply));
	must(reply->head_size <= size);
}

static void
check_faults(const char *bytes, size_t size)
{
	char error[RETORT_ERROR_SIZE], *text = strndup(bytes, size);
	struct rt_faults *faults, *again;
	struct rt_error wrong;
	struct rt_reply reply;

	must(text != NULL);
	faults = rt_faults_new(text, &wrong);
	must(wrong.at <= strlen(text));
	if (faults == NULL)
		must(memchr(wrong.text, '\0', sizeof wrong.text) != NULL &&
			*wrong.text);
	if (faults != NULL) {
		/* what is logged can be done again, whatever was drawn */
		struct rt_faults *drawn = rt_faults_draw(faults, size, 1);

		must(drawn != NULL);
		again = rt_faults_new(rt_faults_text(drawn), &wrong);
		must(again != NULL);
		rt_faults_free(again);
		rt_faults_free(drawn);
	}
	for (unsigned kind = 0; faults != NULL && kind < 4; kind++) {
		build(&reply, kind);
		*error = '\0';
		if (rt_faults_apply(faults, &reply, error) < 0)
			must(*error != '\0');
		else if (rt_reply_ok(&reply))
			check_script(&reply);
		rt_reply_free(&reply);
	}
	if (faults != NULL) {
		/* what is logged can be replayed */
		again = rt_faults_new(rt_faults_text(faults), &wrong);
		must(again != NULL);
		rt_faults_free(again);
	}
	rt_faults_free(faults);
	free(text);
}

/* A difference is reported if there is a miss, and none otherwise. */
static bool
fits(const struct retort_requests *when, const struct retort_exchange *seen)
{
	char error[RETORT_ERROR_SIZE];
	struct rt_match *match = rt_match_new(when, RETORT_HTTP, error);
	struct rt_buf why;
	bool fit;

	if (match == NULL) {
		must(error[0] != '\0');
		return false;
	}
	rt_buf_init(&why, 1 << 24);
	fit = rt_match_fits(match, seen);
	(void)rt_match_explain(match, seen, "it", &why);
	must(fit == (why.len == 0));
	rt_match_describe(match, &why);
	rt_match_name(seen, &why);
	rt_buf_free(&why);
	rt_match_free(match);
	return fit;
}

/* The first line is a rule, and a text to look for; the rest is what came. */
static void
check_match(const char *data, size_t size)
{
	char *rule = malloc(size + 1), *target, *mark;
	struct retort_exchange seen = {.method = "GET"};
	bool nocase = size > 0 && (data[0] & 1);

	must(rule != NULL);
	memcpy(rule, data, size);
	rule[size] = '\0';
	target = strchr(rule, '\n');
	if (target != NULL && target[1] != '\0') {
		*target++ = '\0';
		mark = strchr(target, '?');
		seen.target = target;
		seen.query = mark ? mark + 1 : NULL;
		seen.body = target;
		seen.body_size = strlen(target);
		(void)fits(&(struct retort_requests){.request = rule}, &seen);
		/* whatever is found with its case is found without */
		if (strstr(target, rule) != NULL)
			must(fits(&(struct retort_requests){.if_body_has = rule,
					  .if_nocase = nocase},
				&seen));
		else
			must(!fits(&(struct retort_requests){.if_body_has =
								     rule},
				&seen));
		/* and a target fits itself */
		if (strchr(target, '*') == NULL && *target == '/' &&
			target[strcspn(target, "#\x7f")] == '\0') {
			for (mark = target; (unsigned char)*mark > ' '; mark++)
				;
			if (*mark == '\0')
				must(fits(
					&(struct retort_requests){
						.request = target},
					&seen));
		}
	}
	free(rule);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(data, size);

	check_scenario(copy, size);
	check_faults(copy, size);
	check_match(copy, size);
	free(copy);
	return 0;
}

static const char *const corpus[] = {
	"@on\nHTTP/1.1 200 OK\nContent-Type: text/event-stream\n\n@part 2s\n"
	"data: a\n@part\ndata: b\r\n@part 1ms\n\n@on\n@raw \"a\"\n@part\n"
	"@frame ping \"b\"\n@frame text\n",
	"@on GET /*\n@fill\nHTTP/1.1 200 OK\nA: {raw query.b}\n\n{{{1}\n"
	"@@{field.C}{}\n@on\n@fill\n@file a/{path}\n",
	"# a queue\n@on GET /a\n@times 2\n@if-field A: b\n@if-contains C: d\n"
	"@if-absent E\n@fault cut body 3 reset; each 2\n"
	"HTTP/2 200 \ncontent-type: a/b\ncontent-length: 99\n"
	"content-encoding: gzip\n\nbody\n@@ at\n\n@then\n@fault end stall\n"
	"@then\nHTTP/1.1 503 No\r\nRetry-After: 1\r\n\r\n",
	"@on\n@if-nth 2+\n@echo\n@expect 1\n@if-nth 1\n@connections 2-3\n"
	"@on\n@if-tls sni: *.a\n@if-tls client:\n@echo\n"
	"@on\n@if-refused 400\n@if-body \"a\\0\\x7f\\\"\"\n@if-body-has \"x\"\n@chunks 1 2 3\n"
	"@trailer A: b\n@interim \"HTTP/1.1 103 E\\r\\n\\r\\n\"\n@repeat 9\n"
	"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n"
	"Connection: keep-alive\n\n5\nhello\na\n0123456789\n0\n\n",
	"@on /e\n@echo\n@on /f\n@files\n@on /g\n@file g.txt\nHTTP/1.1 200\n\n"
	"@accepted\n@fault end reset\n@accepted\n@raw \"hi\\r\\n\"\n@on\n"
	"@raw\nanything\nHTTP/1.1\n@on\n@close\n@expect 1\n@expect 2+ GET /\n"
	"@if-absent A\n@expect 2-3 POST\n@order GET / -> POST -> /b\n",
	"connection 1 from 127.0.0.1:5\n  0.000 < GET / HTTP/1.1\\r\\n\n"
	"  0.000 < \\r\\n\n  2.160 > HTTP/1.1 200 OK\\r\\n\n  2.1 > (FIN)\n"
	"  7.364 < (FIN)\n  7.3 - (closed)\n\nconnection 2 from 127.0.0.1:6\n"
	"  0.000 < POST / HTTP/1.1\\r\\n\n  2.1 > \\x00\\\\\n  2.1 > (RST)\n"
	"  2.1 > ... 7 more bytes\n",
	"early; stop-reading 5; read-slowly 1 2; continue never; continue 5;"
	"status 503; bare-lf; add \"A: b\\r\\n\"; fold; force-body; no-range;"
	"insert 3 \"x\\0\"; corrupt body 1; pause 5; pause 5 body 2;"
	"split 1 2 body 0 -1; each 2; gap 3; rate 100; spread 500;"
	"end half; deaf; refuse; refuse 50",
	"length -1; cut 50% stall",
	"length +1; cut -1 half; end reset",
	"headless; endless; split 1 2 3",
	"garbage 10; cut 5 reset",
	"endless; rate 52; cut body 70",
	"empty; end fin",
	"endless; endless; endless; cut -1",
	"cut head 3; pause 1 head 1",
	"@on\n@if-body-has \"EHLO\"\n@nocase\n@delay 1\n",
	("@on /s\nHTTP/1.1 200 OK\nContent-Type: text/event-stream\n\n"
	 "data: x\n\n@on\n@raw\nHTTP/1.1 204 No\nA: b\n\n@on\n@echo\n"),
	"drop; timeout; delay 5",
	"@on\n@if-basic ada:secret\n@echo\n@on\n@if-digest ada:secret\n"
	"@if-digest realm=\"a\", nonce=1\n@if-body-glob \"a*b\"\n@echo\n"
	"@then\n@if-proxy-basic a:b\n@if-proxy-digest a:b\n@echo\n",
	"@on\n@times 1\n@times 2\n@echo\n",
	"@on POST /f?a=*\n@if-query-only\n@if-query-absent b\n@if-form c=d*\n"
	"@if-form-absent e\n@if-form-only\n@if-file f=*.png;type=x\n@echo\n",
	"GET /\xc3\xbc*%2F*x?a=%2B&b\n/%c3%bcab%2fxx?b&a=%2b",
	"/*aab*aac*d\n/aaaabaaaaac%64",
};

const struct fuzz fuzz = {NULL, "\n\0@\"9 \\-", "text", corpus,
	sizeof corpus / sizeof *corpus};
