/* The two ways behind client.h. */
#ifndef PARLEY_TOOL_CLIENT_PARTS_H
#define PARLEY_TOOL_CLIENT_PARTS_H

#include "client.h"
#include "problem.h"

struct client_http;
struct client_local;

/* NULL: no node answers on this home's socket, or (timed_out) one does not answer in time. */
struct client_http *client_http_open(const char *home, bool *timed_out);
void client_http_close(struct client_http *http);
/* An exit status; the error has been said. */
int client_http_call(struct client_http *http, const struct client_request *request,
                     struct client_answer *answer);
int client_http_stream(struct client_http *http, const struct client_request *request,
                       bool (*on_post)(void *context, const json_t *post),
                       void (*on_gap)(void *context), void *context);

/* is_online: it dials, too. NULL: problem says why. */
struct client_local *client_local_open(const char *home, bool same_device, bool is_online,
                                       struct parley_problem *problem);
void client_local_close(struct client_local *local);
void client_local_wait(struct client_local *local, unsigned ms);
int client_local_call(struct client_local *local, const struct client_request *request,
                      struct client_answer *answer);

#endif
