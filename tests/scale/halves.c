#include "scale.h"

#include <parley/body.h>
#include <parley/log.h>
#include <stdlib.h>

/* Two halves of a network that were a day apart, joined by one link. What each half said in that
 * day stands on the disks of those who want it; none of it went over a link. Nodes with an even
 * number are one half, the others the other. */

#define DAY_MS     UINT64_C(86400000)
#define LOOK_MS    1000u
#define EQUAL_MS   120000u /* the bound */
#define GIVE_UP_MS 600000u

/* One author's day: records and chunks, as operations of a store. */
struct day {
    struct parley_store_op *ops;
    size_t ops_count, ops_max;
};

static void day_put(struct day *day, const struct parley_store_op *op) {
    if (day->ops_count == day->ops_max) {
        day->ops_max = day->ops_max == 0 ? 16 : 2 * day->ops_max;
        day->ops = must(realloc(day->ops, day->ops_max * sizeof *day->ops));
    }
    uint8_t *bytes = must(malloc(op->bytes.size + op->key.size));
    memcpy(bytes, op->bytes.data, op->bytes.size);
    if (op->key.size > 0)
        memcpy(bytes + op->bytes.size, op->key.data, op->key.size);
    struct parley_store_op *copy = &day->ops[day->ops_count++];
    *copy = *op;
    copy->bytes = PARLEY_SPAN(bytes, op->bytes.size);
    copy->key = PARLEY_SPAN(bytes + op->bytes.size, op->key.size);
}

static bool take_record(void *context, const struct parley_author *author,
                        struct parley_span bytes) {
    struct parley_record record;
    if (parley_record_decode(&record, bytes).error != PARLEY_E_OK)
        abort();
    day_put(context, &(struct parley_store_op){.kind = PARLEY_STORE_RECORD,
                                               .author = *author,
                                               .bytes = bytes,
                                               .key = PARLEY_SPAN_OF(record.hash)});
    return true;
}

static void put_chunk(struct sim *sim, uint32_t author, struct day *day,
                      struct parley_chunk_writer *writer) {
    const struct scale_node *host = &sim->nodes[author];
    struct parley_span chunk = parley_chunk_finish(writer);
    if (chunk.size == 0)
        return;
    sim->missing_bytes += chunk.size;
    day_put(day, &(struct parley_store_op){.kind = PARLEY_STORE_APPEND,
                                           .author = host->author,
                                           .device = host->device_key,
                                           .log = host->log,
                                           .bytes = chunk,
                                           .received_ms = WALL_START,
                                           .top_signed = true});
}

static void write_day(struct sim *sim, uint32_t author, unsigned posts, struct day *day) {
    static uint8_t chunk[PARLEY_CHUNK_BYTES_MAX], body[POST_BYTES_MAX];
    const struct scale_node *host = &sim->nodes[author];
    struct parley_chunk_writer writer;
    struct parley_id prev = {{0}};
    parley_chunk_writer_init(&writer, chunk, sizeof chunk);
    for (unsigned i = 0; i < posts; i++) {
        struct parley_entry entry = {0};
        entry.header.version = PARLEY_ENTRY_VERSION;
        entry.header.log = host->log;
        entry.header.seq = i + 1;
        entry.header.prev = prev;
        entry.header.time = WALL_START - DAY_MS + DAY_MS * i / posts;
        entry.has_body = true;
        entry.body = post_body(sim, body, sizeof body);
        parley_random_bytes(&sim->random, entry.salt.bytes, sizeof entry.salt.bytes);
        parley_entry_sign(&entry, &host->device);
        prev = entry.id;
        if (parley_chunk_add(&writer, &entry, true) == PARLEY_E_OK)
            continue;
        put_chunk(sim, author, day, &writer);
        parley_chunk_writer_init(&writer, chunk, sizeof chunk);
        if (parley_chunk_add(&writer, &entry, true) != PARLEY_E_OK)
            abort();
    }
    put_chunk(sim, author, day, &writer);
}

static void store_day(struct sim *sim, uint32_t node, const struct day *day) {
    enum parley_error *results = must(malloc(day->ops_count * sizeof *results));
    disk_open(sim, node);
    parley_store_commit(sim->nodes[node].disk.store, day->ops, day->ops_count, results);
    for (size_t i = 0; i < day->ops_count; i++)
        if (results[i] != PARLEY_E_OK && results[i] != PARLEY_E_EXISTS)
            abort();
    disk_close(sim, node);
    free(results);
}

static void make_day(struct sim *sim, uint32_t author, unsigned posts) {
    struct day day = {0};
    struct parley_store_visitor visitor = {.context = &day, .on_record = take_record};
    disk_open(sim, author);
    if (parley_store_load(sim->nodes[author].disk.store, &visitor) != PARLEY_E_OK)
        abort();
    disk_close(sim, author);
    write_day(sim, author, posts, &day);
    for (uint32_t i = 0; i < sim->config.nodes_count; i++)
        if ((i ^ author) % 2 == 0 && (i == author || node_wants(sim, i, author)))
            store_day(sim, i, &day);
    for (size_t i = 0; i < day.ops_count; i++)
        free((void *)(uintptr_t)day.ops[i].bytes.data);
    free(day.ops);
}

static void make_days(struct sim *sim) {
    uint32_t count = sim->config.nodes_count;
    unsigned *posts = must(calloc(count, sizeof *posts));
    for (unsigned i = 0; i < sim->config.posts; i++)
        posts[people_pick_popular(sim)]++;
    for (uint32_t i = sim->config.relays_count; i < count; i++)
        if (posts[i] > 0)
            make_day(sim, i, posts[i]);
    free(posts);
}

/* --- equal? -------------------------------------------------------------------------------- */

static uint64_t entries_of(const struct sim *sim, uint32_t node) {
    struct parley_node_status status;
    parley_node_status(sim->nodes[node].core, &status);
    return status.entries_count;
}

/* What node i wants is the same there as at a relay that has all. */
static bool is_equal(const struct sim *sim, uint32_t node, struct parley_author *authors) {
    const struct scale_node *host = &sim->nodes[node];
    struct parley_hash own, all;
    size_t count = 0;
    if (host->is_relay)
        return entries_of(sim, node) == sim->config.posts;
    authors[count++] = host->author;
    for (uint32_t i = 0; i < host->follows_count; i++)
        authors[count++] = sim->nodes[host->follows[i]].author;
    parley_node_digest(host->core, authors, count, &own);
    parley_node_digest(sim->nodes[0].core, authors, count, &all);
    return PARLEY_EQUAL(own, all);
}

static uint32_t count_unequal(const struct sim *sim) {
    uint32_t nodes = sim->config.nodes_count, unequal = 0;
    struct parley_author *authors = must(malloc(nodes * sizeof *authors));
    bool has_all = entries_of(sim, 0) == sim->config.posts;
    for (uint32_t i = 0; i < nodes; i++)
        unequal += !has_all || !is_equal(sim, i, authors);
    free(authors);
    return unequal;
}

static void judge_halves(struct sim *sim) {
    bound(sim, "ms from the link to equal digests", (double)sim->equal_ms, EQUAL_MS);
    bound(sim, "bytes over the link, times what was missing",
          (double)sim->crossed_bytes / (double)sim->missing_bytes, 1.3);
    bound(sim, "connections closed for a fault", (double)sim->closed_for_fault, 0);
    figure(sim, "bytes missing: chunks of both halves' entries", (double)sim->missing_bytes);
    figure(sim, "sealed bytes over the link, both ways", (double)sim->crossed_bytes);
    figure(sim, "of them chunks", (double)sim->crossed_payload);
}

/* What is missing on each side of the link is what the other half wrote: the relays at both ends
 * carry everything. */
void run_halves(struct sim *sim) {
    make_days(sim);
    phase_begin(sim, "apart");
    boot_all(sim, 10000);
    run_for(sim, 90000);
    phase_end(sim);
    memory_measure(sim);
    phase_begin(sim, "joined");
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    event.connect.address = sim->nodes[1].address;
    event.connect.is_passing = true;
    (void)host_step(sim, 0, &event);
    parley_time_ms from = sim->now;
    uint32_t unequal;
    do {
        run_for(sim, LOOK_MS);
        unequal = count_unequal(sim);
        if (sim->config.is_verbose)
            fprintf(stderr, "%8.3f %u nodes lack something\n", (double)sim->now / 1000, unequal);
    } while (unequal > 0 && sim->now - from < GIVE_UP_MS);
    sim->equal_ms = sim->now - from;
    phase_end(sim);
    sim->judge = judge_halves;
}
