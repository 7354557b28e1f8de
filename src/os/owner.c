/* SPDX-License-Identifier: MIT */
/*
 * Called by the room server. To ask for the process costs a system call, in
 * each step of a loop; a page of memory that a fork does not get costs none.
 * But making such a page costs as much as asking twenty times: a tenth of a
 * test that starts a server, asks it once, and stops it.
 */
#include "config.h"

#include "os/owner.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The number of calls that ask for the process; then there is a mark. */
#define FEW 16

#ifdef MADV_WIPEONFORK

/* The kernel takes whole pages. */
#define MARK_SIZE 1

static uintptr_t
make_mark(void)
{
	unsigned char *mark = mmap(NULL, MARK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mark == MAP_FAILED)
		return 0;
	if (madvise(mark, MARK_SIZE, MADV_WIPEONFORK) < 0) {
		(void)munmap(mark, MARK_SIZE);
		return 0;
	}
	*mark = 1;
	return (uintptr_t)mark;
}

static void
free_mark(uintptr_t mark)
{
	if (mark != 0)
		(void)munmap((void *)mark, MARK_SIZE);
}

#else

static uintptr_t
make_mark(void)
{
	return 0;
}

static void
free_mark(uintptr_t mark)
{
	(void)mark;
}

#endif

void
rt_owner_begin(struct rt_owner *owner)
{
	owner->pid = getpid();
	atomic_init(&owner->asked, 0);
	atomic_init(&owner->mark, 0);
}

void
rt_owner_end(struct rt_owner *owner)
{
	free_mark(atomic_exchange(&owner->mark, 0));
}

bool
rt_owner_is_other(struct rt_owner *owner)
{
	uintptr_t mark = atomic_load(&owner->mark);

	if (mark != 0)
		return *(volatile unsigned char *)mark == 0;
	if (getpid() != owner->pid)
		return true;
	/* one thread alone makes it, and a fork of another meanwhile either
	   has none yet, or one that was cleared */
	if (atomic_fetch_add(&owner->asked, 1) == FEW)
		atomic_store(&owner->mark, make_mark());
	return false;
}
