/* Key files: written and read back; each damaged byte named; open permissions refused. */
#include "../../node/shell/home.h"
#include "../../node/shell/key_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];
static char path[128];

static int make_directory(void **state) {
    (void)strcpy(directory, "/tmp/parley_key_XXXXXX");
    (void)snprintf(path, sizeof path, "%s/a.key", mkdtemp(directory));
    return 0;
}

static int remove_directory(void **state) {
    (void)unlink(path);
    return rmdir(directory);
}

static struct parley_key_file sample(enum parley_key_file_kind kind) {
    struct parley_key_file key = {.kind = kind};
    for (size_t i = 0; i < 32; i++) {
        key.seed.bytes[i] = (uint8_t)(i * 7 + kind);
        if (kind != PARLEY_KEY_FILE_NODE)
            key.author.bytes[i] = (uint8_t)(200 - i);
    }
    key.generation = kind == PARLEY_KEY_FILE_ROOT ? 63 : 0;
    return key;
}

static void each_kind_comes_back(void **state) {
    for (int kind = PARLEY_KEY_FILE_NODE; kind <= (int)PARLEY_KEY_FILE_ROOT; kind++) {
        struct parley_key_file key = sample((enum parley_key_file_kind)kind);
        struct parley_key_file back = {.kind = key.kind};
        struct parley_problem problem;
        assert_int_equal(parley_key_file_write(path, &key, &problem), PARLEY_E_OK);
        assert_int_equal(parley_key_file_read(&back, path, &problem), PARLEY_E_OK);
        assert_memory_equal(back.seed.bytes, key.seed.bytes, 32);
        assert_memory_equal(back.author.bytes, key.author.bytes, 32);
        assert_int_equal(back.generation, key.generation);
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
}

static size_t read_file(char *bytes, size_t size_max) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(bytes, 1, size_max, file);
    (void)fclose(file);
    return size;
}

static void write_file(const char *bytes, size_t size) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    (void)fclose(file);
}

static void every_flipped_bit_and_every_cut_is_noticed(void **state) {
    struct parley_key_file key = sample(PARLEY_KEY_FILE_ROOT);
    struct parley_problem problem;
    char bytes[512];
    assert_int_equal(parley_key_file_write(path, &key, &problem), PARLEY_E_OK);
    size_t size = read_file(bytes, sizeof bytes);
    for (size_t i = 0; i < size * 8; i++) {
        struct parley_key_file back = {.kind = PARLEY_KEY_FILE_ROOT};
        bytes[i / 8] ^= (char)(1 << i % 8);
        write_file(bytes, size);
        enum parley_error error = parley_key_file_read(&back, path, &problem);
        bytes[i / 8] ^= (char)(1 << i % 8);
        /* hex digits of the seed in the other case say the same, but the checksum differs */
        assert_int_equal(error, PARLEY_E_STORE_DAMAGED);
        assert_non_null(strstr(problem.text, path));
    }
    for (size_t cut = 0; cut < size; cut++) {
        struct parley_key_file back = {.kind = PARLEY_KEY_FILE_ROOT};
        write_file(bytes, cut);
        assert_int_equal(parley_key_file_read(&back, path, &problem), PARLEY_E_STORE_DAMAGED);
    }
}

static void another_kind_is_not_taken(void **state) {
    struct parley_key_file key = sample(PARLEY_KEY_FILE_DEVICE);
    struct parley_key_file back = {.kind = PARLEY_KEY_FILE_ROOT};
    assert_int_equal(parley_key_file_write(path, &key, NULL), PARLEY_E_OK);
    assert_int_equal(parley_key_file_read(&back, path, NULL), PARLEY_E_STORE_DAMAGED);
}

static void open_permissions_are_refused(void **state) {
    struct parley_key_file key = sample(PARLEY_KEY_FILE_NODE);
    struct parley_problem problem;
    assert_int_equal(parley_key_file_write(path, &key, &problem), PARLEY_E_OK);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(parley_key_file_read(&key, path, &problem), PARLEY_E_BAD_INPUT);
    assert_non_null(strstr(problem.text, "chmod 600"));
}

static void the_home_is_found_in_order(void **state) {
    char found[PATH_MAX];
    assert_int_equal(setenv("HOME", "/h", 1), 0);
    assert_int_equal(unsetenv("PARLEY_HOME"), 0);
    assert_int_equal(unsetenv("XDG_DATA_HOME"), 0);
    assert_int_equal(parley_home_resolve(found, NULL, NULL), PARLEY_E_OK);
    assert_string_equal(found, "/h/.local/share/parley");
    assert_int_equal(setenv("XDG_DATA_HOME", "/x", 1), 0);
    assert_int_equal(parley_home_resolve(found, NULL, NULL), PARLEY_E_OK);
    assert_string_equal(found, "/x/parley");
    assert_int_equal(setenv("PARLEY_HOME", "/p//", 1), 0);
    assert_int_equal(parley_home_resolve(found, NULL, NULL), PARLEY_E_OK);
    assert_string_equal(found, "/p");
    assert_int_equal(parley_home_resolve(found, "/o", NULL), PARLEY_E_OK);
    assert_string_equal(found, "/o");
    char current[PATH_MAX], expected[PATH_MAX + 8];
    assert_non_null(getcwd(current, sizeof current));
    (void)snprintf(expected, sizeof expected, "%s/rel", current);
    assert_int_equal(parley_home_resolve(found, "rel", NULL), PARLEY_E_OK);
    assert_string_equal(found, expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_comes_back),
        cmocka_unit_test(every_flipped_bit_and_every_cut_is_noticed),
        cmocka_unit_test(another_kind_is_not_taken),
        cmocka_unit_test(open_permissions_are_refused),
        cmocka_unit_test(the_home_is_found_in_order),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("key_file", tests, make_directory, remove_directory);
}
