#include "sim.h"

#include <parley/reconcile.h>

/* A hostile peer that reconciles (SPEC 11): it opens sessions, answers those of the node from a set
 * that it makes up of the pieces there are, a new one each time, says ranges that answer nothing,
 * and asks for and gives runs that no session found. */

#define ITEMS_MAX   512u /* logs, and some of nobody */
#define NOBODY_MAX  200u
#define INDEXES_MAX 40u
#define ASKS_MAX    8u

static uint8_t out_buffer[PUPPET_ITEMS_SIZE], side_buffer[2][2048];

/* ---- what it says that it has */

static void add_log(struct sim *sim, struct sim_puppet *puppet, struct parley_reconcile *set,
                    uint32_t log) {
    const struct sim_piece_made *piece = piece_any_entry(sim, log);
    struct parley_reconcile_log item = {0};
    if (piece == NULL || sim_below(sim, 10) < puppet->omits)
        return;
    memcpy(item.name, sim->logs[log].log.bytes, sizeof item.name);
    memcpy(item.set_hash, puppet->set_hashes[sim->logs[log].author], sizeof item.set_hash);
    item.seq = piece->entry.header.seq + sim_below(sim, 3);
    item.id = piece->entry.id;
    if (sim_chance(sim, 6))
        item.forked_seq = item.seq + 1;
    (void)parley_reconcile_add(set, &item, log);
}

static void make_set(struct sim *sim, struct sim_puppet *puppet, struct parley_reconcile *set,
                     uint64_t session) {
    static struct parley_reconcile_item items[ITEMS_MAX];
    static struct parley_reconcile_bucket buckets[ITEMS_MAX];
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    parley_reconcile_key(key, &puppet->link, session);
    parley_reconcile_init(set, key, items, buckets, ITEMS_MAX);
    for (uint32_t log = 0; log < sim->logs_count; log++)
        add_log(sim, puppet, set, log);
    uint64_t nobodies = sim_chance(sim, 4) ? sim_below(sim, NOBODY_MAX) : 0;
    for (uint64_t i = 0; i < nobodies; i++) {
        struct parley_reconcile_log item = {.seq = 1 + sim_below(sim, 9)};
        parley_random_bytes(&sim->random, item.name, sizeof item.name);
        (void)parley_reconcile_add(set, &item, SIM_NOBODY);
    }
}

/* ---- turns */

static void send_ranges(struct sim *sim, struct sim_puppet *puppet, uint64_t session,
                        const struct parley_reconcile_out *out) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_RECONCILE};
    message.as.reconcile.session = session;
    message.as.reconcile.last = !sim_chance(sim, 6);
    message.as.reconcile.again = sim_chance(sim, 8);
    if (out != NULL)
        message.as.reconcile.ranges = parley_wire_list_of(&out->writer, out->count);
    fault_fired(sim, BAD_PEER_SESSION);
    (void)puppet_send(sim, puppet, &message);
}

static bool on_found(void *context, const struct parley_reconcile_found *found) {
    bool *is_any = context;
    *is_any |= found->finding != PARLEY_RECONCILE_ABOVE;
    return true;
}

static void answer_turn(struct sim *sim, struct sim_puppet *puppet,
                        const struct parley_wire_reconcile *heard) {
    struct parley_reconcile set;
    struct parley_reconcile_out out = {0};
    struct parley_wire_list ranges = heard->ranges;
    struct parley_wire_range range;
    bool is_any = false;
    puppet->heard = heard->session;
    if (sim_chance(sim, 8))
        return;
    make_set(sim, puppet, &set, heard->session);
    parley_writer_init(&out.writer, out_buffer, sizeof out_buffer);
    if (heard->ranges.count == 0)
        parley_reconcile_open(&set, &out);
    while (parley_wire_next_range(&ranges, &range) && out.count + 8 <= PARLEY_WIRE_RANGES_MAX &&
           out.writer.size + PARLEY_RECONCILE_ANSWER_MAX <= sizeof out_buffer)
        parley_reconcile_answer(&set, &out, &range, on_found, &is_any);
    send_ranges(sim, puppet, heard->session, &out);
    if (is_any && !sim_chance(sim, 3))
        puppet_send_heads(sim, puppet, 0);
}

/* ---- of its own accord */

static uint64_t draw_path(struct sim *sim) {
    unsigned bits = 3 * (unsigned)sim_below(sim, PARLEY_RECONCILE_DEPTH_BITS / 3 + 1);
    uint64_t path = 1;
    for (unsigned i = 0; i < bits; i++)
        path = path << 1 | sim_below(sim, 2);
    return path;
}

static void draw_lists(struct sim *sim, struct sim_puppet *puppet,
                       struct parley_wire_range *range) {
    struct parley_writer lacks, items;
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    size_t lacks_count = (size_t)sim_below(sim, INDEXES_MAX);
    size_t items_count = 1 + (size_t)sim_below(sim, INDEXES_MAX);
    parley_reconcile_key(key, &puppet->link, puppet->heard);
    parley_writer_init(&lacks, side_buffer[0], sizeof side_buffer[0]);
    parley_writer_init(&items, side_buffer[1], sizeof side_buffer[1]);
    for (size_t i = 0; i < lacks_count; i++)
        parley_wire_put_index(&lacks, (uint8_t)i);
    for (size_t i = 0; i < items_count; i++) {
        uint32_t log = (uint32_t)sim_below(sim, sim->logs_count);
        struct parley_wire_item item = {.index = (uint8_t)i, .seq = 1 + sim_below(sim, 60)};
        item.tag = (uint32_t)parley_reconcile_place(key, sim->logs[log].log.bytes);
        item.set = puppet->set_hashes[sim->logs[log].author][0];
        parley_wire_put_item(&items, range->form, &item);
    }
    range->lacks = parley_wire_list_of(&lacks, lacks_count);
    range->items = parley_wire_list_of(&items, items_count);
}

/* A range that answers nothing, or the node's last turn as it never was. */
static void say_range(struct sim *sim, struct sim_puppet *puppet) {
    uint8_t bytes[4 * PARLEY_RECONCILE_LIST_MAX];
    struct parley_reconcile_out out = {0};
    struct parley_wire_range range = {.path = draw_path(sim)};
    bool is_deepest = range.path >> PARLEY_RECONCILE_DEPTH_BITS != 0;
    range.form = (enum parley_range_form)(is_deepest ? 1 + sim_below(sim, 3) : sim_below(sim, 4));
    parley_random_bytes(&sim->random, bytes, sizeof bytes);
    if (range.form == PARLEY_RANGE_SPLIT) {
        range.children = (uint8_t)(1 + sim_below(sim, UINT8_MAX));
        range.bytes = PARLEY_SPAN(bytes, 16u * (size_t)__builtin_popcount(range.children));
    } else if (range.form == PARLEY_RANGE_LIST) {
        range.bytes = PARLEY_SPAN(bytes, 4 * (size_t)sim_below(sim, PARLEY_RECONCILE_LIST_MAX + 1));
    } else {
        draw_lists(sim, puppet, &range);
    }
    parley_writer_init(&out.writer, out_buffer, sizeof out_buffer);
    parley_wire_put_range(&out.writer, &range);
    out.count = 1;
    send_ranges(sim, puppet, sim_chance(sim, 8) ? sim_below(sim, 9) : puppet->heard, &out);
}

/* It dialled, so its numbers are even; now and then it forgets. */
static void open_session(struct sim *sim, struct sim_puppet *puppet) {
    puppet->session += sim_chance(sim, 6) ? 1 : 2;
    puppet->heard = puppet->session;
    send_ranges(sim, puppet, puppet->session, NULL);
}

static void ask_runs(struct sim *sim, struct sim_puppet *puppet) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_RUNS};
    struct parley_writer asks;
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    size_t count = 1 + (size_t)sim_below(sim, ASKS_MAX);
    parley_reconcile_key(key, &puppet->link, puppet->heard);
    parley_writer_init(&asks, out_buffer, sizeof out_buffer);
    for (size_t i = 0; i < count; i++) {
        uint32_t log = (uint32_t)sim_below(sim, sim->logs_count);
        struct parley_wire_ask_small ask = {.request = puppet->requests_count++,
                                            .down_seq = sim_below(sim, 5)};
        ask.place = parley_reconcile_place(key, sim->logs[log].log.bytes) + sim_chance(sim, 8);
        parley_wire_put_ask_small(&asks, &ask);
    }
    message.as.ask_runs.session = puppet->heard;
    message.as.ask_runs.asks = parley_wire_list_of(&asks, count);
    fault_fired(sim, BAD_PEER_ASKS);
    (void)puppet_send(sim, puppet, &message);
}

static void ask_heads_of(struct sim *sim, struct sim_puppet *puppet) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_HEADS_OF};
    struct parley_writer logs;
    size_t count = 1 + (size_t)sim_below(sim, ASKS_MAX);
    parley_writer_init(&logs, out_buffer, sizeof out_buffer);
    for (size_t i = 0; i < count; i++)
        parley_wire_put_log(&logs, &sim->logs[sim_below(sim, sim->logs_count)].log);
    message.as.ask_heads_of.logs = parley_wire_list_of(&logs, count);
    fault_fired(sim, BAD_PEER_ASKS);
    (void)puppet_send(sim, puppet, &message);
}

/* ---- runs */

static bool put_run(struct sim *sim, struct sim_puppet *puppet, struct parley_writer *writer,
                    uint64_t request, uint32_t log) {
    static uint8_t chunk_buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_wire_run run = {.request = request, .last = !sim_chance(sim, 8)};
    if (log != SIM_NOBODY)
        run.chunk = puppet_run(sim, puppet, log, chunk_buffer);
    run.last |= run.chunk.size == 0;
    if (writer->size_max - writer->size < run.chunk.size + 32)
        return false;
    parley_wire_put_run(writer, &run);
    return true;
}

static void send_runs(struct sim *sim, struct sim_puppet *puppet,
                      const struct parley_writer *writer, size_t count) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_RUNS};
    if (count == 0)
        return;
    message.as.runs.runs = parley_wire_list_of(writer, count);
    fault_fired(sim, BAD_PEER_RUNS);
    (void)puppet_send(sim, puppet, &message);
}

static uint32_t log_at(struct sim *sim, const struct sim_puppet *puppet, uint64_t session,
                       uint64_t place) {
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    parley_reconcile_key(key, &puppet->link, session);
    for (uint32_t log = 0; log < sim->logs_count; log++)
        if (parley_reconcile_place(key, sim->logs[log].log.bytes) == place)
            return log;
    return SIM_NOBODY;
}

static void answer_runs(struct sim *sim, struct sim_puppet *puppet,
                        const struct parley_wire_ask_runs *asks) {
    struct parley_wire_list list = asks->asks;
    struct parley_wire_ask_small ask;
    struct parley_writer runs;
    size_t count = 0;
    parley_writer_init(&runs, out_buffer, sizeof out_buffer);
    while (parley_wire_next_ask_small(&list, &ask))
        count += !sim_chance(sim, 8) && put_run(sim, puppet, &runs, ask.request,
                                                log_at(sim, puppet, asks->session, ask.place));
    send_runs(sim, puppet, &runs, count);
}

static void say_runs(struct sim *sim, struct sim_puppet *puppet) {
    struct parley_writer runs;
    size_t count = 0;
    parley_writer_init(&runs, out_buffer, sizeof out_buffer);
    for (size_t i = 0; i < 3; i++) { /* two draws in one call come in either order */
        uint32_t log = (uint32_t)sim_below(sim, sim->logs_count);
        count += put_run(sim, puppet, &runs, sim_below(sim, 100), log);
    }
    send_runs(sim, puppet, &runs, count);
}

void talker_answer(struct sim *sim, struct sim_puppet *puppet,
                   const struct parley_wire_message *message) {
    if (message->type == PARLEY_WIRE_RECONCILE)
        answer_turn(sim, puppet, &message->as.reconcile);
    else if (message->type == PARLEY_WIRE_ASK_RUNS)
        answer_runs(sim, puppet, &message->as.ask_runs);
    else
        puppet_send_heads(sim, puppet, 0);
}

void talker_act(struct sim *sim, struct sim_puppet *puppet) {
    if (puppet->link.state != PARLEY_LINK_OPEN || sim->logs_count == 0)
        return;
    switch (sim_below(sim, 8)) {
    case 0:
    case 1:
    case 2:
        open_session(sim, puppet);
        return;
    case 3:
    case 4:
        say_range(sim, puppet);
        return;
    case 5:
        ask_runs(sim, puppet);
        return;
    case 6:
        ask_heads_of(sim, puppet);
        return;
    default:
        if (sim->enabled[BAD_PEER_RUNS])
            say_runs(sim, puppet);
    }
}
