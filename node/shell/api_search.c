#include "api_search.h"
#include "api_job.h"
#include "log.h"
#include <stdlib.h>

/* While somebody is served the posts that were here are read little by little: a page that opens
 * needs the processors itself. A portion takes some 25 ms. */
#define BUSY_MS 500u
#define REST_MS 100u

/* Outlives the search until the loop has let it go. */
struct rest {
    uv_timer_t timer; /* first: it is freed by its handle */
    struct api_search *search;
};

struct api_search {
    struct parley_api *api;
    struct search *search;
    struct parley_host_watch host_watch;
    struct rest *rest;
    bool is_wanted, is_reading, is_closing;
    bool is_asked;            /* for words, since all was read last: whoever asks waits */
    bool goes_on;             /* said by the worker */
    bool is_noted;            /* since the worker began */
    enum parley_error unread; /* as it was last logged */
};

static void read_on(struct api_search *search);
static void read_gently(struct api_search *search);

static void fill(void *context, struct parley_store *store) {
    struct api_search *search = context;
    search->goes_on = search_fill(search->search, store);
}

/* Once, until all is read again. */
static void log_unread(struct api_search *search) {
    enum parley_error unread = search_counts(search->search).unread;
    if (unread != PARLEY_E_OK && unread != search->unread)
        parley_log_line(PARLEY_LOG_WARNING,
                        "searching finds less than is held, some of it cannot be read: %s; see "
                        "parley check",
                        parley_strerror(unread));
    search->unread = unread;
}

static void on_filled(void *context, enum parley_error error) {
    struct api_search *search = context;
    search->is_reading = false;
    log_unread(search);
    /* A store that cannot be read now is looked at again when something comes. */
    if (error == PARLEY_E_OK && search->is_noted)
        read_on(search);
    else if (error == PARLEY_E_OK && search->goes_on)
        read_gently(search);
    else
        search->is_asked = false;
    api_settle(search->api);
}

static void read_on(struct api_search *search) {
    if (!search->is_wanted || search->is_reading || search->is_closing)
        return;
    search->is_reading = true;
    search->is_noted = false;
    parley_host_read(search->api->host, fill, on_filled, search);
}

static bool is_resting(const struct api_search *search) {
    return uv_is_active((const uv_handle_t *)&search->rest->timer) != 0;
}

static void on_rested(uv_timer_t *timer) {
    const struct rest *rest = (const struct rest *)timer;
    read_on(rest->search);
}

static void read_gently(struct api_search *search) {
    if (search->is_closing)
        return;
    uv_loop_t *loop = search->rest->timer.loop;
    uv_update_time(loop);
    if (!search->is_asked && uv_now(loop) < search->api->asked_at + BUSY_MS)
        (void)uv_timer_start(&search->rest->timer, on_rested, REST_MS, 0);
    else
        read_on(search);
}

static void on_show(void *context, const struct parley_effect *effect) {
    struct api_search *search = context;
    if (!search->is_wanted)
        return;
    search->is_noted = true;
    search_note(search->search, &effect->show.log, effect->show.seq_low, effect->show.seq_high);
    read_on(search);
}

bool api_search_is_reading(const struct api_search *search, size_t *count) {
    *count = search_counts(search->search).rows;
    return search->is_reading || is_resting(search);
}

struct search *api_search_ask(struct api_search *search) {
    search->is_wanted = search->is_asked = true;
    read_on(search);
    return search->search;
}

void api_search_expect(struct api_search *search) {
    const struct parley_host *host = search->api->host;
    if (search->is_wanted || parley_host_is_offline(host) || parley_host_is_relay(host))
        return;
    search->is_wanted = true;
    read_gently(search);
}

void api_search_forget(struct api_search *search, const struct parley_log *log, parley_seq low,
                       parley_seq high) {
    search_forget(search->search, log, low, high);
}

void api_search_renew(struct api_search *search) {
    search_renew(search->search);
    search->is_noted = true;
    read_on(search);
}

struct api_search *api_search_create(struct parley_api *api) {
    const struct parley_home *home = parley_host_home(api->host);
    struct api_search *search = calloc(1, sizeof *search);
    if (search == NULL)
        return NULL;
    search->search = search_create(home->has_author ? &home->author : NULL, SEARCH_BYTES_MAX);
    search->rest = calloc(1, sizeof *search->rest);
    if (search->search == NULL || search->rest == NULL) {
        search_free(search->search);
        free(search->rest);
        free(search);
        return NULL;
    }
    search->api = api;
    search->rest->search = search;
    (void)uv_timer_init(parley_host_loop(api->host), &search->rest->timer);
    search->host_watch = (struct parley_host_watch){.on_show = on_show, .context = search};
    parley_host_watch(api->host, &search->host_watch);
    return search;
}

static void on_closed(uv_handle_t *handle) {
    free(handle);
}

void api_search_close(struct api_search *search) {
    search->is_closing = true;
    uv_close((uv_handle_t *)&search->rest->timer, on_closed);
    parley_host_unwatch(search->api->host, &search->host_watch);
}

bool api_search_is_idle(const struct api_search *search) {
    return !search->is_reading;
}

void api_search_free(struct api_search *search) {
    search_free(search->search);
    free(search);
}
