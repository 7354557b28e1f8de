/* SPDX-License-Identifier: MIT */
/*
 * The loop: operations on descriptors, tried at once, waited for when they
 * would block, and given up at a deadline.
 *
 * A channel is a descriptor with at most one operation under way in each
 * direction. Its owner writes what it wants into `in`, `out` and `deadline`,
 * and calls rt_io_try(), which performs what can be performed now and says
 * so; when nothing can, rt_io_wait() puts the channel to sleep until
 * rt_io_next() returns it. With no operation inward no read interest is
 * registered, only errors and hang-ups, so a pause never spins.
 *
 * Time is in nanoseconds of the monotonic clock.
 */
#ifndef RT_IO_H
#define RT_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "os/sock.h"
#include "retort.h"

struct pollfd;

enum rt_verb {
	RT_NOTHING,
	/* inward */
	RT_ACCEPT,    /* result: a descriptor; `peer` */
	RT_RECV,      /* result: bytes in `data`; 0: FIN */
	RT_TAKE,      /* the same by read(2), of what is no socket */
	RT_RECV_FROM, /* a datagram: bytes in `data`, `from`, `truncated` */
	/* outward */
	RT_SEND,    /* result: bytes of `pieces` sent */
	RT_SEND_TO, /* a datagram of all pieces to `to`; a result too: -EAGAIN,
	               as nothing tells when a Unix socket has room again */
	RT_FILE,    /* result: bytes of the file sent; 0: it is shorter */
	RT_FLUSH,   /* result: 0, all that was sent has left; a result too:
	               -EAGAIN, as nothing tells when it has */
	RT_FINISH,  /* FIN: shutdown(SHUT_WR); result: 0 */
	RT_TELL,    /* left to TLS: `tell`; result: 0 */
	RT_CLOSE,   /* left to the owner: end the connection with a FIN */
	RT_RESET    /* left to the owner: end it with a RST */
};

/* The messages of TLS that RT_TELL sends. */
enum rt_tell {
	RT_TELL_END,  /* close_notify: no more will arrive, though it may */
	RT_TELL_REKEY /* new keys: KeyUpdate, or another handshake, before it
	                 goes on */
};

#define RT_PIECES 4

/* Channels that one turn takes at most; the others follow in the next. */
#define RT_READY_MAX 64

/* An operation. `result` is set when it is done: as above, or -errno. */
struct rt_op {
	enum rt_verb verb;
	enum rt_tell tell; /* RT_TELL */
	bool more;         /* RT_SEND: something follows at once, */
	bool ends;  /* namely RT_FINISH: it is done, too, if all was sent, */
	bool ended; /* as it was */
	bool bare;  /* RT_FINISH: TLS, if there is any, does not end before */
	int64_t result;
	union {
		struct rt_peer peer; /* RT_ACCEPT */
		struct {
			char *data;
			size_t size; /* room */
			struct rt_address *from;
			bool truncated;
		} recv;
		struct {
			struct iovec pieces[RT_PIECES];
			int count;
			const struct rt_address *to;
		} send;
		struct {
			int fd;
			uint64_t at;
			uint64_t size; /* bytes */
		} file;
	};
};

/* The bytes that RT_SEND or RT_FILE is to send. */
static inline uint64_t
rt_op_size(const struct rt_op *op)
{
	uint64_t size = 0;

	if (op->verb == RT_FILE)
		return op->file.size;
	for (int i = 0; i < op->send.count; i++)
		size += op->send.pieces[i].iov_len;
	return size;
}

/* Events of a channel; a set. */
enum {
	RT_IN_DONE = 1,  /* in.result is set */
	RT_OUT_DONE = 2, /* out.result is set */
	RT_EXPIRED = 4,  /* the deadline has passed */
	RT_BROKEN = 8,   /* the peer is gone (a RST, or both ways are closed),
	                    and no operation is under way to find that out */
	RT_ENDED = 16    /* a watched one's peer has ended its side */
};

struct rt_chan {
	int fd;
	struct rt_op in;
	struct rt_op out;
	int64_t deadline; /* RT_NEVER: none */
	int kind;         /* the owner's, to tell its channels apart */
	bool watched; /* without `in`: it is told when the peer ends its side,
	                 where the system can */
	bool shared;  /* `fd` is another channel's: it is never waited for,
	                 but for the deadline, and not closed */
	/* io's own */
	unsigned char blocked; /* directions that would block when last tried */
	unsigned char armed;   /* interest registered with the back end */
	unsigned char ready;   /* directions said to be ready, or broken */
	bool registered;       /* known to the back end */
	size_t slot;           /* place among the waiting, from 1; 0: none */
	size_t turn;           /* place among the ready, from 1; 0: none */
	size_t place;          /* the back end's, from 1; 0: none */
};

struct rt_io;

/* 0 and *opened, or -errno. With RETORT_IO_BEST it is poll while there are few
   channels, and epoll from when there are more. `sendfile`: sendfile(2), with
   its SIGPIPE, may be used. */
int rt_io_open(struct rt_io **opened, enum retort_io choice, bool sendfile);
void rt_io_close(struct rt_io *io);

/* Call this in a fork: closes its own descriptors, and leaves all else to the
   parent. */
void rt_io_leave(struct rt_io *io);

/* The time, as of the last wait. */
int64_t rt_io_now(const struct rt_io *io);

/* The time, read anew. */
int64_t rt_io_clock(struct rt_io *io);

/* Begins a channel that wants nothing. What an operation needs is written with
   its verb: each connection would clear 200 bytes more. */
static inline void
rt_chan_init(struct rt_chan *chan, int fd, int kind)
{
	chan->fd = fd;
	chan->in.verb = chan->out.verb = RT_NOTHING;
	chan->out.more = chan->out.ends = chan->out.ended = false;
	chan->out.bare = false;
	chan->deadline = RT_NEVER;
	chan->kind = kind;
	chan->watched = chan->shared = chan->registered = false;
	chan->blocked = chan->armed = chan->ready = 0;
	chan->slot = chan->turn = chan->place = 0;
}

/*
 * Tries one operation that the channel wants and that is not known to block,
 * outward first. RT_IN_DONE or RT_OUT_DONE, or 0: there is none.
 */
unsigned rt_io_try(struct rt_io *io, struct rt_chan *chan);

/*
 * Puts the channel to sleep until one of its operations may go on, its
 * deadline passes, or its peer is gone. 0 or -errno.
 */
int rt_io_wait(struct rt_io *io, struct rt_chan *chan);

/* Lets go of the channel and closes its descriptor. */
void rt_io_drop(struct rt_io *io, struct rt_chan *chan);

/* Lets go of the channel, leaving its descriptor open; it can be tried. */
void rt_io_release(struct rt_io *io, struct rt_chan *chan);

/*
 * Sleeps until a channel is ready, at most for `time` and until `until`, unless
 * one is ready already. 0 or -errno (never -EINTR: that is a wake).
 */
int rt_io_sleep(struct rt_io *io, int64_t time, int64_t until);

/*
 * The next ready channel and what happened to it, or NULL. A channel that
 * merely may go on is returned with *what 0: try it.
 */
struct rt_chan *rt_io_next(struct rt_io *io, unsigned *what);

/* When rt_io_sleep() must be called at the latest; RT_NEVER. */
int64_t rt_io_deadline(const struct rt_io *io);

/*
 * The descriptor that polls readable when a channel is ready, or a deadline
 * that rt_io_ring() was told of has passed; or -errno (-ENOTSUP: poll).
 */
int rt_io_pollfd(struct rt_io *io);

/* Whether anybody asked for that descriptor. */
bool rt_io_rings(const struct rt_io *io);

/* Has it be readable from that time on, too; RT_NEVER: at no time. */
void rt_io_ring(struct rt_io *io, int64_t deadline);

/* Fills in the descriptors to poll, at most `room`; returns their number. */
size_t rt_io_pollfds(struct rt_io *io, struct pollfd *fds, size_t room);

/* Reads at most `size` bytes of a RT_FILE that somebody else will send. As
   read(2), or -errno. */
int64_t rt_io_read_file(const struct rt_op *op, void *room, size_t size);

/* The bytes of a RT_FILE that was done without sendfile(2). */
const void *rt_io_scratch(const struct rt_io *io);

#endif
