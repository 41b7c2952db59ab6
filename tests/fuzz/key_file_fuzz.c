/* Key files: what is read is written as the same key, in canonical text.
 *
 * The first byte of an input says which kind of key is expected, whether others may read the file,
 * and whether the checksum is put right: without that no damaged text would come past it. */
#include "memory_file.h"

#include "../../node/shell/key_file.h"
#include <parley/crypto.h>

#define KIND_MASK   3u
#define FIX_CHECK   4u
#define WORLD_READS 8u

static struct memory_file file;
static char again_path[64];

static void remove_again(void) {
    unlink(again_path);
}

/* In memory, where that is there for everybody. */
static const char *folder(void) {
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

static void begin(void) {
    memory_file_make(&file);
    snprintf(again_path, sizeof again_path, "%s/parley_fuzz_%d", folder(), (int)getpid());
    atexit(remove_again);
}

/* The text with a last line that is right for all before it. */
static size_t put_text(char *text, size_t room, struct parley_span bytes, bool fixes_check) {
    uint8_t hash[32];
    size_t size = bytes.size < room - 64 ? bytes.size : room - 64;
    memcpy(text, bytes.data, size);
    if (!fixes_check)
        return size;
    parley_hash_one(hash, "parley key file", PARLEY_SPAN(text, size));
    size += (size_t)sprintf(text + size, "check ");
    parley_hex_encode(text + size, hash, 8);
    size += 16;
    text[size++] = '\n';
    return size;
}

static bool is_same(const struct parley_key_file *a, const struct parley_key_file *b) {
    return a->kind == b->kind && a->generation == b->generation &&
           PARLEY_EQUAL(a->author, b->author) && PARLEY_EQUAL(a->seed, b->seed);
}

/* Whatever can be written is read. */
static void write_and_read(const struct parley_key_file *key) {
    struct parley_key_file again = {.kind = key->kind};
    struct parley_problem problem;
    FUZZ_HOLDS(parley_key_file_write(again_path, key, &problem) == PARLEY_E_OK);
    FUZZ_HOLDS(parley_key_file_read(&again, again_path, &problem) == PARLEY_E_OK);
    FUZZ_HOLDS(is_same(key, &again));
}

void fuzz_target(struct parley_span bytes) {
    char text[1024];
    struct parley_problem problem;
    if (again_path[0] == '\0')
        begin();
    if (bytes.size == 0) {
        for (int kind = 0; kind < 3; kind++)
            write_and_read(&(struct parley_key_file){.kind = (enum parley_key_file_kind)kind});
        struct parley_key_file none = {.kind = PARLEY_KEY_FILE_NODE};
        FUZZ_HOLDS(parley_key_file_read(&none, "/tmp/parley_fuzz_none", &problem) ==
                   PARLEY_E_NOT_FOUND);
        return;
    }
    uint8_t how = bytes.data[0];
    struct parley_key_file key = {.kind = (enum parley_key_file_kind)((how & KIND_MASK) % 3)};
    size_t size =
        put_text(text, sizeof text, PARLEY_SPAN(bytes.data + 1, bytes.size - 1), how & FIX_CHECK);
    memory_file_fill(&file, PARLEY_SPAN(text, size), how & WORLD_READS ? 0604 : 0600);
    enum parley_error error = parley_key_file_read(&key, file.path, &problem);
    if (how & WORLD_READS) {
        FUZZ_HOLDS(error == PARLEY_E_BAD_INPUT && PARLEY_IS_ZERO(key.seed));
        return;
    }
    FUZZ_HOLDS(error == PARLEY_E_OK || error == PARLEY_E_STORE_DAMAGED);
    FUZZ_HOLDS(error == PARLEY_E_OK || PARLEY_IS_ZERO(key.seed));
    if (error == PARLEY_E_OK)
        write_and_read(&key);
}
