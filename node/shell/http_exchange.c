/* One request with its answer, and the writing of it. See http_internal.h. */
#include "http_internal.h"
#include <stdio.h>
#include <stdlib.h>

/* In one turn of the loop: half of what a socket takes at once, by default. */
#define WRITE_BYTES_MAX  65536u
#define STREAM_BYTES_MAX (1024u * 1024u) /* unsent on one stream; more ends it */
#define ANSWER_SECONDS   120
/* An answer that is opened as a page by itself does nothing. */
#define ANSWER_POLICY "default-src 'none'; frame-ancestors 'none'"

static void unlink_exchange(struct exchange *exchange) {
    if (exchange->http == NULL)
        return;
    struct exchange **at = &exchange->http->exchanges;
    while (*at != exchange)
        at = &(*at)->next;
    *at = exchange->next;
    exchange->http = NULL;
}

static void close_watch(struct exchange *exchange) {
    if (exchange->watch != NULL)
        parley_api_watch_close(exchange->watch);
    exchange->watch = NULL;
    hangup_close(exchange->hangup);
    exchange->hangup = NULL;
}

static void free_exchange(struct exchange *exchange) {
    unlink_exchange(exchange);
    close_watch(exchange);
    free(exchange->parameters_text);
    free(exchange->body);
    free(exchange->out);
    free(exchange);
}

void exchange_leave(struct session *session) {
    struct exchange *exchange = session->exchange;
    session->exchange = NULL;
    if (exchange == NULL)
        return;
    exchange->wsi = NULL;
    exchange->is_gone = true;
    close_watch(exchange);
    if (!exchange->is_asked)
        free_exchange(exchange);
}

struct exchange *exchange_open(struct session *session, struct lws *wsi) {
    struct parley_http *http = lws_context_user(lws_get_context(wsi));
    exchange_leave(session);
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        return NULL;
    exchange->http = http;
    exchange->wsi = wsi;
    exchange->next = http->exchanges;
    http->exchanges = exchange;
    session->exchange = exchange;
    return exchange;
}

void exchange_detach(struct exchange *exchange) {
    close_watch(exchange);
    unlink_exchange(exchange);
}

static bool append_out(struct exchange *exchange, const void *data, size_t size) {
    if (exchange->out_at > 0 && exchange->out_at == exchange->out_size)
        exchange->out_at = exchange->out_size = 0;
    if (exchange->out_size + size > exchange->out_room) {
        size_t room = exchange->out_size + size + 4096;
        uint8_t *grown = realloc(exchange->out, room);
        if (grown == NULL)
            return false;
        exchange->out = grown;
        exchange->out_room = room;
    }
    if (size > 0)
        memcpy(exchange->out + exchange->out_size, data, size);
    exchange->out_size += size;
    return true;
}

void exchange_answer(struct exchange *exchange, unsigned status, const char *type,
                     struct parley_span body, const char *next) {
    exchange->is_answered = true;
    exchange->status = status;
    snprintf(exchange->answer_type, sizeof(exchange->answer_type), "%s", type);
    snprintf(exchange->answer_next, sizeof(exchange->answer_next), "%s", next ? next : "");
    if (!append_out(exchange, body.data, body.size))
        exchange->status = 500;
    if (exchange->wsi == NULL)
        return;
    if (exchange->watch == NULL) /* who does not read what was asked for is closed */
        lws_set_timeout(exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, ANSWER_SECONDS);
    lws_callback_on_writable(exchange->wsi);
}

static const char *error_word(unsigned status) {
    switch (status) {
    case 401:
        return "UNAUTHORIZED";
    case 403:
        return "FORBIDDEN";
    case 404:
    case 405:
        return "NOT_FOUND";
    case 413:
    case 414:
        return "TOO_LARGE";
    case 500:
        return "NO_MEMORY";
    default:
        return "BAD_INPUT";
    }
}

void exchange_problem(struct exchange *exchange, unsigned status, const char *text) {
    char json[512];
    int size = snprintf(json, sizeof(json),
                        "{\"status\":%u,\"title\":\"%s\",\"detail\":\"%s\",\"error\":\"%s\","
                        "\"field\":null}",
                        status, text, text, error_word(status));
    exchange_answer(exchange, status, "application/problem+json", PARLEY_SPAN(json, size), NULL);
}

void exchange_on_answer(void *context, const struct parley_api_answer *answer) {
    struct exchange *exchange = context;
    exchange->is_asked = false;
    if (exchange->wsi == NULL)
        free_exchange(exchange);
    else
        exchange_answer(exchange, answer->status, answer->content_type, answer->body, answer->next);
}

/* A post is what a stream is for, and what its reader gets who gives names no heed. */
static bool append_event(struct exchange *exchange, const struct parley_api_event *event) {
    char head[160];
    bool is_named = event->json.size > 0 && strcmp(event->kind, "post") != 0;
    int size =
        snprintf(head, sizeof(head), "id: %s\n%s%s%s", event->cursor, is_named ? "event: " : "",
                 is_named ? event->kind : "", is_named ? "\n" : "");
    if (!append_out(exchange, head, (size_t)size))
        return false;
    if (event->json.size > 0 && (!append_out(exchange, "data: ", 6) ||
                                 !append_out(exchange, event->json.data, event->json.size) ||
                                 !append_out(exchange, "\n", 1)))
        return false;
    return append_out(exchange, "\n", 1);
}

void exchange_on_event(void *context, const struct parley_api_event *event) {
    struct exchange *exchange = context;
    if (exchange->wsi == NULL || exchange->is_drained)
        return;
    /* Too slow: closed behind what is kept, so that each connection brings a reader further who
     * goes on from his cursor, whatever comes at once. */
    bool fits = exchange->out_size - exchange->out_at + event->json.size <= STREAM_BYTES_MAX;
    if (!fits || !append_event(exchange, event))
        exchange->is_drained = true;
    lws_callback_on_writable(exchange->wsi);
}

void exchange_ping(struct exchange *exchange) {
    if (exchange->watch != NULL && exchange->wsi != NULL &&
        exchange->out_at == exchange->out_size && append_out(exchange, ": ping\n\n", 8))
        lws_callback_on_writable(exchange->wsi);
}

/* ---- writing an answer -------------------------------------------------------------------- */

static int add_header(struct lws *wsi, const char *name, const char *value, uint8_t **at,
                      uint8_t *end) {
    return lws_add_http_header_by_name(wsi, (const uint8_t *)name, (const uint8_t *)value,
                                       (int)strlen(value), at, end);
}

static int write_headers(struct exchange *exchange) {
    uint8_t buffer[LWS_PRE + 4096];
    uint8_t *start = buffer + LWS_PRE, *at = start, *end = buffer + sizeof(buffer) - 1;
    struct lws *wsi = exchange->wsi;
    lws_filepos_t length =
        exchange->watch != NULL ? LWS_ILLEGAL_HTTP_CONTENT_LEN : exchange->out_size;
    if (lws_add_http_common_headers(wsi, exchange->status, exchange->answer_type, length, &at,
                                    end) ||
        add_header(wsi, "cache-control:",
                   exchange->is_lasting ? "private, max-age=31536000, immutable" : "no-store", &at,
                   end) ||
        add_header(wsi, "x-content-type-options:", "nosniff", &at, end) ||
        add_header(wsi, "referrer-policy:", "no-referrer", &at, end) ||
        add_header(wsi, "cross-origin-resource-policy:", "same-origin", &at, end) ||
        add_header(wsi, "x-frame-options:", "DENY", &at, end) ||
        add_header(wsi, "content-security-policy:",
                   exchange->policy != NULL ? exchange->policy : ANSWER_POLICY, &at, end))
        return -1;
    if (exchange->policy != NULL &&
        add_header(wsi, "cross-origin-opener-policy:", "same-origin", &at, end))
        return -1;
    if (exchange->answer_cookie[0] != '\0' &&
        add_header(wsi, "set-cookie:", exchange->answer_cookie, &at, end))
        return -1;
    if (exchange->answer_next[0] != '\0' &&
        add_header(wsi, "parley-next:", exchange->answer_next, &at, end))
        return -1;
    exchange->headers_sent = true;
    return lws_finalize_write_http_header(wsi, start, &at, end);
}

static int write_some(struct exchange *exchange) {
    uint8_t buffer[LWS_PRE + WRITE_BYTES_MAX];
    size_t size = exchange->out_size - exchange->out_at;
    if (size > WRITE_BYTES_MAX)
        size = WRITE_BYTES_MAX;
    memcpy(buffer + LWS_PRE, exchange->out + exchange->out_at, size);
    exchange->out_at += size;
    bool is_last = exchange->watch == NULL && exchange->out_at == exchange->out_size;
    return lws_write(exchange->wsi, buffer + LWS_PRE, size,
                     is_last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0;
}

int exchange_on_writable(struct session *session) {
    struct exchange *exchange = session->exchange;
    if (exchange == NULL || !exchange->is_answered)
        return 0;
    struct lws *wsi = exchange->wsi;
    if (!exchange->headers_sent) {
        if (write_headers(exchange))
            return -1;
        if (lws_send_pipe_choked(wsi)) {
            lws_callback_on_writable(wsi);
            return 0;
        }
    }
    bool is_ending = exchange->watch != NULL && exchange->is_drained;
    if (is_ending && exchange->out_at == exchange->out_size)
        return -1;
    if (exchange->out_at < exchange->out_size && write_some(exchange))
        return -1;
    if (exchange->out_at < exchange->out_size || is_ending) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    if (exchange->watch != NULL)
        return 0;
    bool closes = exchange->is_drained;
    exchange_leave(session);
    return lws_http_transaction_completed(wsi) || closes ? -1 : 0;
}
