/* SPDX-License-Identifier: MIT */
/* Dates: written, read in each of the three formats, and spoiled. */
#include "config.h"

#include <check.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http/date.h"
#include "support/harness.h"

#define DAY INT64_C(86400)
#define NOW INT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */

/* From memory of exactly that size. */
static bool
parse(const char *text, size_t size, int64_t now, int64_t *seconds)
{
	char *copy = malloc(size + (size == 0));
	bool ok;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, size);
	ok = rt_date_parse(copy, size, now, seconds);
	free(copy);
	return ok;
}

static void
expect_date(const char *text, int64_t now, int64_t expected)
{
	int64_t seconds = -12345;

	if (!parse(text, strlen(text), now, &seconds))
		ck_abort_msg("\"%s\": expected %" PRId64 ", was refused",
			shown(text, strlen(text)), expected);
	if (seconds != expected)
		ck_abort_msg("\"%s\", now %" PRId64 ": expected %" PRId64
			     ", got %" PRId64,
			shown(text, strlen(text)), now, expected, seconds);
}

static void
expect_refused(const char *text, size_t size)
{
	int64_t seconds = -12345;

	if (parse(text, size, NOW, &seconds))
		ck_abort_msg("\"%s\": expected no date, got %" PRId64,
			shown(text, size), seconds);
}

/* --- written and read --- */

static const struct {
	int64_t seconds;
	const char *text;
} dates[] = {
	{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
	{-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
	{-62135596800, "Mon, 01 Jan 0001 00:00:00 GMT"},
	{-2203891200, "Thu, 01 Mar 1900 00:00:00 GMT"},
	{784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
	{951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
	{951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
	{1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
	{1735689599, "Tue, 31 Dec 2024 23:59:59 GMT"},
	{2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
	{4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
	{253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

START_TEST(dates_in_any_locale_and_zone)
{
	char text[RT_DATE_TEXT];

	ck_assert_int_eq(setenv("TZ", "Pacific/Auckland", 1), 0);
	tzset();
	(void)setlocale(LC_ALL, "de_DE.UTF-8");
	for (int i = 0; i < COUNT(dates); i++) {
		rt_date_format(dates[i].seconds, text);
		ck_assert_str_eq(text, dates[i].text);
		expect_date(text, NOW, dates[i].seconds);
	}
}
END_TEST

static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday",
	"Thursday", "Friday", "Saturday"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* A calendar that only knows how to go on by one day. */
struct calendar {
	int64_t seconds;
	int year;
	int month;   /* from 0 */
	int day;     /* from 1 */
	int weekday; /* from Sunday */
};

static int
days_of_month(int year, int month)
{
	static const int sizes[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31};

	if (month == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return sizes[month];
}

static void
next_day(struct calendar *on)
{
	on->seconds += DAY;
	on->weekday = (on->weekday + 1) % 7;
	if (++on->day <= days_of_month(on->year, on->month))
		return;
	on->day = 1;
	on->month = (on->month + 1) % 12;
	on->year += on->month == 0;
}

enum format { IMF, RFC850, ASCTIME, FORMATS };

static void
write_date(const struct tm *tm, enum format format, char text[64])
{
	const char *day = days[tm->tm_wday], *month = months[tm->tm_mon];
	int year = tm->tm_year + 1900;
	char time[16];

	(void)snprintf(time, sizeof time, "%02u:%02u:%02u",
		(unsigned)tm->tm_hour % 100, (unsigned)tm->tm_min % 100,
		(unsigned)tm->tm_sec % 100);
	if (format == IMF)
		(void)snprintf(text, 64, "%.3s, %02d %s %04d %s GMT", day,
			tm->tm_mday, month, year, time);
	else if (format == RFC850)
		(void)snprintf(text, 64, "%s, %02d-%s-%02d %s GMT", day,
			tm->tm_mday, month, year % 100, time);
	else
		(void)snprintf(text, 64, "%.3s %s %2d %s %04d", day, month,
			tm->tm_mday, time, year);
}

/* That day, at a time that differs from day to day, as text. */
static int64_t
render(const struct calendar *on, enum format format, char text[64])
{
	int second = (int)(((on->seconds / DAY) & 0x1fff) * 10);
	const struct tm tm = {
		.tm_year = on->year - 1900,
		.tm_mon = on->month,
		.tm_mday = on->day,
		.tm_wday = on->weekday,
		.tm_hour = second / 3600,
		.tm_min = second / 60 % 60,
		.tm_sec = second % 60,
	};

	write_date(&tm, format, text);
	return on->seconds + second;
}

static void
check_day(const struct calendar *on)
{
	char expected[64], text[RT_DATE_TEXT];
	int64_t seconds = render(on, IMF, expected);

	rt_date_format(seconds, text);
	if (strcmp(text, expected) != 0)
		ck_abort_msg("%" PRId64 ": expected %s, got %s", seconds,
			expected, text);
	for (enum format format = IMF; format < FORMATS; format++) {
		(void)render(on, format, expected);
		expect_date(expected, seconds, seconds);
	}
}

START_TEST(every_day_of_two_centuries)
{
	struct calendar on = {.seconds = -29219 * DAY,
		.year = 1890,
		.month = 0,
		.day = 1,
		.weekday = 3};

	for (int days_left = 80353; days_left > 0; days_left--) {
		if (!rt_test_thin())
			check_day(&on);
		next_day(&on);
	}
	ck_assert_int_eq(on.year, 2110);
	ck_assert_int_eq(on.month, 0);
	ck_assert_int_eq(on.day, 1);
}
END_TEST

START_TEST(the_turn_of_every_month_from_year_1_to_9999)
{
	struct calendar on = {.seconds = -62135596800,
		.year = 1,
		.month = 0,
		.day = 1,
		.weekday = 1};

	while (on.year < 10000) {
		bool february = on.month == 1 && on.day >= 28;

		if ((on.day == 1 ? on.month % 11 < 3 : february) &&
			!rt_test_thin())
			check_day(&on);
		next_day(&on);
	}
	ck_assert_int_eq(on.seconds, INT64_C(253402300800));
}
END_TEST

START_TEST(a_time_that_no_date_can_show_stays_in_its_room)
{
	static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -DAY * 719529,
		-62167219201, 253402300800, INT64_C(1) << 40, INT64_C(1) << 55,
		INT64_C(67768036191676799), INT64_C(67768036191676800),
		INT64_MAX - 1, INT64_MAX};
	char *text = malloc(RT_DATE_TEXT);

	ck_assert_ptr_nonnull(text);
	for (int i = 0; i < COUNT(times); i++) {
		memset(text, 'x', RT_DATE_TEXT);
		rt_date_format(times[i], text);
		ck_assert_msg(memchr(text, '\0', RT_DATE_TEXT) ==
				text + RT_DATE_TEXT - 1,
			"%" PRId64 ": expected %d bytes and a NUL: %s",
			times[i], RT_DATE_TEXT - 1, shown(text, RT_DATE_TEXT));
		ck_assert_msg(strcmp(text + 25, " GMT") == 0, "%" PRId64 ": %s",
			times[i], text);
	}
	free(text);
}
END_TEST

/* --- read --- */

static const struct {
	const char *text;
	int64_t seconds;
} read_too[] = {
	{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
	{"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
	{"Sun Nov  6 08:49:37 1994", 784111777},
	{"Wed Nov 16 08:49:37 1994", 784975777},
	/* date3 is month SP ( 2DIGIT / ( SP 1DIGIT )) */
	{"Sun Nov 06 08:49:37 1994", 784111777},
	/* the name of the day is one, but not compared */
	{"Mon, 06 Nov 1994 08:49:37 GMT", 784111777},
	{"Wednesday, 06-Nov-94 08:49:37 GMT", 784111777},
	{"Sat Nov  6 08:49:37 1994", 784111777},
	/* leap seconds, whether there was one or not */
	{"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
	{"Saturday, 31-Dec-16 23:59:60 GMT", 1483228800},
	{"Sat Dec 31 23:59:60 2016", 1483228800},
	{"Sun, 06 Nov 1994 08:49:60 GMT", 784111800},
	{"Wed, 28 Feb 2024 23:59:60 GMT", 1709164800},
	{"Fri, 31 Dec 9999 23:59:60 GMT", 253402300800},
	/* the first and the last of everything */
	{"Sun, 06 Nov 1994 00:00:00 GMT", 784080000},
	{"Sun, 06 Nov 1994 23:59:59 GMT", 784166399},
	{"Tue, 29 Feb 2000 12:00:00 GMT", 951825600},
	{"Tuesday, 29-Feb-00 12:00:00 GMT", 951825600},
	{"Tue Feb 29 12:00:00 2000", 951825600},
	{"Wed, 31 Dec 1969 23:59:59 GMT", -1},
	{"Wed Dec 31 23:59:59 1969", -1},
};

START_TEST(is_read)
{
	expect_date(read_too[_i].text, NOW, read_too[_i].seconds);
}
END_TEST

static const char *const refused[] = {
	"",
	" ",
	"0",
	"784111777",
	"now",
	"1994-11-06T08:49:37Z",
	"GMT",
	/* case */
	"sun, 06 Nov 1994 08:49:37 GMT",
	"SUN, 06 Nov 1994 08:49:37 GMT",
	"Sun, 06 nov 1994 08:49:37 GMT",
	"Sun, 06 NOV 1994 08:49:37 GMT",
	"Sun, 06 Nov 1994 08:49:37 gmt",
	"sunday, 06-Nov-94 08:49:37 GMT",
	"SUNDAY, 06-Nov-94 08:49:37 GMT",
	"Sunday, 06-NOV-94 08:49:37 GMT",
	"Sunday, 06-Nov-94 08:49:37 Gmt",
	"sun Nov  6 08:49:37 1994",
	"Sun nov  6 08:49:37 1994",
	/* digits missing, and too many */
	"Sun, 6 Nov 1994 08:49:37 GMT",
	"Sun,  6 Nov 1994 08:49:37 GMT",
	"Sun, 06 Nov 1994 8:49:37 GMT",
	"Sun, 06 Nov 1994  8:49:37 GMT",
	"Sun, 06 Nov 1994 08:9:37 GMT",
	"Sun, 06 Nov 1994 08:49:7 GMT",
	"Sun, 06 Nov 1994 08:49 GMT",
	"Sun, 06 Nov 94 08:49:37 GMT",
	"Sun, 06 Nov 994 08:49:37 GMT",
	"Sun, 006 Nov 1994 08:49:37 GMT",
	"Sun, 06 Nov 01994 08:49:37 GMT",
	"Sun, 06 Nov 19940 08:49:37 GMT",
	"Sun, 06 Nov 1994 008:49:37 GMT",
	"Sun, 06 Nov 1994 08:49:037 GMT",
	"Sun, 06 Nov 1994 08:49:37.5 GMT",
	"Sunday, 6-Nov-94 08:49:37 GMT",
	"Sunday,  6-Nov-94 08:49:37 GMT",
	"Sunday, 06-Nov-1994 08:49:37 GMT",
	"Sunday, 06-Nov-4 08:49:37 GMT",
	"Sun Nov 6 08:49:37 1994",
	"Sun Nov 006 08:49:37 1994",
	"Sun Nov  6 8:49:37 1994",
	"Sun Nov  6 08:49:37 94",
	"Sun Nov  6 08:49:37 994",
	"Sun Nov  6 08:49:37 19940",
	"Sun Nov  0 08:49:37 1994",
	"Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
	"Sun, 99999999999999999999 Nov 1994 08:49:37 GMT",
	"Sun, 06 Nov 1994 99999999999999999999:49:37 GMT",
	"Sun Nov 99999999999999999999 08:49:37 1994",
	"Sun Nov  6 08:49:37 18446744073709551616",
	"Sunday, 06-Nov-18446744073709551710 08:49:37 GMT",
	/* signs, which strtol() takes */
	"Sun, +6 Nov 1994 08:49:37 GMT",
	"Sun, -6 Nov 1994 08:49:37 GMT",
	"Sun, 06 Nov -994 08:49:37 GMT",
	"Sun, 06 Nov +994 08:49:37 GMT",
	"Sun, 06 Nov 1994 +8:49:37 GMT",
	"Sun, 06 Nov 1994 08:49:-1 GMT",
	"Sun, 06 Nov 1994 08:49: 7 GMT",
	/* spaces and what takes their place */
	" Sun, 06 Nov 1994 08:49:37 GMT",
	"Sun, 06 Nov 1994 08:49:37 GMT ",
	"Sun,  06 Nov 1994 08:49:37 GMT",
	"Sun , 06 Nov 1994 08:49:37 GMT",
	"Sun,06 Nov 1994 08:49:37 GMT",
	"Sun,\t06 Nov 1994 08:49:37 GMT",
	"Sun, 06  Nov 1994 08:49:37 GMT",
	"Sun, 06 Nov  1994 08:49:37 GMT",
	"Sun, 06 Nov 1994  08:49:37 GMT",
	"Sun, 06 Nov 1994\t08:49:37 GMT",
	"Sun, 06 Nov 1994 08:49:37  GMT",
	"Sun, 06 Nov 1994 08:49:37GMT",
	"Sun, 06 Nov 1994T08:49:37 GMT",
	"Sun, 06 Nov 1994 08 :49:37 GMT",
	"Sun, 06 Nov 1994 08.49.37 GMT",
	"Sun 06 Nov 1994 08:49:37 GMT",
	"Sun; 06 Nov 1994 08:49:37 GMT",
	" Sun Nov  6 08:49:37 1994",
	"Sun  Nov  6 08:49:37 1994",
	"Sun Nov   6 08:49:37 1994",
	"Sun Nov\t 6 08:49:37 1994",
	"Sun Nov \t6 08:49:37 1994",
	"Sun Nov  6  08:49:37 1994",
	"Sun Nov  6 08:49:37  1994",
	"Sun Nov  6 08:49:37 1994\n",
	"Sunday 06-Nov-94 08:49:37 GMT",
	"Sunday,06-Nov-94 08:49:37 GMT",
	"Sunday, 06 -Nov-94 08:49:37 GMT",
	"Sunday, 06-Nov-94  08:49:37 GMT",
	/* one format in another */
	"Sunday, 06 Nov 1994 08:49:37 GMT",
	"Sunday Nov  6 08:49:37 1994",
	"Sun, 06-Nov-94 08:49:37 GMT",
	"Sun, 06-Nov-1994 08:49:37 GMT",
	"Sunday, 06 Nov 94 08:49:37 GMT",
	"Sun, Nov  6 08:49:37 1994",
	"Sun Nov  6 08:49:37 1994 GMT",
	"Sun Nov  6 08:49:37 GMT 1994",
	"Sun, 06-Nov 1994 08:49:37 GMT",
	"Sunday, 06-Nov 94 08:49:37 GMT",
	/* names */
	"Son, 06 Nov 1994 08:49:37 GMT",
	"Su, 06 Nov 1994 08:49:37 GMT",
	"Sund, 06 Nov 1994 08:49:37 GMT",
	", 06 Nov 1994 08:49:37 GMT",
	"06 Nov 1994 08:49:37 GMT",
	"Tues, 06-Nov-94 08:49:37 GMT",
	"Sunnday, 06-Nov-94 08:49:37 GMT",
	"Monday, 06-Nvo-94 08:49:37 GMT",
	"Sun, 06 Now 1994 08:49:37 GMT",
	"Sun, 06 anF 1994 08:49:37 GMT",
	"unM, 06 Nov 1994 08:49:37 GMT",
	"Sun, 06 11 1994 08:49:37 GMT",
	"Sun, 06 November 1994 08:49:37 GMT",
	"Sun, 06 Nov 1994 08:49:37 UTC",
	"Sun, 06 Nov 1994 08:49:37 +0000",
	"Sun, 06 Nov 1994 08:49:37 GMT+1",
	"Sun, 06 Nov 1994 08:49:37 GMTx",
	"Sun, 06 Nov 1994 08:49:37 GMT; length=5",
	"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
	"Sunday, 06-Nov-94 08:49:37 GMTx",
	"Sun Nov  6 08:49:37 1994x",
	"\"Sun, 06 Nov 1994 08:49:37 GMT\"",
	/* no such day, no such time */
	"Sun, 00 Nov 1994 08:49:37 GMT",
	"Sun, 31 Nov 1994 08:49:37 GMT",
	"Sun, 31 Apr 1994 08:49:37 GMT",
	"Sun, 31 Jun 1994 08:49:37 GMT",
	"Sun, 31 Sep 1994 08:49:37 GMT",
	"Sun, 32 Jan 1994 08:49:37 GMT",
	"Sun, 32 Dec 1994 08:49:37 GMT",
	"Sun, 99 Dec 1994 08:49:37 GMT",
	"Sun, 29 Feb 1994 08:49:37 GMT",
	"Sun, 29 Feb 1900 08:49:37 GMT",
	"Sun, 29 Feb 2100 08:49:37 GMT",
	"Sun, 30 Feb 2000 08:49:37 GMT",
	"Sunday, 29-Feb-94 08:49:37 GMT",
	"Sunday, 31-Apr-94 08:49:37 GMT",
	"Sun Feb 29 08:49:37 1994",
	"Sun Apr 31 08:49:37 1994",
	"Sun Nov 00 08:49:37 1994",
	"Sun, 06 Nov 1994 24:00:00 GMT",
	"Sun, 06 Nov 1994 25:49:37 GMT",
	"Sun, 06 Nov 1994 08:60:37 GMT",
	"Sun, 06 Nov 1994 08:99:37 GMT",
	"Sun, 06 Nov 1994 08:49:61 GMT",
	"Sun, 06 Nov 1994 08:49:99 GMT",
	"Sunday, 06-Nov-94 24:00:00 GMT",
	"Sun Nov  6 24:00:00 1994",
	"Sun Nov  6 08:60:00 1994",
	"Sun Nov  6 08:49:61 1994",
};

START_TEST(is_refused)
{
	expect_refused(refused[_i], strlen(refused[_i]));
}
END_TEST

/* --- years of two digits --- */

/* 1 July, noon */
#define IN_2026 INT64_C(1782907200)
#define IN_1970 INT64_C(15681600)
#define IN_2090 INT64_C(3802593600)

static const struct {
	int64_t now;
	const char *text;     /* of 1 July, noon, unless it says why not */
	const char *expected; /* NULL: none */
} two_digits[] = {
	{IN_2026, "Wednesday, 01-Jul-26 12:00:00 GMT",
		"Wed, 01 Jul 2026 12:00:00 GMT"},
	{IN_2026, "Wednesday, 01-Jul-27 12:00:00 GMT",
		"Thu, 01 Jul 2027 12:00:00 GMT"},
	{IN_2026, "Wednesday, 01-Jul-75 12:00:00 GMT",
		"Mon, 01 Jul 2075 12:00:00 GMT"},
	{IN_2026, "Wednesday, 31-Dec-75 23:59:59 GMT",
		"Tue, 31 Dec 2075 23:59:59 GMT"},
	{IN_2026, "Wednesday, 01-Jan-76 00:00:00 GMT",
		"Wed, 01 Jan 2076 00:00:00 GMT"},
	{IN_2026, "Wednesday, 01-Jul-76 12:00:00 GMT",
		"Wed, 01 Jul 2076 12:00:00 GMT"},
	{IN_2026, "Wednesday, 01-Jan-77 00:00:00 GMT",
		"Sat, 01 Jan 1977 00:00:00 GMT"},
	{IN_2026, "Wednesday, 01-Jul-77 12:00:00 GMT",
		"Fri, 01 Jul 1977 12:00:00 GMT"},
	{IN_2026, "Wednesday, 01-Jul-99 12:00:00 GMT",
		"Thu, 01 Jul 1999 12:00:00 GMT"},
	{IN_2026, "Wednesday, 01-Jul-00 12:00:00 GMT",
		"Sat, 01 Jul 2000 12:00:00 GMT"},
	{IN_2026, "Wednesday, 01-Jul-25 12:00:00 GMT",
		"Tue, 01 Jul 2025 12:00:00 GMT"},
	{IN_1970, "Wednesday, 01-Jul-70 12:00:00 GMT",
		"Wed, 01 Jul 1970 12:00:00 GMT"},
	{IN_1970, "Wednesday, 01-Jul-69 12:00:00 GMT",
		"Tue, 01 Jul 1969 12:00:00 GMT"},
	{IN_1970, "Wednesday, 01-Jan-20 12:00:00 GMT",
		"Wed, 01 Jan 2020 12:00:00 GMT"},
	{IN_1970, "Wednesday, 01-Jan-21 12:00:00 GMT",
		"Sat, 01 Jan 1921 12:00:00 GMT"},
	{IN_2090, "Wednesday, 01-Jan-90 12:00:00 GMT",
		"Sun, 01 Jan 2090 12:00:00 GMT"},
	{IN_2090, "Wednesday, 01-Jan-40 12:00:00 GMT",
		"Fri, 01 Jan 2140 12:00:00 GMT"},
	{IN_2090, "Wednesday, 01-Jan-41 12:00:00 GMT",
		"Tue, 01 Jan 2041 12:00:00 GMT"},
	/* RFC 9110 5.6.7: it is the timestamp that is compared */
	{IN_2026, "Wednesday, 01-Jul-76 12:00:01 GMT",
		"Thu, 01 Jul 1976 12:00:01 GMT"},
	{IN_2026, "Wednesday, 31-Dec-76 00:00:00 GMT",
		"Fri, 31 Dec 1976 00:00:00 GMT"},
	/* whether the date exists is asked of the year that is meant */
	{IN_2026, "Wednesday, 29-Feb-00 12:00:00 GMT",
		"Tue, 29 Feb 2000 12:00:00 GMT"},
	{IN_2090, "Wednesday, 29-Feb-00 12:00:00 GMT", NULL},
	{IN_2090, "Wednesday, 28-Feb-00 12:00:00 GMT",
		"Sun, 28 Feb 2100 12:00:00 GMT"},
};

START_TEST(two_digits_of_the_year)
{
	const char *text = two_digits[_i].text;
	const char *expected = two_digits[_i].expected;
	int64_t seconds;
	char got[RT_DATE_TEXT] = "none";

	if (parse(text, strlen(text), two_digits[_i].now, &seconds))
		rt_date_format(seconds, got);
	expected = expected ? expected : "none";
	ck_assert_msg(strcmp(got, expected) == 0,
		"%s, now %" PRId64 ": expected %s, got %s", text,
		two_digits[_i].now, expected, got);
}
END_TEST

/* Four digits, or a time that is long gone, do not depend on it. */
START_TEST(other_formats_ignore_now)
{
	static const int64_t times[] = {INT64_MIN, -1, 0, NOW, INT64_MAX};
	int64_t seconds;

	for (int i = 0; i < COUNT(times); i++) {
		expect_date("Sun, 06 Nov 1994 08:49:37 GMT", times[i], NOW);
		expect_date("Sun Nov  6 08:49:37 1994", times[i], NOW);
		/* no matter which year, but no overflow */
		(void)parse("Sunday, 06-Nov-94 08:49:37 GMT", 30, times[i],
			&seconds);
	}
}
END_TEST

/* --- spoiled --- */

static const char *const whole[FORMATS] = {
	[IMF] = "Sun, 06 Nov 1994 08:49:37 GMT",
	[RFC850] = "Sunday, 06-Nov-94 08:49:37 GMT",
	[ASCTIME] = "Sun Nov  6 08:49:37 1994",
};

START_TEST(no_part_of_a_date_is_one)
{
	const char *text = whole[_i];
	size_t size = strlen(text);
	char changed[64];

	for (size_t i = 0; i < size; i++) {
		expect_refused(text, i);
		if (i > 0)
			expect_refused(text + i, size - i);
	}
	for (size_t i = 0; i <= size; i++) { /* a byte twice, or a NUL */
		memcpy(changed, text, i);
		memcpy(changed + i + 1, text + i, size - i);
		changed[i] = i < size ? text[i] : '\0';
		expect_refused(changed, size + 1);
	}
	for (size_t i = 0; i < size; i++) { /* a byte less */
		memcpy(changed, text, i);
		memcpy(changed + i, text + i + 1, size - i - 1);
		expect_refused(changed, size - 1);
	}
}
END_TEST

/*
 * Whatever is read must, written in the same format, be the same text, but
 * for the day's name and what asctime allows.
 */
static void
check_spoiled(const char *text, size_t size, enum format format)
{
	struct tm tm;
	int64_t seconds;
	time_t then;
	char again[64];
	size_t name, its;

	if (!parse(text, size, NOW, &seconds))
		return;
	then = (time_t)seconds;
	ck_assert_ptr_nonnull(gmtime_r(&then, &tm));
	write_date(&tm, format, again);
	name = strcspn(whole[format], ", ");
	its = strcspn(again, ", ");
	if (format == ASCTIME && size > 8 && text[8] == '0')
		again[8] = '0';
	if (memcmp(text, whole[format], name) != 0 ||
		strlen(again + its) != size - name ||
		memcmp(again + its, text + name, size - name) != 0)
		ck_abort_msg("\"%s\" was read as \"%s\"", shown(text, size),
			again);
}

START_TEST(every_byte_spoiled)
{
	char text[64];
	size_t size = strlen(whole[_i]);

	for (size_t i = 0; i < size; i++)
		for (int c = 0; c < 256; c++) {
			if (rt_test_thin())
				continue;
			memcpy(text, whole[_i], size + 1);
			text[i] = (char)c;
			check_spoiled(text, size, (enum format)_i);
		}
}
END_TEST

START_TEST(every_two_neighbours_spoiled)
{
	static const char with[] = "0123456789 :,-JnFSGMT\0x";
	char text[64];
	size_t size = strlen(whole[_i]);
	size_t second = size - (_i == ASCTIME ? 7 : 6);

	for (size_t i = 0; i + 1 < size; i++)
		for (size_t a = 0; a < sizeof with - 1; a++)
			for (size_t b = 0; b < sizeof with - 1; b++) {
				if (rt_test_thin())
					continue;
				memcpy(text, whole[_i], size + 1);
				text[i] = with[a];
				text[i + 1] = with[b];
				if (text[second] == '6')
					continue; /* perhaps a leap second */
				check_spoiled(text, size, (enum format)_i);
			}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("date");
	TCase *both = tcase_create("written and read");
	TCase *read = tcase_create("read");
	TCase *spoiled = tcase_create("spoiled");

	tcase_add_test(both, dates_in_any_locale_and_zone);
	tcase_add_test(both, every_day_of_two_centuries);
	tcase_add_test(both, the_turn_of_every_month_from_year_1_to_9999);
	tcase_add_test(both, a_time_that_no_date_can_show_stays_in_its_room);
	rt_test_case(suite, both);
	tcase_add_loop_test(read, is_read, 0, COUNT(read_too));
	tcase_add_loop_test(read, is_refused, 0, COUNT(refused));
	tcase_add_loop_test(read, two_digits_of_the_year, 0, COUNT(two_digits));
	tcase_add_test(read, other_formats_ignore_now);
	rt_test_case(suite, read);
	tcase_add_loop_test(spoiled, no_part_of_a_date_is_one, 0, FORMATS);
	tcase_add_loop_test(spoiled, every_byte_spoiled, 0, FORMATS);
	tcase_add_loop_test(spoiled, every_two_neighbours_spoiled, 0, FORMATS);
	rt_test_case(suite, spoiled);
	return rt_test_run(suite);
}
