/* SPDX-License-Identifier: MIT */
/* A connection or datagram, and what its server notes about it. */
#ifndef RT_SERVED_H
#define RT_SERVED_H

#include "conn/conn.h"
#include "match/state.h"

struct rt_record;
struct rt_tls;

struct rt_served {
	struct rt_conn conn; /* first: the loop returns its channel */
	uint64_t number;     /* from 1 */
	struct rt_tls *tls;  /* between it and the wire; NULL: none */
	char *tls_faults;    /* what they do to the wire, whatever the
	                        reply is; NULL: nothing */
	uint64_t shook[2];   /* bytes of the handshake that were recorded: in,
	                        and out */
	bool shaken;         /* the handshake is over */
	struct rt_record *record; /* of the present request, or, between
	                             two, of the last; NULL */
	struct rt_record *past;   /* the last one, if there was no memory for
	                             the present one; NULL */
	struct rt_blob *tunnel;   /* the target of its CONNECT; NULL: none */
	bool head_told;           /* its head, or piece, was reported */
	bool client_fin_told;
	bool server_fin_told;
	bool put_off;   /* its client's end woke nobody at first */
	bool replied;   /* it stands in the list of those whose reply came from
	                   somebody else */
	uint8_t ends;   /* an enum retort_ending that somebody wants */
	rt_place place; /* the state of the connection */
	uint64_t rule_id; /* of the rule that answers its request */
	size_t told;      /* bytes of the piece, or of head and body, that were
	                     reported */
	struct rt_chance chance;        /* of its last reply */
	struct rt_served *next_replied; /* in that list */
	struct rt_served *next;         /* in the list of all */
	struct rt_served **link;        /* what points at it there */
};

#endif
