/* SPDX-License-Identifier: MIT */
/*
 * Applies faults to a script. The order of clauses does not matter where they
 * do different things: they are applied by verb, the head first, then bytes,
 * cuts, time, the ending. Called by the room route.
 */
#include "config.h"

#include "fault/fault_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "os/io.h"

/* Bytes of `garbage` where no number is given. */
#define GARBAGE 64

/* Segments of a paced reply are sent at most this often. */
#define SHORTEST_GAP (20 * RT_MS)

struct change {
	const struct rt_faults *faults;
	const struct rt_clause *clause;
	struct rt_reply *reply;
	char *error;
	int code;
};

static void
fail(struct change *change, const char *why)
{
	const struct rt_clause *clause = change->clause;

	change->code = rt_fail(change->error, -EINVAL, "%.*s: %s",
		rt_clause_shown(clause), change->faults->text + clause->begin,
		why);
}

static void
fail_size(struct change *change, const char *what, uint64_t size)
{
	char why[128];

	(void)snprintf(why, sizeof why, "%s %llu byte%s", what,
		(unsigned long long)size, size == 1 ? "" : "s");
	fail(change, why);
}

/* Fails, as the place is beyond the body; but if the body was left out, the
   clause does nothing. */
static void
fail_place(struct change *change, const char *what, uint64_t size)
{
	if (change->reply->body != RT_BODY_LEFT_OUT)
		fail_size(change, what, size);
}

/* Finds the position of the clause in the script. False: it has none, and the
   clause may have failed. */
static bool
find_position(struct change *change, uint64_t *at)
{
	const struct rt_clause *clause = change->clause;
	const struct rt_reply *reply = change->reply;
	uint64_t size = rt_reply_size(reply);
	uint64_t head = reply->head_size - reply->head_at;
	uint64_t body = size - reply->head_size;
	bool found = true;

	switch (clause->base) {
	case RT_FAULT_FROM_BEGIN:
		*at = clause->at;
		break;
	case RT_FAULT_FROM_END:
		*at = size - clause->at;
		found = clause->at <= size;
		break;
	case RT_FAULT_FROM_HEAD:
		*at = reply->head_at + clause->at;
		if (clause->at > head) {
			fail_size(change, "the head has", head);
			return false;
		}
		break;
	case RT_FAULT_FROM_BODY:
		*at = reply->head_size + clause->at;
		if (clause->at > body) {
			fail_place(change, "the body has", body);
			return false;
		}
		break;
	case RT_FAULT_ANYWHERE: /* drawn before this */
	case RT_FAULT_PERCENT:
		*at = size / 100 * clause->at + size % 100 * clause->at / 100;
		break;
	case RT_FAULT_WIRE: /* no bytes of the script */
	case RT_FAULT_RECORD:
	case RT_FAULT_FLIGHT:
		*at = 0;
		break;
	}
	found = found && *at <= size;
	if (!found)
		fail_place(change, "the reply has", size);
	return found;
}

static struct rt_step *
ending_of(struct rt_reply *reply)
{
	return reply->steps + reply->step_count - 1;
}

/* Sets the ending. Before a reset the bytes have to leave: it would drop
   them. */
static void
set_ending(struct rt_reply *reply, enum rt_step_kind kind)
{
	ending_of(reply)->kind = kind;
	if (kind == RT_STEP_RESET)
		rt_reply_insert(reply, reply->step_count - 1,
			(struct rt_step){.kind = RT_STEP_FLUSH});
}

/* Without a head only the close says where a reply ends, unless the connection
   is to be kept whatever the reply is. */
static void
end_headless(struct rt_reply *reply)
{
	struct rt_step *ending = ending_of(reply);

	if (ending->kind == RT_STEP_NEXT && ending->at < RETORT_NEXT_KEEP)
		ending->kind = RT_STEP_CLOSE;
}

static void
make_garbage(struct change *change)
{
	uint64_t size =
		change->clause->given ? change->clause->number : GARBAGE;
	struct rt_buf *text = &change->reply->text;
	uint64_t state = 88172645463325252u;
	size_t at = text->len;

	for (uint64_t i = 0; i < size; i++) {
		char byte;

		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		byte = (char)(state >> 32);
		rt_buf_add(text, &byte, 1);
	}
	if (change->reply->head_size > 0)
		end_headless(change->reply);
	rt_reply_cut(change->reply, 0);
	rt_reply_replace(change->reply, 0, 0, at);
	change->reply->head_size = 0;
	change->reply->head_at = 0;
}

/* Checks that there is a head; without one the clause fails. */
static bool
has_head(struct change *change)
{
	if (change->reply->head_size > change->reply->head_at)
		return true;
	fail(change, "the reply has no head");
	return false;
}

static void
end_lines_barely(struct change *change)
{
	struct rt_reply *reply = change->reply;
	size_t size = reply->head_size - reply->head_at;
	size_t from, at;

	if (!has_head(change))
		return;
	from = rt_reply_gather(reply, reply->head_at, size);
	at = reply->text.len;
	for (size_t i = 0; i < size && rt_reply_ok(reply); i++)
		if (reply->text.data[from + i] != '\r')
			rt_buf_add(&reply->text,
				&(char){reply->text.data[from + i]}, 1);
	rt_reply_replace(reply, reply->head_at, size, at);
}

/* Adds bytes before the empty line that ends the head. */
static void
add_to_head(struct change *change)
{
	struct rt_reply *reply = change->reply;
	size_t at, from;
	bool crlf;

	if (!has_head(change))
		return;
	from = rt_reply_gather(reply, reply->head_size - 2, 2);
	if (!rt_reply_ok(reply))
		return;
	crlf = reply->text.data[from] == '\r';
	at = reply->text.len;
	rt_buf_add(&reply->text, change->clause->bytes, change->clause->size);
	rt_reply_replace(reply, reply->head_size - (crlf ? 2 : 1), 0, at);
}

/* A field of the head: where it is in the script. */
struct found {
	uint64_t line;
	uint64_t line_size; /* with its end */
	uint64_t value;     /* without white space around it */
	size_t value_size;
	const char *text; /* of the value, until the script changes */
};

/* Finds the first field of that name. */
static bool
find_field(struct rt_reply *reply, const char *name, struct found *found)
{
	size_t size = reply->head_size - reply->head_at, length = strlen(name);
	size_t from = rt_reply_gather(reply, reply->head_at, size);
	const char *head, *line, *next, *value, *end;

	if (!rt_reply_ok(reply) || size == 0)
		return false;
	head = reply->text.data + from;
	for (line = head; (end = memchr(line, '\n',
				   size - (size_t)(line - head))) != NULL;
		line = next) {
		next = end + 1;
		if ((size_t)(end - line) <= length || line[length] != ':' ||
			!rt_caseless(line, length, name))
			continue;
		for (value = line + length + 1; rt_is_blank(*value);)
			value++;
		while (end > value && (rt_is_blank(end[-1]) || end[-1] == '\r'))
			end--;
		found->line = reply->head_at + (size_t)(line - head);
		found->line_size = (size_t)(next - line);
		found->value = reply->head_at + (size_t)(value - head);
		found->value_size = (size_t)(end - value);
		found->text = value;
		return true;
	}
	return false;
}

/* The largest change of a Content-Length, by which nothing overflows. */
#define MAX_LENGTH 999999999999999999u

static void
change_length(struct change *change)
{
	const struct rt_clause *clause = change->clause;
	struct rt_reply *reply = change->reply;
	struct found found;
	uint64_t length = 0;
	size_t from;

	if (!find_field(reply, "Content-Length", &found)) {
		/* that of a 304, say, was left out with the body */
		if (reply->body != RT_BODY_LEFT_OUT)
			fail(change, "the reply has no Content-Length");
		return;
	}
	if (clause->sign == '\0') {
		length = clause->number;
	} else if (!rt_word_number((struct rt_word){found.text,
					   found.value_size},
			   MAX_LENGTH, &length)) {
		fail(change, "its Content-Length is no number that can change");
		return;
	} else if (clause->sign == '+') {
		length += clause->number;
	} else if (clause->number > length) {
		fail_size(change, "Content-Length is", length);
		return;
	} else {
		length -= clause->number;
	}
	from = reply->text.len;
	rt_buf_add_number(&reply->text, length);
	rt_reply_replace(reply, found.value, found.value_size, from);
}

static void
remove_head(struct change *change)
{
	struct rt_reply *reply = change->reply;

	if (!has_head(change))
		return;
	rt_reply_replace(reply, 0, reply->head_size, reply->text.len);
	end_headless(reply);
	reply->head_at = 0;
}

/* Whether the head says that the body comes in chunks, as its last coding. */
static bool
is_chunked(struct rt_reply *reply)
{
	static const char chunked[] = "chunked";
	const size_t length = sizeof chunked - 1;
	struct found found;

	return find_field(reply, "Transfer-Encoding", &found) &&
		found.value_size >= length &&
		rt_caseless(found.text + found.value_size - length, length,
			chunked);
}

/* Whether the last chunk, without trailers, ends the reply of that size. */
static bool
ends_with(struct rt_reply *reply, uint64_t size, const char *last)
{
	size_t length = strlen(last), from;

	if (size < reply->head_size + length)
		return false;
	from = rt_reply_gather(reply, size - length, length);
	return rt_reply_ok(reply) &&
		memcmp(reply->text.data + from, last, length) == 0;
}

/* Makes the body go on for ever: in chunks, if it comes in chunks, or else
   without anything in the head that frames it. */
static void
make_endless(struct change *change)
{
	static const char last[] = "0\r\n\r\n";
	static const char chunk[] =
		"20\r\nand so on, and so on, and so on\n\r\n";
	const size_t digits = sizeof "20\r\n" - 1, end = sizeof "\r\n" - 1;
	struct rt_reply *reply = change->reply;
	struct rt_step step = {.kind = RT_STEP_REPEAT,
		.size = INT64_MAX,
		.bytes = chunk + digits,
		.at = sizeof chunk - 1 - digits - end};
	struct found found;
	uint64_t size;
	size_t index;

	while (find_field(reply, "Content-Length", &found))
		rt_reply_replace(reply, found.line, found.line_size,
			reply->text.len);
	if (reply->body == RT_BODY_LEFT_OUT)
		return;
	size = rt_reply_size(reply);
	if (is_chunked(reply)) {
		if (!ends_with(reply, size, last)) {
			if (rt_reply_ok(reply))
				fail(change,
					"the reply does not end with \"0\", "
					"its last chunk, and an empty line");
			return;
		}
		size -= sizeof last - 1;
		step.bytes = chunk;
		step.at = sizeof chunk - 1;
	}
	index = rt_reply_split(reply, size);
	if (rt_reply_ok(reply))
		rt_reply_insert(reply, index, step);
}

static void
insert_bytes(struct change *change)
{
	struct rt_buf *text = &change->reply->text;
	size_t from = text->len;
	uint64_t at;

	if (!find_position(change, &at))
		return;
	rt_buf_add(text, change->clause->bytes, change->clause->size);
	rt_reply_replace(change->reply, at, 0, from);
}

static void
corrupt(struct change *change)
{
	struct rt_reply *reply = change->reply;
	uint64_t at;
	size_t from;

	if (!find_position(change, &at))
		return;
	if (at >= rt_reply_size(reply)) {
		fail_place(change, "the reply has", rt_reply_size(reply));
		return;
	}
	from = rt_reply_gather(reply, at, 1);
	if (!rt_reply_ok(reply))
		return;
	reply->text.data[from] = (char)~reply->text.data[from];
	rt_reply_replace(reply, at, 1, from);
}

static void
cut(struct change *change)
{
	uint64_t at;

	if (!find_position(change, &at))
		return;
	rt_reply_cut(change->reply, at);
	if (rt_reply_ok(change->reply))
		set_ending(change->reply, change->clause->ending);
}

/* Inserts a step before the ending, and before a flush that belongs to it. */
static void
insert_last(struct rt_reply *reply, struct rt_step step)
{
	size_t index = reply->step_count - 1;

	if (index > 0 && reply->steps[index].kind == RT_STEP_RESET)
		index--;
	rt_reply_insert(reply, index, step);
}

static void
append(struct change *change)
{
	const struct rt_clause *clause = change->clause;
	struct rt_reply *reply = change->reply;
	size_t at = reply->text.len;

	rt_buf_add(&reply->text, clause->bytes, clause->size);
	if (clause->time > 0)
		insert_last(reply,
			(struct rt_step){.kind = RT_STEP_PAUSE,
				.at = clause->time});
	if (clause->size > 0 && rt_reply_ok(reply))
		insert_last(reply,
			(struct rt_step){.kind = RT_STEP_TEXT,
				.at = at,
				.size = clause->size});
}

/* Makes the ending wait until the client sends more. */
static void
await(struct change *change)
{
	insert_last(change->reply, (struct rt_step){.kind = RT_STEP_AWAIT});
}

/* Inserts a step before the byte at the clause's position, and before steps
   that stand there already. */
static void
insert_step(struct change *change, enum rt_step_kind kind, uint64_t argument)
{
	struct rt_reply *reply = change->reply;
	size_t index;
	uint64_t at;

	if (!find_position(change, &at))
		return;
	index = rt_reply_split(reply, at);
	if (rt_reply_ok(reply))
		rt_reply_insert(reply, index,
			(struct rt_step){.kind = kind, .at = argument});
}

static void
insert_pause(struct change *change)
{
	insert_step(change, RT_STEP_PAUSE, change->clause->time);
}

/* Has TLS change its keys between two bytes. */
static void
rekey(struct change *change)
{
	insert_step(change, RT_STEP_TELL, RT_TELL_REKEY);
}

static void
notify_close(struct change *change)
{
	insert_step(change, RT_STEP_TELL, RT_TELL_END);
}

static void
split(struct change *change)
{
	const struct rt_clause *gap =
		rt_faults_find(change->faults, RT_FAULT_GAP);

	if (gap != NULL)
		insert_step(change, RT_STEP_PAUSE, gap->time);
	insert_step(change, RT_STEP_FLUSH, 0);
}

/* Makes its bytes leave in segments of this size, with a pause of this length
   between them. */
static void
set_pace(struct rt_reply *reply, uint64_t bytes, int64_t gap)
{
	if (reply->steps->kind != RT_STEP_PACE)
		rt_reply_insert(reply, 0,
			(struct rt_step){.kind = RT_STEP_PACE});
	if (!rt_reply_ok(reply))
		return;
	reply->steps->size = bytes;
	reply->steps->at = (uint64_t)gap;
}

/* Paces the reply: this many bytes in that time, in segments that are not too
   many. */
static void
pace(struct rt_reply *reply, uint64_t bytes, uint64_t time)
{
	uint64_t segments = time / (uint64_t)SHORTEST_GAP, each;

	if (segments == 0)
		segments = 1;
	if (segments > bytes)
		segments = bytes > 0 ? bytes : 1;
	each = bytes / segments + (bytes % segments > 0);
	/* not faster than was asked for */
	set_pace(reply, each,
		bytes == 0 ?
			(int64_t)time :
			(int64_t)((double)time / (double)bytes * (double)each));
}

static void
set_segments(struct change *change)
{
	const struct rt_clause *gap =
		rt_faults_find(change->faults, RT_FAULT_GAP);

	set_pace(change->reply, change->clause->number,
		gap != NULL ? (int64_t)gap->time : 0);
}

static void
set_rate(struct change *change)
{
	pace(change->reply, change->clause->number, 1000 * (uint64_t)RT_MS);
}

static void
spread(struct change *change)
{
	pace(change->reply, rt_reply_size(change->reply), change->clause->time);
}

static void
end(struct change *change)
{
	set_ending(change->reply, change->clause->ending);
}

static void
make_deaf(struct change *change)
{
	change->reply->struck.deaf = true;
}

static void
leave_unnotified(struct change *change)
{
	change->reply->struck.unnotified = true;
}

static void
refuse(struct change *change)
{
	change->reply->struck.refuse = change->clause->given ?
		(int64_t)change->clause->time :
		RT_NEVER;
}

/* The changes, by verb. Other verbs are obeyed elsewhere: by who reads the
   request or makes the reply; and a gap by the clauses that it is for. */
static void (*const changes[RT_FAULT_VERBS])(struct change *change) = {
	[RT_FAULT_GARBAGE_BYTES] = make_garbage,
	[RT_FAULT_ADD] = add_to_head,
	[RT_FAULT_LENGTH] = change_length,
	[RT_FAULT_HEADLESS] = remove_head,
	[RT_FAULT_ENDLESS] = make_endless,
	[RT_FAULT_BARE_LF] = end_lines_barely,
	[RT_FAULT_INSERT] = insert_bytes,
	[RT_FAULT_CORRUPT] = corrupt,
	[RT_FAULT_CUT] = cut,
	[RT_FAULT_APPEND] = append,
	[RT_FAULT_PAUSE] = insert_pause,
	[RT_FAULT_CLOSE_NOTIFY] = notify_close,
	[RT_FAULT_REKEY] = rekey,
	[RT_FAULT_SPLIT] = split,
	[RT_FAULT_EACH] = set_segments,
	[RT_FAULT_RATE] = set_rate,
	[RT_FAULT_SPREAD] = spread,
	[RT_FAULT_AWAIT] = await,
	[RT_FAULT_END] = end,
	[RT_FAULT_DEAF] = make_deaf,
	[RT_FAULT_NO_NOTIFY] = leave_unnotified,
	[RT_FAULT_REFUSE] = refuse,
};

int
rt_faults_apply(const struct rt_faults *faults, struct rt_reply *reply,
	char *error)
{
	struct change change = {.faults = faults,
		.reply = reply,
		.error = error};

	for (enum rt_fault_verb verb = RT_FAULT_EARLY; verb < RT_FAULT_VERBS;
		verb++)
		for (size_t i = 0; changes[verb] && i < faults->count; i++) {
			change.clause = faults->clauses + i;
			if (change.clause->verb != verb ||
				rt_clause_is_wired(change.clause))
				continue;
			if (!rt_reply_ok(reply))
				return 0;
			changes[verb](&change);
			if (change.code < 0)
				return change.code;
		}
	if (!rt_faults_edit_wire(faults, &reply->struck.wire, false))
		reply->failed = true;
	return 0;
}
