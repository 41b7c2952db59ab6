#include "options.h"
#include "log.h"
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES_MAX 1024

enum key {
    KEY_HOME = 1,
    KEY_CONFIG,
    KEY_LISTEN,
    KEY_PEER,
    KEY_API,
    KEY_RELAY,
    KEY_HOPS,
    KEY_ERASE_AFTER,
    KEY_LOG
};

/* --- one value -------------------------------------------------------------------------------- */

/* HOST:PORT, or :PORT for every address. */
static const char *read_endpoint(struct parley_host_endpoint *endpoint, const char *value) {
    if (value[0] != ':') {
        struct parley_fault fault = parley_host_port_decode(endpoint->host, &endpoint->port,
                                                            PARLEY_SPAN(value, strlen(value)));
        return fault.error == PARLEY_E_OK ? NULL : "HOST:PORT is expected";
    }
    char *end;
    unsigned long port = strtoul(value + 1, &end, 10);
    endpoint->host[0] = '\0';
    endpoint->port = (uint16_t)port;
    bool is_good = isdigit((unsigned char)value[1]) && *end == '\0' && port <= UINT16_MAX;
    return is_good ? NULL : "a port from 0 to 65535 is expected";
}

static const char *add_listener(struct options *options, const char *value) {
    if (options->listeners_count == OPTIONS_LISTENERS_MAX)
        return "at most 16 listeners";
    return read_endpoint(&options->listeners[options->listeners_count++], value);
}

static const char *add_peer(struct options *options, const char *value) {
    if (options->peers_count == OPTIONS_PEERS_MAX)
        return "at most 64 peers";
    struct parley_fault fault = parley_address_decode(&options->peers[options->peers_count++],
                                                      PARLEY_SPAN(value, strlen(value)));
    if (fault.error == PARLEY_E_BAD_CHECKSUM)
        return "a letter of the key is wrong";
    return fault.error == PARLEY_E_OK ? NULL : "KEY@HOST:PORT is expected";
}

static const char *read_relay(struct options *options, const char *value) {
    if (value == NULL || strcmp(value, "yes") == 0)
        options->relay = true;
    else if (strcmp(value, "no") != 0)
        return "yes or no is expected";
    return NULL;
}

static const char *read_hops(struct options *options, const char *value) {
    if (value[0] < '1' || value[0] > '9' || value[1] != '\0')
        return "a number from 1 to 9 is expected";
    options->hops = (unsigned)(value[0] - '0');
    return NULL;
}

/* A number and s, m, h or d; at most a year. */
static const char *read_erase_after(struct options *options, const char *value) {
    static const char *const wrong =
        "a time from 0s to 365d is expected: a number and s, m, h or d";
    static const struct {
        char letter;
        uint64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    char *end;
    if (!isdigit((unsigned char)value[0]) || strlen(value) > 9)
        return wrong;
    uint64_t number = strtoull(value, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (end[0] != units[i].letter || end[1] != '\0')
            continue;
        if (number * units[i].ms > OPTIONS_ERASE_AFTER_MAX_MS)
            return wrong;
        options->has_erase_after = true;
        options->erase_after_ms = number * units[i].ms;
        return NULL;
    }
    return wrong;
}

static const char *read_level(struct options *options, const char *value) {
    options->has_level = true;
    return parley_log_level_parse(&options->level, value)
               ? NULL
               : "debug, info, warning or error is expected";
}

/* NULL, or what is wrong with the value. */
static const char *set(struct options *options, enum key key, const char *value) {
    switch (key) {
    case KEY_HOME:
        options->home = value;
        return NULL;
    case KEY_CONFIG:
        options->config = value;
        return NULL;
    case KEY_LISTEN:
        return add_listener(options, value);
    case KEY_PEER:
        return add_peer(options, value);
    case KEY_API:
        options->has_api = true;
        return read_endpoint(&options->api, value);
    case KEY_RELAY:
        return read_relay(options, value);
    case KEY_HOPS:
        return read_hops(options, value);
    case KEY_ERASE_AFTER:
        return read_erase_after(options, value);
    case KEY_LOG:
        return read_level(options, value);
    }
    return "not an option";
}

/* --- the command line ------------------------------------------------------------------------- */

static const struct argp_option argp_options[] = {
    {"home", KEY_HOME, "DIR", 0, "Where everything is (default: $PARLEY_HOME, else the data home)",
     0},
    {"config", KEY_CONFIG, "FILE", 0, "Read options from FILE, a line each: KEY = VALUE", 0},
    {"listen", KEY_LISTEN, "HOST:PORT", 0,
     "Accept other nodes there; may be repeated. :PORT is every address, port 0 a free one "
     "(default: 127.0.0.1:7373, with --relay :7373)",
     0},
    {"peer", KEY_PEER, "KEY@HOST:PORT", 0, "Keep a connection to that node; may be repeated", 0},
    {"api", KEY_API, "HOST:PORT", 0, "Serve the local API there, too, for a browser", 0},
    {"relay", KEY_RELAY, NULL, 0, "Carry the posts of everybody", 0},
    {"hops", KEY_HOPS, "N", 0, "Carry whom I follow (1), whom they follow (2), ...", 0},
    {"erase-after", KEY_ERASE_AFTER, "TIME", 0,
     "When the bytes of what others erased go: 30m, 12h, 7d (default), ...", 0},
    {"log", KEY_LOG, "LEVEL", 0, "debug, info, warning or error (default: warning)", 0},
    {0},
};

static error_t parse_one(int key, char *value, struct argp_state *state) {
    if (key == ARGP_KEY_ARG)
        argp_error(state, "%s: no such argument", value);
    if (key < KEY_HOME || key > KEY_LOG)
        return ARGP_ERR_UNKNOWN;
    const char *wrong = set(state->input, (enum key)key, value);
    if (wrong != NULL)
        argp_error(state, "%s: %s", value, wrong);
    return 0;
}

void options_parse(struct options *options, int argc, char **argv) {
    static const struct argp parser = {
        .options = argp_options,
        .parser = parse_one,
        .doc = "The node of parley: keeps and passes on signed posts. Runs until SIGTERM."};
    memset(options, 0, sizeof *options);
    argp_err_exit_status = 2;
    /* Its own refusals have left by then; what is left is a lack of memory. */
    if (argp_parse(&parser, argc, argv, 0, NULL, options) != 0)
        exit(4);
}

/* --- the file --------------------------------------------------------------------------------- */

static char *trim(char *text) {
    while (isspace((unsigned char)*text))
        text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = '\0';
    return text;
}

static enum key find_key(const char *word) {
    for (const struct argp_option *option = argp_options; option->name != NULL; option++) {
        if (strcmp(option->name, word) == 0 && option->key != KEY_HOME && option->key != KEY_CONFIG)
            return (enum key)option->key;
    }
    return (enum key)0;
}

/* NULL, or what is wrong. */
static const char *read_line(struct options *options, const struct options *said, char *line) {
    char *text = trim(line);
    if (text[0] == '\0' || text[0] == '#')
        return NULL;
    char *equals = strchr(text, '=');
    if (equals == NULL)
        return "KEY = VALUE is expected";
    *equals = '\0';
    enum key key = find_key(trim(text));
    if (key == (enum key)0)
        return "no such key";
    bool is_said = (key == KEY_API && said->has_api) || (key == KEY_HOPS && said->hops > 0) ||
                   (key == KEY_ERASE_AFTER && said->has_erase_after) ||
                   (key == KEY_LOG && said->has_level) || (key == KEY_RELAY && said->relay);
    return is_said ? NULL : set(options, key, trim(equals + 1));
}

static enum parley_error read_lines(struct options *options, FILE *file, const char *path,
                                    struct parley_problem *problem) {
    struct options read = *options;
    char line[LINE_BYTES_MAX];
    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        const char *wrong = strlen(line) == sizeof line - 1 ? "the line is too long"
                                                            : read_line(&read, options, line);
        if (wrong != NULL)
            return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "%s line %u: %s", path, number,
                                      wrong);
    }
    if (ferror(file))
        return parley_problem_set(problem, PARLEY_E_DISK_FAILED, "cannot read %s: %s", path,
                                  strerror(errno));
    *options = read;
    return PARLEY_E_OK;
}

enum parley_error options_read_file(struct options *options, const char *path,
                                    struct parley_problem *problem) {
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return parley_problem_set(problem, PARLEY_E_DISK_FAILED, "cannot read %s: %s", path,
                                  strerror(errno));
    enum parley_error error = read_lines(options, file, path, problem);
    (void)fclose(file);
    return error;
}
