/* Who may speak to the API over TCP: a visitor is let in exactly when a slow and obvious reading of
 * the rule says so. An input is the port's low byte and lines: Host, Origin, Authorization, Cookie,
 * the page's word, Sec-Fetch-Site, and letters for what is asked: w changes something, o is open to
 * all. '$' stands for the token, '@' for a good cookie's value, '#' for the word that goes with it.
 */
#include "fuzz.h"

#include "../../node/shell/http_guard.h"
#include <arpa/inet.h>
#include <strings.h>

#define TOKEN "0123456789abcdef0123456789abcdef"
#define NAME  "parley_1"

static struct http_sessions sessions;
static struct http_pass pass;

static const char *stands_for(uint8_t letter) {
    return letter == '$' ? TOKEN : letter == '@' ? pass.cookie : letter == '#' ? pass.word : NULL;
}

/* The next line as text, with the token put in; false when it does not fit: no header is longer. */
static bool take_line(char *out, size_t room, struct parley_span *rest) {
    size_t used = 0;
    for (; rest->size > 0 && *rest->data != '\n'; rest->data++, rest->size--) {
        const char *word = stands_for(*rest->data);
        size_t size = word != NULL ? strlen(word) : 1;
        if (*rest->data == 0 || used + size >= room)
            return false;
        memcpy(out + used, word != NULL ? word : (const char *)rest->data, size);
        used += size;
    }
    if (rest->size > 0)
        *rest = PARLEY_SPAN(rest->data + 1, rest->size - 1);
    out[used] = '\0';
    return true;
}

static bool is_numeric(const char *name) {
    uint8_t address[16];
    char bare[160] = "";
    size_t size = strlen(name);
    if (name[0] != '[')
        return inet_pton(AF_INET, name, address) == 1;
    if (size < 3 || name[size - 1] != ']')
        return false;
    memcpy(bare, name + 1, size - 2);
    return inet_pton(AF_INET6, bare, address) == 1;
}

static bool is_host(const char *host, unsigned port) {
    char name[160], end[16];
    size_t size = strlen(host);
    size_t end_size = (size_t)snprintf(end, sizeof end, ":%u", port);
    if (size < end_size || strcmp(host + size - end_size, end) != 0)
        return false;
    memcpy(name, host, size - end_size);
    name[size - end_size] = '\0';
    return strcasecmp(name, "localhost") == 0 || is_numeric(name);
}

/* The value of the first cookie called NAME, read letter by letter. */
static void find_cookie(char *value, size_t room, const char *header) {
    char copy[1024], *rest = NULL;
    value[0] = '\0';
    (void)snprintf(copy, sizeof copy, "%s", header);
    for (char *part = strtok_r(copy, ";", &rest); part != NULL; part = strtok_r(NULL, ";", &rest)) {
        while (*part == ' ' || *part == '\t')
            part++;
        if (strncmp(part, NAME "=", sizeof NAME) != 0)
            continue;
        if (strlen(part + sizeof NAME) < room)
            (void)strcpy(value, part + sizeof NAME);
        return;
    }
}

static void make_pass(void) {
    static const uint8_t random[16] = {1};
    char secret[HTTP_SECRET_SIZE];
    if (pass.word[0] != '\0')
        return;
    http_sessions_open(&sessions, secret, random, 0);
    FUZZ_HOLDS(http_sessions_enter(&sessions, &pass, secret, random, 0));
}

static bool is_in(const struct http_visitor *visitor) {
    bool is_page = visitor->site[0] == '\0' || strcmp(visitor->site, "none") == 0 ||
                   strcmp(visitor->site, "same-origin") == 0;
    return is_page && strcmp(visitor->cookie, pass.cookie) == 0 &&
           strcmp(visitor->word, pass.word) == 0;
}

void fuzz_target(struct parley_span bytes) {
    struct http_visitor visitor = {0};
    char origin[200], cookies[1024], value[sizeof visitor.cookie], asks[8];
    unsigned status = 0;
    if (bytes.size == 0)
        return;
    make_pass();
    unsigned port = 8000u + bytes.data[0];
    struct parley_span rest = PARLEY_SPAN(bytes.data + 1, bytes.size - 1);
    if (!take_line(visitor.host, sizeof visitor.host, &rest) ||
        !take_line(visitor.origin, sizeof visitor.origin, &rest) ||
        !take_line(visitor.authorization, sizeof visitor.authorization, &rest) ||
        !take_line(cookies, sizeof cookies, &rest) ||
        !take_line(visitor.word, sizeof visitor.word, &rest) ||
        !take_line(visitor.site, sizeof visitor.site, &rest) ||
        !take_line(asks, sizeof asks, &rest))
        return;
    http_guard_cookie(visitor.cookie, sizeof visitor.cookie, cookies, NAME);
    find_cookie(value, sizeof value, cookies);
    FUZZ_HOLDS(strcmp(value, visitor.cookie) == 0);
    visitor.changes = strchr(asks, 'w') != NULL;
    visitor.is_open = strchr(asks, 'o') != NULL;
    snprintf(origin, sizeof origin, "http://%s", visitor.host);
    bool is_own = is_host(visitor.host, port) &&
                  (visitor.origin[0] == '\0' || strcmp(visitor.origin, origin) == 0);
    bool has_token = strcmp(visitor.authorization, "Bearer " TOKEN) == 0;
    bool is_said = !visitor.changes || visitor.origin[0] != '\0';
    bool is_let_in = is_own && (has_token || (is_said && (visitor.is_open || is_in(&visitor))));
    struct http_door door = {(uint16_t)port, TOKEN, &sessions, 1};
    FUZZ_HOLDS((http_guard_refuse(&visitor, &door, &status) == NULL) == is_let_in);
    FUZZ_HOLDS(is_let_in || status == 401 || status == 403);
    FUZZ_HOLDS(is_own || status == 403);
    /* A node that has neither token nor sessions lets nobody in. */
    door.token = "";
    door.sessions = NULL;
    visitor.is_open = false;
    FUZZ_HOLDS(http_guard_refuse(&visitor, &door, &status) != NULL);
}
