/* SPDX-License-Identifier: MIT */
/*
 * Dates as HTTP writes them. Called by the rooms that send or compare dates.
 * Knows no clock, no locale and no time zone: gmtime(3) would read the file of
 * that, which is seven system calls before the first reply of a process.
 */
#include "config.h"

#include "http/date.h"

#include <string.h>

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct moment {
	int year, month, day; /* month from 0, day from 1 */
	int hour, minute, second;
	int weekday; /* from 0, Sunday */
};

/*
 * Days are counted from March 1st of the year 0, in years that begin in March,
 * so that the leap day ends one. 1970 began on day 719468.
 */
#define EPOCH 719468

/* The days before a year. */
static int64_t
days_before(int64_t year)
{
	return year * 365 + year / 4 - year / 100 + year / 400;
}

/* --- writing --- */

static void
put_two(char *to, int number)
{
	to[0] = (char)('0' + number / 10 % 10);
	to[1] = (char)('0' + number % 10);
}

static struct moment
split(int64_t seconds)
{
	const int64_t least = -62135596800, most = 253402300799;
	int64_t day, year, month;
	int second;

	seconds = seconds < least ? least : seconds > most ? most : seconds;
	seconds += EPOCH * INT64_C(86400);
	day = seconds / 86400;
	second = (int)(seconds % 86400);
	/* 400 years have 146,097 days: this is it, or the one before or after */
	year = day * 400 / 146097;
	if (days_before(year) > day)
		year--;
	else if (days_before(year + 1) <= day)
		year++;
	month = ((day - days_before(year)) * 5 + 2) / 153;
	return (struct moment){
		.year = (int)(year + month / 10),
		.month = (int)((month + 2) % 12),
		.day = (int)(day - days_before(year) - (month * 153 + 2) / 5 +
			1),
		.hour = second / 3600,
		.minute = second / 60 % 60,
		.second = second % 60,
		.weekday = (int)((day + 3) % 7),
	};
}

void
rt_date_format(int64_t seconds, char text[RT_DATE_TEXT])
{
	struct moment moment = split(seconds);

	memcpy(text, "Day, 00 Mon 0000 00:00:00 GMT", RT_DATE_TEXT);
	memcpy(text, days + 3 * (size_t)moment.weekday, 3);
	put_two(text + 5, moment.day);
	memcpy(text + 8, months + 3 * (size_t)moment.month, 3);
	put_two(text + 12, moment.year / 100);
	put_two(text + 14, moment.year % 100);
	put_two(text + 17, moment.hour);
	put_two(text + 20, moment.minute);
	put_two(text + 23, moment.second);
}

void
rt_date_format_short(int64_t seconds, char text[RT_DATE_SHORT])
{
	struct moment moment = split(seconds);

	memcpy(text, "0000-00-00 00:00", RT_DATE_SHORT);
	put_two(text, moment.year / 100);
	put_two(text + 2, moment.year % 100);
	put_two(text + 5, moment.month + 1);
	put_two(text + 8, moment.day);
	put_two(text + 11, moment.hour);
	put_two(text + 14, moment.minute);
}

void
rt_date_format_iso(int64_t seconds, char text[RT_DATE_TEXT])
{
	char date[RT_DATE_SHORT];

	rt_date_format_short(seconds, date);
	memcpy(text, date, 10);
	text[10] = 'T';
	memcpy(text + 11, date + 11, 5);
	memcpy(text + 16, ":00Z", 5);
	put_two(text + 17, split(seconds).second);
}

/* --- reading --- */

struct scan {
	const char *at;
	const char *end;
};

static bool
take(struct scan *scan, const char *text)
{
	size_t size = strlen(text);

	if ((size_t)(scan->end - scan->at) < size ||
		memcmp(scan->at, text, size) != 0)
		return false;
	scan->at += size;
	return true;
}

static bool
take_number(struct scan *scan, int digits, int *number)
{
	*number = 0;
	for (; digits > 0; digits--) {
		if (scan->at == scan->end || *scan->at < '0' || *scan->at > '9')
			return false;
		*number = *number * 10 + *scan->at++ - '0';
	}
	return true;
}

/* Takes one of the names, of three letters each; its number, from 0. */
static bool
take_name(struct scan *scan, const char *names, int *number)
{
	if (scan->end - scan->at < 3)
		return false;
	for (*number = 0; *names != '\0'; names += 3, ++*number)
		if (memcmp(scan->at, names, 3) == 0) {
			scan->at += 3;
			return true;
		}
	return false;
}

static bool
take_time(struct scan *scan, struct moment *moment)
{
	return take_number(scan, 2, &moment->hour) && take(scan, ":") &&
		take_number(scan, 2, &moment->minute) && take(scan, ":") &&
		take_number(scan, 2, &moment->second);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool
take_fixdate(struct scan scan, struct moment *moment)
{
	int day;

	return take_name(&scan, days, &day) && take(&scan, ", ") &&
		take_number(&scan, 2, &moment->day) && take(&scan, " ") &&
		take_name(&scan, months, &moment->month) && take(&scan, " ") &&
		take_number(&scan, 4, &moment->year) && take(&scan, " ") &&
		take_time(&scan, moment) && take(&scan, " GMT") &&
		scan.at == scan.end;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool
take_asctime(struct scan scan, struct moment *moment)
{
	int day;

	return take_name(&scan, days, &day) && take(&scan, " ") &&
		take_name(&scan, months, &moment->month) && take(&scan, " ") &&
		(take(&scan, " ") ? take_number(&scan, 1, &moment->day) :
				    take_number(&scan, 2, &moment->day)) &&
		take(&scan, " ") && take_time(&scan, moment) &&
		take(&scan, " ") && take_number(&scan, 4, &moment->year) &&
		scan.at == scan.end;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT", its year in two digits */
static bool
take_rfc850(struct scan scan, struct moment *moment)
{
	static const char *const tails[] = {"day", "day", "sday", "nesday",
		"rsday", "day", "urday"};
	int day;

	return take_name(&scan, days, &day) && take(&scan, tails[day]) &&
		take(&scan, ", ") && take_number(&scan, 2, &moment->day) &&
		take(&scan, "-") && take_name(&scan, months, &moment->month) &&
		take(&scan, "-") && take_number(&scan, 2, &moment->year) &&
		take(&scan, " ") && take_time(&scan, moment) &&
		take(&scan, " GMT") && scan.at == scan.end;
}

static bool
exists(const struct moment *moment)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31};
	bool leap = moment->year % 4 == 0 &&
		(moment->year % 100 != 0 || moment->year % 400 == 0);
	int length = lengths[moment->month] + (moment->month == 1 && leap);

	return moment->day >= 1 && moment->day <= length && moment->hour < 24 &&
		moment->minute < 60 && moment->second <= 60;
}

static int64_t
seconds_of(const struct moment *moment)
{
	/* 400 years, or 146,097 days, later: never negative */
	int64_t year = moment->year + 400 - (moment->month < 2);
	int64_t month = (moment->month + 10) % 12;
	int64_t day =
		days_before(year) + (month * 153 + 2) / 5 + moment->day - 1;

	return (day - EPOCH - 146097) * 86400 + moment->hour * 3600 +
		moment->minute * 60 + moment->second;
}

/*
 * Makes two digits a year: the latest that is not more than 50 years away
 * (RFC 9110 5.6.7).
 */
static void
complete_year(struct moment *moment, int64_t now)
{
	struct moment limit = split(now);
	const int latest = limit.year + 50;

	limit.year = latest;
	moment->year = latest - (latest - moment->year) % 100;
	if (moment->year == latest && seconds_of(moment) > seconds_of(&limit))
		moment->year -= 100;
}

bool
rt_date_parse(const char *text, size_t size, int64_t now, int64_t *seconds)
{
	const struct scan scan = {text, text + size};
	struct moment moment;

	if (take_rfc850(scan, &moment))
		complete_year(&moment, now);
	else if (!take_fixdate(scan, &moment) && !take_asctime(scan, &moment))
		return false;
	if (!exists(&moment))
		return false;
	*seconds = seconds_of(&moment);
	return true;
}
