/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "retort.h"

int
rt_fail(char *error, int code, const char *format, ...)
{
	va_list args;

	if (error == NULL)
		return code;
	va_start(args, format);
	(void)vsnprintf(error, RETORT_ERROR_SIZE, format, args);
	va_end(args);
	/* quoted text may have line ends */
	for (char *at = error; (at = strpbrk(at, "\r\n")) != NULL;)
		*at++ = ' ';
	return code;
}

int
rt_fail_errno(char *error, int code, const char *what)
{
	return rt_fail(error, code, "%s%s%s", what ? what : "",
		what ? ": " : "", strerror(-code));
}
