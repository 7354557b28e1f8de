/* SPDX-License-Identifier: MIT */

#include "config.h"

#include "wire/spoiling.h"

#ifdef HAVE_LINUX_SOCKIOS_H
#include <linux/tcp.h>
#endif
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef HAVE_LINUX_SOCKIOS_H
/* The other end of a connection, which is one of this process; or -1. */
static int
other_end(int fd)
{
	struct sockaddr_in own, peer;
	socklen_t size = sizeof own;

	if (getsockname(fd, (struct sockaddr *)&own, &size) != 0)
		return -1;
	for (int other = 0; other < 1024; other++) {
		size = sizeof peer;
		if (getpeername(other, (struct sockaddr *)&peer, &size) == 0 &&
			peer.sin_family == AF_INET &&
			peer.sin_port == own.sin_port)
			return other;
	}
	return -1;
}

/* Only the sender knows that some were sent again, as they are when an
   acknowledgement is late; not how many of those were a FIN. */
static size_t
segments_to(int fd)
{
	struct tcp_info info = {.tcpi_state = 0};
	socklen_t size = sizeof info;

	return getsockopt(other_end(fd), IPPROTO_TCP, TCP_INFO, &info, &size) ==
				0 &&
			info.tcpi_bytes_retrans == 0 ?
		info.tcpi_data_segs_out :
		0;
}
#else
static size_t
segments_to(int fd)
{
	(void)fd;
	return 0;
}
#endif

void
hear(int fd, struct heard *heard, const char *text)
{
	struct talk talk = talk_begin(fd, "", 0, &heard->got);
	size_t had;

	while (text == NULL || strstr(heard->got.data, text) == NULL) {
		had = heard->got.size;
		if (!talk_on(&talk)) {
			heard->end = talk.end;
			ck_assert_msg(text == NULL, "%s: no \"%s\" in: %s",
				way->name, text,
				shown(heard->got.data, heard->got.size));
			return;
		}
		if (heard->got.size > had && heard->count < COUNT(heard->reads))
			heard->reads[heard->count++] = heard->got.size - had;
	}
}

struct heard
hear_all(const char *request)
{
	struct heard heard = {.end = -1};
	int64_t began = now_us();
	int fd = connect_client();

	say(fd, request);
	hear(fd, &heard, NULL);
	heard.took = now_us() - began;
	heard.segments = segments_to(fd);
	(void)close(fd);
	return heard;
}

void
assert_heard(const struct heard *heard, const char *what, const char *bytes,
	size_t size, int end)
{
	ck_assert_msg(heard->got.size == size &&
			memcmp(heard->got.data, bytes, size) == 0,
		"%s: %s\n# expected %s\n# got %s", way->name, what,
		shown(bytes, size), shown(heard->got.data, heard->got.size));
	ck_assert_msg(heard->end == end, "%s: %s: expected %s, got %s after %s",
		way->name, what, end ? strerror(end) : "a FIN",
		heard->end ? strerror(heard->end) : "a FIN",
		shown(heard->got.data, heard->got.size));
}

void
expect(const char *request, const char *bytes, int end)
{
	struct heard heard = hear_all(request);

	assert_heard(&heard, request, bytes, strlen(bytes), end);
	bytes_free(&heard.got);
}
