/* SPDX-License-Identifier: MIT */
/* Wraps calls that obey the host program's locale, which stays as it is. */
#include "config.h"

#include "base/c_locale.h"

bool
rt_locale_enter(struct rt_locale *locale)
{
	locale->own = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (locale->own == (locale_t)0)
		return false;
	locale->host = uselocale(locale->own);
	return true;
}

void
rt_locale_leave(const struct rt_locale *locale)
{
	(void)uselocale(locale->host);
	freelocale(locale->own);
}
