/* The configuration file: what is read and written in its own words is read as the same again; an
 * error leaves everything as it was. */
#include "memory_file.h"

#include "../../node/shell/options.h"
#include <stdarg.h>
#include <stdlib.h>

static struct memory_file file;
static char text[128 * 1024];
static size_t text_size;
static size_t text_lines; /* of the file that was made up */

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_size += (size_t)vsnprintf(text + text_size, sizeof text - text_size, format, arguments);
    va_end(arguments);
    FUZZ_HOLDS(text_size < sizeof text);
}

/* In single quotes nothing is replaced, and two letters need a backslash. */
static void put_quoted(const char *value) {
    put("'");
    for (const char *letter = value; *letter != '\0'; letter++)
        put(*letter == '\\' || *letter == '\'' ? "\\%c" : "%c", *letter);
    put("'");
}

static void put_endpoint(const struct parley_host_endpoint *endpoint) {
    char whole[sizeof endpoint->host + 16];
    FUZZ_HOLDS(memchr(endpoint->host, 0, sizeof endpoint->host));
    bool is_ipv6 = strchr(endpoint->host, ':') != NULL;
    snprintf(whole, sizeof whole, "%s%s%s:%u", is_ipv6 ? "[" : "", endpoint->host,
             is_ipv6 ? "]" : "", endpoint->port);
    put_quoted(whole);
    put("\n");
}

static void put_text(const char *key, const char *value) {
    put("%s", key);
    put_quoted(value);
    put("\n");
}

static void put_options(const struct options *options) {
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    char address[PARLEY_ADDRESS_TEXT_SIZE];
    text_size = 0;
    FUZZ_HOLDS(options->listeners_count <= OPTIONS_LISTENERS_MAX);
    FUZZ_HOLDS(options->peers_count <= OPTIONS_PEERS_MAX && options->hops <= 9);
    for (size_t i = 0; i < options->listeners_count; i++) {
        put(i == 0 ? "listen = {" : "  , ");
        put_endpoint(&options->listeners[i]);
    }
    put(options->listeners_count > 0 ? "} /* { */\n" : "");
    for (size_t i = 0; i < options->peers_count; i++) {
        parley_address_encode(address, &options->peers[i]);
        put("  peer\t+=");
        put_quoted(address);
        put("  # '\n");
    }
    if (options->has_api && options->is_api_off)
        put("api = no\n");
    else if (options->has_api) {
        put("api=");
        put_endpoint(&options->api);
    }
    if (options->home[0] != '\0')
        put_text("home = ", options->home);
    if (options->bootstrap[0] != '\0')
        put_text("bootstrap = ", options->bootstrap);
    for (size_t i = 0; i < options->advertised_count; i++) {
        char place[PARLEY_PLACE_TEXT_SIZE];
        parley_place_encode(place, &options->advertised[i]);
        put_text("advertise += ", place);
    }
    if (options->has_discover)
        put("discover = %s\n", options->is_closed ? "no" : "true");
    if (options->has_lan)
        put("lan = %s\n", options->wants_lan ? "yes" : "false");
    if (options->has_nat)
        put("nat = %s\n", options->wants_nat ? "true" : "no");
    if (options->connections > 0)
        put("connections = %u\n", options->connections);
    if (options->has_quota)
        put("quota = %llu\n", (unsigned long long)options->quota_bytes);
    if (options->has_erase_after)
        put("erase-after = %llus\n", (unsigned long long)options->erase_after_ms / 1000);
    put("# a comment\n// one more \"\nrelay = %s\n", options->relay ? "yes" : "no");
    if (options->hops > 0)
        put("hops = %u\n", options->hops);
    if (options->has_level)
        put("log = %s\n", levels[options->level]);
}

static bool is_same_endpoint(const struct parley_host_endpoint *a,
                             const struct parley_host_endpoint *b) {
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static void compare(const struct options *a, const struct options *b) {
    FUZZ_HOLDS(a->listeners_count == b->listeners_count && a->peers_count == b->peers_count);
    for (size_t i = 0; i < a->listeners_count; i++)
        FUZZ_HOLDS(is_same_endpoint(&a->listeners[i], &b->listeners[i]));
    for (size_t i = 0; i < a->peers_count; i++)
        FUZZ_HOLDS(PARLEY_EQUAL(a->peers[i].key, b->peers[i].key) &&
                   a->peers[i].port == b->peers[i].port &&
                   strcmp(a->peers[i].host, b->peers[i].host) == 0 &&
                   strcmp(a->peers[i].transport, b->peers[i].transport) == 0);
    FUZZ_HOLDS(a->has_api == b->has_api && a->is_api_off == b->is_api_off);
    FUZZ_HOLDS(!a->has_api || is_same_endpoint(&a->api, &b->api));
    FUZZ_HOLDS(a->relay == b->relay && a->hops == b->hops);
    FUZZ_HOLDS(strcmp(a->home, b->home) == 0 && a->has_erase_after == b->has_erase_after);
    FUZZ_HOLDS(a->has_discover == b->has_discover && a->is_closed == b->is_closed);
    FUZZ_HOLDS(!a->has_lan || a->wants_lan == b->wants_lan);
    FUZZ_HOLDS(!a->has_nat || a->wants_nat == b->wants_nat);
    FUZZ_HOLDS(strcmp(a->bootstrap, b->bootstrap) == 0 && a->connections == b->connections);
    FUZZ_HOLDS(a->advertised_count == b->advertised_count);
    for (size_t i = 0; i < a->advertised_count; i++)
        FUZZ_HOLDS(strcmp(a->advertised[i].host, b->advertised[i].host) == 0 &&
                   a->advertised[i].port == b->advertised[i].port &&
                   strcmp(a->advertised[i].transport, b->advertised[i].transport) == 0);
    FUZZ_HOLDS(a->has_quota == b->has_quota && a->quota_bytes == b->quota_bytes);
    FUZZ_HOLDS(!a->has_erase_after || a->erase_after_ms == b->erase_after_ms);
    FUZZ_HOLDS(a->has_level == b->has_level && (!a->has_level || a->level == b->level));
    for (int key = OPTION_HOME; key <= OPTION_PRINT_CONFIG; key++)
        FUZZ_HOLDS(options_say(a, (enum option_key)key) == options_say(b, (enum option_key)key));
}

static void read_again(const struct options *options) {
    static struct options again;
    struct parley_problem problem;
    put_options(options);
    memset(&again, 0, sizeof again);
    again.config = options->config;
    memory_file_fill(&file, PARLEY_SPAN(text, text_size), 0600);
    FUZZ_HOLDS(options_read_file(&again, file.path, &problem) == PARLEY_E_OK);
    compare(options, &again);
}

/* The first byte: what the command line has said before. */
static void say(struct options *options, uint8_t said) {
    memset(options, 0, sizeof *options);
    options->relay = said & 1;
    options->hops = said & 2 ? 3 : 0;
    options->has_level = said & 4;
    options->has_api = said & 8;
    options->config = said & 16 ? "named" : NULL;
}

/* The same words on the command line, and a file that is not there. */
static void parse_command_line(void) {
    static struct options options;
    struct parley_problem problem;
    static char words[][20] = {"parleyd",  "--home",   "here",          "--config", "there",
                               "--listen", "[::1]:80", "--api",         ":1",       "--relay",
                               "--hops",   "2",        "--log",         "error",    "--same-device",
                               "--quota",  "5G",       "--erase-after", "12h"};
    char *arguments[sizeof words / sizeof words[0] + 1] = {NULL};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        arguments[i] = words[i];
    options_parse_daemon(&options, (int)(sizeof words / sizeof words[0]), arguments);
    FUZZ_HOLDS(strcmp(options.home, "here") == 0 && strcmp(options.config, "there") == 0);
    FUZZ_HOLDS(options.relay && options.hops == 2 && options.level == PARLEY_LOG_ERROR);
    FUZZ_HOLDS(options.same_device && options.quota_bytes == UINT64_C(5) << 30);
    FUZZ_HOLDS(options.erase_after_ms == UINT64_C(12) * 3600 * 1000);
    read_again(&options);
    FUZZ_HOLDS(options_read_file(&options, "/dev/null/none", &problem) == PARLEY_E_DISK_FAILED);
    FUZZ_HOLDS(options_read_file(&options, "/none", &problem) == PARLEY_E_BAD_INPUT);
}

/* FILE:LINE: and what, in letters that a terminal bears. */
static void check_problem(const struct parley_problem *problem) {
    size_t size = strlen(file.path);
    char *end;
    FUZZ_HOLDS(strncmp(problem->text, file.path, size) == 0 && problem->text[size] == ':');
    unsigned long line = strtoul(problem->text + size + 1, &end, 10);
    FUZZ_HOLDS(line > 0 && line <= text_lines && strncmp(end, ": ", 2) == 0);
    for (const char *letter = end; *letter != '\0'; letter++)
        FUZZ_HOLDS(*letter >= ' ' && *letter <= '~');
}

static size_t count_lines(struct parley_span bytes) {
    size_t count = 1;
    for (size_t i = 0; i + 1 < bytes.size; i++)
        count += bytes.data[i] == '\n';
    return count;
}

void fuzz_target(struct parley_span bytes) {
    static struct options options, before;
    struct parley_problem problem;
    if (file.path[0] == '\0')
        memory_file_make(&file);
    if (bytes.size == 0) {
        parse_command_line();
        return;
    }
    say(&options, bytes.data[0]);
    before = options;
    text_lines = count_lines(PARLEY_SPAN(bytes.data + 1, bytes.size - 1));
    memory_file_fill(&file, PARLEY_SPAN(bytes.data + 1, bytes.size - 1), 0600);
    enum parley_error error = options_read_file(&options, file.path, &problem);
    FUZZ_HOLDS(error == PARLEY_E_OK || error == PARLEY_E_BAD_INPUT);
    if (error != PARLEY_E_OK) {
        check_problem(&problem);
        FUZZ_HOLDS(memcmp(&before, &options, sizeof options) == 0);
        return;
    }
    FUZZ_HOLDS(!before.hops || options.hops == before.hops);
    FUZZ_HOLDS(!before.relay || options.relay);
    read_again(&options);
}
