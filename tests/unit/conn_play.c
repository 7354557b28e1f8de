/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "unit/conn_line.h"

#include <assert.h>
#include <stdio.h>

/* The part in parentheses, this many times or until a state is reached. */
static void
act_again(struct line *line, int64_t times, const struct word *until)
{
	struct hand *hand = line->hand;
	const char *inner;

	must(hand, next_is(line, "("), "expected a parenthesis");
	inner = line->at;
	line->at = line->end;
	must(hand, line->end[-1] == ')', "expected a parenthesis");
	for (int64_t i = 0; i < times; i++) {
		if (until != NULL && hand->conn.state == until->value)
			return;
		play(hand, inner);
	}
	must(hand, until == NULL, "it does not get there");
}

static void
act_or_again(struct line *line)
{
	struct hand *hand = line->hand;
	const struct word *state;
	int64_t times;

	if (is_number(line)) {
		times = next_number(line);
		must(hand, next_is(line, "times"), "expected \"times\"");
		act_again(line, times, NULL);
	} else if (next_is(line, "until")) {
		state = next_of(line, states);
		must(hand, state != NULL, "expected a state");
		act_again(line, 100000, state);
	} else {
		act(line);
	}
}

void
play(struct hand *hand, const char *text)
{
	const char *outer = hand->play;

	for (;;) {
		const char *end = statement_end(text);
		struct line line = {hand, text, end};

		if (!at_end(&line)) {
			hand->play = line.at;
			act_or_again(&line);
			must(hand, at_end(&line), "what is \"%.*s\"?",
				(int)(line.end - line.at), line.at);
		}
		if (*end != ';')
			break;
		text = end + 1;
	}
	hand->play = outer;
}

/* --- plays as tests --- */

/* The plays, in this order; the process that runs a test has them, too. */
static struct scene {
	const char *texts[3];
} scenes[400];
static int scene_count;

static void
play_scene(int number)
{
	const struct scene *scene = scenes + number;
	const char *text = scene->texts[0];
	int from = 0, to = 0;

	if (sscanf(text, "$ from %d to %d", &from, &to) == 2)
		text = statement_end(text) + 1;
	for (int i = from; i <= to; i++) {
		struct hand hand;

		hand_open(&hand);
		hand.number = (uint64_t)i;
		play(&hand, text);
		for (int part = 1; part < 3; part++)
			if (scene->texts[part] != NULL)
				play(&hand, scene->texts[part]);
		hand_close(&hand);
	}
}

static void
add_scene(TCase *tcase, const char *name, struct scene scene)
{
	assert((size_t)scene_count < COUNT(scenes));
	scenes[scene_count] = scene;
	rt_test_row(tcase, name, play_scene, scene_count++);
}

void
add_plays(TCase *tcase, const struct play *plays, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_scene(tcase, plays[i].name,
			(struct scene){.texts = {plays[i].text}});
}

void
add_places(Suite *suite, const struct place *places, size_t count)
{
	static const struct {
		const char *name;
		const char *play;
	} events[4] = {
		{"broken", "break"},
		{"abandoned", "abandon"},
		{"stopped, as enough replies were begun", "stop enough"},
		{"stopped, as it was told to", "stop told"},
	};

	for (size_t i = 0; i < 4; i++) {
		TCase *tcase = tcase_create(events[i].name);

		for (size_t j = 0; j < count; j++) {
			const struct place *place = places + j;
			struct scene scene = {
				.texts = {place->reach, events[i].play,
					place->ends[i]}};

			if (place->ends[i] != NULL)
				add_scene(tcase, place->name, scene);
		}
		rt_test_case(suite, tcase);
	}
}
