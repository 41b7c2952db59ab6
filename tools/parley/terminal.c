#include "terminal.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utf8proc.h>

/* ---- what must not reach a terminal ------------------------------------------------------- */

static bool is_control(utf8proc_int32_t point) {
    return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

/* What changes the direction or the order of what stands around it, and line ends of Unicode's. */
static bool is_bidirectional(utf8proc_int32_t point) {
    return point == 0x061c || point == 0x200e || point == 0x200f ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static void print_point(FILE *file, utf8proc_int32_t point) {
    if (point == '\t')
        fputs("\\t", file);
    else if (point == '\r')
        fputs("\\r", file);
    else if (point == '\n')
        fputs("\\n", file);
    else
        fprintf(file, "\\u%04x", (unsigned)point);
}

/* indent NULL: a line end is escaped like the rest. */
static void print_safely(FILE *file, const char *text, size_t size, const char *indent) {
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    while (size > 0) {
        utf8proc_int32_t point;
        utf8proc_ssize_t step = utf8proc_iterate(at, (utf8proc_ssize_t)size, &point);
        if (step <= 0) {
            fprintf(file, "\\x%02x", *at);
            step = 1;
        } else if (point == '\n' && indent != NULL) {
            fprintf(file, "\n%s", indent);
        } else if (is_control(point) || is_bidirectional(point)) {
            print_point(file, point);
        } else {
            fwrite(at, 1, (size_t)step, file);
        }
        at += step;
        size -= (size_t)step;
    }
}

void print_text(FILE *file, const char *text, size_t size, const char *indent) {
    print_safely(file, text, size, indent);
}

void print_word(FILE *file, const char *text, size_t size) {
    print_safely(file, text, size, NULL);
}

int complain(int status, const char *format, ...) {
    char words[2048], *line = words;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    for (char *at = line; *at != '\0'; at++)
        if (*at == '\n')
            *at = ' ';
    fflush(stdout);
    fputs("parley: ", stderr);
    print_text(stderr, line, strlen(line), "");
    fputc('\n', stderr);
    return status;
}

void print_json(const json_t *json) {
    char *line = json_dumps(json, JSON_COMPACT);
    if (line == NULL)
        exit(complain(4, "out of memory"));
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)line;
    size_t size = strlen(line);
    while (size > 0) {
        utf8proc_int32_t point;
        utf8proc_ssize_t step = utf8proc_iterate(at, (utf8proc_ssize_t)size, &point);
        if (step <= 0)
            break;
        if (is_control(point) || is_bidirectional(point))
            printf("\\u%04x", (unsigned)point);
        else
            fwrite(at, 1, (size_t)step, stdout);
        at += step;
        size -= (size_t)step;
    }
    fputc('\n', stdout);
    free(line);
}

/* ---- looks -------------------------------------------------------------------------------- */

static bool has_colours(void) {
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

const char *style_bold(void) {
    return has_colours() ? "\033[1m" : "";
}
const char *style_dim(void) {
    return has_colours() ? "\033[2m" : "";
}
const char *style_off(void) {
    return has_colours() ? "\033[0m" : "";
}

void print_time(char text[32], json_int_t time_ms) {
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    if (localtime_r(&seconds, &parts) == NULL ||
        strftime(text, 32, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        snprintf(text, 32, "%lld", (long long)time_ms);
}

/* ---- progress ----------------------------------------------------------------------------- */

static unsigned long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000u + (unsigned long long)now.tv_nsec / 1000000u;
}

void progress_start(struct progress *progress, const char *what) {
    *progress = (struct progress){.what = what, .started_ms = now_ms()};
    progress->last_ms = progress->started_ms;
}

void progress_show(struct progress *progress, unsigned long long count, const char *unit) {
    unsigned long long now = now_ms();
    if (now - progress->last_ms < 1000)
        return;
    progress->last_ms = now;
    progress->was_shown = true;
    fprintf(stderr, "%s%s: %llu %s%s", isatty(STDERR_FILENO) ? "\r" : "", progress->what, count,
            unit, isatty(STDERR_FILENO) ? "   " : "\n");
}

void progress_end(struct progress *progress) {
    if (progress->was_shown && isatty(STDERR_FILENO))
        fputc('\n', stderr);
    progress->was_shown = false;
}
