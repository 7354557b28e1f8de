/* SPDX-License-Identifier: MIT */
/* Ladders for a terminal. What is not printable ASCII in a transcript is \xHH,
   so that each character has one column and changes nothing. */
#include "config.h"

#include <string.h>

#include "show/escape.h"
#include "show/ladder.h"

/* Columns of the time, and the least and most of the whole. */
enum { TIME_WIDTH = 11, LEAST_COLUMNS = 40, MOST_COLUMNS = 200 };

/* The most rows of bytes in a step. */
#define MOST_ROWS 100

/* The lines are drawn with these. */
struct glyphs {
	const char *line;  /* downwards, */
	const char *pause; /* and while nothing goes */
	const char *from;  /* where an arrow begins at the left, at the right */
	const char *from_right;
	const char *shaft;
	const char *head; /* of an arrow to the right, to the left */
	const char *head_left;
	const char *cross; /* of a reset */
};

static const struct glyphs unicode = {"\u2502", "\u250a", "\u251c", "\u2524",
	"\u2500", "\u25b6", "\u25c0", "\u2573"};
static const struct glyphs ascii = {"|", ":", "|", "|", "-", ">", "<", "X"};

enum paint { NO_PAINT, DIM, CLIENT, SERVER, BAD };

struct drawing {
	FILE *file;
	const struct ladder_look *look;
	const struct glyphs *glyphs;
	int inner; /* columns between the two sides */
};

/* --- a row --- */

static void
paint(const struct drawing *drawing, enum paint with)
{
	static const char *const codes[] = {"", "\33[2m", "\33[36m", "\33[32m",
		"\33[31m"};

	if (drawing->look->color && with != NO_PAINT)
		(void)fputs(codes[with], drawing->file);
}

static void
paint_end(const struct drawing *drawing, enum paint with)
{
	if (drawing->look->color && with != NO_PAINT)
		(void)fputs("\33[0m", drawing->file);
}

static void
repeat(const struct drawing *drawing, const char *text, int count)
{
	while (count-- > 0)
		(void)fputs(text, drawing->file);
}

/* Writes the time in ms, if it is not < 0. */
static void
put_time(const struct drawing *drawing, int64_t when)
{
	paint(drawing, DIM);
	if (when >= 0)
		(void)fprintf(drawing->file, "%*lld.%03d ", TIME_WIDTH - 5,
			(long long)(when / 1000), (int)(when % 1000));
	else
		(void)fprintf(drawing->file, "%*s", TIME_WIDTH, "");
	paint_end(drawing, DIM);
}

/* The number of columns that a text takes. */
static int
width_of(struct span text)
{
	size_t width = 0;

	for (size_t i = 0; i < text.size; i++)
		width += text.at[i] >= ' ' && text.at[i] <= '~' ? 1 : 4;
	return width < 100000 ? (int)width : 100000;
}

/* The number of bytes that fit in the columns, at least one. */
static size_t
fit(struct span text, int columns)
{
	size_t size = 0;

	while (size < text.size &&
		width_of((struct span){text.at + size, 1}) <= columns) {
		columns -= width_of((struct span){text.at + size, 1});
		size++;
	}
	return size > 0 ? size : 1;
}

static void
put_plain(const struct drawing *drawing, struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.at[i];

		(void)fprintf(drawing->file,
			c >= ' ' && c <= '~' ? "%c" : "\\x%02x", c);
	}
}

/*
 * Writes a row with text between the two sides, `indent` columns from the left.
 */
static void
put_row(const struct drawing *drawing, int64_t when, int indent,
	struct span text, enum paint with)
{
	const struct glyphs *glyphs = drawing->glyphs;
	int left = drawing->inner - indent - width_of(text);

	put_time(drawing, when);
	(void)fputs(glyphs->line, drawing->file);
	repeat(drawing, " ", indent);
	paint(drawing, with);
	put_plain(drawing, text);
	paint_end(drawing, with);
	repeat(drawing, " ", left);
	(void)fprintf(drawing->file, "%s\n", glyphs->line);
}

/* --- steps --- */

/* The width of the widest line, at most that of all columns. */
static int
widest(const struct drawing *drawing, struct span lines)
{
	const int most = drawing->inner - 2;
	struct span line;
	int found = 0;

	while (ladder_next_line(&lines, &line)) {
		int width = width_of(line);

		found = width > found ? width : found;
	}
	return found < most ? found : most;
}

/* Writes the bytes: those of the client at the left, those of the server at the
   right. */
static void
put_lines(const struct drawing *drawing, const struct ladder_step *step,
	int64_t *when, enum paint with)
{
	static const struct span dots = {"...", 3};
	struct span lines = step->lines, line = {NULL, 0};
	int width = widest(drawing, step->lines), rows = 0, indent;

	if (width < (int)dots.size && step->more > 0)
		width = (int)dots.size;
	indent = step->to_client ? drawing->inner - 1 - width : 1;
	while (rows < MOST_ROWS && ladder_next_line(&lines, &line))
		for (size_t used; rows < MOST_ROWS && line.size > 0; rows++) {
			used = fit(line, width);
			put_row(drawing, *when, indent,
				(struct span){line.at, used}, with);
			line.at += used;
			line.size -= used;
			*when = -1;
		}
	if (lines.size == 0 && line.size == 0 && step->more == 0)
		return;
	if (indent > drawing->inner - 4)
		indent = drawing->inner - 4;
	put_row(drawing, *when, indent, dots, DIM);
	*when = -1;
}

static void
put_faults(const struct drawing *drawing, const struct ladder *ladder,
	size_t step)
{
	const int most = drawing->inner - 2;
	size_t count;
	const struct ladder_fault *faults =
		ladder_faults_at(ladder, step, &count);

	for (size_t i = 0; i < count; i++) {
		struct span clause = faults[i].clause;
		char text[MOST_COLUMNS + 1];
		int width;

		(void)snprintf(text, sizeof text, "fault: %.*s",
			clause.size < sizeof text ? (int)clause.size :
						    MOST_COLUMNS,
			clause.at);
		for (char *at = text; *at != '\0'; at++)
			*at = *at >= ' ' && *at <= '~' ? *at : '?';
		if (strlen(text) > (size_t)most)
			text[most] = '\0';
		width = (int)strlen(text);
		put_row(drawing, -1, drawing->inner - 1 - width, span_of(text),
			BAD);
	}
}

/* Writes the text on an arrow: what was sent. */
static void
name_arrow(const struct ladder_step *step, char *text, size_t room)
{
	if (step->kind == LADDER_BYTES)
		(void)snprintf(text, room, " %llu byte%s ",
			(unsigned long long)step->bytes,
			step->bytes == 1 ? "" : "s");
	else
		(void)snprintf(text, room, " %.*s ",
			step->note.size < room - 3 ? (int)step->note.size :
						     (int)room - 3,
			step->note.at);
	for (; *text != '\0'; text++)
		*text = *text >= ' ' && *text <= '~' ? *text : '?';
}

static void
put_arrow(const struct drawing *drawing, const struct ladder_step *step,
	int64_t when, enum paint with)
{
	const struct glyphs *glyphs = drawing->glyphs;
	const char *head = step->kind == LADDER_RST ? glyphs->cross :
		step->to_client                     ? glyphs->head_left :
						      glyphs->head;
	char name[32];
	int left, right;

	name_arrow(step, name, sizeof name);
	left = (drawing->inner - 1 - (int)strlen(name)) / 2;
	right = drawing->inner - 1 - (int)strlen(name) - left;
	put_time(drawing, when);
	(void)fputs(step->to_client ? glyphs->line : glyphs->from,
		drawing->file);
	paint(drawing, with);
	if (step->to_client)
		(void)fputs(head, drawing->file);
	repeat(drawing, glyphs->shaft, left);
	(void)fputs(name, drawing->file);
	repeat(drawing, glyphs->shaft, right);
	if (!step->to_client)
		(void)fputs(head, drawing->file);
	paint_end(drawing, with);
	(void)fprintf(drawing->file, "%s\n",
		step->to_client ? glyphs->from_right : glyphs->line);
}

/* Writes a note at the right, in as many rows as it needs. */
static void
put_note(const struct drawing *drawing, struct span note, int64_t when)
{
	int width = width_of(note);

	if (width > drawing->inner - 2)
		width = drawing->inner - 2;
	for (int rows = 0; rows < MOST_ROWS && note.size > 0; rows++) {
		size_t used = fit(note, width);

		put_row(drawing, when, drawing->inner - 1 - width,
			(struct span){note.at, used}, DIM);
		note.at += used;
		note.size -= used;
		when = -1;
	}
}

static void
put_pause(const struct drawing *drawing, int64_t pause)
{
	const int rows = ladder_length(pause);
	char name[40];

	for (int i = 0; i < rows; i++) {
		int left;

		(void)snprintf(name, sizeof name, "%lld ms",
			(long long)(pause / 1000));
		if (i != rows / 2)
			*name = '\0';
		left = (drawing->inner - (int)strlen(name)) / 2;
		put_time(drawing, -1);
		(void)fputs(drawing->glyphs->pause, drawing->file);
		paint(drawing, DIM);
		(void)fprintf(drawing->file, "%*s%s%*s", left, "", name,
			drawing->inner - (int)strlen(name) - left, "");
		paint_end(drawing, DIM);
		(void)fprintf(drawing->file, "%s\n", drawing->glyphs->pause);
	}
}

static void
put_step(const struct drawing *drawing, const struct ladder *ladder,
	size_t place)
{
	const struct ladder_step *step = ladder->steps + place;
	enum paint with = step->kind == LADDER_RST ? BAD :
		step->to_client                    ? SERVER :
						     CLIENT;
	int64_t when = step->when;

	put_pause(drawing, ladder_pause(ladder, place));
	if (step->kind == LADDER_BYTES)
		put_lines(drawing, step, &when, with);
	put_faults(drawing, ladder, place);
	if (step->kind != LADDER_NOTE)
		put_arrow(drawing, step, when, with);
	else
		put_note(drawing, step->note, when);
}

/* --- all --- */

static void
put_ladder(const struct drawing *drawing, const struct ladder *ladder)
{
	put_plain(drawing, ladder->title);
	(void)fprintf(drawing->file, "\n\n%*s%s%*s%s\n", TIME_WIDTH - 2, "ms  ",
		"client", drawing->inner - 5, "", "server");
	for (size_t i = 0; i < ladder->count; i++)
		put_step(drawing, ladder, i);
}

void
ladders_write_text(FILE *file, const struct ladders *ladders,
	const struct ladder_look *look)
{
	int columns = look->columns < LEAST_COLUMNS ? LEAST_COLUMNS :
		look->columns > MOST_COLUMNS        ? MOST_COLUMNS :
						      look->columns;
	struct drawing drawing = {.file = file,
		.look = look,
		.glyphs = look->ascii ? &ascii : &unicode,
		/* the last word is below its side, and beyond it */
		.inner = columns - TIME_WIDTH - 2 - 4};

	if (*ladders->verdict != '\0') {
		paint(&drawing, BAD);
		(void)fputs("not as expected:", file);
		paint_end(&drawing, BAD);
		(void)fputs("\n", file);
		escape_lines(file, ladders->verdict, strlen(ladders->verdict),
			"");
		(void)fputs("\n", file);
	}
	for (size_t i = 0; i < ladders->count; i++) {
		(void)fputs(i > 0 ? "\n" : "", file);
		put_ladder(&drawing, ladders->all + i);
	}
}
