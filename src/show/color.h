/* SPDX-License-Identifier: MIT */
/* Colours at a terminal. */
#ifndef COLOR_H
#define COLOR_H

#include <stdbool.h>

/* Whether what is written there is to be in colour: it is a terminal that knows
   them, and NO_COLOR is empty or not set. */
bool color_wanted(int fd);

#endif
