/* SPDX-License-Identifier: MIT */
/* The server that the options describe. */
#ifndef START_H
#define START_H

#include "args/args.h"
#include "retort.h"
#include "talk/prompt.h"

/* It is open, and has its rules, its answer and its scenario; `prompt` is for
   --prompt. What is wrong with them is said, and the command exits. */
struct retort *start_server(const struct args *args, struct prompt *prompt);

#endif
