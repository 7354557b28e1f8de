/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "show/page.h"

/* The hash of the style below. */
#define HASH "sha256-poZ4nyeR47VNxMNFXAu3Vqp5XnnYcM5WXiAHsOwBv44="

static const char base[] =
	":root{color-scheme:light dark;--ink:#1b1f24;--dim:#57606a;"
	"--paper:#fff;--card:#f6f8fa;--line:#d0d7de;--bad:#cf222e}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;"
	"--paper:#0d1117;--card:#161b22;--line:#3d444d;--bad:#ff5c57}}"
	"*{box-sizing:border-box}"
	"body{margin:0 auto;max-width:64rem;padding:1.5rem 1rem 3rem;"
	"font:1rem/1.5 system-ui,sans-serif;color:var(--ink);"
	"background:var(--paper)}"
	"h1{font-size:1.6rem;line-height:1.25;margin:.25rem 0 .5rem;"
	"overflow-wrap:anywhere}"
	"h2{font-size:1.1rem;margin:2rem 0 .5rem;overflow-wrap:anywhere}"
	".dim{color:var(--dim);margin:0}"
	"code,pre{font:.875rem/1.5 ui-monospace,monospace;"
	"overflow-wrap:anywhere;white-space:pre-wrap}"
	"pre{margin:.25rem 0;padding:.5rem .75rem;background:var(--card);"
	"border:1px solid var(--line);border-radius:.375rem}"
	"summary{cursor:pointer}"
	"@media print{body{max-width:none}}";

void
page_begin(FILE *file, const char *version, const char *hash)
{
	(void)fprintf(file,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
		"<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" "
		"content=\"default-src 'none'; style-src '" HASH "' '%s'; "
		"base-uri 'none'; form-action 'none'\">\n"
		"<meta name=\"viewport\" "
		"content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"generator\" content=\"retort %s\">\n"
		"<title>",
		hash, version);
}

void
page_body(FILE *file, const char *style)
{
	(void)fprintf(file,
		"</title>\n<style>%s</style>\n<style>%s</style>\n</head>\n"
		"<body>\n<main>\n",
		base, style);
}

void
page_end(FILE *file)
{
	(void)fputs("</main>\n</body>\n</html>\n", file);
}
