/* SPDX-License-Identifier: MIT */
/* The functions of retort.h that set answers. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "api/api.h"
#include "base/error.h"
#include "canned/condition.h"
#include "http/type.h"

int
retort_on_sized(const struct retort_reply *theirs, size_t size)
{
	struct retort *server = theirs->server;
	struct retort_reply rule;
	struct rt_error error = {.member = NULL};
	int code = rt_api_copy(&rule, sizeof rule, theirs, size);

	if (is_elsewhere(server))
		return rt_api_fail_elsewhere(server, rule.error);
	lock(server);
	if (code == 0 && rule.accepted && server->defer_accept)
		code = rt_fail(error.text, -EINVAL,
			"accepted: not with defer_accept");
	if (code == 0)
		code = rt_route_add(&server->route, &rule, &error);
	if (code < 0)
		rt_route_miss(&server->route, rule.request,
			*error.text ? error.text : strerror(-code));
	code = rt_api_blame(server, "rule", rule.request, code, error.text);
	if (code < 0 && rule.error != NULL)
		(void)rt_fail(rule.error, code, "%s",
			*error.text ? error.text : strerror(-code));
	unlock(server);
	return code;
}

/* Refuses the members that only a rule has. 0, or -EINVAL with `error`. */
static int
check_no_rule(const struct retort_reply *reply, char *error)
{
	const struct rt_condition *condition = rt_condition_without(reply, 0);
	const struct {
		const char *name;
		bool given;
	} members[] = {
		{"prefer", reply->prefer != 0},
		{"times", reply->times != 0},
		{"then_in", reply->then_in != NULL},
		{"handler", reply->handler != NULL},
		{"accepted", reply->accepted},
		{"files", reply->files},
	};

	if (condition != NULL)
		return rt_fail(error, -EINVAL, "%s: only a rule has it",
			condition->name);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i].given)
			return rt_fail(error, -EINVAL, "%s: only a rule has it",
				members[i].name);
	return 0;
}

int
retort_answer_sized(const struct retort_reply *theirs, size_t size)
{
	struct retort *server = theirs->server;
	struct retort_reply reply;
	struct rt_error wrong;
	int code = rt_api_copy(&reply, sizeof reply, theirs, size);

	if (is_elsewhere(server))
		return rt_api_fail_elsewhere(server, reply.error);
	if (code < 0)
		return rt_fail_errno(reply.error, code, "reply");
	code = check_no_rule(&reply, reply.error);
	if (code == 0 && reply.connection != 0)
		code = rt_fail(reply.error, -EINVAL,
			"connection: for retort_reply_later()");
	if (code < 0)
		return code;
	lock(server);
	code = rt_route_set_reply(&server->route, &reply, &wrong);
	unlock(server);
	return code < 0 ? rt_fail(reply.error, code, "%s", wrong.text) : 0;
}

int
retort_serve_sized(const struct retort_files *theirs, size_t size)
{
	struct retort *server = theirs->server;
	struct retort_files files;
	struct rt_error wrong;
	int code = rt_api_copy(&files, sizeof files, theirs, size);

	if (is_elsewhere(server))
		return rt_api_fail_elsewhere(server, files.error);
	if (code < 0)
		return rt_fail_errno(files.error, code, files.root);
	if (files.root == NULL)
		return rt_fail(files.error, -EINVAL,
			"root: expected a folder or file");
	lock(server);
	code = rt_route_set_files(&server->route, files.root, &files, &wrong);
	unlock(server);
	return code < 0 ? rt_fail(files.error, code, "%s", wrong.text) : 0;
}

int
retort_reply_later_sized(const struct retort_reply *theirs, size_t size)
{
	struct retort *server = theirs->server;
	struct retort_reply reply;
	char error[RETORT_ERROR_SIZE] = "";
	int code = rt_api_copy(&reply, sizeof reply, theirs, size);
	uint64_t connection = reply.connection;

	reply.connection = 0;
	if (is_elsewhere(server))
		return rt_api_fail_elsewhere(server, reply.error);
	if (code == 0)
		code = check_no_rule(&reply, error);
	lock(server);
	if (code == 0)
		code = rt_server_reply(server, connection, &reply, error);
	if (code == 0)
		rt_server_wake(server);
	else if (code != -ENOENT)
		code = rt_api_blame(server, "reply", NULL, code, error);
	unlock(server);
	if (code == -ENOENT)
		(void)rt_fail(reply.error, code,
			"connection %llu: no request waits for a reply",
			(unsigned long long)connection);
	else if (code < 0)
		(void)rt_fail(reply.error, code, "%s",
			*error ? error : strerror(-code));
	return code;
}

int(retort_push)(struct retort *server, uint64_t connection, const void *bytes,
	size_t size, int timeout)
{
	int64_t deadline = timeout != 0 ? rt_api_deadline(timeout) : 0;
	bool more = timeout != 0;
	int code;

	if (is_elsewhere(server))
		return -EPERM;
	lock(server);
	while ((code = rt_server_push(server, connection, bytes, size)) ==
			-EAGAIN &&
		more)
		more = rt_api_wait(server, deadline);
	if (code == 0)
		rt_server_wake(server);
	if (timeout != 0)
		rt_api_ring(server);
	unlock(server);
	return code;
}

const char *
retort_type_of(const char *name)
{
	return rt_type_of(name, NULL, 0);
}
