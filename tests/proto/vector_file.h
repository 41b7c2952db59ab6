/* Reads a vector file line by line: key=value, '#' begins a comment, a blank line ends a vector. */
#ifndef PARLEY_TESTS_VECTOR_FILE_H
#define PARLEY_TESTS_VECTOR_FILE_H

#include <parley/bytes.h>
#include <stdio.h>
#include <stdlib.h>

struct vector_file {
    FILE *file;
    char *line;
    size_t capacity;
    const char *key; /* both point into line; the key is empty at the end of a vector */
    const char *value;
};

static inline void vector_open(struct vector_file *vectors, const char *name) {
    char path[4096];
    const char *root = getenv("PARLEY_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/tests/vectors/%s", root == NULL ? "." : root, name);
    *vectors = (struct vector_file){.file = fopen(path, "r")};
    if (vectors->file == NULL) {
        perror(path);
        abort();
    }
}

/* False at the end of the file. */
static inline bool vector_next(struct vector_file *vectors) {
    ssize_t size;
    while ((size = getline(&vectors->line, &vectors->capacity, vectors->file)) >= 0) {
        if (vectors->line[0] == '#')
            continue;
        vectors->line[strcspn(vectors->line, "\r\n")] = 0;
        char *equals = strchr(vectors->line, '=');
        if (equals != NULL)
            *equals = 0;
        vectors->key = vectors->line;
        vectors->value = equals == NULL ? "" : equals + 1;
        return true;
    }
    return false;
}

static inline bool vector_is(const struct vector_file *vectors, const char *key) {
    return strcmp(vectors->key, key) == 0;
}

/* The value's bytes, at most size_max; their count. */
static inline size_t vector_hex(const struct vector_file *vectors, uint8_t *out, size_t size_max) {
    size_t size = strlen(vectors->value) / 2;
    if (size > size_max ||
        !parley_hex_decode(out, size, PARLEY_SPAN(vectors->value, strlen(vectors->value)))) {
        fprintf(stderr, "bad hex: %s\n", vectors->key);
        abort();
    }
    return size;
}

static inline void vector_close(struct vector_file *vectors) {
    free(vectors->line);
    fclose(vectors->file);
}

#endif
