#include "fixture.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static struct parley_secret_key key_of(unsigned number, struct parley_device_key *device) {
    struct parley_seed seed = {{0}};
    struct parley_secret_key secret;
    parley_put_u32(seed.bytes, number + 1);
    parley_key_pair(&secret, device->bytes, &seed);
    return secret;
}

static void make_entry(struct fixture_log *log, unsigned number, size_t index,
                       parley_time_ms time_first, unsigned variant) {
    struct parley_device_key device;
    struct parley_secret_key secret = key_of(number, &device);
    struct parley_entry *entry = &log->entries[index];
    uint8_t *body = log->bodies[index];
    int size = snprintf((char *)body, FIXTURE_BODY_MAX, "log %u entry %zu branch %u: ", number,
                        index + 1, variant);
    size_t more = (index * 37 + number * 11) % 200;
    memset(body + size, 'a' + (int)(index % 26), more);
    *entry = (struct parley_entry){0};
    entry->header.log = log->log;
    entry->header.seq = index + 1;
    if (index > 0)
        entry->header.prev = log->entries[index - 1].id;
    entry->header.time = time_first + index * 1000;
    entry->header.version = PARLEY_ENTRY_VERSION;
    entry->has_body = true;
    memset(entry->salt.bytes, (int)(index + variant), sizeof entry->salt);
    entry->body = PARLEY_SPAN(body, (size_t)size + more);
    parley_entry_sign(entry, &secret);
}

static void entropy_of(uint8_t entropy[PARLEY_ENTROPY_SIZE], unsigned number) {
    memset(entropy, 0, PARLEY_ENTROPY_SIZE);
    parley_put_u32(entropy, 1000 + number / 8);
}

/* 64 key derivations each: those that were made are kept. */
static struct {
    unsigned number;
    struct parley_author author;
} authors[1024];
static size_t authors_count;

static void derive_author(struct parley_author *author, unsigned number) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    size_t i = 0;
    while (i < authors_count && authors[i].number != number / 8)
        i++;
    if (i == authors_count) {
        assert(authors_count < sizeof authors / sizeof authors[0]);
        entropy_of(entropy, number);
        authors[i].number = number / 8;
        parley_author_derive(&authors[i].author, entropy);
        authors_count++;
    }
    *author = authors[i].author;
}

unsigned fixture_author_number(const struct parley_author *author) {
    size_t i = 0;
    while (i < authors_count && !PARLEY_EQUAL(authors[i].author, *author))
        i++;
    assert(i < authors_count);
    return authors[i].number;
}

void fixture_records(struct fixture_records *records, const struct fixture_log *log) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_secret_key root, device;
    struct parley_root_key root_key;
    struct parley_device_key device_key;
    struct parley_span made[2];
    entropy_of(entropy, log->number);
    device = key_of(log->number, &device_key);
    parley_root_derive(&root, &root_key, entropy, 0);
    enum parley_error error = parley_rotation_make(&made[0], records->bytes[0],
                                                   PARLEY_STATEMENT_BYTES_MAX, entropy, 0, NULL, 0);
    assert(error == PARLEY_E_OK);
    error = parley_certificate_make(&made[1], records->bytes[1], PARLEY_STATEMENT_BYTES_MAX, &root,
                                    &device, &log->author, 0);
    assert(error == PARLEY_E_OK);
    for (size_t i = 0; i < 2; i++) {
        parley_hash_one(records->hashes[i].bytes, PARLEY_DOMAIN_RECORD, made[i]);
        records->ops[i] = (struct parley_store_op){.kind = PARLEY_STORE_RECORD,
                                                   .author = log->author,
                                                   .bytes = made[i],
                                                   .key = PARLEY_SPAN_OF(records->hashes[i])};
    }
}

static struct fixture_log *make_names(unsigned number) {
    struct fixture_log *log = calloc(1, sizeof *log);
    assert(log != NULL);
    log->number = number;
    (void)key_of(number, &log->device);
    derive_author(&log->author, number);
    parley_log_derive(&log->log, &log->author, &log->device);
    return log;
}

struct fixture_log *fixture_log_make(unsigned number, size_t count, parley_time_ms time_first) {
    struct fixture_log *log = make_names(number);
    assert(count <= FIXTURE_ENTRIES_MAX);
    log->count = count;
    for (size_t i = 0; i < count; i++)
        make_entry(log, number, i, time_first, 0);
    return log;
}

struct fixture_log *fixture_log_fork(const struct fixture_log *log, parley_seq seq) {
    struct fixture_log *fork = calloc(1, sizeof *fork);
    assert(fork != NULL && seq >= 1 && seq <= log->count);
    *fork = *log;
    for (size_t i = 0; i < log->count; i++) {
        fork->entries[i].body.data = fork->bodies[i];
        if (i + 1 >= seq)
            make_entry(fork, log->number, i, log->entries[0].header.time + 1, 7);
    }
    return fork;
}

struct parley_span fixture_chunk(struct fixture_chunk *chunk, const struct fixture_log *log,
                                 parley_seq low, parley_seq high, bool bodies) {
    struct parley_chunk_writer writer;
    assert(low >= 1 && low <= high && high <= log->count);
    parley_chunk_writer_init(&writer, chunk->data, sizeof chunk->data);
    for (parley_seq seq = low; seq <= high; seq++) {
        enum parley_error error = parley_chunk_add(&writer, &log->entries[seq - 1], bodies);
        assert(error == PARLEY_E_OK);
    }
    chunk->bytes = parley_chunk_finish(&writer);
    return chunk->bytes;
}

struct parley_store_op fixture_run(struct fixture_chunk *chunk, enum parley_store_kind kind,
                                   const struct fixture_log *log, parley_seq low, parley_seq high,
                                   bool bodies, parley_time_ms received_ms) {
    return (struct parley_store_op){
        .kind = kind,
        .author = log->author,
        .device = log->device,
        .log = log->log,
        .bytes = fixture_chunk(chunk, log, low, high, bodies),
        .received_ms = received_ms,
        .top_signed = true,
    };
}
