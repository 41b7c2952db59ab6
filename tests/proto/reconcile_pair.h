/* Two sets that reconcile, message by message through the real encoder and decoder. */
#ifndef PARLEY_TESTS_RECONCILE_PAIR_H
#define PARLEY_TESTS_RECONCILE_PAIR_H

#include <parley/limits.h>
#include <parley/reconcile.h>
#include <stdlib.h>

#define PAIR_TURNS_MAX 64u
#define PAIR_SEALED    35u /* what the link adds to a message (SPEC 8.4) */

struct pair_finding {
    uint32_t mark;
    enum parley_reconcile_finding finding;
    parley_seq seq;
};
struct pair_side {
    struct parley_reconcile set;
    struct parley_reconcile_log *logs; /* by mark */
    struct pair_finding *findings;
    size_t findings_count;
};
struct pair;
typedef void pair_on_message(struct pair *pair, unsigned from, struct parley_span message);
struct pair {
    struct pair_side sides[2];
    size_t bytes, messages, turns;
    pair_on_message *on_message; /* of each as it is encoded; NULL: nobody looks */
    void *context;
};

static inline void pair_side_begin(struct pair_side *side, const uint8_t *key, size_t items_max) {
    *side = (struct pair_side){0};
    side->logs = calloc(items_max + 1, sizeof *side->logs);
    side->findings = calloc(2 * items_max + 1, sizeof *side->findings);
    parley_reconcile_init(&side->set, key,
                          calloc(items_max + 1, sizeof(struct parley_reconcile_item)),
                          calloc(parley_reconcile_buckets_for((uint32_t)items_max),
                                 sizeof(struct parley_reconcile_bucket)),
                          (uint32_t)items_max);
}

static inline void pair_side_add(struct pair_side *side, const struct parley_reconcile_log *log) {
    side->logs[side->set.count] = *log;
    (void)parley_reconcile_add(&side->set, log, side->set.count);
}

static inline void pair_side_end(struct pair_side *side) {
    free(side->logs);
    free(side->findings);
    free(side->set.items);
    free(side->set.buckets);
}

static inline bool pair_on_found(void *context, const struct parley_reconcile_found *found) {
    struct pair_side *side = context;
    side->findings[side->findings_count++] =
        (struct pair_finding){found->item->mark, found->finding, found->seq};
    return true;
}

/* One message from one side to the other; its ranges are answered into the other's out. */
static inline void pair_send(struct pair *pair, unsigned from, struct parley_reconcile_out *out,
                             bool last, struct parley_reconcile_out *answers,
                             void (*flush)(struct pair *, unsigned,
                                           struct parley_reconcile_out *)) {
    static uint8_t bytes[PARLEY_MESSAGE_BYTES_MAX];
    struct parley_wire_message message = {.type = PARLEY_WIRE_RECONCILE}, heard;
    struct parley_writer writer;
    struct parley_span span;
    struct parley_wire_range range;
    message.as.reconcile.session = 2;
    message.as.reconcile.last = last;
    message.as.reconcile.ranges = parley_wire_list_of(&out->writer, out->count);
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_wire_encode(&writer, &message);
    if (parley_writer_finish(&writer, &span) != PARLEY_E_OK ||
        parley_wire_decode(&heard, span).error != PARLEY_E_OK)
        abort();
    pair->bytes += span.size + PAIR_SEALED;
    pair->messages++;
    if (pair->on_message != NULL)
        pair->on_message(pair, from, span);
    struct parley_wire_list ranges = heard.as.reconcile.ranges;
    while (parley_wire_next_range(&ranges, &range)) {
        if (answers->count + 8 > PARLEY_WIRE_RANGES_MAX ||
            answers->writer.size + PARLEY_RECONCILE_ANSWER_MAX > answers->writer.size_max)
            flush(pair, !from, answers);
        parley_reconcile_answer(&pair->sides[!from].set, answers, &range, pair_on_found,
                                &pair->sides[!from]);
    }
}

/* Messages of a turn that do not fit one are kept until the turn comes. */
struct pair_turn {
    uint8_t *bytes[1024];
    size_t sizes[1024], counts[1024];
    size_t count;
};
static struct pair_turn pair_turns[2];

static inline void pair_keep(struct pair *pair, unsigned from, struct parley_reconcile_out *out) {
    struct pair_turn *turn = &pair_turns[from];
    (void)pair;
    turn->bytes[turn->count] = malloc(out->writer.size + 1);
    memcpy(turn->bytes[turn->count], out->writer.data, out->writer.size);
    turn->sizes[turn->count] = out->writer.size;
    turn->counts[turn->count++] = out->count;
    out->writer.size = 0;
    out->count = 0;
}

/* The whole session, side 0 speaks first. */
static inline void pair_run(struct pair *pair) {
    static uint8_t memory[2][PARLEY_MESSAGE_BYTES_MAX];
    struct parley_reconcile_out outs[2] = {0};
    for (unsigned i = 0; i < 2; i++)
        parley_writer_init(&outs[i].writer, memory[i], PARLEY_MESSAGE_BYTES_MAX - 64);
    parley_reconcile_open(&pair->sides[0].set, &outs[0]);
    for (unsigned from = 0; pair->turns < PAIR_TURNS_MAX; from = !from) {
        struct pair_turn *turn = &pair_turns[from];
        bool is_answered = outs[from].is_answered;
        pair_keep(pair, from, &outs[from]);
        pair->turns++;
        outs[!from].is_answered = false;
        for (size_t i = 0; i < turn->count; i++) {
            struct parley_reconcile_out out = {.count = turn->counts[i]};
            parley_writer_init(&out.writer, turn->bytes[i], turn->sizes[i]);
            out.writer.size = turn->sizes[i];
            pair_send(pair, from, &out, i + 1 == turn->count, &outs[!from], pair_keep);
            free(turn->bytes[i]);
        }
        turn->count = 0;
        if (!is_answered)
            return;
    }
}

#endif
