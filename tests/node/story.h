/* Stories for one node: the test is its disk, its signature checker, its clock and its peers. What
 * the node does is written down line by line, in words; a test says which lines it expects, and
 * why. Peers are puppets that speak the real link and the real messages.
 *
 * Lines: "STORE append 1..1", "STORE meta", "STORE record", "VERIFY", "READ run 3", "SHOW 1..1",
 * "REPLY 7 OK 1", "DIAL host", "CLOSE A BAD_MESSAGE", "RESUME A", "LOG words" (from warnings on),
 * and for what puppet A opened: "A hello", "A interest authors 2", "A push 1", ...
 */
#ifndef PARLEY_TESTS_STORY_H
#define PARLEY_TESTS_STORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <parley/identity.h>
#include <parley/link.h>
#include <parley/node.h>
#include <parley/node_limits.h>

#define STORY_TRACE_SIZE  16384u
#define STORY_WAITING_MAX 512u
#define STORY_PUPPETS_MAX 12u
#define STORY_METAS_MAX   64u /* that story_restart loads; more are not kept */

/* Of the person's clock when a story begins: some day of 2026, in ms. */
#define STORY_WALL_START UINT64_C(1767225600000)

/* A person with one device: what `init` makes. */
struct story_person {
    struct parley_author author;
    struct parley_secret_key device;
    struct parley_device_key device_key;
    struct parley_log log;
    uint8_t inception_bytes[512], certificate_bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span inception, certificate;
    parley_seq seq; /* of the newest entry made */
    struct parley_id id;
};
void story_person(struct story_person *person, uint8_t number);
/* The person goes on with another device, whose certificate is the one here then. */
void story_device(struct story_person *person, uint8_t number, unsigned index);
/* The person's next entry as a chunk, with that text as its body. */
struct parley_span story_entry(struct story_person *person, const char *text,
                               uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]);
struct parley_span story_body(struct story_person *person, struct parley_span body,
                              uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]);
/* The next so many entries as one chunk: what a run brings. */
struct parley_span story_entries(struct story_person *person, size_t count,
                                 uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE]);

struct story_puppet {
    char name; /* 'A', 'B', ... */
    bool is_open;
    bool is_listener; /* the node dialled it */
    struct parley_secret_key secret;
    struct parley_node_key key;
    struct parley_link link;
    parley_connection connection;
    uint8_t *in; /* bytes of the node that are not whole yet */
    size_t in_size;
    size_t unsent; /* of the node's bytes; when time passes they have left */
};

struct story;
/* What a puppet opened, for a test that looks closer than the trace. */
typedef void story_on_message(struct story *story, const struct story_puppet *puppet,
                              const struct parley_wire_message *message);

/* A setting as it was given to the disk last. */
struct story_meta {
    uint8_t key[128], value[320];
    size_t key_size, value_size;
};

struct story {
    struct parley_node *node;
    struct parley_node_config config;
    struct story_person own;
    parley_time_ms now;
    struct parley_random random;
    char trace[STORY_TRACE_SIZE];
    size_t trace_size;
    parley_ticket stores[STORY_WAITING_MAX];
    size_t stores_count;
    struct {
        parley_ticket ticket;
        struct parley_check check;
    } verifies[STORY_WAITING_MAX];
    size_t verifies_count;
    parley_ticket reads[STORY_WAITING_MAX];
    size_t reads_count;
    bool is_silent;   /* messages are not written down: floods */
    bool is_withheld; /* no puppet takes what is sent to it */
    story_on_message *on_message;
    void *context;                       /* of on_message */
    parley_connection dialled;           /* of the newest DIAL */
    bool is_owners;                      /* likewise */
    char host[PARLEY_HOST_SIZE_MAX + 1]; /* likewise */
    struct parley_said said;             /* of the newest SAID */
    struct parley_remote remote;         /* where puppets are */
    uint64_t features;                   /* that they have beside answering asks */
    struct story_puppet puppets[STORY_PUPPETS_MAX];
    size_t consumed; /* by the last RECEIVED */
    struct story_meta metas[STORY_METAS_MAX];
    size_t metas_count;
};

/* A node of a person's own, started, with its first settings stored and an empty trace. */
void story_begin(struct story *story);
/* The same, with a node that carries for strangers and has no author. */
void story_begin_relay(struct story *story);
/* Either, with tables of another size than the small ones of the two above. */
struct story_sizes {
    size_t peers, authors, logs;
    unsigned hops; /* 0: one */
};
void story_begin_sized(struct story *story, bool relay, const struct story_sizes *sizes);
void story_end(struct story *story);
/* Another node from the settings that were given to the disk, and the owner's records; whom it was
 * connected to has gone. Of entries and others' records it knows nothing. */
void story_restart(struct story *story);

void story_step(struct story *story, struct parley_event *event);
/* TIMER after so many ms, once. */
void story_wait(struct story *story, parley_time_ms ms);
/* The oldest STORE is answered. */
void story_stored(struct story *story, enum parley_error error);
/* All that wait, in order, until nothing does. */
void story_settle(struct story *story);
void story_verified(struct story *story);
/* The oldest READ is answered: with bytes, or with an error and none. count: of records. */
void story_read(struct story *story, enum parley_error error, struct parley_span bytes,
                size_t count);

void story_publish(struct story *story, parley_request request, const char *text);
void story_follow(struct story *story, parley_request request, const struct parley_author *author,
                  bool on, bool is_private);
void story_connect(struct story *story, parley_request request, char puppet);

/* Puppet A, B, ... connects to the node, as far as the flights. */
struct story_puppet *story_accept(struct story *story, char name);
/* The connection that the node dialled last, answered by the puppet. */
struct story_puppet *story_answer(struct story *story, char name);
/* Flights, hello and an interest in everything; the node's own lines stay in the trace. */
struct story_puppet *story_peer(struct story *story, char name);
void story_send(struct story *story, struct story_puppet *puppet,
                const struct parley_wire_message *message);
/* Heads of one author and one log, or of none (NULL); session: as the message says. */
void story_tell(struct story *story, struct story_puppet *puppet,
                const struct parley_author *author, const struct parley_wire_head *head,
                uint64_t session);
/* The newest of what the person has written so far, and nothing else that is news. */
void story_tell_newest(struct story *story, struct story_puppet *puppet,
                       const struct story_person *person);
/* As it stands on the wire; how much the node took is in story->consumed. */
void story_send_bytes(struct story *story, struct story_puppet *puppet, struct parley_span bytes);
struct parley_span story_seal(struct story_puppet *puppet, uint8_t out[PARLEY_LINK_SEALED_MAX],
                              const struct parley_wire_message *message);
void story_hello(struct story *story, struct story_puppet *puppet);
void story_interest(struct story *story, struct story_puppet *puppet,
                    enum parley_interest_mode mode);
void story_push(struct story *story, struct story_puppet *puppet, struct parley_span chunk);
/* Both records of a person, in one message. */
void story_introduce(struct story *story, struct story_puppet *puppet,
                     const struct story_person *person);
void story_closed(struct story *story, struct story_puppet *puppet);
/* An owner's import; the answer is "REPLY request ...". */
void story_import(struct story *story, parley_request request, enum parley_event_kind kind,
                  struct parley_span bytes);
/* Both records of a person, imported and on disk; the trace is forgotten. */
void story_know(struct story *story, const struct story_person *person);

/* Of story_trace.c: one effect, and what a puppet can open, into the trace. */
void story_note(struct story *story, const struct parley_effect *effect);
void story_puppet_read(struct story *story, struct story_puppet *puppet);
/* Each story begins with the same chance: its first flights are not replays of those of another. */
void story_forget_flights(void);

/* The trace since the last call, exactly. */
void story_expect(struct story *story, const char *lines);
void story_forget(struct story *story);
bool story_has(const struct story *story, const char *line);

#endif
