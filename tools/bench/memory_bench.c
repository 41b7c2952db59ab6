/* Memory of a relay's core for each log that it holds, without a store and without connections:
 * memory_bench LOGS... loads as many authors of one device and one post, as a start does, and tells
 * what that took of the process's resident memory. One JSON object a line. */
#include "figures.h"
#include <parley/identity.h>
#include <parley/node.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "memory_bench: %s\n", what);
    exit(4);
}

static double resident_bytes(void) {
    unsigned long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    must(file != NULL && fscanf(file, "%lu %lu", &total, &resident) == 2, "no /proc/self/statm");
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void step(struct parley_node *node, struct parley_event *event) {
    struct parley_effects effects;
    event->now = 1;
    event->wall = UINT64_C(1767225600000);
    (void)parley_node_step(node, event, &effects);
}

static void load_record(struct parley_node *node, const struct parley_author *author,
                        struct parley_span record) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_RECORD};
    event.load_record.author = *author;
    event.load_record.record = record;
    step(node, &event);
}

/* One person's records, from which those of all others are made: a start takes what its own disk
 * holds as checked, so their signatures may be any, and a million is a matter of seconds. */
struct pattern {
    uint8_t inception_bytes[PARLEY_STATEMENT_BYTES_MAX];
    uint8_t certificate_bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_span inception, certificate;
    struct parley_root_key root;
    struct parley_device_key device;
    uint8_t *next, *certified; /* in them: the commitment to the next root, and the author */
};

static uint8_t *find(struct parley_span bytes, const uint8_t part[32]) {
    for (size_t at = 0; at + 32 <= bytes.size; at++)
        if (memcmp(bytes.data + at, part, 32) == 0)
            return (uint8_t *)bytes.data + at;
    must(false, "a record is not what it was");
    return NULL;
}

static void make_pattern(struct pattern *pattern) {
    static const uint8_t entropy[PARLEY_ENTROPY_SIZE] = {7};
    struct parley_secret_key root, device;
    struct parley_seed seed = {{1}};
    struct parley_author author;
    struct parley_hash next;
    parley_root_derive(&root, &pattern->root, entropy, 0);
    parley_author_derive(&author, entropy);
    parley_root_commitment(&next, entropy, 0);
    parley_key_pair(&device, pattern->device.bytes, &seed);
    must(parley_rotation_make(&pattern->inception, pattern->inception_bytes,
                              sizeof pattern->inception_bytes, entropy, 0, NULL,
                              0) == PARLEY_E_OK &&
             parley_certificate_make(&pattern->certificate, pattern->certificate_bytes,
                                     sizeof pattern->certificate_bytes, &root, &device, &author,
                                     0) == PARLEY_E_OK,
         "the records do not fit");
    pattern->next = find(pattern->inception, next.bytes);
    pattern->certified = find(pattern->certificate, author.bytes);
}

/* The person of that number: inception, one device, one entry. */
static void load_person(struct parley_node *node, struct pattern *pattern, uint32_t number) {
    struct parley_store_log held = {.entries_count = 1, .bodies_count = 1, .bytes = 400};
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_LOG, .load_log = &held};
    parley_put_u32(pattern->next, number);
    parley_hash_two(held.author.bytes, PARLEY_DOMAIN_AUTHOR, PARLEY_SPAN_OF(pattern->root),
                    PARLEY_SPAN(pattern->next, 32));
    memcpy(pattern->certified, held.author.bytes, sizeof held.author.bytes);
    held.device = pattern->device;
    parley_log_derive(&held.log, &held.author, &held.device);
    load_record(node, &held.author, pattern->inception);
    load_record(node, &held.author, pattern->certificate);
    held.ranges.count = 1;
    held.ranges.ranges[0] = (struct parley_run){.lo = 1, .hi = 1, .hi_is_signed = true};
    memcpy(held.ranges.ranges[0].hi_id.bytes, held.log.bytes, sizeof held.log.bytes);
    step(node, &event);
}

static void measure(uint32_t logs) {
    struct parley_node_config config;
    struct parley_node_status status;
    struct pattern pattern;
    make_pattern(&pattern);
    parley_node_config_defaults(&config);
    config.relay = true;
    config.logs_max = logs + 1;
    config.authors_max = logs + 1;
    struct parley_node *node = parley_node_create(&config);
    must(node != NULL, "no memory");
    double before = resident_bytes();
    for (uint32_t number = 0; number < logs; number++)
        load_person(node, &pattern, number);
    struct parley_event start = {.kind = PARLEY_EVENT_START};
    step(node, &start);
    double spent = resident_bytes() - before;
    parley_node_status(node, &status);
    must(status.logs_count == logs && status.entries_count == logs, "not all was loaded");
    printf("{\"bench\":\"memory_of_core\",\"logs\":%u,\"rss_mb\":%.1f,\"bytes_per_log\":%.0f}\n",
           logs, spent / 1e6, spent / logs);
    (void)fflush(stdout);
    parley_node_free(node);
}

int main(int argc, char **argv) {
    must(parley_crypto_self_test() == PARLEY_E_OK, "the self test failed");
    for (int i = 1; i < argc; i++) {
        long logs = atol(argv[i]);
        must(logs > 0 && logs <= 10000000, "1 to 10,000,000 logs");
        measure((uint32_t)logs);
    }
    if (argc < 2)
        fprintf(stderr, "usage: memory_bench LOGS...\n");
    return argc < 2 ? 2 : 0;
}
