/* The files of the page, built into the program: page_files.c is made of page/ by page/embed.py. */
#ifndef PARLEY_SHELL_PAGE_H
#define PARLEY_SHELL_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_file {
    const char *path; /* of the request: "/" for index.html */
    const char *type;
    const uint8_t *data;
    size_t size;
    bool is_lasting; /* its path says what is in it */
};

/* NULL: no such file. */
const struct page_file *page_file_find(const char *path);

#endif
