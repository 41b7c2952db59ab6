#include "terminal.h"
#include "command.h"
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utf8proc.h>
#include <uv.h>

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
    progress_unwatch();
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

/* Whoever was to read it: a pipe's end without the other one. */
static bool has_reader_gone(void) {
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int complain_of_output(void) {
    if (has_reader_gone()) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return complain(EXIT_SYSTEM, "standard output cannot be written");
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

static bool is_progress_forced;

void progress_force(void) {
    is_progress_forced = true;
}

static bool is_progress_wanted(void) {
    return is_progress_forced || isatty(STDERR_FILENO);
}

static void print_progress(const char *what, unsigned long long count, const char *unit) {
    bool is_terminal = isatty(STDERR_FILENO);
    fprintf(stderr, "%s%s: %llu %s%s", is_terminal ? "\r" : "", what, count, unit,
            is_terminal ? "   " : "\n");
}

static void end_progress_line(void) {
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

void progress_start(struct progress *progress, const char *what) {
    *progress = (struct progress){.what = what, .started_ms = now_ms()};
    progress->last_ms = progress->started_ms;
}

void progress_show(struct progress *progress, unsigned long long count, const char *unit) {
    unsigned long long now = now_ms();
    if (now - progress->last_ms < 1000 || !is_progress_wanted())
        return;
    progress->last_ms = now;
    progress->was_shown = true;
    print_progress(progress->what, count, unit);
}

void progress_end(struct progress *progress) {
    if (progress->was_shown)
        end_progress_line();
    progress->was_shown = false;
}

/* ---- progress of what does not tell --------------------------------------------------------- */

static struct {
    uv_thread_t thread;
    uv_mutex_t mutex; /* of what stands below */
    uv_cond_t wake;
    const char *what;
    bool is_over;
    bool is_running; /* of the caller alone */
} watch;

static void run_watch(void *argument) {
    unsigned long long seconds = 0;
    uv_mutex_lock(&watch.mutex);
    while (!watch.is_over) {
        if (uv_cond_timedwait(&watch.wake, &watch.mutex, UINT64_C(1000000000)) != UV_ETIMEDOUT)
            continue;
        print_progress(watch.what, ++seconds, "s");
    }
    uv_mutex_unlock(&watch.mutex);
    if (seconds > 0)
        end_progress_line();
}

void progress_watch(const char *what) {
    if (!is_progress_wanted() || watch.is_running)
        return;
    watch.what = what;
    watch.is_over = false;
    if (uv_mutex_init(&watch.mutex) != 0 || uv_cond_init(&watch.wake) != 0)
        return; /* the work itself does not need it */
    watch.is_running = uv_thread_create(&watch.thread, run_watch, NULL) == 0;
}

void progress_unwatch(void) {
    if (!watch.is_running)
        return;
    uv_mutex_lock(&watch.mutex);
    watch.is_over = true;
    uv_cond_signal(&watch.wake);
    uv_mutex_unlock(&watch.mutex);
    uv_thread_join(&watch.thread);
    uv_cond_destroy(&watch.wake);
    uv_mutex_destroy(&watch.mutex);
    watch.is_running = false;
}
