/* How fast runs are read, judged, cut and written: one core, one JSON line for each figure. */
#include "figures.h"
#include <parley/log.h>
#include <stdio.h>
#include <stdlib.h>

#define BODY_SIZE  200u
#define CHUNKS_MAX 256u

static uint8_t memory[CHUNKS_MAX][PARLEY_CHUNK_BUFFER_SIZE];
static struct parley_span chunks[CHUNKS_MAX];
static struct parley_anchor tops[CHUNKS_MAX];
static size_t chunks_count;
static size_t entries_count;
static struct parley_log log_name = {{1}};

static void report(const char *what, size_t count, double seconds) {
    printf("{\"bench\":\"%s\",\"body_bytes\":%u,\"per_second\":%.0f}\n", what, BODY_SIZE,
           (double)count / seconds);
}

/* Signatures are any bytes: anchored runs never look at them. */
static void make_entry(struct parley_entry *entry, const uint8_t *body, size_t body_size) {
    parley_seq seq = entry->header.seq + 1;
    struct parley_id prev = entry->id;
    *entry = (struct parley_entry){.header = {.log = log_name,
                                              .seq = seq,
                                              .prev = prev,
                                              .time = 1700000000000 + seq * 60000,
                                              .version = PARLEY_ENTRY_VERSION,
                                              .body_size = (uint32_t)body_size},
                                   .has_body = true,
                                   .body = PARLEY_SPAN(body, body_size)};
    memset(entry->signature.bytes, (int)seq, sizeof entry->signature);
    parley_body_hash(&entry->header.body_hash, &entry->salt, entry->body);
    parley_entry_id(entry);
}

static void write_all(const uint8_t body[BODY_SIZE]) {
    struct parley_entry entry = {0};
    struct parley_chunk_writer writer;
    bool fits = true;
    for (chunks_count = 0; chunks_count < CHUNKS_MAX; chunks_count++, fits = true) {
        parley_chunk_writer_init(&writer, memory[chunks_count], sizeof memory[0]);
        while (fits) {
            struct parley_entry before = entry;
            make_entry(&entry, body, BODY_SIZE);
            fits = parley_chunk_add(&writer, &entry, true) == PARLEY_E_OK;
            if (!fits)
                entry = before;
            else
                entries_count++;
        }
        chunks[chunks_count] = parley_chunk_finish(&writer);
        tops[chunks_count] = (struct parley_anchor){entry.header.seq, entry.id};
    }
}

static void bench_judge(size_t rounds) {
    struct parley_judged judged;
    struct parley_policy policy = {.kind = PARLEY_POLICY_OPEN};
    double start = now_s();
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < chunks_count; i++)
            if (parley_judge_chunk(&judged, &log_name, &policy, NULL, &tops[i], chunks[i]).error !=
                PARLEY_E_OK)
                abort();
    report("entries_judged_in_a_run", rounds * entries_count, now_s() - start);
}

static void bench_items(size_t rounds) {
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    double start = now_s();
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < chunks_count; i++) {
            if (parley_chunk_decode(&chunk, chunks[i]).error != PARLEY_E_OK)
                abort();
            parley_chunk_start(&cursor, &chunk);
            while (parley_chunk_next_item(&cursor, &item))
                ;
        }
    report("items_read_without_hashing", rounds * entries_count, now_s() - start);
}

static void bench_slice(size_t rounds) {
    static uint8_t out[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_chunk chunk;
    struct parley_span slice;
    double start = now_s();
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < chunks_count; i++) {
            if (parley_chunk_decode(&chunk, chunks[i]).error != PARLEY_E_OK ||
                parley_chunk_slice(&slice, out, sizeof out, &chunk, chunk.seq_first,
                                   parley_chunk_seq_last(&chunk) - 1, true) != PARLEY_E_OK)
                abort();
        }
    report("entries_sliced", rounds * entries_count, now_s() - start);
}

int main(void) {
    uint8_t body[BODY_SIZE];
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 1;
    memset(body, 'x', sizeof body);
    double start = now_s();
    write_all(body);
    report("entries_packed", entries_count, now_s() - start);
    bench_judge(10);
    bench_items(100);
    bench_slice(100);
    return 0;
}
