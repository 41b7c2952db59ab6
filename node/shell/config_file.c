/* The configuration file, through libconfuse.
 *
 * libconfuse 3.3 counts the lines wrong behind a comment, so comments are made blank before it
 * sees them. It knows values as texts only; what they mean is decided by options.c, one value at a
 * time and as soon as it is read, which is where the line of a wrong one is known.
 */
#include "config_check.h"
#include "nearest.h"
#include "options.h"
#include <confuse.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>

#define REASON_SIZE 256u

struct reading {
    const struct options *said; /* by the command line */
    struct options options;
    const char *path;
    unsigned lines_count;
    bool is_seen[OPTION_PRINT_CONFIG + 1];
    struct parley_problem *problem;
    bool has_problem;
};

/* libconfuse hands nothing of ours to its callbacks. A file is read by one thread, at start and at
 * SIGHUP. */
static struct reading *reading;

/* --- what is wrong ---------------------------------------------------------------------------- */

static const char *key_word_at(size_t index) {
    static const char *words[OPTION_ROWS_MAX];
    size_t count = 0;
    const struct option_row *row;
    for (size_t i = 0; (row = option_row_at(i)) != NULL; i++)
        if (row->example != NULL)
            words[count++] = row->name;
    return index < count ? words[index] : NULL;
}

/* The first thing that is wrong is the one to tell. The file's words go to a terminal. */
static void refuse(unsigned line, const char *reason) {
    char shown[REASON_SIZE];
    if (reading->has_problem)
        return;
    (void)snprintf(shown, sizeof shown, "%s", reason);
    for (char *letter = shown; *letter != '\0'; letter++)
        if (*letter < ' ' || *letter > '~')
            *letter = '?';
    if (line > reading->lines_count)
        line = reading->lines_count;
    (void)parley_problem_set(reading->problem, PARLEY_E_BAD_INPUT, "%s:%u: %s", reading->path, line,
                             shown);
    reading->has_problem = true;
}

static void refuse_key(unsigned line, const char *key) {
    char reason[REASON_SIZE];
    const char *nearest = parley_nearest(key, key_word_at);
    /* A value that lost its key may be the address of a peer, which no log is to bear. */
    if (strpbrk(key, ".@[") != NULL)
        (void)snprintf(reason, sizeof reason, "a value without a key");
    else if (nearest != NULL)
        (void)snprintf(reason, sizeof reason, "no such key: %.64s; did you mean %s?", key, nearest);
    else
        (void)snprintf(reason, sizeof reason, "no such key: %.64s", key);
    refuse(line, reason);
}

/* What libconfuse finds wrong by itself, known by its words: it has no numbers for it. */
static void on_error(cfg_t *cfg, const char *format, va_list arguments) {
    static const char unknown[] = "no such option '";
    char words[REASON_SIZE];
    (void)vsnprintf(words, sizeof words, format, arguments);
    size_t size = strlen(words);
    if (strncmp(words, unknown, sizeof unknown - 1) == 0) {
        if (words[size - 1] == '\'')
            words[size - 1] = '\0';
        refuse_key((unsigned)cfg->line, words + sizeof unknown - 1);
    } else if (strcmp(words, "premature end of file") == 0) {
        refuse(reading->lines_count, "the file ends where a value, a quote or a brace is expected");
    } else {
        refuse((unsigned)cfg->line, words);
    }
}

/* --- one value -------------------------------------------------------------------------------- */

static const struct option_row *row_of(const char *name) {
    const struct option_row *row = NULL;
    for (size_t i = 0; (row = option_row_at(i)) != NULL; i++)
        if (strcmp(row->name, name) == 0)
            return row;
    abort(); /* libconfuse was given these names and no others */
}

static bool is_list(const struct option_row *row) {
    return row->key == OPTION_LISTEN || row->key == OPTION_PEER || row->key == OPTION_ADVERTISE;
}

static const char *take_value(const struct option_row *row, const char *value) {
    if (reading->is_seen[row->key] && !is_list(row))
        return "stands in the file twice";
    reading->is_seen[row->key] = true;
    if (row->key == OPTION_HOME && reading->said->config == NULL)
        return "cannot be set by the file that lies in the home";
    if (options_say(reading->said, row->key))
        return NULL; /* the command line wins */
    return options_set(&reading->options, row->key, value);
}

static int on_value(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result) {
    const struct option_row *row = row_of(option->name);
    const char *wrong = take_value(row, value);
    char reason[REASON_SIZE];
    *(const char **)result = value;
    if (wrong == NULL)
        return 0;
    bool is_shown = row->key != OPTION_PEER; /* no log is to bear the address of a peer */
    (void)snprintf(reason, sizeof reason, "%s = %.96s: %s", row->name, is_shown ? value : "...",
                   wrong);
    refuse((unsigned)cfg->line, reason);
    return -1;
}

/* --- the text --------------------------------------------------------------------------------- */

/* The first byte behind a text in quotes; a backslash takes the next byte along. */
static char *skip_quoted(char *at, const char *end) {
    char quote = *at++;
    while (at < end && *at != quote)
        at += *at == '\\' && at + 1 < end ? 2 : 1;
    return at < end ? at + 1 : at;
}

/* Everything but line ends becomes blank. */
static char *blank(char *at, const char *end) {
    for (; at < end; at++)
        if (*at != '\n')
            *at = ' ';
    return at;
}

static void blank_comments(char *text, const char *end) {
    for (char *at = text; at < end;) {
        if (*at == '"' || *at == '\'') {
            at = skip_quoted(at, end);
        } else if (*at == '#' || strncmp(at, "//", 2) == 0) {
            at = blank(at, at + strcspn(at, "\n"));
        } else if (strncmp(at, "/*", 2) == 0) {
            const char *close = strstr(at + 2, "*/");
            at = blank(at, close == NULL ? end : close + 2);
        } else {
            at++;
        }
    }
}

static void parse(char *text, size_t size) {
    cfg_opt_t all[OPTION_ROWS_MAX + 1] = {0};
    const struct option_row *row;
    size_t count = 0;
    for (size_t i = 0; (row = option_row_at(i)) != NULL; i++) {
        if (row->example == NULL)
            continue;
        all[count++] = (cfg_opt_t)CFG_STR_CB(row->name, NULL, CFGF_NODEFAULT, on_value);
        all[count - 1].flags |= is_list(row) ? CFGF_LIST : 0;
    }
    cfg_t *cfg = cfg_init(all, CFGF_NONE);
    if (cfg == NULL) {
        refuse(1, "out of memory");
        return;
    }
    /* cfg_init takes the language of the environment, in which on_error would know nothing. */
    (void)setlocale(LC_MESSAGES, "C");
    (void)cfg_set_error_function(cfg, on_error);
    blank_comments(text, text + size);
    if (cfg_parse_buf(cfg, text) != CFG_SUCCESS)
        refuse(reading->lines_count, "it cannot be understood");
    (void)cfg_free(cfg);
}

static void read_text(char *text, size_t size) {
    reading->lines_count = 1;
    for (size_t i = 0; i + 1 < size; i++)
        reading->lines_count += text[i] == '\n';
    size_t text_size = strlen(text);
    if (text_size == size) {
        parse(text, size);
        return;
    }
    unsigned line = 1;
    for (size_t i = 0; i < text_size; i++)
        line += text[i] == '\n';
    refuse(line, "a byte that is zero: this is no text");
}

/* --- the file --------------------------------------------------------------------------------- */

static enum parley_error fail(struct parley_problem *problem, const char *path, int number) {
    bool is_absent = number == ENOENT;
    return parley_problem_set(problem, is_absent ? PARLEY_E_BAD_INPUT : PARLEY_E_DISK_FAILED,
                              "cannot read the configuration %s: %s", path, strerror(number));
}

static enum parley_error read_stream(struct options *options, FILE *file, const char *path,
                                     struct parley_problem *problem) {
    static char text[OPTIONS_FILE_BYTES_MAX + 1];
    static struct reading fresh;
    size_t size = fread(text, 1, sizeof text, file);
    if (ferror(file))
        return fail(problem, path, errno);
    if (size == sizeof text)
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "%s:1: larger than %zu KiB", path,
                                  OPTIONS_FILE_BYTES_MAX >> 10);
    text[size] = '\0';
    fresh =
        (struct reading){.said = options, .options = *options, .path = path, .problem = problem};
    reading = &fresh;
    read_text(text, size);
    reading = NULL;
    if (fresh.has_problem)
        return PARLEY_E_BAD_INPUT;
    *options = fresh.options;
    return PARLEY_E_OK;
}

enum parley_error options_read_file(struct options *options, const char *path,
                                    struct parley_problem *problem) {
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return fail(problem, path, errno);
    enum parley_error error = read_stream(options, file, path, problem);
    (void)fclose(file);
    return error;
}

enum parley_error parley_config_check(const char *path, struct parley_problem *problem) {
    static struct options options;
    memset(&options, 0, sizeof options);
    return options_read_file(&options, path, problem);
}
