#include "options.h"
#include "log.h"
#include "option_fault.h"
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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

static const char *add_advertised(struct options *options, const char *value) {
    if (options->advertised_count == PARLEY_ADVERTISED_MAX)
        return "at most 8 addresses";
    struct parley_fault fault = parley_place_decode(
        &options->advertised[options->advertised_count++], PARLEY_SPAN(value, strlen(value)));
    return fault.error == PARLEY_E_OK ? NULL : "HOST:PORT is expected";
}

static const char *read_switch(bool *has, bool *is_on, const char *value) {
    bool is_no = strcmp(value, "no") == 0 || strcmp(value, "false") == 0;
    *has = true;
    *is_on = strcmp(value, "yes") == 0 || strcmp(value, "true") == 0;
    return *is_on || is_no ? NULL : "yes or no is expected";
}

static const char *read_discover(struct options *options, const char *value) {
    bool is_yes = false;
    const char *wrong = read_switch(&options->has_discover, &is_yes, value);
    options->is_closed = wrong == NULL && !is_yes;
    return wrong;
}

static const char *read_bootstrap(struct options *options, const char *value) {
    if (value[0] == '\0' || strlen(value) >= sizeof options->bootstrap)
        return "the path of a file is expected";
    (void)snprintf(options->bootstrap, sizeof options->bootstrap, "%s", value);
    return NULL;
}

static const char *read_api(struct options *options, const char *value) {
    options->has_api = true;
    options->is_api_off = strcmp(value, "no") == 0 || strcmp(value, "false") == 0;
    const char *wrong = options->is_api_off ? NULL : read_endpoint(&options->api, value);
    return wrong == NULL ? NULL : "HOST:PORT or no is expected";
}

static const char *read_relay(struct options *options, const char *value) {
    options->relay = value == NULL || strcmp(value, "yes") == 0 || strcmp(value, "true") == 0;
    bool is_no = !options->relay && (strcmp(value, "no") == 0 || strcmp(value, "false") == 0);
    return options->relay || is_no ? NULL : "yes or no is expected";
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

/* Bytes, or a number and K, M, G or T: powers of 1024. */
static const char *read_quota(struct options *options, const char *value) {
    static const char letters[] = "KMGT";
    static const char *const wrong =
        "a size from 1M to 1024T is expected, or 0 for no limit: a number and K, M, G or T";
    char *end;
    if (!isdigit((unsigned char)value[0]) || strlen(value) > 16)
        return wrong;
    uint64_t bytes = strtoull(value, &end, 10);
    const char *letter = end[0] == '\0' ? NULL : strchr(letters, end[0]);
    if (end[0] != '\0' && (letter == NULL || end[1] != '\0'))
        return wrong;
    for (ptrdiff_t i = letter == NULL ? 0 : letter - letters + 1; i > 0; i--)
        bytes = bytes > OPTIONS_QUOTA_MAX_BYTES ? bytes : bytes * 1024;
    if (bytes != 0 && (bytes < OPTIONS_QUOTA_MIN_BYTES || bytes > OPTIONS_QUOTA_MAX_BYTES))
        return wrong;
    options->has_quota = true;
    options->quota_bytes = bytes;
    return NULL;
}

static const char *read_connections(struct options *options, const char *value) {
    char *end;
    unsigned long number = strtoul(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || number < OPTIONS_CONNECTIONS_MIN ||
        number > OPTIONS_CONNECTIONS_MAX)
        return "a number from 8 to 4096 is expected";
    options->connections = (unsigned)number;
    return NULL;
}

static const char *read_level(struct options *options, const char *value) {
    options->has_level = true;
    return parley_log_level_parse(&options->level, value)
               ? NULL
               : "debug, info, warning or error is expected";
}

static const char *read_home(struct options *options, const char *value) {
    if (value[0] == '\0' || strlen(value) >= sizeof options->home)
        return "the path of a directory is expected";
    (void)snprintf(options->home, sizeof options->home, "%s", value);
    return NULL;
}

const char *options_set(struct options *options, enum option_key key, const char *value) {
    switch (key) {
    case OPTION_HOME:
        return read_home(options, value);
    case OPTION_CONFIG:
        options->config = value;
        return NULL;
    case OPTION_LISTEN:
        return add_listener(options, value);
    case OPTION_PEER:
        return add_peer(options, value);
    case OPTION_DISCOVER:
        return read_discover(options, value);
    case OPTION_ADVERTISE:
        return add_advertised(options, value);
    case OPTION_BOOTSTRAP:
        return read_bootstrap(options, value);
    case OPTION_LAN:
        return read_switch(&options->has_lan, &options->wants_lan, value);
    case OPTION_NAT:
        return read_switch(&options->has_nat, &options->wants_nat, value);
    case OPTION_API:
        return read_api(options, value);
    case OPTION_RELAY:
        return read_relay(options, value);
    case OPTION_HOPS:
        return read_hops(options, value);
    case OPTION_ERASE_AFTER:
        return read_erase_after(options, value);
    case OPTION_QUOTA:
        return read_quota(options, value);
    case OPTION_CONNECTIONS:
        return read_connections(options, value);
    case OPTION_LOG:
        return read_level(options, value);
    case OPTION_SAME_DEVICE:
        options->same_device = true;
        return NULL;
    case OPTION_PRINT_CONFIG:
        option_table_print(stdout);
        exit(fflush(stdout) == 0 ? 0 : 4);
    }
    return "not an option";
}

bool options_say(const struct options *options, enum option_key key) {
    switch (key) {
    case OPTION_HOME:
        return options->home[0] != '\0';
    case OPTION_DISCOVER:
        return options->has_discover;
    case OPTION_BOOTSTRAP:
        return options->bootstrap[0] != '\0';
    case OPTION_LAN:
        return options->has_lan;
    case OPTION_NAT:
        return options->has_nat;
    case OPTION_API:
        return options->has_api;
    case OPTION_RELAY:
        return options->relay;
    case OPTION_HOPS:
        return options->hops > 0;
    case OPTION_ERASE_AFTER:
        return options->has_erase_after;
    case OPTION_QUOTA:
        return options->has_quota;
    case OPTION_CONNECTIONS:
        return options->connections > 0;
    case OPTION_LOG:
        return options->has_level;
    case OPTION_CONFIG:
    case OPTION_LISTEN:
    case OPTION_PEER:
    case OPTION_ADVERTISE:
    case OPTION_SAME_DEVICE:
    case OPTION_PRINT_CONFIG:
        break;
    }
    return false;
}

bool options_listen_beyond(const struct options *options) {
    for (size_t i = 0; i < options->listeners_count; i++) {
        struct parley_ip ip;
        const char *host = options->listeners[i].host;
        if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ||
            (parley_ip_decode(&ip, host) && parley_network_of_ip(&ip) != PARLEY_NETWORK_NONE))
            return true;
    }
    return false;
}

bool options_lan(const struct options *options) {
    if (options->is_closed)
        return false;
    return options->has_lan ? options->wants_lan
                            : !options->relay && options_listen_beyond(options);
}

/* --- the command line ------------------------------------------------------------------------- */

static void fill_argp_options(struct argp_option all[OPTION_ROWS_MAX + 1]) {
    const struct option_row *row;
    size_t count = 0;
    for (; (row = option_row_at(count)) != NULL; count++)
        all[count] =
            (struct argp_option){row->name, (int)row->key, row->argument, 0, row->words, 0};
    all[count] = (struct argp_option){0};
}

static void refuse(const char *word, const char *fault) {
    (void)fprintf(stderr, "parleyd: %.200s: %s; see parleyd --help\n", word, fault);
    exit(2);
}

static error_t parse_one(int key, char *value, struct argp_state *state) {
    if (key == ARGP_KEY_ARG)
        refuse(value, "no such argument");
    if (key < OPTION_HOME || key > OPTION_PRINT_CONFIG)
        return ARGP_ERR_UNKNOWN;
    const char *wrong = options_set(state->input, (enum option_key)key, value);
    if (wrong != NULL)
        refuse(value, wrong);
    return 0;
}

/* argp prints its help only where it may print errors as well. */
static bool is_asked_for_help(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-?") == 0 ||
            strcmp(argv[i], "--usage") == 0)
            return true;
    return false;
}

void options_parse_daemon(struct options *options, int argc, char **argv) {
    struct argp_option all[OPTION_ROWS_MAX + 1];
    fill_argp_options(all);
    const struct argp parser = {
        .options = all,
        .parser = parse_one,
        .doc = "The node of parley: keeps and passes on signed posts. Runs until SIGTERM."};
    memset(options, 0, sizeof *options);
    unsigned flags = is_asked_for_help(argc, argv) ? 0 : ARGP_NO_ERRS;
    error_t error = argp_parse(&parser, argc, argv, flags, NULL, options);
    if (error == ENOMEM)
        exit(4);
    if (error != 0) {
        const char *word, *fault = parley_option_fault(&word, all, argc, argv);
        refuse(word, fault);
    }
}
