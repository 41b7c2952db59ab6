/* What the stories of the quota share: node 0 holds everything, node 1 has the quota. */
#ifndef PARLEY_TESTS_CROWD_QUOTA_H
#define PARLEY_TESTS_CROWD_QUOTA_H

#include "crowd.h"

#define QUOTA 40000u

/* Wall time goes ahead of all claimed times. */
static inline void begin(struct crowd *crowd, unsigned count, uint64_t seed) {
    crowd_begin(crowd, count, seed);
    for (unsigned i = 0; i < count; i++) {
        crowd->nodes[i].config.authors_max = crowd->nodes[i].config.logs_max = 256;
        crowd_restart(crowd, i);
    }
    crowd_wait(crowd, 10);
}

static inline void limit(struct crowd *crowd, uint64_t quota_bytes) {
    crowd->nodes[1].config.quota_bytes = quota_bytes;
    crowd_restart(crowd, 1);
}

static inline void introduce(struct crowd *crowd, unsigned node,
                             const struct crowd_author *author) {
    crowd_record(crowd, node, author->person.inception);
    crowd_record(crowd, node, author->person.certificate);
}

/* An author of so many entries at one node; returns the newest. */
static inline uint32_t author_at(struct crowd *crowd, unsigned node, struct crowd_author *author,
                                 uint8_t number, unsigned count) {
    crowd_author(author, number);
    introduce(crowd, node, author);
    uint32_t top = crowd_write(author, CROWD_NOTHING, count);
    crowd_give(crowd, node, author, top, 1);
    return top;
}

static inline void follow(struct crowd *crowd, unsigned node, const struct crowd_author *author,
                          bool on) {
    struct parley_event event = {.kind = PARLEY_EVENT_FOLLOW};
    event.follow.author = author->person.author;
    event.follow.on = on;
    event.follow.is_private = true;
    crowd_step(crowd, node, &event, NULL);
    crowd_settle(crowd);
}

static inline struct parley_node_status status_of(struct crowd *crowd, unsigned node) {
    struct parley_node_status status;
    parley_node_status(crowd->nodes[node].core, &status);
    return status;
}

static inline parley_seq lowest(const struct parley_node_log *log) {
    return log->ranges.count == 0 ? 0 : log->ranges.ranges[log->ranges.count - 1].lo;
}

static inline bool add_bytes(void *context, const struct parley_store_log *log) {
    *(uint64_t *)context += log->bytes;
    return true;
}

static inline bool add_record(void *context, const struct parley_author *author,
                              struct parley_span record) {
    *(uint64_t *)context += parley_store_record_bytes(record.size);
    return true;
}

/* What the node believes to hold is what its store holds. */
static inline void assert_counted(struct crowd *crowd, unsigned node) {
    uint64_t bytes = 0;
    struct parley_store_visitor visitor = {
        .context = &bytes, .on_log = add_bytes, .on_record = add_record};
    assert_int_equal(parley_store_load(crowd->nodes[node].store, &visitor), PARLEY_E_OK);
    assert_int_equal(status_of(crowd, node).held_bytes, bytes);
}

static inline void end(struct crowd *crowd, struct crowd_author *authors, unsigned count) {
    assert_int_equal(crowd->blamed, 0);
    for (unsigned i = 0; i < count; i++)
        crowd_author_end(&authors[i]);
    crowd_end(crowd);
}

#endif
