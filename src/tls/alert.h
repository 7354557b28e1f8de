/* SPDX-License-Identifier: MIT */
/* The alerts of TLS. */
#ifndef RT_ALERT_H
#define RT_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* The number of an alert, by its name or the number itself. False: there is no
   such alert. */
bool rt_alert_number(struct rt_word word, uint64_t *number);

/* One after which a connection may go on. */
static inline bool
rt_alert_is_warning(uint64_t number)
{
	return number == 0 || number == 90 || number == 100;
}

#endif
