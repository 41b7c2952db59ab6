/* Runs a target over a corpus, as it is, and over every line, word and hex string of vector files
 * and damaged forms of each: cut short, and with single bits flipped.
 *
 *   NAME_replay DAMAGES PATH...       DAMAGES: of one input of a vector file, at most
 *   NAME_replay --write DIR PATH...   leaves the inputs as files: seeds for libFuzzer
 *
 * PATH is a vector file (its name ends in .txt), one raw input, or a folder of these: a corpus.
 */
#include "fuzz.h"

#include <dirent.h>

static unsigned long damages_max;
static const char *write_directory;
static unsigned long inputs_count, runs_count;

/* In memory of exactly its size, so that a sanitizer sees one byte too many being read. */
static void run(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    FUZZ_HOLDS(copy);
    if (size > 0)
        memcpy(copy, data, size);
    fuzz_target(PARLEY_SPAN(copy, size));
    free(copy);
    runs_count++;
}

static void run_damaged(const uint8_t *data, size_t size) {
    size_t bits = size * 8;
    size_t step = bits / damages_max + 1;
    if (size == 0)
        return;
    uint8_t *copy = malloc(size);
    FUZZ_HOLDS(copy);
    memcpy(copy, data, size);
    for (size_t bit = inputs_count % step; bit < bits; bit += step) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        run(copy, size);
        copy[bit / 8] = data[bit / 8];
        if (bit % 8 == 0)
            run(data, bit / 8);
    }
    free(copy);
}

static void write_input(const uint8_t *data, size_t size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%lu", write_directory, inputs_count);
    FILE *file = fopen(path, "wb");
    FUZZ_HOLDS(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void take_input(const uint8_t *data, size_t size) {
    inputs_count++;
    if (write_directory) {
        write_input(data, size);
        return;
    }
    run(data, size);
    if (size > 0 && damages_max > 0)
        run_damaged(data, size);
}

/* A word as it stands, and what it means if it is hex. */
static void take_word(const char *word, size_t size) {
    take_input((const uint8_t *)word, size);
    if (size % 2 != 0)
        return;
    uint8_t *data = malloc(size / 2 + 1);
    FUZZ_HOLDS(data);
    if (parley_hex_decode(data, size / 2, PARLEY_SPAN(word, size)))
        take_input(data, size / 2);
    free(data);
}

static void take_line(const char *line, size_t size) {
    static const char separators[] = " \t=";
    take_input((const uint8_t *)line, size);
    for (size_t at = 0; at < size;) {
        size_t length = strcspn(line + at, separators);
        if (length > 0)
            take_word(line + at, length);
        at += length + 1;
    }
}

static void take_vectors(FILE *file) {
    char *line = NULL;
    size_t room = 0;
    for (ssize_t size; (size = getline(&line, &room, file)) > 0;) {
        if (line[size - 1] == '\n')
            line[--size] = 0;
        if (size > 0 && line[0] != '#')
            take_line(line, (size_t)size);
    }
    free(line);
}

static void take_raw(FILE *file) {
    static uint8_t data[1 << 20];
    take_input(data, fread(data, 1, sizeof data, file));
}

static void take_file(const char *path) {
    size_t length = strlen(path);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    if (length > 4 && strcmp(path + length - 4, ".txt") == 0)
        take_vectors(file);
    else
        take_raw(file);
    fclose(file);
}

/* A corpus is made of damaged forms already. */
static void take_folder(const char *path) {
    struct dirent **names;
    unsigned long damages = damages_max;
    int count = scandir(path, &names, NULL, alphasort);
    damages_max = 0;
    for (int i = 0; i < count; i++) {
        char inside[4096];
        snprintf(inside, sizeof inside, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            take_file(inside);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    damages_max = damages;
}

static void take_path(const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL) {
        take_file(path);
        return;
    }
    closedir(folder);
    take_folder(path);
}

int main(int argc, char **argv) {
    int next = 2;
    if (argc > 2 && strcmp(argv[1], "--write") == 0)
        write_directory = argv[next++];
    else if (argc > 2)
        damages_max = strtoul(argv[1], NULL, 10);
    if (next >= argc) {
        fprintf(stderr, "usage: %s DAMAGES|--write DIRECTORY PATH...\n", argv[0]);
        return 2;
    }
    puts("1..1");
    fflush(stdout);
    take_input(NULL, 0);
    while (next < argc)
        take_path(argv[next++]);
    printf("ok 1 - %lu inputs, %lu runs\n", inputs_count, runs_count);
    return 0;
}
