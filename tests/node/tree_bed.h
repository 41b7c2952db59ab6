/* Peers that know of trees, for stories of the broadcast tree in one node. */
#ifndef PARLEY_TESTS_TREE_BED_H
#define PARLEY_TESTS_TREE_BED_H

#include "story.h"

#include <parley/gossip.h>

static inline void hello(struct story *story, struct story_puppet *peer, uint64_t features) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_HELLO};
    message.as.hello.version = PARLEY_WIRE_VERSION;
    message.as.hello.features = features;
    message.as.hello.node_key = peer->key;
    story_send(story, peer, &message);
}

/* A peer that knows of trees. */
static inline struct story_puppet *tree_peer(struct story *story, char name) {
    struct story_puppet *peer = story_accept(story, name);
    hello(story, peer, PARLEY_WIRE_SERVES_RUNS | PARLEY_WIRE_TREE);
    story_interest(story, peer, PARLEY_INTEREST_EVERYTHING);
    story_settle(story);
    story_forget(story);
    return peer;
}

/* Another one, which wants no more than this author. */
static inline struct story_puppet *reader(struct story *story, char name,
                                          const struct parley_author *author) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_INTEREST};
    struct story_puppet *peer = story_accept(story, name);
    struct parley_writer writer;
    uint8_t bytes[64];
    hello(story, peer, PARLEY_WIRE_SERVES_RUNS | PARLEY_WIRE_TREE);
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_author(&writer, author);
    message.as.interest.mode = PARLEY_INTEREST_AUTHORS;
    message.as.interest.authors = parley_wire_list_of(&writer, 1);
    story_send(story, peer, &message);
    story_settle(story);
    return peer;
}

static inline void send_bucket(struct story *story, struct story_puppet *peer,
                               enum parley_wire_type type, const struct parley_log *log) {
    struct parley_wire_message message = {.type = type};
    message.as.prune.buckets = parley_gossip_bit(log);
    story_send(story, peer, &message);
}

static inline void send_announce(struct story *story, struct story_puppet *peer,
                                 const struct parley_log *log, parley_seq seq,
                                 const struct parley_id *id) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ANNOUNCE};
    struct parley_wire_place place = {*log, seq, *id};
    uint8_t bytes[128];
    struct parley_writer writer;
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_put_place(&writer, &place);
    message.as.announce.places = parley_wire_list_of(&writer, 1);
    story_send(story, peer, &message);
}

static inline void announce_newest(struct story *story, struct story_puppet *peer,
                                   const struct story_person *writer) {
    send_announce(story, peer, &writer->log, writer->seq, &writer->id);
}

/* What was asked of whom last. */
struct asked {
    uint64_t request;
    parley_seq top;   /* 0: from the head */
    size_t announced; /* places, in all */
};

static inline void look(struct story *story, const struct story_puppet *puppet,
                        const struct parley_wire_message *message) {
    struct asked *asked = story->context;
    if (message->type == PARLEY_WIRE_ASK_RUN) {
        asked->request = message->as.ask_run.request;
        asked->top = message->as.ask_run.top_seq;
    }
    if (message->type == PARLEY_WIRE_ANNOUNCE)
        asked->announced += message->as.announce.places.count;
}

static inline void answer(struct story *story, struct story_puppet *peer,
                          struct parley_span chunk) {
    const struct asked *asked = story->context;
    struct parley_wire_message message = {.type = PARLEY_WIRE_RUN};
    message.as.run.request = asked->request;
    message.as.run.last = true;
    message.as.run.chunk = chunk;
    story_send(story, peer, &message);
}

/* A relay with a writer whose first entry all peers have, and A, B and C that know of trees. */
struct bed {
    struct story story;
    struct story_person writer;
    struct asked asked;
    struct story_puppet *a, *b, *c;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
};

static inline struct bed *begin(void) {
    static struct bed bed;
    static const struct story_sizes sizes = {.peers = 8, .authors = 16, .logs = 16};
    memset(&bed, 0, sizeof bed);
    story_begin_sized(&bed.story, true, &sizes);
    story_person(&bed.writer, 9);
    story_know(&bed.story, &bed.writer);
    bed.a = tree_peer(&bed.story, 'A');
    bed.b = tree_peer(&bed.story, 'B');
    bed.c = tree_peer(&bed.story, 'C');
    bed.story.on_message = look;
    bed.story.context = &bed.asked;
    return &bed;
}

/* The writer's next entry. */
static inline struct parley_span next(struct bed *bed) {
    return story_entry(&bed->writer, "hello", bed->buffer);
}

static inline void make_lazy(struct bed *bed, struct story_puppet *peer) {
    send_bucket(&bed->story, peer, PARLEY_WIRE_PRUNE, &bed->writer.log);
}

#endif
