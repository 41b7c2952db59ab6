/* The owner's side of a host: asking, watching, looking. */
#include "host_internal.h"
#include "memory.h"
#include <stdlib.h>

/* A node whose tables are full of what its peers bring takes the owner's word a moment later. */
#define PAUSE_MS    10u
#define PATIENCE_MS 30000u /* then the disk is not merely busy */

/* --- asking ---------------------------------------------------------------------------------- */

static parley_request *request_field(struct parley_event *event) {
    switch (event->kind) {
    case PARLEY_EVENT_PUBLISH:
        return &event->publish.request;
    case PARLEY_EVENT_FOLLOW:
        return &event->follow.request;
    case PARLEY_EVENT_CONNECT:
        return &event->connect.request;
    case PARLEY_EVENT_DISCONNECT:
        return &event->disconnect.request;
    case PARLEY_EVENT_IMPORT_RECORD:
    case PARLEY_EVENT_IMPORT_CHUNK:
        return &event->import.request;
    case PARLEY_EVENT_PURGE:
        return &event->purge.request;
    case PARLEY_EVENT_LIST:
        return &event->list.request;
    case PARLEY_EVENT_PLACES:
        return &event->places.request;
    case PARLEY_EVENT_SAY:
        return &event->say.request;
    case PARLEY_EVENT_DEVICE:
    case PARLEY_EVENT_LOAD_RECORD:
    case PARLEY_EVENT_LOAD_LOG:
    case PARLEY_EVENT_LOAD_META:
    case PARLEY_EVENT_START:
    case PARLEY_EVENT_STOP:
    case PARLEY_EVENT_ACCEPTED:
    case PARLEY_EVENT_DIALLED:
    case PARLEY_EVENT_DIAL_FAILED:
    case PARLEY_EVENT_RECEIVED:
    case PARLEY_EVENT_SENT:
    case PARLEY_EVENT_CLOSED:
    case PARLEY_EVENT_STORED:
    case PARLEY_EVENT_READ_DONE:
    case PARLEY_EVENT_VERIFIED:
    case PARLEY_EVENT_STORE_OPENED:
    case PARLEY_EVENT_COMPACTED:
    case PARLEY_EVENT_TIMER:
        break;
    }
    abort(); /* not an owner's event: our own bug */
}

static struct host_request **bucket_of(struct parley_host *host, parley_request number) {
    return &host->requests[number % HOST_BUCKETS_COUNT];
}

static void refuse(struct parley_host *host, parley_request number, enum parley_error error) {
    struct parley_effect reply = {.kind = PARLEY_EFFECT_REPLY};
    reply.reply.request = number;
    reply.reply.error = error;
    host_defer(host, &reply);
}

parley_request parley_host_submit(struct parley_host *host, struct parley_event *event,
                                  parley_host_on_reply *on_reply, void *context) {
    struct host_request *request = parley_memory(sizeof *request);
    request->number = ++host->request_last;
    request->is_publish = event->kind == PARLEY_EVENT_PUBLISH;
    request->on_reply = on_reply;
    request->context = context;
    request->next = *bucket_of(host, request->number);
    *bucket_of(host, request->number) = request;
    *request_field(event) = request->number;
    host_note_event(host, event);
    if (host->is_stopping)
        refuse(host, host->request_last, PARLEY_E_RETRY);
    else
        (void)host_step(host, event);
    return host->request_last;
}

/* --- asking again ------------------------------------------------------------------------------
 */

struct host_patient {
    struct host_patient *next;
    uv_timer_t timer;
    struct parley_host *host;
    struct parley_event event;
    parley_host_on_reply *on_reply;
    void *context;
    uint64_t waited_ms;
};

static void on_patient_reply(void *context, const struct parley_effect *reply);

static void on_patient_closed(uv_handle_t *handle) {
    free(handle->data);
}

/* Not waiting any more: out of the list, and free once the loop has let the timer go. */
static void patient_end(struct host_patient *patient, const struct parley_effect *reply) {
    struct host_patient **place = &patient->host->patients;
    while (*place != patient)
        place = &(*place)->next;
    *place = patient->next;
    patient->on_reply(patient->context, reply);
    uv_close((uv_handle_t *)&patient->timer, on_patient_closed);
}

static void on_pause_over(uv_timer_t *timer) {
    struct host_patient *patient = timer->data;
    (void)parley_host_submit(patient->host, &patient->event, on_patient_reply, patient);
}

static void on_patient_reply(void *context, const struct parley_effect *reply) {
    struct host_patient *patient = context;
    if (reply->reply.error != PARLEY_E_RETRY || patient->host->is_stopping ||
        patient->waited_ms >= PATIENCE_MS) {
        patient_end(patient, reply);
        return;
    }
    patient->waited_ms += PAUSE_MS;
    (void)uv_timer_start(&patient->timer, on_pause_over, PAUSE_MS, 0);
}

void parley_host_submit_patiently(struct parley_host *host, const struct parley_event *event,
                                  parley_host_on_reply *on_reply, void *context) {
    struct host_patient *patient = parley_memory(sizeof *patient);
    *patient = (struct host_patient){.next = host->patients,
                                     .host = host,
                                     .event = *event,
                                     .on_reply = on_reply,
                                     .context = context};
    host->patients = patient;
    (void)uv_timer_init(host->loop, &patient->timer);
    patient->timer.data = patient;
    (void)parley_host_submit(host, &patient->event, on_patient_reply, patient);
}

void host_end_patience(struct parley_host *host) {
    struct parley_effect reply = {.kind = PARLEY_EFFECT_REPLY};
    struct host_patient *patient = host->patients, *next;
    reply.reply.error = PARLEY_E_RETRY;
    for (; patient != NULL; patient = next) {
        next = patient->next;
        if (uv_is_active((uv_handle_t *)&patient->timer)) /* the others have an answer coming */
            patient_end(patient, &reply);
    }
}

void parley_host_forget(struct parley_host *host, parley_request number) {
    struct host_request *request = *bucket_of(host, number);
    while (request != NULL && request->number != number)
        request = request->next;
    if (request != NULL)
        request->on_reply = NULL;
}

void host_answer_request(struct parley_host *host, const struct parley_effect *reply) {
    struct host_request **place = bucket_of(host, reply->reply.request);
    while (*place != NULL && (*place)->number != reply->reply.request)
        place = &(*place)->next;
    struct host_request *request = *place;
    if (request == NULL)
        return;
    *place = request->next;
    host->published_count += request->is_publish && reply->reply.error == PARLEY_E_OK;
    if (request->on_reply != NULL)
        request->on_reply(request->context, reply);
    free(request);
}

void host_answer_all(struct parley_host *host, enum parley_error error) {
    for (size_t i = 0; i < HOST_BUCKETS_COUNT; i++) {
        while (host->requests[i] != NULL) {
            struct parley_effect reply = {.kind = PARLEY_EFFECT_REPLY};
            reply.reply.request = host->requests[i]->number;
            reply.reply.error = error;
            host_answer_request(host, &reply);
        }
    }
}

void parley_host_compact(struct parley_host *host) {
    parley_worker_compact(host->worker);
}

bool parley_host_is_compacting(const struct parley_host *host) {
    return parley_worker_is_compacting(host->worker);
}

/* --- watching -------------------------------------------------------------------------------- */

void parley_host_watch(struct parley_host *host, struct parley_host_watch *watch) {
    watch->next = host->watches;
    host->watches = watch;
}

void parley_host_unwatch(struct parley_host *host, struct parley_host_watch *watch) {
    struct parley_host_watch **place = &host->watches;
    while (*place != NULL && *place != watch)
        place = &(*place)->next;
    if (*place == watch)
        *place = watch->next;
    if (host->watch_next == watch)
        host->watch_next = watch->next;
}

void parley_host_listen_said(struct parley_host *host, parley_host_on_said *on_said,
                             void *context) {
    host->on_said = on_said;
    host->said_context = context;
}

/* --- looking --------------------------------------------------------------------------------- */

uv_loop_t *parley_host_loop(struct parley_host *host) {
    return host->loop;
}

const struct parley_node *parley_host_node(const struct parley_host *host) {
    return host->node;
}

const struct parley_home *parley_host_home(const struct parley_host *host) {
    return &host->home;
}

bool parley_host_is_offline(const struct parley_host *host) {
    return host->is_offline;
}

bool parley_host_is_relay(const struct parley_host *host) {
    return host->is_relay;
}

uint64_t parley_host_quota_bytes(const struct parley_host *host) {
    return host->quota_bytes;
}

const char *parley_host_listener_text(const struct parley_host *host, size_t index) {
    return index < host->listeners_count ? host->listeners[index].text : NULL;
}

uint64_t parley_host_store_bytes(struct parley_host *host) {
    return parley_worker_bytes(host->worker);
}

enum parley_error parley_host_store_error(const struct parley_host *host) {
    return parley_worker_error(host->worker);
}

parley_time_ms parley_host_uptime(const struct parley_host *host) {
    return host_monotonic() - host->started;
}

void parley_host_counts(const struct parley_host *host, struct parley_host_counts *out) {
    out->published_count = host->published_count;
    out->checks_good_count = host->checks_good_count;
    out->checks_bad_count = host->checks_bad_count;
    parley_worker_counts(host->worker, &out->commits);
}

bool parley_host_store_moves(struct parley_host *host) {
    return parley_worker_moves(host->worker);
}
