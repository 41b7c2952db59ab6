/* What catching up costs beside the entries themselves: two whole nodes, in one process and without
 * disks, that carry the same logs; one of them has a new entry in some. Real handshakes, real
 * sealed bytes, both ways. One JSON line for each size. SPEC 11.10.
 *
 * Usage: reconcile_bench [--all-heads] [LOGS DIFFERING]...   (--all-heads: as without SPEC 11)
 */
#include <parley/identity.h>
#include <parley/link.h>
#include <parley/node.h>
#include <parley/node_limits.h>
#include <parley/store.h>
#include <stdio.h>
#include <stdlib.h>

#include "figures.h"

#define AUTHORS_MAX 1000u /* with more logs than that, each has several devices */
#define HELD_SEQ    300u  /* entries that both have of each log */
#define SEAL_SIZE   35u
#define WAIT_MS     25000u /* before the first regular ask, which costs the same at any size */
#define WALL_START  UINT64_C(1767225600000)

struct person {
    uint8_t records[2 * 512];
    size_t inception_size;
    struct parley_author author;
    struct parley_secret_key root;
};
struct device {
    struct parley_secret_key secret;
    struct parley_device_key key;
    struct parley_log log;
    uint32_t person;
    struct parley_id held; /* of the entry at HELD_SEQ */
};

static struct person people[AUTHORS_MAX];
static struct device *devices;
static uint32_t *devices_index; /* by log: open addressing */
static size_t index_size, logs_count, differing;

/* --- who writes ------------------------------------------------------------------------------ */

static void number(uint8_t *out, size_t size, uint64_t value) {
    memset(out, 0, size);
    parley_put_u64(out, value);
}

static void make_person(uint32_t index) {
    struct person *person = &people[index];
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_root_key key;
    struct parley_span record;
    number(entropy, sizeof entropy, index + 1);
    parley_author_derive(&person->author, entropy);
    parley_root_derive(&person->root, &key, entropy, 0);
    if (parley_rotation_make(&record, person->records, 512, entropy, 0, NULL, 0) != PARLEY_E_OK)
        abort();
    person->inception_size = record.size;
}

static uint32_t *index_of(const struct parley_log *log) {
    size_t at = (size_t)parley_get_u64(log->bytes) % index_size;
    while (devices_index[at] != 0 && !PARLEY_EQUAL(devices[devices_index[at] - 1].log, *log))
        at = (at + 1) % index_size;
    return &devices_index[at];
}

static void make_device(uint32_t index) {
    struct device *device = &devices[index];
    struct parley_seed seed;
    number(seed.bytes, sizeof seed.bytes, index + 1);
    parley_key_pair(&device->secret, device->key.bytes, &seed);
    device->person = index % AUTHORS_MAX;
    parley_log_derive(&device->log, &people[device->person].author, &device->key);
    memcpy(device->held.bytes, device->log.bytes, sizeof device->held.bytes);
    device->held.bytes[0] ^= 0xff;
    *index_of(&device->log) = index + 1;
}

/* The new entry, as its chunk. */
static struct parley_span new_entry(const struct device *device, uint8_t *buffer) {
    static const char text[200] = "Entries of usual size, of which one author wrote one.";
    struct parley_chunk_writer writer;
    struct parley_entry entry = {.has_body = true, .body = PARLEY_SPAN(text, sizeof text)};
    entry.header.version = PARLEY_ENTRY_VERSION;
    entry.header.log = device->log;
    entry.header.seq = HELD_SEQ + 1;
    entry.header.prev = device->held;
    entry.header.time = WALL_START;
    parley_entry_sign(&entry, &device->secret);
    parley_chunk_writer_init(&writer, buffer, PARLEY_CHUNK_BUFFER_SIZE);
    if (parley_chunk_add(&writer, &entry, true) != PARLEY_E_OK)
        abort();
    return parley_chunk_finish(&writer);
}

/* --- the two nodes --------------------------------------------------------------------------- */

struct task {
    struct task *next;
    unsigned node;
    struct parley_effect effect;
    size_t size;
    uint8_t bytes[];
};
static struct parley_node *nodes[2];
static struct task *first, **last = &first;
static parley_time_ms now;
static uint64_t sent, entries_bytes, stored;
static double longest_step_s;

static void keep(unsigned node, const struct parley_effect *effect) {
    struct parley_span bytes =
        effect->kind == PARLEY_EFFECT_SEND ? effect->send.bytes : PARLEY_NO_SPAN;
    struct task *task = calloc(1, sizeof *task + bytes.size);
    if (task == NULL)
        abort();
    task->node = node;
    task->effect = *effect;
    task->size = bytes.size;
    if (bytes.size > 0)
        memcpy(task->bytes, bytes.data, bytes.size);
    sent += bytes.size;
    if (effect->kind == PARLEY_EFFECT_CLOSE) {
        fprintf(stderr, "node %u closes: %s\n", node, parley_error_name(effect->close.reason));
        exit(1);
    }
    *last = task;
    last = &task->next;
}

static size_t step(unsigned node, struct parley_event *event) {
    struct parley_effects effects;
    event->now = now;
    event->wall = WALL_START + now;
    double began = now_s();
    size_t consumed = parley_node_step(nodes[node], event, &effects);
    double spent = now_s() - began;
    longest_step_s = spent > longest_step_s ? spent : longest_step_s;
    for (size_t i = 0; i < effects.count; i++)
        keep(node, &effects.items[i]);
    return consumed;
}

static uint8_t *waiting[2]; /* bytes that came and were not taken */
static size_t waiting_sizes[2];

static void offer(unsigned node) {
    struct parley_event event = {.kind = PARLEY_EVENT_RECEIVED};
    event.received.connection = node == 0 ? 1 : 2;
    event.received.bytes = PARLEY_SPAN(waiting[node], waiting_sizes[node]);
    size_t taken = step(node, &event);
    waiting_sizes[node] -= taken;
    memmove(waiting[node], waiting[node] + taken, waiting_sizes[node]);
}

static void deliver(unsigned node, const uint8_t *bytes, size_t size) {
    waiting[node] = realloc(waiting[node], waiting_sizes[node] + size);
    if (waiting[node] == NULL)
        abort();
    memcpy(waiting[node] + waiting_sizes[node], bytes, size);
    waiting_sizes[node] += size;
    offer(node);
}

static void answer_read(unsigned node, const struct parley_effect *effect) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_event event = {.kind = PARLEY_EVENT_READ_DONE};
    event.read_done.ticket = effect->read.ticket;
    event.read_done.error = PARLEY_E_NOT_FOUND;
    if (effect->read.kind == PARLEY_READ_RUN && effect->read.seq_low == HELD_SEQ + 1) {
        uint32_t index = *index_of(&effect->read.log);
        event.read_done.error = PARLEY_E_OK;
        event.read_done.bytes = new_entry(&devices[index - 1], buffer);
        event.read_done.count = 1;
        entries_bytes += event.read_done.bytes.size;
    }
    step(node, &event);
}

static void perform(struct task *task) {
    struct parley_event event = {0};
    struct parley_store_log log = {0};
    switch (task->effect.kind) {
    case PARLEY_EFFECT_SEND:
        deliver(!task->node, task->bytes, task->size);
        event.kind = PARLEY_EVENT_SENT;
        event.sent.connection = task->effect.send.connection;
        event.sent.bytes_count = task->size;
        step(task->node, &event);
        return;
    case PARLEY_EFFECT_STORE:
        stored += task->effect.store.op.kind == PARLEY_STORE_APPEND;
        event.kind = PARLEY_EVENT_STORED;
        event.stored.ticket = task->effect.store.ticket;
        event.stored.log = &log;
        step(task->node, &event);
        return;
    case PARLEY_EFFECT_VERIFY:
        event.kind = PARLEY_EVENT_VERIFIED;
        event.verified.ticket = task->effect.verify.ticket;
        event.verified.holds = parley_check_holds(&task->effect.verify.check);
        step(task->node, &event);
        return;
    case PARLEY_EFFECT_READ:
        answer_read(task->node, &task->effect);
        return;
    case PARLEY_EFFECT_DIAL:
        event.kind = PARLEY_EVENT_ACCEPTED;
        event.connection = 2;
        step(1, &event);
        event.kind = PARLEY_EVENT_DIALLED;
        event.connection = task->effect.dial.connection;
        step(0, &event);
        return;
    case PARLEY_EFFECT_RESUME:
        offer(task->node);
        return;
    case PARLEY_EFFECT_CLOSE:
    case PARLEY_EFFECT_LOG:
    case PARLEY_EFFECT_REPLY:
    case PARLEY_EFFECT_SHOW:
    case PARLEY_EFFECT_COMPACT:
    case PARLEY_EFFECT_SAID:
        return;
    }
}

static void settle(parley_time_ms until) {
    for (;;) {
        while (first != NULL) {
            struct task *task = first;
            first = task->next;
            if (first == NULL)
                last = &first;
            perform(task);
            free(task);
        }
        parley_time_ms a = parley_node_deadline(nodes[0]), b = parley_node_deadline(nodes[1]);
        parley_time_ms next = a < b ? a : b;
        if (next > until)
            return;
        now = next > now ? next : now;
        struct parley_event event = {.kind = PARLEY_EVENT_TIMER};
        step(a < b ? 0 : 1, &event);
    }
}

/* --- what they hold -------------------------------------------------------------------------- */

static void load(unsigned node) {
    struct parley_event event = {.kind = PARLEY_EVENT_LOAD_RECORD};
    for (uint32_t i = 0; i < AUTHORS_MAX && i < logs_count; i++) {
        event.load_record.author = people[i].author;
        event.load_record.record = PARLEY_SPAN(people[i].records, people[i].inception_size);
        step(node, &event);
    }
    for (size_t i = 0; i < logs_count; i++) {
        uint8_t bytes[PARLEY_STATEMENT_BYTES_MAX];
        const struct person *person = &people[devices[i].person];
        event.load_record.author = person->author;
        if (parley_certificate_make(&event.load_record.record, bytes, sizeof bytes, &person->root,
                                    &devices[i].secret, &person->author, 0) != PARLEY_E_OK)
            abort();
        step(node, &event);
    }
    for (size_t i = 0; i < logs_count; i++) {
        static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
        const struct device *device = &devices[i];
        struct parley_store_log log = {
            .author = people[device->person].author, .device = device->key, .log = device->log};
        struct parley_event loaded = {.kind = PARLEY_EVENT_LOAD_LOG};
        bool has_new = node == 0 && i < differing;
        log.ranges.count = 1;
        log.ranges.ranges[0] = (struct parley_run){
            .lo = 1, .hi = HELD_SEQ, .hi_id = device->held, .hi_is_signed = true};
        if (has_new) {
            struct parley_chunk chunk;
            struct parley_entry top;
            if (parley_chunk_decode(&chunk, new_entry(device, buffer)).error != PARLEY_E_OK ||
                !parley_chunk_find(&chunk, HELD_SEQ + 1, &top))
                abort();
            log.ranges.ranges[0].hi = HELD_SEQ + 1;
            log.ranges.ranges[0].hi_id = top.id;
        }
        log.entries_count = log.bodies_count = log.ranges.ranges[0].hi;
        loaded.load_log = &log;
        step(node, &loaded);
    }
}

static void begin(bool tells_all) {
    for (unsigned i = 0; i < 2; i++) {
        struct parley_node_config config;
        struct parley_seed seed = {{(uint8_t)(i + 1)}};
        uint8_t key[32];
        parley_node_config_defaults(&config);
        config.seed = seed;
        parley_key_pair(&config.node_key, key, &seed);
        config.relay = true;
        config.tells_all = tells_all;
        config.logs_max = 2 * logs_count + 1024;
        config.authors_max = 65536;
        nodes[i] = parley_node_create(&config);
        if (nodes[i] == NULL)
            abort();
        load(i);
        struct parley_event event = {.kind = PARLEY_EVENT_START};
        step(i, &event);
    }
    settle(now);
}

static uint64_t sealed_of(unsigned type, uint64_t *messages) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < 2; i++) {
        struct parley_node_traffic in, out;
        parley_node_traffic(nodes[i], type, &in, &out);
        bytes += out.bytes + SEAL_SIZE * out.messages_count;
        *messages += out.messages_count;
    }
    return bytes;
}

static void meet(bool tells_all) {
    uint64_t messages = 0, unused = 0, all = 0, types[PARLEY_TRAFFIC_KINDS];
    sent = entries_bytes = stored = 0;
    longest_step_s = 0;
    struct parley_event event = {.kind = PARLEY_EVENT_CONNECT};
    snprintf(event.connect.address.transport, sizeof event.connect.address.transport, "tcp");
    snprintf(event.connect.address.host, sizeof event.connect.address.host, "other");
    event.connect.address.port = 1;
    struct parley_seed seed = {{2}};
    struct parley_secret_key secret;
    parley_key_pair(&secret, event.connect.address.key.bytes, &seed);
    step(0, &event);
    settle(now + WAIT_MS);
    for (unsigned i = 0; i < PARLEY_TRAFFIC_KINDS; i++) {
        types[i] = sealed_of(i, &messages);
        all += types[i];
    }
    uint64_t addresses = types[PARLEY_WIRE_ADDRESSES] + types[PARLEY_WIRE_SHUFFLE];
    uint64_t setup = sent - all + sealed_of(PARLEY_WIRE_HELLO, &unused) +
                     sealed_of(PARLEY_WIRE_INTEREST, &unused);
    printf("{\"bench\":\"catching_up\",\"heads\":\"%s\",\"logs\":%zu,\"differ\":%zu,"
           "\"bytes\":%llu,\"per_entry\":%.1f,\"messages\":%llu,\"finding\":%llu,\"asks\":%llu,"
           "\"around_runs\":%llu,\"entries_bytes\":%llu,\"link_setup\":%llu,\"addresses\":%llu,"
           "\"longest_step_ms\":%.1f}\n",
           tells_all ? "all" : "reconciled", logs_count, differing,
           (unsigned long long)(sent - setup - addresses - entries_bytes),
           differing == 0 ? 0
                          : (double)(sent - setup - addresses - entries_bytes) / (double)differing,
           (unsigned long long)messages,
           (unsigned long long)(types[PARLEY_WIRE_RECONCILE] + types[PARLEY_WIRE_HEADS]),
           (unsigned long long)(types[PARLEY_WIRE_ASK_RUN] + types[PARLEY_WIRE_ASK_RUNS]),
           (unsigned long long)(types[PARLEY_WIRE_RUN] + types[PARLEY_WIRE_RUNS] - entries_bytes),
           (unsigned long long)entries_bytes, (unsigned long long)setup,
           (unsigned long long)addresses, 1e3 * longest_step_s);
    fflush(stdout);
    if (stored != differing) {
        fprintf(stderr, "%llu entries came over, not %zu\n", (unsigned long long)stored, differing);
        exit(1);
    }
}

static void run(size_t logs, size_t differ, bool tells_all) {
    logs_count = logs;
    differing = differ;
    now = 0;
    index_size = 2 * logs + 1;
    devices = calloc(logs, sizeof *devices);
    devices_index = calloc(index_size, sizeof *devices_index);
    if (devices == NULL || devices_index == NULL)
        abort();
    for (uint32_t i = 0; i < logs; i++)
        make_device(i);
    begin(tells_all);
    meet(tells_all);
    for (unsigned i = 0; i < 2; i++) {
        parley_node_free(nodes[i]);
        waiting_sizes[i] = 0;
    }
    for (struct task *task; (task = first) != NULL; free(task))
        first = task->next;
    last = &first;
    free(devices);
    free(devices_index);
}

int main(int argc, char **argv) {
    static const size_t usual[][2] = {{1000, 0},    {1000, 10},    {1000, 100},   {1000, 1000},
                                      {10000, 10},  {10000, 100},  {10000, 1000}, {100000, 0},
                                      {100000, 10}, {100000, 100}, {100000, 1000}};
    int at = 1;
    bool tells_all = argc > 1 && strcmp(argv[1], "--all-heads") == 0;
    at += tells_all;
    if (parley_crypto_self_test() != PARLEY_E_OK || (argc - at) % 2 != 0)
        return 2;
    for (uint32_t i = 0; i < AUTHORS_MAX; i++)
        make_person(i);
    for (size_t i = 0; at == argc && i < sizeof usual / sizeof *usual; i++)
        run(usual[i][0], usual[i][1], tells_all);
    for (; at + 1 < argc; at += 2)
        run((size_t)atol(argv[at]), (size_t)atol(argv[at + 1]), tells_all);
    for (unsigned i = 0; i < 2; i++)
        free(waiting[i]);
    return 0;
}
