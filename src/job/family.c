/* SPDX-License-Identifier: MIT */
/* Reads /proc, where there is one. */
#include "config.h"

#include "job/family.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

/* A process that lives. */
struct process {
	pid_t pid;
	pid_t parent;
	bool ours;
};

struct processes {
	struct process *all;
	size_t count;
	size_t room;
};

/* Whether /proc is that of our namespace: others have other numbers. */
static bool
proc_is_ours(void)
{
	char text[32];
	ssize_t size = readlink("/proc/self", text, sizeof text - 1);

	if (size <= 0)
		return false;
	text[size] = '\0';
	return strtol(text, NULL, 10) == (long)getpid();
}

/* Reads "PID (NAME) STATE PARENT ...", where NAME may hold any byte. */
static bool
read_process(const char *number, struct process *process)
{
	char name[64], text[512];
	const char *at;
	long parent;
	ssize_t size;
	char state;
	int fd;

	(void)snprintf(name, sizeof name, "/proc/%.20s/stat", number);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (size <= 0)
		return false;
	text[size] = '\0';
	at = strrchr(text, ')');
	if (at == NULL || sscanf(at, ") %c %ld", &state, &parent) != 2 ||
		state == 'Z' || state == 'X')
		return false;
	*process = (struct process){.pid = (pid_t)strtol(number, NULL, 10),
		.parent = (pid_t)parent};
	return true;
}

static bool
add_process(struct processes *processes, const struct process *process)
{
	if (processes->count == processes->room) {
		size_t room = 2 * processes->room + 64;
		struct process *all =
			realloc(processes->all, room * sizeof *all);

		if (all == NULL)
			return false;
		processes->all = all;
		processes->room = room;
	}
	processes->all[processes->count++] = *process;
	return true;
}

static bool
list_processes(struct processes *processes)
{
	DIR *dir = proc_is_ours() ? opendir("/proc") : NULL;
	const struct dirent *entry;
	struct process process;
	bool complete = dir != NULL;

	while (complete && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
			read_process(entry->d_name, &process))
			complete = add_process(processes, &process);
	if (dir != NULL)
		(void)closedir(dir);
	return complete;
}

static bool
is_stranger(const struct family *family, pid_t pid)
{
	for (size_t i = 0; i < family->count; i++)
		if (family->strangers[i] == pid)
			return true;
	return false;
}

/* Whether the parent of a process is one of ours, or is us. */
static bool
is_ours(const struct processes *processes, const struct process *process)
{
	if (process->parent == getpid())
		return true;
	for (size_t i = 0; i < processes->count; i++)
		if (processes->all[i].pid == process->parent)
			return processes->all[i].ours;
	return false;
}

/* Marks our descendants, generation by generation. Their number, or -1. */
static int
find_ours(const struct family *family, struct processes *processes)
{
	int count = 0, before = -1;

	if (!list_processes(processes))
		return -1;
	while (count > before) {
		before = count;
		for (size_t i = 0; i < processes->count; i++) {
			struct process *process = processes->all + i;

			if (process->ours ||
				is_stranger(family, process->pid) ||
				!is_ours(processes, process))
				continue;
			process->ours = true;
			count++;
		}
	}
	return count;
}

static bool
has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ||
		errno != ECHILD;
}

void
family_begin(struct family *family)
{
	struct processes processes = {.all = NULL};

	*family = (struct family){.strangers = NULL};
#ifdef PR_SET_CHILD_SUBREAPER
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
	/* children of what was this process before it became retort */
	if (has_children() && find_ours(family, &processes) > 0)
		family->strangers =
			calloc(processes.count, sizeof *family->strangers);
	for (size_t i = 0; family->strangers != NULL && i < processes.count;
		i++)
		if (processes.all[i].ours)
			family->strangers[family->count++] =
				processes.all[i].pid;
	free(processes.all);
}

void
family_end(struct family *family)
{
	free(family->strangers);
	*family = (struct family){.strangers = NULL};
}

int
family_signal(const struct family *family, pid_t group, int number)
{
	struct processes processes = {.all = NULL};
	int count = 0;

#ifndef PR_SET_CHILD_SUBREAPER
	count = -1;
#endif
	if (count == 0 && has_children())
		count = find_ours(family, &processes);
	for (size_t i = 0; count > 0 && i < processes.count; i++)
		if (processes.all[i].ours &&
			getpgid(processes.all[i].pid) != group)
			(void)kill(processes.all[i].pid, number);
	free(processes.all);
	return count;
}
