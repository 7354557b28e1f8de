/* SPDX-License-Identifier: MIT */
/* Edits of wire bytes. Called by tls.c, which sends the result. */
#include "config.h"

#include "tls/wire.h"

#include <stdlib.h>

/* Bytes of a record before its content: type, version, length. */
#define RECORD_HEAD 5

/* --- lists --- */

bool
rt_wire_add(struct rt_wire_list *list, struct rt_wire_edit edit)
{
	if (!rt_grow(&list->edits, &list->room, list->count, sizeof edit)) {
		free(edit.bytes);
		return false;
	}
	list->edits[list->count++] = edit;
	return true;
}

void
rt_wire_clear(struct rt_wire_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->edits[i].bytes);
	free(list->edits);
	*list = (struct rt_wire_list){NULL, 0, 0};
}

void
rt_wire_free(struct rt_wire *wire)
{
	rt_wire_clear(&wire->list);
	free(wire->holds);
}

/* Forgets edits that are not of this reply. */
static void
forget(struct rt_wire_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->edits[i].stays)
			list->edits[kept++] = list->edits[i];
		else
			free(list->edits[i].bytes);
	list->count = kept;
}

bool
rt_wire_take(struct rt_wire *wire, struct rt_wire_list *list)
{
	const uint64_t begun[] = {
		[RT_WIRE_BYTES] = wire->bytes,
		[RT_WIRE_RECORDS] = wire->records,
		[RT_WIRE_FLIGHTS] = wire->flights,
	};
	bool ok = true;

	wire->begun = wire->bytes;
	forget(&wire->list);
	for (size_t i = 0; i < list->count; i++) {
		struct rt_wire_edit *edit = list->edits + i;

		edit->after += begun[edit->unit];
		ok = rt_wire_add(&wire->list, *edit) && ok;
		edit->bytes = NULL; /* it has another owner */
	}
	rt_wire_clear(list);
	return ok;
}

/* --- bytes --- */

/* Turns a number of records or flights to come into one of bytes, now that it
   is known. */
static void
resolve(struct rt_wire *wire, enum rt_wire_unit unit, uint64_t count)
{
	for (size_t i = 0; i < wire->list.count; i++) {
		struct rt_wire_edit *edit = wire->list.edits + i;

		if (edit->unit != unit || edit->after != count)
			continue;
		edit->unit = RT_WIRE_BYTES;
		edit->after = wire->bytes + edit->plus;
	}
}

static bool
add_hold(struct rt_wire *wire, size_t at, const struct rt_wire_edit *edit)
{
	if (!rt_grow(&wire->holds, &wire->hold_room, wire->hold_count,
		    sizeof *wire->holds))
		return false;
	wire->holds[wire->hold_count++] = (struct rt_hold){
		.at = at,
		.act = edit->act,
		.time = edit->time,
		.how = edit->how,
	};
	wire->cut = edit->act == RT_WIRE_CUT;
	return true;
}

/* Makes the edits at this byte, which may be inverted. False: no memory. */
static bool
edit_here(struct rt_wire *wire, struct rt_buf *out, char *mask)
{
	for (size_t i = 0; i < wire->list.count && !wire->cut; i++) {
		const struct rt_wire_edit *edit = wire->list.edits + i;

		if (edit->unit != RT_WIRE_BYTES || edit->after != wire->bytes)
			continue;
		if (edit->act == RT_WIRE_INSERT)
			rt_buf_add(out, edit->bytes, edit->size);
		else if (edit->act == RT_WIRE_CORRUPT)
			*mask = (char)~*mask;
		else if (!add_hold(wire, out->len, edit))
			return false;
	}
	return true;
}

/* The number of bytes up to the next edit, from 1 to `size`. */
static size_t
run_of(const struct rt_wire *wire, size_t size)
{
	for (size_t i = 0; i < wire->list.count; i++) {
		const struct rt_wire_edit *edit = wire->list.edits + i;

		if (edit->unit == RT_WIRE_BYTES && edit->after > wire->bytes &&
			edit->after - wire->bytes < size)
			size = (size_t)(edit->after - wire->bytes);
	}
	return size;
}

/* Passes on a record, or the rest of the bytes that arrived. */
static bool
pass_record(struct rt_wire *wire, struct rt_buf *out, const char *bytes,
	size_t size)
{
	while (size > 0 && !wire->cut) {
		size_t run = run_of(wire, size), at;
		char mask = 0;

		if (!edit_here(wire, out, &mask))
			return false;
		if (wire->cut)
			break;
		at = out->len;
		rt_buf_add(out, bytes, run);
		if (out->failed)
			return false;
		out->data[at] ^= mask;
		wire->bytes += run;
		bytes += run;
		size -= run;
	}
	return true;
}

static size_t
record_size(const char *bytes, size_t size)
{
	size_t whole = RECORD_HEAD;

	if (size >= RECORD_HEAD)
		whole += (size_t)(unsigned char)bytes[3] << 8 |
			(unsigned char)bytes[4];
	return whole < size ? whole : size;
}

bool
rt_wire_pass(struct rt_wire *wire, struct rt_buf *out, const char *bytes,
	size_t size, bool flight)
{
	bool ok = true;

	/* what follows the handshake begins where its last one ends */
	resolve(wire, RT_WIRE_FLIGHTS, wire->flights);
	while (ok && size > 0 && !wire->cut) {
		size_t record = record_size(bytes, size);

		resolve(wire, RT_WIRE_RECORDS, wire->records);
		ok = pass_record(wire, out, bytes, record);
		wire->records++;
		bytes += record;
		size -= record;
	}
	wire->flights += flight;
	return ok && !out->failed;
}

/* --- holds --- */

const struct rt_hold *
rt_wire_hold(const struct rt_wire *wire)
{
	return wire->hold < wire->hold_count ? wire->holds + wire->hold : NULL;
}

void
rt_wire_obeyed(struct rt_wire *wire)
{
	wire->hold++;
}

void
rt_wire_sent(struct rt_wire *wire)
{
	wire->hold_count = 0;
	wire->hold = 0;
}
