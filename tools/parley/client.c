#include "client.h"
#include "client_parts.h"
#include "home.h"
#include "terminal.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A node that is just starting, or another command, holds the home for a moment. */
#define LOCK_TRIES   50
#define LOCK_WAIT_MS 100

struct client {
    struct client_http *http;
    struct client_local *local;
    bool is_another; /* beside the one that shows how long it takes */
};

static int say_problem(const struct parley_problem *problem) {
    return complain(parley_exit_status(problem->error), "%s", problem->text);
}

static bool open_either(struct client *client, const char *home, const struct options *options,
                        bool needs_node, int *status) {
    struct parley_problem problem = {0};
    for (int i = 0; i < LOCK_TRIES; i++) {
        bool timed_out = false;
        client->http = client_http_open(home, &timed_out);
        if (client->http != NULL)
            return true;
        if (timed_out) {
            *status = complain(EXIT_TIMED_OUT, "the node on %s does not answer", home);
            return false;
        }
        if (needs_node) {
            *status =
                complain(EXIT_NO_NODE,
                         "no node runs on %s, and this command needs one: start parleyd", home);
            return false;
        }
        client->local = client_local_open(home, options->same_device, options->is_online, &problem);
        if (client->local != NULL)
            return true;
        if (problem.error != PARLEY_E_STORE_LOCKED)
            break;
        nanosleep(&(struct timespec){.tv_nsec = LOCK_WAIT_MS * 1000000}, NULL);
    }
    *status = say_problem(&problem);
    return false;
}

struct client *client_open(const struct options *options, bool needs_node, int *status) {
    struct parley_problem problem = {0};
    char home[PATH_MAX];
    struct client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        *status = complain(EXIT_SYSTEM, "out of memory");
        return NULL;
    }
    if (parley_home_resolve(home, options->home, &problem) != PARLEY_E_OK) {
        *status = say_problem(&problem);
    } else {
        /* Every row is read first, or another command is waited for. */
        progress_watch("opening the home");
        bool is_open = open_either(client, home, options, needs_node, status);
        progress_unwatch();
        if (is_open)
            return client;
    }
    free(client);
    return NULL;
}

void client_close(struct client *client) {
    if (client->http != NULL)
        client_http_close(client->http);
    if (client->local != NULL)
        client_local_close(client->local);
    free(client);
}

bool client_is_remote(const struct client *client) {
    return client->http != NULL;
}

struct client *client_open_again(const struct client *client, const struct options *options) {
    struct parley_problem problem = {0};
    char home[PATH_MAX];
    bool timed_out = false;
    if (client->http == NULL || parley_home_resolve(home, options->home, &problem) != PARLEY_E_OK)
        return NULL;
    struct client *another = calloc(1, sizeof(*another));
    if (another == NULL)
        return NULL;
    another->is_another = true;
    another->http = client_http_open(home, &timed_out);
    if (another->http != NULL)
        return another;
    free(another);
    return NULL;
}

void client_add(struct client_request *request, const char *name, const char *value) {
    if (value != NULL && request->parameters_count < PARLEY_API_PARAMETERS_MAX)
        request->parameters[request->parameters_count++] =
            (struct parley_api_parameter){name, value};
}

void client_answer_clear(struct client_answer *answer) {
    free(answer->body);
    *answer = (struct client_answer){0};
}

/* ---- calling ------------------------------------------------------------------------------ */

static int status_of_name(const char *name, unsigned status) {
#define X(error, class, words)                                                                     \
    if (strcmp(name, #error) == 0)                                                                 \
        return parley_exit_status(PARLEY_E_##error);
    PARLEY_ERRORS(X)
#undef X
    return status >= 500 ? EXIT_SYSTEM : EXIT_NO;
}

int client_complain(const json_t *problem, unsigned status) {
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    const char *title = json_string_value(json_object_get(problem, "title"));
    const char *error = json_string_value(json_object_get(problem, "error"));
    const char *words = detail != NULL ? detail : title != NULL ? title : "the node refused";
    int exit_status = status_of_name(error != NULL ? error : "", status);
    return complain(exit_status == EXIT_DONE ? EXIT_NO : exit_status, "%s", words);
}

int client_unread(const json_t *json) {
    const json_t *problem = json_object_get(json, "problem");
    return json_is_object(problem)
               ? client_complain(problem,
                                 (unsigned)json_integer_value(json_object_get(problem, "status")))
               : EXIT_DONE;
}

int client_call(struct client *client, const struct client_request *request,
                struct client_answer *answer) {
    if (request->rest != NULL && request->rest[0] == '\0')
        return complain(EXIT_NO, "an empty word names nobody and nothing");
    *answer = (struct client_answer){0};
    if (!client->is_another)
        progress_watch("waiting for the answer");
    int status = client->http != NULL ? client_http_call(client->http, request, answer)
                                      : client_local_call(client->local, request, answer);
    if (!client->is_another)
        progress_unwatch();
    if (status != EXIT_DONE || (answer->status >= 200 && answer->status < 300))
        return status;
    json_t *problem = json_loadb(answer->body, answer->size, 0, NULL);
    status = client_complain(problem, answer->status);
    json_decref(problem);
    client_answer_clear(answer);
    return status;
}

int client_call_json(struct client *client, struct client_request *request, json_t *body,
                     json_t **json) {
    struct client_answer answer = {0};
    char *text = NULL;
    *json = NULL;
    if (body != NULL) {
        text = json_dumps(body, JSON_COMPACT);
        json_decref(body);
        if (text == NULL)
            return complain(EXIT_SYSTEM, "out of memory");
        request->content_type = "application/json";
        request->body = PARLEY_SPAN(text, strlen(text));
    }
    int status = client_call(client, request, &answer);
    free(text);
    if (status != EXIT_DONE)
        return status;
    *json = json_loadb(answer.body, answer.size, JSON_ALLOW_NUL, NULL);
    client_answer_clear(&answer);
    if (*json == NULL)
        return complain(EXIT_SYSTEM, "the node's answer is not JSON");
    return EXIT_DONE;
}

void client_wait(struct client *client, unsigned ms) {
    if (client->local != NULL)
        client_local_wait(client->local, ms);
    else
        (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L},
                        NULL);
}

int client_once(const struct options *options, bool needs_node, struct client_request *request,
                json_t *body, json_t **json) {
    int status;
    *json = NULL;
    struct client *client = client_open(options, needs_node, &status);
    if (client == NULL) {
        json_decref(body);
        return status;
    }
    status = client_call_json(client, request, body, json);
    client_close(client);
    return status;
}

int client_stream(struct client *client, const struct client_request *request,
                  bool (*on_post)(void *context, const json_t *post), void (*on_gap)(void *context),
                  void *context) {
    if (client->http == NULL)
        return complain(EXIT_NO_NODE, "no node runs on this home, and this needs one");
    return client_http_stream(client->http, request, on_post, on_gap, context);
}
