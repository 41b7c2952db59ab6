/* A broadcast tree by itself, for its tests: no node, no bytes. */
#ifndef PARLEY_TESTS_GOSSIP_BED_H
#define PARLEY_TESTS_GOSSIP_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <parley/gossip.h>

#define LINKS   70u /* more than one word of bits */
#define ENTRIES 64u
#define WAITS   4u
#define WAIT_MS 1000u
#define AGAIN   2000u
#define LATE_MS 100u
#define ALL     UINT64_MAX

struct bed {
    struct parley_gossip gossip;
    void *memory;
};

static inline void begin(struct bed *bed) {
    static const struct parley_gossip_sizes sizes = {LINKS, ENTRIES, WAITS, WAIT_MS,
                                                     AGAIN, LATE_MS, false};
    static const uint8_t key[16] = {1};
    bed->memory = calloc(1, parley_gossip_memory(&sizes));
    assert_non_null(bed->memory);
    parley_gossip_init(&bed->gossip, &sizes, key, bed->memory);
}

static inline void end(struct bed *bed) {
    parley_gossip_check(&bed->gossip);
    free(bed->memory);
}

/* An entry of the log that begins with that byte. */
static inline struct parley_wire_place place(uint8_t log, parley_seq seq) {
    struct parley_wire_place out = {.seq = seq};
    memset(&out.log, log, sizeof out.log);
    parley_put_u64(out.id.bytes, seq);
    return out;
}

static inline void close_link(struct parley_gossip *gossip, uint32_t link) {
    struct parley_gossip_word word;
    (void)!parley_gossip_close(gossip, link, &word);
}

static inline void open_links(struct bed *bed, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        parley_gossip_open(&bed->gossip, i, true);
}

/* Each of these links in turn tells that its peer wants everything; what is said of it. */
static inline void be_broad(struct bed *bed, uint32_t count) {
    struct parley_gossip_word word;
    for (uint32_t i = 0; i < count; i++) {
        (void)!parley_gossip_set_broad(&bed->gossip, i, true, &word);
        while (parley_gossip_spare(&bed->gossip, i, &word))
            ;
    }
    parley_gossip_check(&bed->gossip);
}

static inline bool brings(struct bed *bed, uint32_t link, uint8_t log, parley_seq seq,
                          bool is_new) {
    struct parley_wire_place at = place(log, seq);
    struct parley_gossip_word word;
    bool prunes =
        parley_gossip_on_entry(&bed->gossip, link, &at, is_new, seq, &word) && !word.is_graft;
    parley_gossip_check(&bed->gossip);
    return prunes;
}

static inline enum parley_gossip_hearing announces(struct bed *bed, uint32_t link, uint8_t log,
                                                   parley_seq seq, parley_time_ms now) {
    struct parley_wire_place at = place(log, seq);
    enum parley_gossip_hearing heard = parley_gossip_on_announce(&bed->gossip, link, &at, now);
    parley_gossip_check(&bed->gossip);
    return heard;
}

static inline enum parley_gossip_way way(struct bed *bed, uint32_t link, uint8_t log,
                                         parley_seq seq) {
    struct parley_wire_place at = place(log, seq);
    return parley_gossip_way(&bed->gossip, link, &at);
}

/* Whom the one entry that is due is asked of; NOBODY: none is due, or nobody has it. */
static inline uint32_t asked(struct bed *bed, parley_time_ms now, bool *was_lazy) {
    struct parley_gossip_entry *entry = parley_gossip_due(&bed->gossip, now);
    struct parley_gossip_word word;
    if (entry == NULL)
        return PARLEY_GOSSIP_NOBODY;
    uint32_t link = parley_gossip_graft(&bed->gossip, entry, now, &word);
    *was_lazy = word.buckets != 0;
    assert_true(word.buckets == 0 || (word.is_graft && word.link == link));
    assert_null(parley_gossip_due(&bed->gossip, now));
    parley_gossip_check(&bed->gossip);
    return link;
}

#endif
