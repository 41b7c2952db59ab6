/* What reaches a person's terminal: errors in one line, text from strangers made harmless,
 * progress. */
#ifndef PARLEY_TOOL_TERMINAL_H
#define PARLEY_TOOL_TERMINAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* "parley: WORDS" on standard error, in one line; answers status. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* That standard output cannot be written; not a word where who read it has gone, as head does. */
int complain_of_output(void);

/* Text with control characters, bidirectional controls and what is not UTF-8 shown escaped. A line
 * end is written, followed by indent. */
void print_text(FILE *file, const char *text, size_t size, const char *indent);
/* The same on one line: a line end is shown escaped, too. For names and tags. */
void print_word(FILE *file, const char *text, size_t size);
/* The JSON in one line, with the same characters as \u escapes, and a line end. */
void print_json(const json_t *json);
/* Bold, dim and back, when standard output is a terminal and NO_COLOR is not set; else "". */
const char *style_bold(void);
const char *style_dim(void);
const char *style_off(void);
/* "2020-12-23 10:03:20" of local time; text holds 32 bytes. */
void print_time(char text[32], json_int_t time_ms);

/* Lines on standard error about long work: nothing within the first second, then one a second.
 * Where standard error is no terminal, they come only with --progress; on a terminal they write
 * over each other. */
void progress_force(void);
struct progress {
    const char *what;
    unsigned long long started_ms, last_ms;
    bool was_shown;
};
void progress_start(struct progress *progress, const char *what);
void progress_show(struct progress *progress, unsigned long long count, const char *unit);
void progress_end(struct progress *progress);
/* The same for work that does not tell how far it is: how long it takes, from a thread of its own.
 * One at a time; unwatch comes before anything else is printed. */
void progress_watch(const char *what);
void progress_unwatch(void);

#endif
