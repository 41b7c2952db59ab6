/* Reads the files of tests/vectors: comments skipped, columns cut in place. */
#ifndef PARLEY_TESTS_VECTOR_FILE_H
#define PARLEY_TESTS_VECTOR_FILE_H

#include <parley/bytes.h>
#include <stdio.h>
#include <stdlib.h>

#define VECTOR_COLUMNS_MAX 8
#define VECTOR_LINE_MAX    8192

struct vector_file {
    FILE *file;
    const char *separator;
    char line[VECTOR_LINE_MAX];
    char *columns[VECTOR_COLUMNS_MAX];
    size_t columns_count;
    size_t rows_count;
};

/* Stops the program when the file is missing: a test without its rows must not pass. */
static inline void vector_open(struct vector_file *vectors, const char *name,
                               const char *separator) {
    char path[4096];
    const char *root = getenv("PARLEY_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/tests/vectors/%s", root != NULL ? root : ".", name);
    *vectors = (struct vector_file){.file = fopen(path, "r"), .separator = separator};
    if (vectors->file == NULL) {
        fprintf(stderr, "cannot open %s (PARLEY_SOURCE_ROOT names the source tree)\n", path);
        exit(1);
    }
}

/* The next row; false (and the file closed) at the end. Empty columns count. */
static inline bool vector_next(struct vector_file *vectors) {
    do {
        if (fgets(vectors->line, sizeof vectors->line, vectors->file) == NULL) {
            fclose(vectors->file);
            return false;
        }
    } while (vectors->line[0] == '#' || vectors->line[0] == '\n');
    vectors->line[strcspn(vectors->line, "\n")] = '\0';
    vectors->columns_count = 0;
    vectors->rows_count++;
    char *rest = vectors->line;
    while (rest != NULL && vectors->columns_count < VECTOR_COLUMNS_MAX)
        vectors->columns[vectors->columns_count++] = strsep(&rest, vectors->separator);
    return true;
}

/* A column of hex, "-" for none; false when it is no hex or too large. */
static inline bool vector_bytes(const char *column, uint8_t *out, size_t size_max, size_t *size) {
    *size = strcmp(column, "-") == 0 ? 0 : strlen(column) / 2;
    return *size <= size_max && parley_hex_decode(out, *size, PARLEY_SPAN(column, *size * 2));
}

static inline struct parley_span vector_text(const char *column) {
    return PARLEY_SPAN(column, strlen(column));
}

#endif
