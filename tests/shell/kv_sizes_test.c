/* How much LevelDB writes beside what is there: the sizes that a limit gives, and that a compaction
 * of everything merges a small part of it at a time.
 */
#include "../../node/shell/kv_leveldb.h"
#include "../../node/shell/kv_sizes.h"
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT       (UINT64_C(60) << 20)
#define PAIRS_COUNT 60000u
#define VALUE_SIZE  500u
#define BATCH_COUNT 500u
/* LevelDB's limit is ten tables below one, by their full size; tables are seldom full. */
#define TABLES_BELOW_MAX 15u

static char path[] = "/tmp/parley-sizes-XXXXXX";

static int remove_one(const char *file, const struct stat *status, int type, struct FTW *walk) {
    (void)status, (void)type, (void)walk;
    return remove(file);
}

static void test_sizes(void **state) {
    (void)state;
    assert_int_equal(parley_kv_room(0), 0);
    assert_int_equal(parley_kv_file_size(0), 8u << 20);
    assert_int_equal(parley_kv_file_size(50000000), 1u << 20);
    assert_int_equal(parley_kv_buffer_size(0), 8u << 20);
    uint64_t before = 0;
    for (uint64_t limit = 1000; limit < UINT64_C(1) << 40; limit += limit / 3 + 1) {
        uint64_t room = parley_kv_room(limit), file = parley_kv_file_size(limit);
        assert_in_range(file, 1u << 20, 8u << 20);
        assert_in_range(parley_kv_buffer_size(limit), 512u << 10, 8u << 20);
        assert_true(room >= before && room >= limit / 4);
        before = room;
        /* All of it merged at once, or a table with ten below it; and two buffers in the log. */
        uint64_t merge = file * 11 < room ? file * 11 : room;
        assert_true(limit < UINT64_C(2) << 20 || room + merge + 2 * parley_kv_buffer_size(limit) <=
                                                     limit + 4); /* halves, rounded */
    }
}

/* Pair `number`, among all others wherever chance has it. */
static void put(struct parley_kv *kv, uint32_t first, uint32_t count, uint32_t step) {
    static uint8_t keys[BATCH_COUNT][9], value[VALUE_SIZE];
    struct parley_kv_change changes[BATCH_COUNT];
    for (uint32_t i = 0; i < count; i++) {
        uint64_t place = (uint64_t)(first + i * step) * UINT64_C(0x9e3779b97f4a7c15);
        keys[i][0] = 's';
        memcpy(keys[i] + 1, &place, sizeof place);
        changes[i] = (struct parley_kv_change){
            .key = {keys[i], sizeof keys[i]}, .value = {value, sizeof value}, .is_delete = false};
    }
    assert_int_equal(kv->calls->write(kv, changes, count), PARLEY_E_OK);
}

/* The most tables of the lower level that LevelDB says that one merge took. */
static unsigned most_below(void) {
    char name[128], line[1024];
    unsigned most = 0;
    (void)snprintf(name, sizeof name, "%s/LOG", path);
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned above, below;
        const char *what = strstr(line, "Compacting ");
        if (what != NULL && sscanf(what, "Compacting %u@1 + %u@2 files", &above, &below) == 2 &&
            below > most)
            most = below;
    }
    (void)fclose(file);
    return most;
}

static void test_merges_a_part_at_a_time(void **state) {
    (void)state;
    struct parley_kv *kv = NULL;
    assert_non_null(mkdtemp(path));
    assert_int_equal(parley_kv_leveldb_open(&kv, path, true, LIMIT, NULL, 0), PARLEY_E_OK);
    uint64_t empty = parley_kv_opening_bytes(path);
    put(kv, 0, BATCH_COUNT, 1); /* waits in the log */
    assert_in_range(parley_kv_opening_bytes(path), empty + BATCH_COUNT * VALUE_SIZE,
                    empty + 2 * BATCH_COUNT * VALUE_SIZE);
    for (uint32_t i = BATCH_COUNT; i < PAIRS_COUNT; i += BATCH_COUNT)
        put(kv, i, BATCH_COUNT, 1);
    assert_true(parley_kv_opening_bytes(path) <= empty + 3 * parley_kv_buffer_size(LIMIT));
    for (uint32_t round = 0; round < 3; round++) {
        kv->calls->compact(kv, PARLEY_NO_SPAN, PARLEY_NO_SPAN);
        put(kv, round, BATCH_COUNT, PAIRS_COUNT / BATCH_COUNT); /* a little new, everywhere */
    }
    kv->calls->compact(kv, PARLEY_NO_SPAN, PARLEY_NO_SPAN);
    kv->calls->close(kv);
    unsigned most = most_below();
    (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    assert_in_range(most, 2, TABLES_BELOW_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_merges_a_part_at_a_time),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("kv_sizes", tests, NULL, NULL);
}
