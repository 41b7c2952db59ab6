/* What a LevelDB value should be: an entry, or a segment of a log. Each layout is filled and read
 * back with posts of the usual size, with and without Snappy; a JSON line for each.
 *
 *   store_bench DIRECTORY [POSTS [TEXTS]]
 *
 * DIRECTORY is made and emptied again. TEXTS is a file of lines to take bodies from, so that
 * compression sees real words; without it they are made up.
 */
#include "figures.h"
#include <inttypes.h>
#include <leveldb/c.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGS_COUNT      1000u
#define SEGMENT_ENTRIES 180u
#define BATCH_SEGMENTS  8u
#define ITEM_FIXED_SIZE 92u /* signature, salt and the framing of an item */
#define ITEM_SIZE_MAX   512u
#define READ_RUNS_COUNT 2000u
#define TEXTS_COUNT_MAX 20000u
#define TEXT_SIZE_MAX   400u
#define KEY_SIZE        11u

static char *texts[TEXTS_COUNT_MAX];
static size_t texts_count;

static void load_texts(const char *path) {
    char line[TEXT_SIZE_MAX];
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    while (file != NULL && texts_count < TEXTS_COUNT_MAX && fgets(line, sizeof line, file) != NULL)
        texts[texts_count++] = strdup(line);
    if (file != NULL)
        fclose(file);
}

static void fill_text(uint8_t *out, size_t size) {
    static const char letters[] = "etaoin shrdlu cmfwyp etaoin shrd";
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)letters[next_chance() % 32];
}

static size_t make_item(uint8_t *out) {
    for (size_t i = 0; i < ITEM_FIXED_SIZE; i += 4) {
        uint32_t word = (uint32_t)(next_chance() >> 16);
        memcpy(out + i, &word, 4);
    }
    if (texts_count == 0) {
        size_t size = 80 + next_chance() % 240;
        fill_text(out + ITEM_FIXED_SIZE, size);
        return ITEM_FIXED_SIZE + size;
    }
    const char *text = texts[next_chance() % texts_count];
    size_t size = strlen(text);
    memcpy(out + ITEM_FIXED_SIZE, text, size);
    return ITEM_FIXED_SIZE + size;
}

static void make_key(char key[KEY_SIZE], uint32_t log, uint64_t seq) {
    key[0] = 'S';
    for (int i = 0; i < 4; i++)
        key[1 + i] = (char)(log >> (24 - 8 * i));
    for (int i = 0; i < 6; i++)
        key[5 + i] = (char)(seq >> (40 - 8 * i));
}

struct layout {
    const char *name;
    bool is_segments;
    int compression;
};

static leveldb_options_t *make_options(int compression) {
    leveldb_options_t *options = leveldb_options_create();
    leveldb_options_set_create_if_missing(options, 1);
    leveldb_options_set_paranoid_checks(options, 1);
    leveldb_options_set_write_buffer_size(options, 2u << 20);
    leveldb_options_set_max_file_size(options, 8u << 20);
    leveldb_options_set_max_open_files(options, 200);
    leveldb_options_set_cache(options, leveldb_cache_create_lru(1u << 20));
    leveldb_options_set_filter_policy(options, leveldb_filterpolicy_create_bloom(10));
    leveldb_options_set_compression(options, compression);
    return options;
}

static void require(const char *what, char *text) {
    if (text == NULL)
        return;
    fprintf(stderr, "store_bench: %s: %s\n", what, text);
    exit(4);
}

/* One segment of a log as one value or as many; returns the bytes of its items. */
static size_t put_segment(leveldb_writebatch_t *batch, const struct layout *layout, uint32_t log,
                          uint64_t seq) {
    static uint8_t segment[SEGMENT_ENTRIES * ITEM_SIZE_MAX];
    char key[KEY_SIZE];
    size_t used = 0;
    for (uint64_t i = 0; i < SEGMENT_ENTRIES; i++) {
        size_t size = make_item(segment + used);
        if (!layout->is_segments) {
            make_key(key, log, seq + i);
            leveldb_writebatch_put(batch, key, KEY_SIZE, (char *)segment + used, size);
        }
        used += size;
    }
    if (layout->is_segments) {
        make_key(key, log, seq);
        leveldb_writebatch_put(batch, key, KEY_SIZE, (char *)segment, used);
    }
    return used;
}

static void fill(leveldb_t *database, const struct layout *layout, uint64_t posts,
                 uint64_t *payload) {
    leveldb_writeoptions_t *write_options = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(write_options, 1);
    leveldb_writebatch_t *batch = leveldb_writebatch_create();
    uint64_t segments = posts / SEGMENT_ENTRIES;
    char *text = NULL;
    for (uint64_t i = 0; i < segments; i++) {
        /* The logs in turn, each from its newest part downwards: as catching up comes in. */
        uint32_t log = (uint32_t)(i * 7919 % LOGS_COUNT);
        uint64_t seq = (1000000u - i / LOGS_COUNT) * SEGMENT_ENTRIES;
        *payload += put_segment(batch, layout, log, seq);
        if (i % BATCH_SEGMENTS == BATCH_SEGMENTS - 1 || i + 1 == segments) {
            leveldb_write(database, write_options, batch, &text);
            require("write", text);
            leveldb_writebatch_clear(batch);
        }
    }
    leveldb_writebatch_destroy(batch);
    leveldb_writeoptions_destroy(write_options);
}

/* Random runs of a segment's length. Returns the posts read. */
static uint64_t read_runs(leveldb_t *database, const struct layout *layout, uint64_t posts) {
    leveldb_readoptions_t *options = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(options, 1);
    uint64_t segments = posts / SEGMENT_ENTRIES, count = 0;
    char key[KEY_SIZE];
    for (unsigned run = 0; run < READ_RUNS_COUNT; run++) {
        uint64_t i = next_chance() % segments;
        make_key(key, (uint32_t)(i * 7919 % LOGS_COUNT),
                 (1000000u - i / LOGS_COUNT) * SEGMENT_ENTRIES);
        leveldb_iterator_t *iterator = leveldb_create_iterator(database, options);
        leveldb_iter_seek(iterator, key, KEY_SIZE);
        uint64_t values = layout->is_segments ? 1 : SEGMENT_ENTRIES;
        for (; values > 0 && leveldb_iter_valid(iterator); values--) {
            size_t size;
            (void)leveldb_iter_value(iterator, &size);
            count += layout->is_segments ? SEGMENT_ENTRIES : 1;
            leveldb_iter_next(iterator);
        }
        leveldb_iter_destroy(iterator);
    }
    leveldb_readoptions_destroy(options);
    return count;
}

static uint64_t bytes_on_disk(leveldb_t *database) {
    const char *start = "", *limit = "\xff";
    size_t start_size = 0, limit_size = 1;
    uint64_t bytes = 0;
    leveldb_compact_range(database, NULL, 0, NULL, 0);
    leveldb_approximate_sizes(database, 1, &start, &start_size, &limit, &limit_size, &bytes);
    return bytes;
}

static void measure(const char *path, const struct layout *layout, uint64_t posts) {
    char *text = NULL;
    leveldb_options_t *options = make_options(layout->compression);
    leveldb_destroy_db(options, path, &text);
    leveldb_free(text);
    text = NULL;
    leveldb_t *database = leveldb_open(options, path, &text);
    require("open", text);
    uint64_t payload = 0;
    uint64_t count = posts / SEGMENT_ENTRIES * SEGMENT_ENTRIES;
    double start = now_s();
    fill(database, layout, posts, &payload);
    double filled = now_s();
    uint64_t read = read_runs(database, layout, posts);
    double done = now_s();
    printf("{\"bench\":\"store_value\",\"value\":\"%s\",\"snappy\":%s,\"posts\":%" PRIu64
           ",\"puts_per_s\":%.0f,\"range_reads_per_s\":%.0f,\"payload_bytes_per_post\":%.1f,"
           "\"bytes_per_post\":%.1f}\n",
           layout->name, layout->compression ? "true" : "false", count,
           (double)count / (filled - start), (double)read / (done - filled),
           (double)payload / (double)count, (double)bytes_on_disk(database) / (double)count);
    fflush(stdout);
    leveldb_close(database);
    leveldb_destroy_db(options, path, &text);
    leveldb_free(text);
}

int main(int argc, char **argv) {
    static const struct layout layouts[] = {
        {"entry", false, leveldb_no_compression},
        {"entry", false, leveldb_snappy_compression},
        {"segment", true, leveldb_no_compression},
        {"segment", true, leveldb_snappy_compression},
    };
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: store_bench DIRECTORY [POSTS [TEXTS]]\n");
        return 2;
    }
    uint64_t posts = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
    load_texts(argc > 3 ? argv[3] : NULL);
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
        measure(argv[1], &layouts[i], posts < SEGMENT_ENTRIES ? SEGMENT_ENTRIES : posts);
    return 0;
}
