/* Inside the API: one request under way, and what its handlers share.
 *
 * A job runs on the loop. It names the authors and posts that it is about (api_name.c finds them,
 * which may read the store), then its route's handler runs, which ends it with api_answer or
 * api_refuse, now or later. While a worker runs for a job, the loop leaves the job alone.
 */
#ifndef PARLEY_SHELL_API_JOB_H
#define PARLEY_SHELL_API_JOB_H

#include "api.h"
#include "api_entry.h"
#include "host.h"
#include <jansson.h>
#include <parley/text.h>

struct api_job;
struct api_feed;
struct api_gate;
struct api_search;

struct parley_api {
    struct parley_host *host;
    struct parley_finding *finding; /* NULL: offline */
    struct parley_invites *invites; /* likewise */
    parley_api_reach *change_reach; /* likewise */
    void *reach_context;
    struct api_feed *feed;
    struct api_gate *gate;
    struct api_search *search;
    uint64_t judging_ms_max;
    uint64_t asked_at; /* of the loop's time: the last request */
    size_t jobs_count;
    size_t publishing_count; /* lines of batches that the node has yet to answer */
    uint64_t purging_count;  /* entries that purges under way have yet to drop */
    bool is_closing;         /* freed when nothing is under way */
    char url[320];
};

/* What a request calls an author or a post. */
enum api_name_kind { API_AUTHOR, API_POST };

#define API_NAME_SIZE_MAX 512u
struct api_name {
    enum api_name_kind kind;
    const char *field; /* for words about it */
    char text[API_NAME_SIZE_MAX];
    char owner[API_NAME_SIZE_MAX]; /* of a handle: the author's part */
    bool is_handle;
    bool may_be_missing; /* a post that is not here is no reason to refuse */
    bool has_author;
    struct parley_author author;
    bool has_log;
    struct parley_log log;
    uint64_t log_number; /* of a handle: 0 when left out */
    parley_seq seq;
    bool has_id_start;
    uint8_t id_start[8];
    size_t matches_count;    /* of a name among those who are followed */
    struct api_entry *entry; /* a post that was found */
    enum parley_error error; /* of looking for it on the disk */
};

typedef void api_handler(struct api_job *job);
/* Runs on a worker: touches the job's own state only. */
typedef void api_work(struct api_job *job, struct parley_store *store);

/* What runs while logs that were loaded are not judged yet (api_gate.c). */
enum api_gate_kind {
    API_JUDGED,         /* waits, or is refused when its time is over */
    API_JUDGED_IN_TIME, /* waits, and then says what there is */
    API_AT_ONCE,        /* says nothing of what logs hold */
};

struct api_route {
    enum parley_api_method method;
    const char *path;   /* below /v1/ */
    bool has_rest;      /* something follows the path */
    const char *type;   /* of the body: NULL when there is none */
    api_handler *names; /* says with api_name_add whom and what it is about; NULL: nobody */
    api_handler *run;
    enum api_gate_kind gate;
};

struct api_job {
    struct parley_api *api;
    const struct api_route *route;
    parley_api_done *done;
    void *context;
    const bool *is_gone; /* nobody waits for the answer; NULL: somebody does */

    struct api_job *gate_next; /* while it waits at the gate */
    uint64_t gate_until;       /* as of uv_now */

    char *rest; /* of the path */
    struct parley_api_parameter *parameters;
    size_t parameters_count;
    uint8_t *body;
    size_t body_size;
    json_t *json; /* a JSON body: an object */

    struct api_name *names;
    size_t names_count;
    bool is_over; /* answered while names were being said */

    api_work *work;
    api_handler *then;
    void *state; /* the handler's; given back with free_state */
    void (*free_state)(void *state);
};

/* ---- ending a job; it is gone afterwards */

void api_answer(struct api_job *job, unsigned status, const char *type, struct parley_span body,
                const char *next);
/* Takes the reference. */
void api_answer_json(struct api_job *job, unsigned status, json_t *json);
/* field may be NULL; detail says what and what to do. */
void api_refuse(struct api_job *job, enum parley_error error, const char *field, const char *format,
                ...) __attribute__((format(printf, 4, 5)));
void api_no_memory(struct api_job *job);

/* ---- beginning a job (api.c, api_gate.c) */

/* Runs it, now or when what it may say is judged. */
void api_gate_pass(struct api_job *job);
void api_run(struct api_job *job);
/* False: out of memory. */
bool api_gate_create(struct parley_api *api);
/* Refuses what waits. */
void api_gate_close(struct parley_api *api);

/* ---- what a job can do */

/* work on a worker, then `then` on the loop. When the store cannot be read the job is refused. */
void api_read(struct api_job *job, api_work *work, api_handler *then);
/* False when there is no room: the job was refused. */
bool api_name_add(struct api_job *job, enum api_name_kind kind, const char *field,
                  const char *text);
/* Finds all names, then runs the route. */
void api_names_find(struct api_job *job);
/* The first value of a parameter, or NULL. */
const char *api_parameter(const struct api_job *job, const char *name);
/* A decimal number within the bounds (inclusive); value is left alone when the parameter is
 * missing. False: the job was refused. */
bool api_parameter_number(struct api_job *job, const char *name, uint64_t *value, uint64_t min,
                          uint64_t max);
/* A text member of the JSON body; NULL when it is missing, not text, or holds a zero byte. */
const char *api_member_text(const json_t *object, const char *name);

/* ---- words and numbers */

unsigned api_status_of(enum parley_error error);
/* What a reply's error means to a person: "read-only" because of the disk is the disk's error, and
 * for want of room in the node's tables it is "try again". */
enum parley_error api_reply_error(const struct parley_api *api, const struct parley_effect *reply);
/* {"status", "title", "detail", "error", "field"}; NULL out of memory. */
json_t *api_problem(enum parley_error error, const char *field, const char *detail);
/* Of this process, in memory. */
uint64_t api_resident_bytes(void);
/* Compact, one line without its end; *size. Free with free. NULL out of memory. */
char *api_dump(const json_t *json, size_t *size);
/* In one word, how it is with the device here. */
const char *api_device_word(const struct parley_host *host);
/* root.key of this generation lies in the home. Reads the file. */
bool api_root_is_here(const struct parley_host *host, unsigned generation);
/* Why something was not published, and what to type. */
const char *api_publish_words(const struct parley_api *api, enum parley_error error);
json_t *api_json_hex(const uint8_t *data, size_t size);
json_t *api_json_author(const struct parley_author *author);
json_t *api_json_post_address(const struct parley_log *log, parley_seq seq,
                              const struct parley_id *id);

/* A place in the order of time as text, for `next` and `before`; decode takes a time alone, too. */
#define API_PLACE_TEXT_SIZE 128u
void api_place_encode(char text[API_PLACE_TEXT_SIZE], const struct parley_timeline_place *place);
bool api_place_decode(struct parley_timeline_place *place, const char *text);

/* ---- handlers, by family */

api_handler api_run_status, api_run_id, api_run_peers, api_run_connect, api_run_disconnect;
api_handler api_run_devices, api_run_add_device, api_run_revoke_device, api_run_keys;
api_handler api_names_author, api_run_author;
api_handler api_run_follows, api_names_follow, api_run_follow, api_run_unfollow;
api_handler api_names_digest, api_run_digest;
api_handler api_names_timeline, api_run_timeline, api_run_notifications, api_run_search;
api_handler api_run_people, api_run_person, api_run_fetching, api_run_work;
api_handler api_names_post, api_run_show, api_run_thread;
api_handler api_names_publish, api_run_publish, api_run_publish_batch;
api_handler api_run_profile, api_run_own_profile, api_run_set_profile;
api_handler api_names_saying, api_run_echo, api_run_vote, api_run_erase;
api_handler api_names_purge, api_run_purge;
api_handler api_names_why, api_run_why;
api_handler api_run_lists, api_names_list, api_run_list;
api_handler api_run_invite, api_run_accept;
api_handler api_run_check;
api_handler api_run_metrics;
api_handler api_run_healthz, api_run_readyz;
api_handler api_names_export, api_run_export, api_run_import;

/* ---- digests (api_digest.c): job->state is taken for them */

/* Both digests of the authors (sorted, unique; NULL: all held), then `then`. */
void api_digest_read(struct api_job *job, const struct parley_author *authors, size_t authors_count,
                     api_handler *then);
/* "digest" and "digest_bodies", once read. */
void api_digest_set(const struct api_job *job, json_t *json);

/* ---- how others find this node (api_reach.c) */

/* "reachable", "reachable_words", "lan", "nat", "places". */
api_handler api_run_reach;
void api_reach_set(const struct api_job *job, json_t *json);

/* ---- the stream of what comes (api_feed.c) */

struct api_feed *api_feed_create(struct parley_api *api);
void api_feed_free(struct api_feed *feed);
void api_feed_close(struct api_feed *feed); /* ends all watches */
bool api_feed_is_idle(const struct api_feed *feed);
/* Frees an API that is closing when nothing is under way any more. */
void api_settle(struct parley_api *api);

#endif
