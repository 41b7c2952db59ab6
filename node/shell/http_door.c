/* The page's files, and who is let in to the page. See http.h and http_session.h. */
#include "http_internal.h"
#include "key_file.h"
#include "page.h"
#include <fcntl.h>
#include <jansson.h>
#include <parley/text.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Scripts and styles of the node itself and nothing else: nothing that a stranger wrote can become
 * either, nor make the browser ask anybody for anything. Trusted types refuse to make markup of
 * text at all. */
#define PAGE_POLICY                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "        \
    "'self'; "                                                                                     \
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "           \
    "require-trusted-types-for 'script'; trusted-types 'none'"

parley_time_ms door_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (parley_time_ms)now.tv_sec * 1000u + (parley_time_ms)now.tv_nsec / 1000000u;
}

void door_cookie_name(char name[DOOR_COOKIE_NAME_SIZE], const struct parley_http *http) {
    snprintf(name, DOOR_COOKIE_NAME_SIZE, "parley_%u", http->port);
}

/* ---- the key ------------------------------------------------------------------------------ */

static enum parley_error make_key(struct parley_http *http) {
    uint8_t key[HTTP_SESSION_KEY_BYTES];
    struct parley_problem problem = {0};
    randombytes_buf(key, sizeof(key));
    enum parley_error error =
        parley_file_write(http->key_path, PARLEY_SPAN(key, sizeof(key)), &problem);
    if (error == PARLEY_E_OK)
        http_sessions_set_key(&http->sessions, key);
    sodium_memzero(key, sizeof(key));
    return error;
}

/* False: none is there, it is not whole, or others may have read it. */
static bool read_key(struct parley_http *http) {
    uint8_t key[HTTP_SESSION_KEY_BYTES + 1];
    struct stat status;
    int file = open(http->key_path, O_RDONLY | O_CLOEXEC);
    bool is_good = file >= 0 && fstat(file, &status) == 0 && (status.st_mode & 077) == 0 &&
                   read(file, key, sizeof(key)) == (ssize_t)HTTP_SESSION_KEY_BYTES;
    if (file >= 0)
        close(file);
    if (is_good)
        http_sessions_set_key(&http->sessions, key);
    sodium_memzero(key, sizeof(key));
    return is_good;
}

enum parley_error door_open(struct parley_http *http, const char *home) {
    int size = snprintf(http->key_path, sizeof(http->key_path), "%s/page.key", home);
    if (size < 0 || (size_t)size >= sizeof(http->key_path))
        return PARLEY_E_DISK_FAILED;
    return read_key(http) ? PARLEY_E_OK : make_key(http);
}

/* ---- answers ------------------------------------------------------------------------------ */

static void answer_json(struct exchange *exchange, unsigned status, json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text == NULL)
        exchange_problem(exchange, 500, "out of memory");
    else
        exchange_answer(exchange, status, "application/json", PARLEY_SPAN(text, strlen(text)),
                        NULL);
    free(text);
}

static bool answer_file(struct exchange *exchange) {
    const struct page_file *file = page_file_find(exchange->path);
    if (file == NULL || exchange->method != PARLEY_API_GET || !exchange->is_tcp)
        return false;
    exchange->policy = PAGE_POLICY;
    exchange->is_lasting = file->is_lasting;
    exchange_answer(exchange, 200, file->type, PARLEY_SPAN(file->data, file->size), NULL);
    return true;
}

static void answer_opening(struct exchange *exchange) {
    struct parley_http *http = exchange->http;
    char secret[HTTP_SECRET_SIZE];
    uint8_t random[16];
    uint64_t expires = door_now() + HTTP_OPENING_MS;
    if (http->url[0] == '\0') {
        exchange_problem(exchange, 404, "this node serves no page: it was started with --api no");
        return;
    }
    randombytes_buf(random, sizeof(random));
    http_sessions_open(&http->sessions, secret, random, door_now());
    /* Behind the #, which no browser sends, and which no log and no Referer gets. */
    answer_json(exchange, 201,
                json_pack("{s:o, s:I}", "url", json_sprintf("%s/#open=%s", http->url, secret),
                          "expires", (json_int_t)expires));
    sodium_memzero(secret, sizeof(secret));
}

static void set_cookie(struct exchange *exchange, const char *value, unsigned seconds) {
    char name[DOOR_COOKIE_NAME_SIZE];
    door_cookie_name(name, exchange->http);
    snprintf(exchange->answer_cookie, sizeof(exchange->answer_cookie),
             "%s=%s; Path=/; Max-Age=%u; HttpOnly; SameSite=Strict", name, value, seconds);
}

static void answer_entering(struct exchange *exchange) {
    json_t *json =
        json_loadb((const char *)exchange->body, exchange->body_size, JSON_REJECT_DUPLICATES, NULL);
    const char *secret = json_string_value(json_object_get(json, "secret"));
    struct http_pass pass;
    uint8_t random[16];
    randombytes_buf(random, sizeof(random));
    if (secret == NULL)
        exchange_problem(exchange, 400, "secret is missing or not text");
    else if (!http_sessions_enter(&exchange->http->sessions, &pass, secret, random, door_now()))
        exchange_problem(exchange, 401, "the link was used, is older than ten minutes, or is none");
    else {
        set_cookie(exchange, pass.cookie, HTTP_SESSION_MS / 1000u);
        answer_json(exchange, 201,
                    json_pack("{s:s, s:I}", "word", pass.word, "expires", (json_int_t)pass.until));
    }
    json_decref(json);
}

static void answer_leaving(struct exchange *exchange) {
    if (make_key(exchange->http) != PARLEY_E_OK) {
        exchange_problem(exchange, 500, "the key of the sessions cannot be written");
        return;
    }
    set_cookie(exchange, "", 0);
    answer_json(exchange, 200, json_pack("{s:b}", "done", 1));
}

/* A page of another origin can send a form without asking, but never this type. */
static bool is_json(const struct exchange *exchange) {
    static const char TYPE[] = "application/json";
    size_t size = sizeof(TYPE) - 1;
    const char *type = exchange->content_type;
    return strncasecmp(type, TYPE, size) == 0 && (type[size] == '\0' || type[size] == ';');
}

bool door_is_open(const struct exchange *exchange) {
    bool is_get = exchange->method == PARLEY_API_GET;
    if (is_get)
        return page_file_find(exchange->path) != NULL || strcmp(exchange->path, "/healthz") == 0 ||
               strcmp(exchange->path, "/readyz") == 0;
    return exchange->method == PARLEY_API_POST && strcmp(exchange->path, "/v1/sessions") == 0;
}

bool door_changes_keys(const struct exchange *exchange) {
    static const char PATH[] = "/v1/devices";
    return exchange->method != PARLEY_API_GET &&
           strncmp(exchange->path, PATH, sizeof(PATH) - 1) == 0;
}

bool door_makes_link(const struct exchange *exchange) {
    return strcmp(exchange->path, "/v1/openings") == 0;
}

bool door_answer(struct exchange *exchange) {
    bool is_opening = door_makes_link(exchange);
    bool is_session = strcmp(exchange->path, "/v1/sessions") == 0 && exchange->is_tcp;
    if (answer_file(exchange))
        return true;
    if (!is_opening && !is_session)
        return false;
    if (exchange->method == PARLEY_API_DELETE && is_session)
        answer_leaving(exchange);
    else if (exchange->method != PARLEY_API_POST)
        exchange_problem(exchange, 405, "no such method on this path");
    else if (!is_json(exchange))
        exchange_problem(exchange, 415, "the body is of another content type");
    else if (is_opening)
        answer_opening(exchange);
    else
        answer_entering(exchange);
    return true;
}
