/* What the store does over LevelDB: catching up (chunks of many logs in turn, eight in a synced
 * group), live posts, runs read back, pages of the timeline. A JSON line for each figure.
 *
 *   store_ops_bench DIRECTORY [POSTS]
 *
 * DIRECTORY must not exist or be empty. Making the posts is not in the times.
 */
#include "../../node/shell/kv_leveldb.h"
#include "figures.h"
#include <inttypes.h>
#include <parley/store.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define LOGS_COUNT        1000u
#define CHUNK_ENTRIES     200u
#define GROUP_CHUNKS      8u
#define LIVE_POSTS        20000u
#define LIVE_GROUP        64u
#define READS_COUNT       2000u
#define PAGES_COUNT       200u
#define PAGE_ENTRIES      50u
#define BODY_SIZE_MAX     260u
#define FIRST_TIME        UINT64_C(1600000000000)
#define TIME_BETWEEN_LOGS 60000u
#define COMMITS_MAX       16384u /* of which the time of each is kept */

static struct parley_entry heads[LOGS_COUNT];
static uint8_t buffers[LIVE_GROUP][PARLEY_CHUNK_BUFFER_SIZE];
static void require(enum parley_error error, const char *what) {
    if (error == PARLEY_E_OK)
        return;
    fprintf(stderr, "store_ops_bench: %s: %s\n", what, parley_strerror(error));
    exit(4);
}

static void report(const char *what, uint64_t posts, uint64_t count, double seconds) {
    printf("{\"bench\":\"%s\",\"posts\":%" PRIu64 ",\"per_second\":%.0f}\n", what, posts,
           (double)count / seconds);
    fflush(stdout);
}

/* Of one kind, so far. */
static double commit_times[COMMITS_MAX];
static size_t commits_count;

static int compare_times(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double percentile_ms(unsigned part) {
    size_t at = commits_count * part / 100;
    return commit_times[at < commits_count ? at : commits_count - 1] * 1e3;
}

/* And how long a synced group took that came to it: what its author waits for. */
static void report_commits(const char *what, uint64_t posts, uint64_t count, double seconds) {
    qsort(commit_times, commits_count, sizeof *commit_times, compare_times);
    printf("{\"bench\":\"%s\",\"posts\":%" PRIu64
           ",\"per_second\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
           what, posts, (double)count / seconds, percentile_ms(50), percentile_ms(99));
    fflush(stdout);
    commits_count = 0;
}

static struct parley_log log_name(uint32_t log) {
    struct parley_log name;
    uint8_t number[4];
    parley_put_u32(number, log);
    parley_hash_one(name.bytes, PARLEY_DOMAIN_LOG, PARLEY_SPAN(number, sizeof number));
    return name;
}

/* The next entry of a log. Its signature is chance: the store looks at none. */
static void make_entry(uint32_t log) {
    static uint8_t body[BODY_SIZE_MAX];
    struct parley_entry *head = &heads[log];
    struct parley_header before = head->header;
    struct parley_id prev = head->id;
    *head = (struct parley_entry){.has_body = true};
    head->header.log = before.seq == 0 ? log_name(log) : before.log;
    head->header.seq = before.seq + 1;
    head->header.prev = prev;
    head->header.time = FIRST_TIME + head->header.seq * TIME_BETWEEN_LOGS * 60 + log;
    head->header.version = PARLEY_ENTRY_VERSION;
    size_t size = 60 + next_chance() % (BODY_SIZE_MAX - 60);
    for (size_t i = 0; i < size; i++)
        body[i] = (uint8_t)("etaoin shrdlu cmfwypvbgkqjxz    "[next_chance() % 32]);
    for (size_t i = 0; i < sizeof head->signature; i += 8)
        parley_put_u64(head->signature.bytes + i, next_chance());
    head->body = PARLEY_SPAN(body, size);
    head->header.body_size = (uint32_t)size;
    parley_body_hash(&head->header.body_hash, &head->salt, head->body);
    parley_entry_id(head);
}

static struct parley_store_op make_op(uint32_t log, uint64_t count, uint8_t *buffer) {
    struct parley_chunk_writer writer;
    parley_chunk_writer_init(&writer, buffer, PARLEY_CHUNK_BUFFER_SIZE);
    for (uint64_t i = 0; i < count; i++) {
        make_entry(log);
        require(parley_chunk_add(&writer, &heads[log], true), "chunk");
    }
    struct parley_store_op op = {.kind = PARLEY_STORE_APPEND,
                                 .log = heads[log].header.log,
                                 .bytes = parley_chunk_finish(&writer),
                                 .received_ms = heads[log].header.time + 1000,
                                 .top_id = heads[log].id,
                                 .top_signed = true};
    parley_put_u32(op.author.bytes, log + 1);
    parley_put_u32(op.device.bytes, log + 1);
    return op;
}

static double commit(struct parley_store *store, const struct parley_store_op *ops, size_t count) {
    enum parley_error results[LIVE_GROUP];
    double start = now_s();
    parley_store_commit(store, ops, count, results);
    double spent = now_s() - start;
    if (commits_count < COMMITS_MAX)
        commit_times[commits_count++] = spent;
    for (size_t i = 0; i < count; i++)
        require(results[i], "commit");
    return spent;
}

static uint64_t catch_up(struct parley_store *store, uint64_t posts) {
    struct parley_store_op ops[GROUP_CHUNKS];
    double seconds = 0;
    uint64_t made = 0;
    for (uint32_t chunk = 0; made < posts;) {
        size_t count = 0;
        for (; count < GROUP_CHUNKS && made < posts; count++, chunk++) {
            uint64_t entries = posts - made < CHUNK_ENTRIES ? posts - made : CHUNK_ENTRIES;
            ops[count] = make_op(chunk * 7919 % LOGS_COUNT, entries, buffers[count]);
            made += entries;
        }
        seconds += commit(store, ops, count);
    }
    report_commits("store_catch_up_puts", posts, posts, seconds);
    return made;
}

/* Posts of many people, one each, so many in one synced group. */
static void live(struct parley_store *store, uint64_t posts, size_t group, uint64_t count,
                 const char *what) {
    struct parley_store_op ops[LIVE_GROUP];
    double seconds = 0;
    for (uint64_t done = 0; done < count; done += group) {
        for (size_t i = 0; i < group; i++)
            ops[i] = make_op((uint32_t)((done + i) % 100), 1, buffers[i]);
        seconds += commit(store, ops, group);
    }
    report_commits(what, posts, count, seconds);
}

static void read_runs(struct parley_store *store, uint64_t posts) {
    uint64_t count = 0;
    struct parley_span bytes;
    struct parley_chunk chunk;
    double start = now_s();
    for (unsigned i = 0; i < READS_COUNT; i++) {
        uint32_t log = (uint32_t)(next_chance() % LOGS_COUNT);
        if (heads[log].header.seq == 0)
            continue;
        parley_seq top = 1 + next_chance() % heads[log].header.seq;
        top = (top + CHUNK_ENTRIES - 1) / CHUNK_ENTRIES * CHUNK_ENTRIES;
        top = top > heads[log].header.seq ? heads[log].header.seq : top;
        require(parley_store_read_run(store, &heads[log].header.log, top, 1, true,
                                      PARLEY_CHUNK_BYTES_MAX, buffers[0], &bytes),
                "read");
        require(parley_chunk_decode(&chunk, bytes).error, "decode");
        count += chunk.count;
    }
    report("store_range_reads", posts, count, now_s() - start);
}

struct page {
    struct parley_timeline_place last;
    unsigned left;
};

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received_ms) {
    struct page *page = context;
    (void)log, (void)entry, (void)received_ms;
    page->last = *place;
    return --page->left > 0;
}

static void read_pages(struct parley_store *store, uint64_t posts) {
    struct page page = {.last = {.time = PARLEY_TIME_MAX}};
    double start = now_s();
    for (unsigned i = 0; i < PAGES_COUNT; i++) {
        struct parley_timeline_place before = page.last;
        page.left = PAGE_ENTRIES;
        require(parley_store_timeline(store, &before, NULL, on_entry, &page), "timeline");
    }
    report("store_timeline_pages", posts, PAGES_COUNT, now_s() - start);
}

int main(int argc, char **argv) {
    struct parley_kv *kv = NULL;
    struct parley_store *store = NULL;
    struct rusage usage;
    char words[256];
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: store_ops_bench DIRECTORY [POSTS]\n");
        return 2;
    }
    uint64_t posts = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
    enum parley_error error = parley_kv_leveldb_open(&kv, argv[1], true, 0, words, sizeof words);
    require(error, "open");
    require(parley_store_open(&store, kv, true), "make");
    catch_up(store, posts);
    read_runs(store, posts);
    read_pages(store, posts);
    live(store, posts, 1, LIVE_POSTS / 10, "store_live_puts_one_a_sync");
    live(store, posts, LIVE_GROUP, LIVE_POSTS / LIVE_GROUP * LIVE_GROUP, "store_live_puts_grouped");
    uint64_t total = posts + LIVE_POSTS / 10 + LIVE_POSTS / LIVE_GROUP * LIVE_GROUP;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"bench\":\"store_size\",\"posts\":%" PRIu64
           ",\"bytes_per_post\":%.1f,\"peak_resident_mib\":%.1f}\n",
           total, (double)parley_store_bytes(store) / (double)total,
           (double)usage.ru_maxrss / 1024.0);
    parley_store_close(store);
    kv->calls->close(kv);
    return 0;
}
