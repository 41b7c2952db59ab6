#include "internal.h"

/* Chunks that contradict what is held wait here for the review of their log, not in the budget of
 * who brought them: that there are two branches is nobody's fault but the author's. */

static struct suspect *place_for(struct parley_node *node) {
    struct suspect *oldest = NULL;
    for (size_t i = 0; i < SUSPECTS_MAX; i++) {
        struct suspect *suspect = &node->suspects[i];
        if (!suspect->is_used)
            return suspect;
        if (!node->logs[suspect->log].is_doubted &&
            (oldest == NULL || suspect->order < oldest->order))
            oldest = suspect;
    }
    return oldest;
}

/* The same run exactly: what another node cut in another place goes on from another entry. */
static bool is_kept(const struct parley_node *node, uint32_t log, const struct parley_run *run) {
    for (size_t i = 0; i < SUSPECTS_MAX; i++) {
        const struct suspect *suspect = &node->suspects[i];
        if (suspect->is_used && suspect->log == log && suspect->run.lo == run->lo &&
            suspect->run.hi == run->hi && PARLEY_EQUAL(suspect->run.hi_id, run->hi_id))
            return true;
    }
    return false;
}

bool suspect_keep(struct parley_node *node, uint32_t log, const struct parley_judged *judged,
                  bool is_signed, bool is_evidence) {
    struct parley_span bytes = judged->chunk.bytes;
    if (!is_kept(node, log, &judged->run)) {
        struct suspect *suspect = place_for(node);
        if (suspect == NULL)
            return false; /* it comes again with the next exchange of heads */
        uint8_t *memory = suspect->bytes;
        *suspect = (struct suspect){.is_used = true,
                                    .is_signed = is_signed,
                                    .is_evidence = is_evidence,
                                    .log = log,
                                    .order = ++node->suspects_order,
                                    .at = node->now,
                                    .run = judged->run,
                                    .size = bytes.size,
                                    .bytes = memory};
        memcpy(memory, bytes.data, bytes.size);
        node->logs[log].world++; /* a review under way begins again, with it */
    }
    review_want(node, log);
    return true;
}

static bool is_late(const struct parley_node *node, const struct suspect *suspect) {
    return suspect->is_evidence && node->now - suspect->at >= EVIDENCE_WAITS_MS;
}

bool suspects_wait(const struct parley_node *node, uint32_t log) {
    for (size_t i = 0; i < SUSPECTS_MAX; i++) {
        const struct suspect *suspect = &node->suspects[i];
        if (suspect->is_used && suspect->log == log && !is_late(node, suspect))
            return true;
    }
    return false;
}

void suspects_drop(struct parley_node *node, uint32_t log, bool evidence) {
    for (size_t i = 0; i < SUSPECTS_MAX; i++) {
        struct suspect *suspect = &node->suspects[i];
        bool waits = suspect->is_evidence && !is_late(node, suspect);
        if (suspect->is_used && suspect->log == log && (evidence || !waits))
            suspect->is_used = false;
    }
}
