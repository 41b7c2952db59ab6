#include "log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
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

/* systemd says what standard error leads to: if that is its journal, the journal knows the time,
 * and takes the level as a number in front (sd-daemon(3)). */
static bool is_journal(void) {
    static int known = -1;
    unsigned long long device, inode;
    struct stat status;
    const char *text = getenv("JOURNAL_STREAM");
    if (known < 0)
        known = text != NULL && sscanf(text, "%llu:%llu", &device, &inode) == 2 &&
                fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
                status.st_ino == inode;
    return known;
}

static int put_start(char *line, size_t size, enum parley_log_level level) {
    static const int priorities[] = {7, 6, 4, 3};
    char stamp[24];
    time_t now = time(NULL);
    struct tm parts;
    if (is_journal())
        return snprintf(line, size, "<%d>", priorities[level]);
    (void)gmtime_r(&now, &parts);
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return snprintf(line, size, "%s %s ", stamp, level_words[level]);
}

void parley_log_line(enum parley_log_level level, const char *format, ...) {
    if (!parley_log_is_on(level))
        return;
    char line[LINE_BYTES_MAX];
    int start = put_start(line, sizeof line, level);
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
