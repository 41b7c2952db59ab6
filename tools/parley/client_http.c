/* The handlers over the node's socket, through libcurl. The socket is reached through the home's
 * descriptor, so that a home path of any length works. */
#include "client_parts.h"
#include "terminal.h"
#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 5000L
#define CALL_TIMEOUT_MS    120000L /* a page of an import on a slow disk */
#define HELLO_TIMEOUT_MS   10000L  /* who it is, a node tells from memory */
#define URL_SIZE           32768u
#define LINE_BYTES_MAX     (1024u * 1024u)
#define CURSOR_SIZE        64u /* as the node's own */
#define EVENT_SIZE         16u

struct client_http {
    CURL *curl;
    int home_fd;
    char socket[64];
    char error[CURL_ERROR_SIZE];
};

/* What a transfer brings. */
struct transfer {
    struct client_answer *answer;
    size_t room;
    bool failed;
    struct stream *stream; /* where it is one */
};

/* What a stream has told so far, over all its connections. */
struct stream {
    bool (*on_post)(void *context, const json_t *post);
    void (*on_gap)(void *context);
    void *context;
    bool has_stopped;
    bool is_heard;            /* on this connection */
    char event[EVENT_SIZE];   /* the kind of what is being read; "": a post */
    char next[CURSOR_SIZE];   /* and its cursor */
    char cursor[CURSOR_SIZE]; /* of what was told last; "": nothing yet */
};

/* ---- the address -------------------------------------------------------------------------- */

static size_t put_escaped(CURL *curl, char *url, size_t size, const char *text) {
    char *escaped = curl_easy_escape(curl, text, 0);
    if (escaped == NULL)
        return size;
    size += (size_t)snprintf(url + size, size < URL_SIZE ? URL_SIZE - size : 0, "%s", escaped);
    curl_free(escaped);
    return size;
}

/* False: too long. */
static bool make_url(CURL *curl, char url[URL_SIZE], const struct client_request *request) {
    size_t size = (size_t)snprintf(url, URL_SIZE, "http://parley%s", request->path);
    if (request->rest != NULL && size < URL_SIZE)
        size = put_escaped(curl, url, size, request->rest);
    for (size_t i = 0; i < request->parameters_count && size < URL_SIZE; i++) {
        size += (size_t)snprintf(url + size, URL_SIZE - size, "%c%s=", i == 0 ? '?' : '&',
                                 request->parameters[i].name);
        if (size < URL_SIZE)
            size = put_escaped(curl, url, size, request->parameters[i].value);
    }
    return size < URL_SIZE;
}

/* ---- what comes back ---------------------------------------------------------------------- */

static bool take_bytes(struct transfer *transfer, const char *data, size_t size) {
    struct client_answer *answer = transfer->answer;
    if (answer->size + size + 1 > transfer->room) {
        size_t room = 2 * (answer->size + size) + 4096;
        char *grown = realloc(answer->body, room);
        if (grown == NULL)
            return false;
        answer->body = grown;
        transfer->room = room;
    }
    memcpy(answer->body + answer->size, data, size);
    answer->size += size;
    answer->body[answer->size] = '\0';
    return true;
}

static size_t on_data(char *data, size_t one, size_t size, void *context) {
    struct transfer *transfer = context;
    return take_bytes(transfer, data, size) ? size : 0;
}

static size_t on_header(char *data, size_t one, size_t size, void *context) {
    static const char NAME[] = "parley-next:";
    struct client_answer *answer = ((struct transfer *)context)->answer;
    if (size < sizeof(NAME) || strncasecmp(data, NAME, sizeof(NAME) - 1) != 0)
        return size;
    const char *value = data + sizeof(NAME) - 1;
    while (*value == ' ')
        value++;
    size_t length = strcspn(value, "\r\n");
    if (length < sizeof(answer->next)) {
        memcpy(answer->next, value, length);
        answer->next[length] = '\0';
    }
    return size;
}

/* ---- a call ------------------------------------------------------------------------------- */

static void set_up(struct client_http *http, const char *url, struct transfer *transfer) {
    CURL *curl = http->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, http->socket);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
}

static struct curl_slist *set_body(struct client_http *http, const struct client_request *request) {
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    char type[128];
    if (request->method == PARLEY_API_DELETE)
        curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, "DELETE");
    if (request->method == PARLEY_API_POST) {
        snprintf(type, sizeof(type), "Content-Type: %s",
                 request->content_type != NULL ? request->content_type : "application/json");
        headers = curl_slist_append(headers, type);
        curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS,
                         request->body.size > 0 ? (const char *)request->body.data : "");
    }
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    return headers;
}

static int say_failure(const struct client_http *http, CURLcode code) {
    if (code == CURLE_OPERATION_TIMEDOUT)
        return complain(EXIT_TIMED_OUT, "the node did not answer in time");
    if (code == CURLE_COULDNT_CONNECT)
        return complain(EXIT_NO_NODE, "the node on this home has stopped");
    return complain(EXIT_SYSTEM, "the connection to the node broke: %s",
                    http->error[0] != '\0' ? http->error : curl_easy_strerror(code));
}

/* A node that goes while it is asked cuts it anywhere. */
static bool is_cut(CURLcode code) {
    return code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
           code == CURLE_SEND_ERROR || code == CURLE_PARTIAL_FILE;
}

static CURLcode perform(struct client_http *http, const struct client_request *request,
                        const char *url, long timeout_ms, struct transfer *transfer) {
    set_up(http, url, transfer);
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    struct curl_slist *headers = set_body(http, request);
    CURLcode code = curl_easy_perform(http->curl);
    long status = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    transfer->answer->status = (unsigned)status;
    curl_slist_free_all(headers);
    return code;
}

int client_http_call(struct client_http *http, const struct client_request *request,
                     struct client_answer *answer) {
    struct transfer transfer = {.answer = answer};
    char url[URL_SIZE];
    if (!make_url(http->curl, url, request))
        return complain(EXIT_USAGE, "the arguments are too long");
    CURLcode code = perform(http, request, url, CALL_TIMEOUT_MS, &transfer);
    if (code == CURLE_OK && (answer->body != NULL || take_bytes(&transfer, "", 0)))
        return EXIT_DONE;
    client_answer_clear(answer);
    return say_failure(http, code);
}

struct client_http *client_http_open(const char *home, bool *timed_out) {
    static const struct client_request HELLO = {.path = "/v1/id"};
    struct client_answer answer = {0};
    struct transfer transfer = {.answer = &answer};
    struct stat status;
    char url[URL_SIZE];
    struct client_http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return NULL;
    http->home_fd = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(http->socket, sizeof(http->socket), "/proc/self/fd/%d/api.sock", http->home_fd);
    CURLcode code = CURLE_COULDNT_CONNECT;
    if (http->home_fd >= 0 && stat(http->socket, &status) == 0 && S_ISSOCK(status.st_mode)) {
        http->curl = curl_easy_init();
        if (http->curl != NULL && make_url(http->curl, url, &HELLO))
            code = perform(http, &HELLO, url, HELLO_TIMEOUT_MS, &transfer);
        client_answer_clear(&answer);
    }
    if (code == CURLE_OK)
        return http;
    *timed_out = code == CURLE_OPERATION_TIMEDOUT;
    client_http_close(http);
    return NULL;
}

void client_http_close(struct client_http *http) {
    if (http->curl != NULL)
        curl_easy_cleanup(http->curl);
    if (http->home_fd >= 0)
        close(http->home_fd);
    free(http);
}

/* ---- a stream ----------------------------------------------------------------------------- */

/* Whether the line is this field of an event; its value then, cut to what value holds. */
static bool take_field(char *value, size_t room, const char *name, const char *line, size_t size) {
    size_t skipped = strlen(name);
    if (size < skipped || memcmp(line, name, skipped) != 0)
        return false;
    size -= skipped;
    snprintf(value, room, "%.*s", (int)(size < room ? size : room - 1), line + skipped);
    return true;
}

static void take_event(struct stream *stream, const char *data, size_t size) {
    json_t *post = NULL;
    if (strcmp(stream->event, "gap") == 0)
        stream->on_gap(stream->context);
    else if (stream->event[0] == '\0')
        post = json_loadb(data, size, JSON_ALLOW_NUL, NULL);
    if (post != NULL && !stream->on_post(stream->context, post))
        stream->has_stopped = true;
    json_decref(post);
}

/* An event is its cursor, its kind, its data, in one line each, and an empty line. It is told with
 * its data, and with that it is behind us: an event without any ends at the empty line. */
static void take_line(struct stream *stream, const char *line, size_t size) {
    static const char DATA[] = "data: ";
    if (take_field(stream->next, sizeof(stream->next), "id: ", line, size) ||
        take_field(stream->event, sizeof(stream->event), "event: ", line, size))
        return;
    bool is_data = size >= sizeof(DATA) - 1 && memcmp(line, DATA, sizeof(DATA) - 1) == 0;
    if (is_data)
        take_event(stream, line + sizeof(DATA) - 1, size - (sizeof(DATA) - 1));
    if (size == 0)
        stream->event[0] = '\0';
    if ((is_data || size == 0) && stream->next[0] != '\0') {
        memcpy(stream->cursor, stream->next, sizeof(stream->cursor));
        stream->is_heard = true;
    }
}

static size_t on_stream(char *data, size_t one, size_t size, void *context) {
    struct transfer *transfer = context;
    struct client_answer *answer = transfer->answer;
    if (answer->size + size > LINE_BYTES_MAX || !take_bytes(transfer, data, size))
        return 0;
    char *at = answer->body, *end;
    size_t left = answer->size;
    while (!transfer->stream->has_stopped && (end = memchr(at, '\n', left)) != NULL) {
        take_line(transfer->stream, at, (size_t)(end - at));
        left -= (size_t)(end - at) + 1;
        at = end + 1;
    }
    memmove(answer->body, at, left);
    answer->size = left;
    return transfer->stream->has_stopped ? 0 : size;
}

/* One connection, to its end. True: the stream may go on over another one. A node that cuts off who
 * reads too slowly, one that stops and one that is killed look the same from here: the next
 * connection tells them apart. */
static bool read_stream(struct client_http *http, const char *url, struct stream *stream,
                        int *result) {
    struct client_answer answer = {0};
    struct transfer transfer = {.answer = &answer, .stream = stream};
    long status = 0;
    bool is_again = stream->cursor[0] != '\0';
    stream->is_heard = false;
    stream->event[0] = stream->next[0] = '\0';
    set_up(http, url, &transfer);
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, on_stream);
    /* a node that lives says so every 15 seconds */
    curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_TIME, 60L);
    CURLcode code = curl_easy_perform(http->curl);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    bool goes_on = false;
    if (status >= 400) {
        json_t *problem = json_loadb(answer.body, answer.size, 0, NULL);
        *result = client_complain(problem, (unsigned)status);
        json_decref(problem);
    } else if (stream->has_stopped) {
        *result = EXIT_DONE;
    } else if (stream->is_heard && code != CURLE_WRITE_ERROR && code != CURLE_OUT_OF_MEMORY) {
        goes_on = true;
    } else if (code == CURLE_OK || (is_again && is_cut(code))) {
        *result = complain(EXIT_NO_NODE, "the node has stopped");
    } else {
        *result = say_failure(http, code);
    }
    client_answer_clear(&answer);
    return goes_on;
}

int client_http_stream(struct client_http *http, const struct client_request *request,
                       bool (*on_post)(void *context, const json_t *post),
                       void (*on_gap)(void *context), void *context) {
    struct stream stream = {.on_post = on_post, .on_gap = on_gap, .context = context};
    char url[URL_SIZE];
    int result = EXIT_DONE;
    bool goes_on;
    do {
        struct client_request again = *request;
        client_add(&again, "after", stream.cursor[0] != '\0' ? stream.cursor : NULL);
        if (!make_url(http->curl, url, &again))
            return complain(EXIT_USAGE, "the arguments are too long");
        goes_on = read_stream(http, url, &stream, &result);
    } while (goes_on);
    return result;
}
