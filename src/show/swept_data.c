/* SPDX-License-Identifier: MIT */
/* Reports for programs: JSON, and the XML of JUnit. */
#include "config.h"

#include <string.h>

#include "show/escape.h"
#include "show/swept.h"

/* --- JSON --- */

static void
put_text(FILE *file, const char *name, const struct swept_text *text)
{
	(void)fprintf(file, ", \"%s\": ", name);
	escape_string(file, text->bytes, text->kept);
	(void)fprintf(file, ", \"%s_size\": %llu", name,
		(unsigned long long)text->size);
}

static const char *
truth(bool is)
{
	return is ? "true" : "false";
}

static void
put_point(FILE *file, const struct swept_point *point)
{
	(void)fprintf(file, "{\"way\": \"%s\", \"fault\": ", point->way);
	if (point->fault[0] != '\0')
		escape_string(file, point->fault, strlen(point->fault));
	else
		(void)fputs("null", file);
	if (strchr(point->way, 'N') != NULL)
		(void)fprintf(file, ", \"at\": %llu",
			(unsigned long long)point->at);
	(void)fprintf(file,
		", \"success\": %s, \"wrong\": %s, \"other_output\": %s, "
		"\"outcome\": \"%s\", \"late\": %s, ",
		truth(point->taken > 0), truth(point->wrong),
		truth(point->other), swept_words[swept_outcome(point)],
		truth(point->late));
	if (point->late) /* it has none */
		(void)fputs("\"status\": null, ", file);
	else
		(void)fprintf(file, "\"status\": %d, ", point->status);
	(void)fprintf(file, "\"signal\": %d, \"ms\": %d", point->signal,
		point->took);
	put_text(file, "output", &point->output);
	put_text(file, "errors", &point->errors);
	(void)fputc('}', file);
}

void
swept_write_json(FILE *file, const struct swept *swept)
{
	(void)fprintf(file, "{\"retort\": \"%s\",\n\"command\": [",
		swept->version);
	for (size_t i = 0; swept->command[i] != NULL; i++) {
		(void)fputs(i > 0 ? ", " : "", file);
		escape_string(file, swept->command[i],
			strlen(swept->command[i]));
	}
	(void)fputs("],\n\"summary\": \"", file);
	swept_summary(file, TO_JSON, swept);
	(void)fprintf(file, "\",\n\"error\": %s", swept->error ? "" : "null");
	if (swept->error != NULL)
		escape_string(file, swept->error, strlen(swept->error));
	(void)fprintf(file,
		",\n\"head\": %llu, \"size\": %llu, \"all\": %zu,\n"
		"\"reply\": ",
		(unsigned long long)swept->head,
		(unsigned long long)swept->size, swept->all);
	escape_string(file, swept->bytes, swept->byte_count);
	(void)fputs(",\n\"points\": [", file);
	for (size_t i = 0; i < swept->count; i++) {
		(void)fputs(i > 0 ? ",\n" : "\n", file);
		put_point(file, swept->points + i);
	}
	(void)fputs("\n]}\n", file);
}

/* --- JUnit --- */

static void
put_element(FILE *file, const char *name, const struct swept_text *text)
{
	if (text->size == 0)
		return;
	(void)fprintf(file, "<%s>", name);
	escape_text(file, TO_XML, text->bytes, text->kept);
	(void)fprintf(file, "%s</%s>\n", text->size > text->kept ? "..." : "",
		name);
}

static void
put_case(FILE *file, const struct swept_point *point)
{
	bool failure = swept_is_failure(point);

	(void)fprintf(file,
		"<testcase classname=\"%s\" name=\"%s\" time=\"%d.%03d\"%s>\n",
		point->way, point->fault[0] ? point->fault : "the whole reply",
		point->took / 1000, point->took % 1000, failure ? "" : "/");
	if (!failure)
		return;
	(void)fprintf(file, "<failure message=\"%s\">",
		swept_words[swept_outcome(point)]);
	if (point->late)
		(void)fputs("killed", file);
	else
		(void)fprintf(file, "status %d", point->status);
	(void)fputs("</failure>\n", file);
	put_element(file, "system-out", &point->output);
	put_element(file, "system-err", &point->errors);
	(void)fputs("</testcase>\n", file);
}

/* Writes the error that ended the sweep early. */
static void
put_error(FILE *file, const char *error)
{
	(void)fputs("<testcase classname=\"sweep\" name=\"all replies are "
		    "tried\">\n<error message=\"",
		file);
	escape_text(file, TO_XML, error, strlen(error));
	(void)fputs("\"/>\n</testcase>\n", file);
}

void
swept_write_xml(FILE *file, const struct swept *swept)
{
	size_t failures = 0;
	long long took = 0;

	for (size_t i = 0; i < swept->count; i++) {
		failures += swept_is_failure(swept->points + i);
		took += swept->points[i].took;
	}
	(void)fprintf(file,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites>\n<testsuite name=\"retort sweep\" tests=\"%zu\" "
		"failures=\"%zu\" errors=\"%d\" skipped=\"0\" "
		"time=\"%lld.%03lld\">\n",
		swept->count + (swept->error != NULL), failures,
		swept->error != NULL, took / 1000, took % 1000);
	if (swept->error != NULL)
		put_error(file, swept->error);
	for (size_t i = 0; i < swept->count; i++)
		put_case(file, swept->points + i);
	(void)fputs("</testsuite>\n</testsuites>\n", file);
}
