/* SPDX-License-Identifier: MIT */
/*
 * Shared by the programs of the bench: arguments, files, and what a server
 * has used, as told by /proc. Any failure ends the program.
 */
#define _GNU_SOURCE

#include "bench.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 4096

void
give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fprintf(stderr, "%s: ", program_invocation_short_name);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	exit(1);
}

long
parse_count(const char *text)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < 0)
		give_up("'%s' is no number", text);
	return number;
}

const char *
parse_address(const char *text, struct sockaddr_in *address)
{
	const char *host = text, *colon;
	char copy[INET_ADDRSTRLEN] = "", *end;
	long port;

	if (strncmp(host, "http://", 7) == 0)
		host += 7;
	colon = strchr(host, ':');
	if (colon == NULL || (size_t)(colon - host) >= sizeof copy)
		give_up("'%s' is not 127.0.0.1:PORT", text);
	memcpy(copy, host, (size_t)(colon - host));
	port = strtol(colon + 1, &end, 10);
	memset(address, 0, sizeof *address);
	address->sin_family = AF_INET;
	address->sin_port = htons((in_port_t)port);
	if (port < 1 || port > 65535 || (*end != '\0' && *end != '/') ||
		inet_pton(AF_INET, copy, &address->sin_addr) != 1 ||
		ntohl(address->sin_addr.s_addr) >> 24 != 127)
		give_up("'%s' is not 127.0.0.1:PORT", text);
	return end;
}

int
listen_anywhere(int *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
		listen(fd, SOMAXCONN) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		give_up("floor: %s", strerror(errno));
	*port = ntohs(address.sin_port);
	return fd;
}

char *
read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	char *data;

	if (file == NULL || fstat(fileno(file), &status) < 0)
		give_up("%s: %s", path, strerror(errno));
	*size = (size_t)status.st_size;
	data = malloc(*size + 1);
	if (data == NULL || fread(data, 1, *size, file) != *size)
		give_up("%s: cannot be read", path);
	(void)fclose(file);
	return data;
}

double
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* One process, of /proc/PID/stat. */
struct process {
	pid_t pid, parent;
	double user, system;               /* its own */
	double user_waited, system_waited; /* of children it waited for */
};

static bool
read_process(struct process *process, const char *pid)
{
	unsigned long long user, system;
	long long user_waited, system_waited;
	const double tick = (double)sysconf(_SC_CLK_TCK);
	char path[64], line[1024], *at;
	FILE *file;
	size_t size;

	(void)snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return false; /* ended meanwhile */
	size = fread(line, 1, sizeof line - 1, file);
	(void)fclose(file);
	line[size] = '\0';
	/* the name, in parentheses, may hold anything */
	at = strrchr(line, ')');
	if (at == NULL ||
		sscanf(at + 1,
			" %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
			" %llu %llu %lld %lld",
			&process->parent, &user, &system, &user_waited,
			&system_waited) != 5)
		return false;
	process->pid = (pid_t)strtol(pid, NULL, 10);
	process->user = (double)user / tick;
	process->system = (double)system / tick;
	process->user_waited = (double)user_waited / tick;
	process->system_waited = (double)system_waited / tick;
	return true;
}

/* The process and all its descendants, itself first; how many. */
static size_t
read_tree(struct process *tree, pid_t pid)
{
	static struct process all[PROCESSES];
	size_t count = 0, found = 0, i, j;
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	if (proc == NULL)
		give_up("/proc: %s", strerror(errno));
	while (count < PROCESSES && (entry = readdir(proc)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) &&
			read_process(&all[count], entry->d_name))
			count++;
	(void)closedir(proc);
	for (i = 0; i < count; i++)
		if (all[i].pid == pid)
			tree[found++] = all[i];
	for (j = 0; j < found; j++)
		for (i = 0; i < count; i++)
			if (all[i].parent == tree[j].pid)
				tree[found++] = all[i];
	if (found == 0)
		give_up("process %d is gone", (int)pid);
	return found;
}

/* Seconds that a core spent on anything: of /proc/stat. */
static double
read_busy(int core)
{
	unsigned long long user, nice, system, irq, soft;
	char line[512], name[32];
	double busy = 0;
	FILE *file = fopen("/proc/stat", "r");

	if (file == NULL)
		return 0;
	(void)snprintf(name, sizeof name, "cpu%d ", core);
	while (fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, name, strlen(name)) == 0 &&
			sscanf(line + strlen(name),
				"%llu %llu %llu %*u %*u %llu %llu", &user,
				&nice, &system, &irq, &soft) == 5)
			busy = (double)(user + nice + system + irq + soft) /
				(double)sysconf(_SC_CLK_TCK);
	(void)fclose(file);
	return busy;
}

void
get_cpu(struct usage *usage, pid_t pid, int core)
{
	static struct process tree[PROCESSES];
	size_t count = read_tree(tree, pid), i;
	struct timespec time;
	clockid_t clock;

	usage->cpu = usage->user = usage->system = 0;
	for (i = 0; i < count; i++) {
		const struct process *process = &tree[i];

		usage->user += process->user + process->user_waited;
		usage->system += process->system + process->system_waited;
		usage->cpu += process->user_waited + process->system_waited;
		if (clock_getcpuclockid(process->pid, &clock) == 0 &&
			clock_gettime(clock, &time) == 0)
			usage->cpu += (double)time.tv_sec +
				(double)time.tv_nsec / 1e9;
		else
			usage->cpu += process->user + process->system;
	}
	usage->busy = read_busy(core);
}

void
get_memory(struct usage *usage, pid_t pid)
{
	static struct process tree[PROCESSES];
	size_t count = read_tree(tree, pid), i;
	char path[64], line[256];
	unsigned long long kib;
	FILE *file;

	usage->memory = 0;
	for (i = 0; i < count; i++) {
		(void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup",
			(int)tree[i].pid);
		file = fopen(path, "r");
		if (file == NULL)
			continue;
		while (fgets(line, sizeof line, file) != NULL)
			if (sscanf(line, "Pss: %llu kB", &kib) == 1)
				usage->memory += (double)kib * 1024;
		(void)fclose(file);
	}
}
