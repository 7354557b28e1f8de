/* SPDX-License-Identifier: MIT */
/* The C locale, for calls of the C library and of others that obey the current
   one: for this thread, and until it is left. */
#ifndef RT_C_LOCALE_H
#define RT_C_LOCALE_H

#include <locale.h>
#include <stdbool.h>

struct rt_locale {
	locale_t own, host;
};

/* False: there is no memory, and nothing is to be left. */
bool rt_locale_enter(struct rt_locale *locale);
void rt_locale_leave(const struct rt_locale *locale);

#endif
