/* SPDX-License-Identifier: MIT */
/*
 * Called by the room server. Asking for the process costs a system call, which
 * each step of a loop would make: a page that a fork does not get costs none.
 */
#include "config.h"

#include "os/owner.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef MADV_WIPEONFORK

/* The kernel takes whole pages. */
#define MARK_SIZE 1

static volatile unsigned char *
make_mark(void)
{
	unsigned char *mark = mmap(NULL, MARK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mark == MAP_FAILED)
		return NULL;
	if (madvise(mark, MARK_SIZE, MADV_WIPEONFORK) < 0) {
		(void)munmap(mark, MARK_SIZE);
		return NULL;
	}
	*mark = 1;
	return mark;
}

static void
free_mark(volatile unsigned char *mark)
{
	if (mark != NULL)
		(void)munmap((void *)(uintptr_t)mark, MARK_SIZE);
}

#else

static volatile unsigned char *
make_mark(void)
{
	return NULL;
}

static void
free_mark(volatile unsigned char *mark)
{
	(void)mark;
}

#endif

void
rt_owner_begin(struct rt_owner *owner)
{
	owner->mark = make_mark();
	owner->pid = owner->mark != NULL ? 0 : getpid();
}

void
rt_owner_end(struct rt_owner *owner)
{
	free_mark(owner->mark);
	owner->mark = NULL;
}

bool
rt_owner_is_other(const struct rt_owner *owner)
{
	return owner->mark != NULL ? *owner->mark == 0 : getpid() != owner->pid;
}
