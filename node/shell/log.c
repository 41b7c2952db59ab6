#include "log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_BYTES_MAX 1024

static const char *const level_words[] = {"debug", "info", "warning", "error"};
static enum parley_log_level lowest = PARLEY_LOG_WARNING;

void parley_log_set_level(enum parley_log_level level) {
    lowest = level;
}

bool parley_log_is_on(enum parley_log_level level) {
    return level >= lowest;
}

bool parley_log_level_parse(enum parley_log_level *level, const char *word) {
    for (size_t i = 0; i < sizeof level_words / sizeof level_words[0]; i++) {
        if (strcmp(word, level_words[i]) == 0) {
            *level = (enum parley_log_level)i;
            return true;
        }
    }
    return false;
}

const char *parley_log_level_word(enum parley_log_level level) {
    return level_words[level];
}

/* Control bytes and everything beyond ASCII that could be one (a file's name may hold them). */
static void mask_controls(char *line, size_t size) {
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)line[i];
        if (byte < 0x20 || byte >= 0x7f)
            line[i] = '?';
    }
}

void parley_log_line(enum parley_log_level level, const char *format, ...) {
    if (!parley_log_is_on(level))
        return;
    char line[LINE_BYTES_MAX];
    int start = snprintf(line, sizeof line, "%s ", level_words[level]);
    va_list arguments;
    va_start(arguments, format);
    int rest = vsnprintf(line + start, sizeof line - (size_t)start - 1, format, arguments);
    va_end(arguments);
    if (rest < 0)
        return;
    size_t size = strlen(line);
    mask_controls(line, size);
    line[size] = '\n';
    /* One write, so that lines of several threads do not mix. A log that nobody reads is no
     * reason to stop. */
    ssize_t written = write(STDERR_FILENO, line, size + 1);
    (void)written;
}
