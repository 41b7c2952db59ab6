/* The local API as functions: a request in, a status and bytes out, later and exactly once.
 *
 * Nothing here knows HTTP's bytes. The node's HTTP listener (http.h) and the `parley` command with
 * no node running call the same handlers. Words for people are read from the store beside the
 * core; what changes something goes through the core as an owner's event.
 *
 * Paths (all under /v1):
 *
 * - GET status, id, devices, peers, follows, people, people/AUTHOR, authors/AUTHOR, profile,
 *   profiles/AUTHOR, digest, timeline, notifications, search, posts/POST, threads/POST, why/POST,
 *   lists, fetching, export, check, metrics, healthz, readyz, events
 * - POST posts, posts/batch, profile, echoes, votes, erasures, purges, lists, follows, peers,
 *   import, keys, invites, acceptances, reach
 * - DELETE follows/AUTHOR, peers/KEY
 *
 * Bodies are JSON but for posts/batch (NDJSON both ways), export and import (whole sections of a
 * bundle) and metrics (Prometheus' text format). metrics, healthz and readyz are at the root, too.
 * An error is application/problem+json: {"status", "title", "detail", "error", "field"}. What each
 * takes and gives stands in page/openapi.json, which a test holds against the node. While what a
 * start loaded is judged, all but id, peers, check and metrics wait.
 */
#ifndef PARLEY_SHELL_API_H
#define PARLEY_SHELL_API_H

#include <parley/bytes.h>
#include <parley/error.h>

struct parley_finding;
struct parley_host;
struct parley_invites;
struct parley_api;

/* A request's body, and an answer to export. */
#define PARLEY_API_BODY_BYTES_MAX (1024u * 1024u)
/* Parameters of one request; a digest may name as many authors. */
#define PARLEY_API_PARAMETERS_MAX 64u
/* Requests under way at once, over all connections; more are answered 503. */
#define PARLEY_API_REQUESTS_MAX 64u
/* Streams of events at once. */
#define PARLEY_API_WATCHERS_MAX 32u

/* So long a request waits for the judging of what a start loaded (a log that is forked or closed in
 * its middle takes about a millisecond): as long as people wait, and well below the patience of
 * HTTP clients. Then it is answered 503, TIMED_OUT, with how many logs are left. */
#define PARLEY_API_JUDGING_MS_MAX 30000u

enum parley_api_method { PARLEY_API_GET, PARLEY_API_POST, PARLEY_API_DELETE };

/* Percent-decoded; both end with a zero byte. */
struct parley_api_parameter {
    const char *name;
    const char *value;
};

/* Borrowed until parley_api_handle returns. */
struct parley_api_request {
    enum parley_api_method method;
    const char *path; /* decoded, from "/v1/" on */
    const struct parley_api_parameter *parameters;
    size_t parameters_count;
    const char *content_type; /* of the body; NULL: none was said */
    struct parley_span body;
    const bool
        *is_gone; /* set when nobody waits for the answer any more; NULL, or there until it */
};

/* Borrowed until the callback returns. */
struct parley_api_answer {
    unsigned status; /* as HTTP counts them */
    const char *content_type;
    struct parley_span body;
    const char *next; /* export: where the next page begins; NULL: this was the last */
};
typedef void parley_api_done(void *context, const struct parley_api_answer *answer);

/* The host must outlive it. NULL: out of memory. */
struct parley_api *parley_api_create(struct parley_host *host);
/* Before the host is stopped (or after). Requests under way are answered as the host stops, and the
 * memory goes with the last of them. */
void parley_api_free(struct parley_api *api);
/* What `status` tells: "http://127.0.0.1:8080" or NULL. Copied. */
void parley_api_set_url(struct parley_api *api, const char *url);
/* How others find this node, and invites; they outlive the API. NULL, as without this: nobody does.
 */
void parley_api_set_finding(struct parley_api *api, struct parley_finding *finding,
                            struct parley_invites *invites);
/* Changes how this node is found, for good: whether the local network hears of it, whether the
 * router is asked. Errors: READ_ONLY (the configuration says it), of the disk, of listening. */
struct parley_problem;
typedef enum parley_error parley_api_reach(void *context, bool lan, bool nat,
                                           struct parley_problem *problem);
void parley_api_set_reach(struct parley_api *api, parley_api_reach *change, void *context);
/* Another bound than PARLEY_API_JUDGING_MS_MAX, for requests from now on. */
void parley_api_set_judging_ms(struct parley_api *api, uint64_t ms_max);

/* Calls done exactly once, now or later from the loop. GET /v1/events is no request: see watch. */
void parley_api_handle(struct parley_api *api, const struct parley_api_request *request,
                       parley_api_done *done, void *context);

/* What a stream tells. Borrowed until the callback returns. */
struct parley_api_event {
    /* "post" for posts and echoes; with kinds=all also "vote", "profile", "follow" and "erase";
     * "gap": more came than is remembered, the timeline has it; "start": nothing but the cursor */
    const char *kind;
    const char *cursor;      /* to go on behind it: at most 63 letters */
    struct parley_span json; /* no line end; of a start: empty */
};
typedef void parley_api_on_event(void *context, const struct parley_api_event *event);

/* Calls back for each post that becomes durable from now on, or behind the cursor `after`, and that
 * the parameters of a timeline (author, tag) let through; first with a start or a gap. With
 * kinds=all also for what is no post, and for what concerns the owner from whomever it is (then
 * "concerns" says as what). NULL when a parameter is wrong or there are too many watchers: *problem
 * is then the answer to give, static. */
struct parley_api_watch;
struct parley_api_watch *parley_api_watch_open(struct parley_api *api,
                                               const struct parley_api_request *request,
                                               parley_api_on_event *on_event, void *context,
                                               struct parley_api_answer *problem);
void parley_api_watch_close(struct parley_api_watch *watch);

#endif
