/* How a command reaches the handlers: over the socket of the node that runs on the home, or, with
 * none, by opening the home in this process. Both give the same answers. */
#ifndef PARLEY_TOOL_CLIENT_H
#define PARLEY_TOOL_CLIENT_H

#include "api.h"
#include "options.h"
#include <jansson.h>

struct client;

/* Opens what there is. NULL: *status is the exit status, and the error has been said.
 * needs_node: without a node that answers it is EXIT_NO_NODE. */
struct client *client_open(const struct options *options, bool needs_node, int *status);
void client_close(struct client *client);
/* Whether a node runs on the home. */
bool client_is_remote(const struct client *client);
/* One more connection to that node, for another thread; it shows no progress. NULL: it could not be
 * made, and nothing has been said. */
struct client *client_open_again(const struct client *client, const struct options *options);

struct client_request {
    enum parley_api_method method;
    const char *path; /* "/v1/..." without what follows */
    const char *rest; /* encoded behind the path; NULL: nothing */
    struct parley_api_parameter parameters[PARLEY_API_PARAMETERS_MAX];
    size_t parameters_count;
    const char *content_type;
    struct parley_span body;
};
void client_add(struct client_request *request, const char *name, const char *value);

struct client_answer {
    unsigned status;
    char *body; /* with a zero byte behind */
    size_t size;
    char next[256]; /* "": no further page */
};
void client_answer_clear(struct client_answer *answer);

/* EXIT_DONE for an answer of 2xx; else the error has been said. */
int client_call(struct client *client, const struct client_request *request,
                struct client_answer *answer);
/* The same with JSON both ways: body may be NULL and is given back; *json is the caller's. */
int client_call_json(struct client *client, struct client_request *request, json_t *body,
                     json_t **json);
/* Lets the node work for that long. */
void client_wait(struct client *client, unsigned ms);
/* Opens, calls, closes. */
int client_once(const struct options *options, bool needs_node, struct client_request *request,
                json_t *body, json_t **json);
/* Streams events until the node goes or on_post answers false, over as many connections as it
 * takes: the node closes who reads too slowly. on_gap: between the last post and the next one some
 * may be missing. Needs a node. */
int client_stream(struct client *client, const struct client_request *request,
                  bool (*on_post)(void *context, const json_t *post), void (*on_gap)(void *context),
                  void *context);
/* What of the answer could not be read, once the rest of it is printed: EXIT_DONE where all could,
 * or else the exit status, and it has been said. */
int client_unread(const json_t *json);
/* What went wrong, from a problem as JSON; answers the exit status. */
int client_complain(const json_t *problem, unsigned status);

#endif
