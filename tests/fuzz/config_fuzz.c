/* The configuration file: what is read and written in its own words is read as the same again; an
 * error leaves everything as it was. */
#include "memory_file.h"

#include "../../node/shell/options.h"
#include <stdarg.h>

static struct memory_file file;
static char text[128 * 1024];
static size_t text_size;

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_size += (size_t)vsnprintf(text + text_size, sizeof text - text_size, format, arguments);
    va_end(arguments);
    FUZZ_HOLDS(text_size < sizeof text);
}

static void put_endpoint(const char *word, const struct parley_host_endpoint *endpoint) {
    FUZZ_HOLDS(memchr(endpoint->host, 0, sizeof endpoint->host));
    bool is_ipv6 = strchr(endpoint->host, ':') != NULL;
    put("%s = %s%s%s:%u\n", word, is_ipv6 ? "[" : "", endpoint->host, is_ipv6 ? "]" : "",
        endpoint->port);
}

static void put_options(const struct options *options) {
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    char address[PARLEY_ADDRESS_TEXT_SIZE];
    text_size = 0;
    FUZZ_HOLDS(options->listeners_count <= OPTIONS_LISTENERS_MAX);
    FUZZ_HOLDS(options->peers_count <= OPTIONS_PEERS_MAX && options->hops <= 9);
    for (size_t i = 0; i < options->listeners_count; i++)
        put_endpoint("listen", &options->listeners[i]);
    for (size_t i = 0; i < options->peers_count; i++) {
        parley_address_encode(address, &options->peers[i]);
        put("  peer\t=%s  \n", address);
    }
    if (options->has_api)
        put_endpoint("api", &options->api);
    put("# a comment\n\nrelay = %s\n", options->relay ? "yes" : "no");
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
    FUZZ_HOLDS(a->has_api == b->has_api && (!a->has_api || is_same_endpoint(&a->api, &b->api)));
    FUZZ_HOLDS(a->relay == b->relay && a->hops == b->hops);
    FUZZ_HOLDS(a->has_level == b->has_level && (!a->has_level || a->level == b->level));
}

static void read_again(const struct options *options) {
    static struct options again;
    struct parley_problem problem;
    put_options(options);
    memset(&again, 0, sizeof again);
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
}

/* The same words on the command line, and a file that is not there. */
static void parse_command_line(void) {
    static struct options options;
    struct parley_problem problem;
    static char words[][20] = {"parleyd",  "--home",   "here",  "--config", "there",
                               "--listen", "[::1]:80", "--api", ":1",       "--relay",
                               "--hops",   "2",        "--log", "error"};
    char *arguments[sizeof words / sizeof words[0] + 1] = {NULL};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        arguments[i] = words[i];
    options_parse(&options, (int)(sizeof words / sizeof words[0]), arguments);
    FUZZ_HOLDS(strcmp(options.home, "here") == 0 && strcmp(options.config, "there") == 0);
    FUZZ_HOLDS(options.relay && options.hops == 2 && options.level == PARLEY_LOG_ERROR);
    read_again(&options);
    FUZZ_HOLDS(options_read_file(&options, "/dev/null/none", &problem) == PARLEY_E_DISK_FAILED);
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
    memory_file_fill(&file, PARLEY_SPAN(bytes.data + 1, bytes.size - 1), 0600);
    enum parley_error error = options_read_file(&options, file.path, &problem);
    FUZZ_HOLDS(error == PARLEY_E_OK || error == PARLEY_E_BAD_INPUT);
    if (error != PARLEY_E_OK) {
        FUZZ_HOLDS(memcmp(&before, &options, sizeof options) == 0);
        return;
    }
    FUZZ_HOLDS(!before.hops || options.hops == before.hops);
    FUZZ_HOLDS(!before.relay || options.relay);
    read_again(&options);
}
