/* What the rules of the protocol cost on this machine, without disk or network: JSON lines.
 *
 *   signature_checks_per_second   one core, what a post would cost with a check each
 *   run_entries_per_second        entries verified in runs: two hashes each, one check a chunk
 */
#include "figures.h"
#include <parley/entry.h>
#include <parley/identity.h>
#include <parley/log.h>
#include <stdio.h>
#include <stdlib.h>

#define ENTRIES_COUNT 200u
#define POST_BYTES    206u /* 200 characters and the map around them */
#define MEASURE_S     1.0

static void must(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(4);
}

struct material {
    struct parley_log log;
    struct parley_device_key device;
    struct parley_policy policy;
    struct parley_check check;
    uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_span chunk;
};

static void make_chunk(struct material *material) {
    struct parley_seed seed = {{7}};
    struct parley_secret_key secret;
    struct parley_author author = {{9}};
    uint8_t body[POST_BYTES];
    parley_key_pair(&secret, material->device.bytes, &seed);
    parley_log_derive(&material->log, &author, &material->device);
    material->policy = (struct parley_policy){PARLEY_POLICY_OPEN, 0, {{0}}};
    memset(body, 'x', sizeof body);
    struct parley_chunk_writer writer;
    parley_chunk_writer_init(&writer, material->buffer, sizeof material->buffer);
    struct parley_entry entry = {.has_body = true, .body = PARLEY_SPAN(body, sizeof body)};
    entry.header.version = PARLEY_ENTRY_VERSION;
    entry.header.log = material->log;
    for (unsigned i = 1; i <= ENTRIES_COUNT; i++) {
        entry.header.seq = i;
        entry.header.time = 1600000000000u + 60000u * i;
        entry.salt.bytes[0] = (uint8_t)i;
        parley_entry_sign(&entry, &secret);
        must(parley_chunk_add(&writer, &entry, true) == PARLEY_E_OK, "the chunk is full");
        if (i == ENTRIES_COUNT)
            parley_entry_check(&material->check, &entry, &material->device);
        entry.header.prev = entry.id;
    }
    material->chunk = parley_chunk_finish(&writer);
}

static double measure_checks(const struct material *material) {
    double start = now_s(), spent;
    unsigned count = 0;
    do {
        for (unsigned i = 0; i < 100; i++)
            must(parley_check_holds(&material->check), "a signature does not hold");
        count += 100;
        spent = now_s() - start;
    } while (spent < MEASURE_S);
    return count / spent;
}

static double measure_runs(const struct material *material) {
    double start = now_s(), spent;
    unsigned count = 0;
    do {
        struct parley_judged judged;
        struct parley_fault fault = parley_judge_chunk(&judged, &material->log, &material->policy,
                                                       &material->device, NULL, material->chunk);
        must(fault.error == PARLEY_E_OK && judged.needs_check, "the chunk is refused");
        must(parley_check_holds(&judged.check), "the top's signature does not hold");
        count += ENTRIES_COUNT;
        spent = now_s() - start;
    } while (spent < MEASURE_S);
    return count / spent;
}

int main(void) {
    static struct material material;
    must(parley_crypto_self_test() == PARLEY_E_OK, "the self test failed");
    make_chunk(&material);
    double checks = measure_checks(&material), runs = measure_runs(&material);
    printf("{\"bench\":\"signature_checks\",\"per_second\":%.0f}\n", checks);
    printf("{\"bench\":\"run_entries_verified\",\"per_second\":%.0f,\"ratio_to_checks\":%.1f,"
           "\"chunk_bytes_per_entry\":%.1f}\n",
           runs, runs / checks, (double)material.chunk.size / ENTRIES_COUNT);
    return 0;
}
