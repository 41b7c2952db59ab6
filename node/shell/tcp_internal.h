/* What the files of tcp share. */
#ifndef PARLEY_TCP_INTERNAL_H
#define PARLEY_TCP_INTERNAL_H

#include "tcp.h"

#define TCP_BUCKETS_COUNT     1024u
#define TCP_READ_BYTES        65536u             /* libuv's own suggestion: one recv */
#define TCP_WRITE_BYTES       65536u             /* a write that is this large leaves at once */
#define TCP_WAITING_BYTES_MAX ((size_t)64 << 20) /* the node stops long before: our own bug */
#define TCP_DIAL_MS           10000u
/* What peers say is listened to for so long in a turn of the loop, and for as long to what was kept
 * of it: the owner's requests and what the disk has done come in between, however many peers there
 * are. */
#define TCP_TURN_NS  UINT64_C(3000000)
#define TCP_CLOSE_MS 1000u

enum connection_state {
    CONNECTION_RESOLVING,
    CONNECTION_DIALLING,
    CONNECTION_OPEN,
    CONNECTION_ENDING, /* told to close: what was sent still leaves */
    CONNECTION_CLOSED, /* handles are closing */
};

struct write_job {
    uv_write_t request;
    struct connection *connection;
    size_t size, capacity;
    uint8_t data[];
};

/* Freed when all of its handles and requests are done. */
struct connection {
    struct parley_tcp *tcp;
    struct connection *next_in_bucket;
    struct connection *next_to_flush;
    uint64_t number;
    enum connection_state state;
    bool was_open; /* on_accepted or on_dialled came */
    bool is_told;  /* of its end, or never to be told of */
    bool is_to_flush;
    bool is_to_resume;
    bool has_tcp, has_timer; /* handles that are to be closed */
    bool is_tcp_closing;
    unsigned pending; /* requests and handles not yet done */
    uv_tcp_t socket;
    uv_timer_t timer; /* of dialling, then of ending */
    /* dialling */
    uv_getaddrinfo_t resolving;
    uv_connect_t connecting;
    struct addrinfo *addresses, *address;
    char host[PARLEY_HOST_SIZE_MAX + 1];
    char port[8];
    /* receiving: what was not consumed */
    uint8_t *kept;
    size_t kept_size, kept_capacity;
    bool is_reading;
    /* sending */
    struct write_job *open_write; /* takes more */
    size_t waiting_bytes;
    unsigned writes_count;
    uv_shutdown_t shutting;
    bool is_shut;
    bool is_owners; /* dialled by the owner's word */
};

struct listener {
    struct listener *next;
    struct parley_tcp *tcp;
    unsigned number;
    uv_tcp_t socket;
    bool is_waiting; /* a client is there and was not taken */
};

struct parley_tcp {
    struct parley_tcp_config config;
    uv_loop_t *loop;
    uv_prepare_t prepare; /* flushes before the loop sleeps */
    uv_idle_t idle;       /* keeps the loop from sleeping while something is to be resumed */
    unsigned handles_count;
    struct listener *listeners;
    unsigned listener_last;
    struct connection *buckets[TCP_BUCKETS_COUNT];
    struct connection *to_flush, *to_flush_last; /* in the order in which they came */
    size_t connections_count;
    uint64_t accepted_last;
    uint64_t turn_began_ns; /* of reading; 0: nothing was read in this turn */
    bool is_full_logged;
    bool is_stopping, is_stopped;
    uint8_t scratch[TCP_READ_BYTES];
};

struct connection *connection_find(struct parley_tcp *tcp, uint64_t number);
struct connection *connection_new(struct parley_tcp *tcp, uint64_t number);
/* The socket is connected: nothing is kept waiting by small packets, reading begins. */
void connection_opened(struct connection *connection);
/* Reads no more, sends what is left, then drops. */
void connection_end(struct connection *connection);
/* Closes all handles at once; the number is told as gone when they are. */
void connection_drop(struct connection *connection);
/* One request or handle is done; frees after the last. */
void connection_release(struct connection *connection);
void connection_start_timer(struct connection *connection, uv_timer_cb on_timer, uint64_t ms);
void connection_flush_later(struct connection *connection);
void connection_flush(struct connection *connection);
/* Whether it may be dialled at that address. */
bool connection_may_lead(const struct connection *connection, const struct sockaddr *address);
void connection_offer(struct connection *connection);
/* A place is free again. */
void listeners_accept_waiting(struct parley_tcp *tcp);
void tcp_end_if_done(struct parley_tcp *tcp);

#endif
