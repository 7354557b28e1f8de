/* SPDX-License-Identifier: MIT */
/*
 * The top of each page for people. A page loads nothing and has no script; its
 * Content-Security-Policy allows only the styles below, by their hashes, which
 * tests/command/reports.sh compares.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stdio.h>

/* Writes a page up to its title, which the caller writes next. `hash`:
   "sha256-...", of its own style. */
void page_begin(FILE *file, const char *version, const char *hash);

/* After the title: writes all up to the contents. */
void page_body(FILE *file, const char *style);

void page_end(FILE *file);

#endif
