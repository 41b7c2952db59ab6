/* The stream of what becomes durable. SHOWs of the host are numbered and kept in a ring, watched or
 * not, so that a reader who comes back goes on where he was: a cursor names the start of this node,
 * the SHOW and the entry in it. A worker reads the entries of one SHOW at a time, the one that the
 * reader who is furthest behind needs, unless they were read as they were stored (api_fresh.h); the
 * loop hands them to whoever waits for that SHOW. Where some of them cannot be read he is told of a
 * gap: the timeline says more.
 */
#include "api_filter.h"
#include "api_fresh.h"
#include "api_job.h"
#include "api_telling.h"
#include "api_unread.h"
#include "log.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* SHOWs that are remembered. Beyond it the oldest go: who lost some is told of a gap, and asks the
 * timeline. */
#define SHOWS_MAX   4096u
#define TURN_MAX    256u /* entries read in one turn */
#define CURSOR_SIZE 64u

struct show {
    struct parley_log log;
    parley_seq low, high;
};

struct parley_api_watch {
    struct parley_api *api;
    struct parley_api_watch *next;
    struct api_filter filter;
    bool is_all;      /* not posts alone */
    uint64_t number;  /* of the SHOW it waits for */
    parley_seq above; /* and of it the entries above this one */
    bool is_in;       /* it takes what is being read */
    parley_api_on_event *on_event;
    void *context;
};

struct api_feed {
    struct parley_api *api;
    struct parley_host_watch host_watch;
    struct api_fresh *fresh;
    uint32_t epoch; /* another at each start */
    struct parley_api_watch *watches;
    size_t watches_count;
    struct show *shows;   /* a ring, by their numbers */
    uint64_t shows_count; /* since the start */
    bool is_reading, is_within;
    uint64_t number; /* of what is being read, within it */
    struct show at;  /* what is left of it */
    struct api_entries found;
    struct api_view view;
    enum parley_error unread; /* of the turn (api_unread.h) */
};

static void read_next(struct api_feed *feed);

static void on_show(void *context, const struct parley_effect *effect) {
    struct api_feed *feed = context;
    feed->shows[feed->shows_count++ % SHOWS_MAX] =
        (struct show){effect->show.log, effect->show.seq_low, effect->show.seq_high};
    read_next(feed);
}

/* ---- cursors ------------------------------------------------------------------------------ */

static void cursor_encode(char text[CURSOR_SIZE], const struct api_feed *feed, uint64_t number,
                          parley_seq seq) {
    snprintf(text, CURSOR_SIZE, "%08" PRIx32 "-%" PRIu64 "-%" PRIu64, feed->epoch, number, seq);
}

/* False: of another start, or none. */
static bool cursor_decode(struct parley_api_watch *watch, const struct api_feed *feed,
                          const char *text) {
    uint32_t epoch = 0;
    int end = 0;
    if (strlen(text) >= CURSOR_SIZE ||
        sscanf(text, "%8" SCNx32 "-%19" SCNu64 "-%19" SCNu64 "%n", &epoch, &watch->number,
               &watch->above, &end) != 3 ||
        text[end] != '\0')
        return false;
    return epoch == feed->epoch && watch->number <= feed->shows_count;
}

static void tell(struct parley_api_watch *watch, const char *kind, uint64_t number, parley_seq seq,
                 struct parley_span json) {
    char cursor[CURSOR_SIZE];
    cursor_encode(cursor, watch->api->feed, number, seq);
    struct parley_api_event event = {kind, cursor, json};
    watch->on_event(watch->context, &event);
}

/* It goes on with what comes from now on. */
static void tell_gap(struct parley_api_watch *watch) {
    watch->number = watch->api->feed->shows_count;
    watch->above = 0;
    tell(watch, "gap", watch->number, 0, PARLEY_SPAN("{}", 2));
}

/* ---- reading one SHOW --------------------------------------------------------------------- */

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received) {
    struct api_feed *feed = context;
    feed->at.low = entry->header.seq + 1;
    if (api_telling_is_any(entry))
        api_entries_add(&feed->found, api_entry_copy(log, entry, place, received));
    return feed->found.count < TURN_MAX;
}

static void read_show(void *context, struct parley_store *store) {
    struct api_feed *feed = context;
    parley_seq low = feed->at.low;
    enum parley_error error =
        parley_store_entries(store, &feed->at.log, low, feed->at.high, on_entry, feed);
    if (error != PARLEY_E_OK || feed->found.count < TURN_MAX)
        feed->at.low = feed->at.high + 1;
    if (!api_view_read(&feed->view, store, &feed->found))
        api_unread_keep(&feed->unread, PARLEY_E_NO_MEMORY);
    api_unread_keep(&feed->unread, error);
    api_unread_keep(&feed->unread, feed->view.unread);
}

static bool is_for(const struct parley_api_watch *watch, const struct api_telling *telling,
                   const struct api_wanted *wanted, const struct parley_node *node) {
    const struct api_entry *entry = telling->entry;
    if (!watch->is_in || entry->seq <= watch->above ||
        !api_telling_has_tag(telling, watch->filter.tag))
        return false;
    if (!watch->is_all && strcmp(telling->kind, "post") != 0)
        return false;
    return api_filter_shows(&watch->filter, wanted, node, entry) ||
           (watch->is_all && telling->concern != NULL && !watch->filter.has_author &&
            api_filter_may_show(node, entry));
}

/* A watcher may close itself, not others, in its callback. */
static void give_entry(struct api_feed *feed, const struct api_wanted *wanted,
                       const struct api_entry *entry) {
    const struct parley_node *node = parley_host_node(feed->api->host);
    const struct parley_home *home = parley_host_home(feed->api->host);
    struct api_telling telling;
    api_telling_make(&telling, entry, &feed->view, home->has_author ? &home->author : NULL);
    struct parley_api_watch *next;
    for (struct parley_api_watch *watch = feed->watches; telling.plain != NULL && watch != NULL;
         watch = next) {
        next = watch->next;
        if (!is_for(watch, &telling, wanted, node))
            continue;
        bool is_concerned = watch->is_all && telling.with_concern != NULL;
        tell(watch, telling.kind, feed->number, entry->seq,
             is_concerned ? PARLEY_SPAN(telling.with_concern, telling.with_concern_size)
                          : PARLEY_SPAN(telling.plain, telling.plain_size));
    }
    api_telling_clear(&telling);
}

static void give_found(struct api_feed *feed) {
    const struct parley_node *node = parley_host_node(feed->api->host);
    struct api_wanted wanted;
    if (api_wanted_init(&wanted, feed->api->host) &&
        api_view_finish(&feed->view, node, &feed->found))
        for (size_t i = 0; i < feed->found.count; i++)
            give_entry(feed, &wanted, feed->found.items[i]);
    api_wanted_clear(&wanted);
}

static void end_show(struct api_feed *feed) {
    feed->is_within = false;
    for (struct parley_api_watch *watch = feed->watches; watch != NULL; watch = watch->next) {
        if (!watch->is_in)
            continue;
        watch->is_in = false;
        watch->number = feed->number + 1;
        watch->above = 0;
    }
}

/* They lost something that has come. */
static void tell_unread(struct api_feed *feed) {
    struct parley_api_watch *next;
    parley_log_line(PARLEY_LOG_WARNING, "what came cannot be read again: %s; see parley check",
                    parley_strerror(feed->unread));
    for (struct parley_api_watch *watch = feed->watches; watch != NULL; watch = next) {
        next = watch->next;
        if (!watch->is_in)
            continue;
        watch->is_in = false;
        tell_gap(watch);
    }
}

static void take_found(struct api_feed *feed, enum parley_error error) {
    api_unread_keep(&feed->unread, error);
    if (error == PARLEY_E_OK && feed->watches != NULL)
        give_found(feed);
    if (feed->unread != PARLEY_E_OK)
        tell_unread(feed);
    feed->unread = PARLEY_E_OK;
    api_view_clear(&feed->view);
    api_entries_clear(&feed->found);
    if (error != PARLEY_E_OK || feed->at.low > feed->at.high)
        end_show(feed);
}

static void on_read(void *context, enum parley_error error) {
    struct api_feed *feed = context;
    feed->is_reading = false;
    take_found(feed, error);
    read_next(feed);
    api_settle(feed->api);
}

static bool take_fresh(struct api_feed *feed) {
    if (!api_fresh_take(feed->fresh, &feed->at.log, feed->at.low, feed->at.high, &feed->found,
                        &feed->view))
        return false;
    feed->at.low = feed->at.high + 1;
    take_found(feed, PARLEY_E_OK);
    return true;
}

/* ---- which SHOW is next ------------------------------------------------------------------- */

/* The number that whoever is furthest behind waits for; shows_count: nobody waits. */
static uint64_t first_wanted(struct api_feed *feed) {
    uint64_t kept = feed->shows_count > SHOWS_MAX ? feed->shows_count - SHOWS_MAX : 0;
    uint64_t first = feed->shows_count;
    struct parley_api_watch *next;
    for (struct parley_api_watch *watch = feed->watches; watch != NULL; watch = next) {
        next = watch->next;
        if (watch->number < kept)
            tell_gap(watch);
        else if (watch->number < first)
            first = watch->number;
    }
    return first;
}

/* Who waits for the SHOW takes part, and it is read from the first entry that one of them lacks. */
static void begin_show(struct api_feed *feed, uint64_t number) {
    parley_seq above = UINT64_MAX;
    feed->number = number;
    feed->is_within = true;
    feed->at = feed->shows[number % SHOWS_MAX];
    for (struct parley_api_watch *watch = feed->watches; watch != NULL; watch = watch->next) {
        watch->is_in = watch->number == number;
        if (watch->is_in && watch->above < above)
            above = watch->above;
    }
    if (above != UINT64_MAX && above >= feed->at.low)
        feed->at.low = above + 1;
}

static void read_next(struct api_feed *feed) {
    while (!feed->is_reading && feed->watches != NULL) {
        if (!feed->is_within) {
            uint64_t number = first_wanted(feed);
            if (number == feed->shows_count)
                return;
            begin_show(feed, number);
        }
        if (feed->at.low > feed->at.high) {
            end_show(feed);
        } else if (!take_fresh(feed)) {
            feed->is_reading = true;
            parley_host_read(feed->api->host, read_show, on_read, feed);
            return;
        }
    }
}

/* ---- watching ----------------------------------------------------------------------------- */

static const char PROBLEM_MANY[] =
    "{\"status\":503,\"title\":\"too many streams\",\"detail\":\"too many streams at once: try "
    "again\",\"error\":\"RETRY\",\"field\":null}";
static const char PROBLEM_AUTHOR[] =
    "{\"status\":400,\"title\":\"the input is not valid\",\"detail\":\"author must be a whole "
    "parley1... name here\",\"error\":\"BAD_INPUT\",\"field\":\"author\"}";
static const char PROBLEM_TAG[] =
    "{\"status\":400,\"title\":\"the input is not valid\",\"detail\":\"tag must have 1 to 64 "
    "bytes\",\"error\":\"BAD_INPUT\",\"field\":\"tag\"}";

static const char PROBLEM_KINDS[] =
    "{\"status\":400,\"title\":\"the input is not valid\",\"detail\":\"kinds must be posts or "
    "all\",\"error\":\"BAD_INPUT\",\"field\":\"kinds\"}";

static bool refuse_watch(struct parley_api_answer *problem, unsigned status, const char *json) {
    *problem = (struct parley_api_answer){status, "application/problem+json",
                                          PARLEY_SPAN(json, strlen(json)), NULL};
    return false;
}

static const char *find_parameter(const struct parley_api_request *request, const char *name) {
    for (size_t i = 0; i < request->parameters_count; i++)
        if (strcmp(request->parameters[i].name, name) == 0)
            return request->parameters[i].value;
    return NULL;
}

/* False: *problem says why. */
static bool read_parameters(struct parley_api_watch *watch,
                            const struct parley_api_request *request,
                            struct parley_api_answer *problem) {
    const char *author_text = find_parameter(request, "author");
    const char *tag = find_parameter(request, "tag");
    const char *kinds = find_parameter(request, "kinds");
    struct parley_author author;
    if (author_text != NULL &&
        parley_author_decode(&author, PARLEY_SPAN(author_text, strlen(author_text))).error !=
            PARLEY_E_OK)
        return refuse_watch(problem, 400, PROBLEM_AUTHOR);
    if (tag != NULL && (tag[0] == '\0' || strlen(tag) > PARLEY_TAG_BYTES_MAX))
        return refuse_watch(problem, 400, PROBLEM_TAG);
    if (kinds != NULL && strcmp(kinds, "all") != 0 && strcmp(kinds, "posts") != 0)
        return refuse_watch(problem, 400, PROBLEM_KINDS);
    watch->is_all = kinds != NULL && strcmp(kinds, "all") == 0;
    api_filter_init(&watch->filter, watch->api->host, author_text != NULL ? &author : NULL, tag);
    return true;
}

static void begin(struct parley_api_watch *watch, const char *after) {
    struct api_feed *feed = watch->api->feed;
    if (after != NULL && !cursor_decode(watch, feed, after)) {
        tell_gap(watch);
        return;
    }
    if (after == NULL)
        watch->number = feed->shows_count;
    tell(watch, "start", watch->number, watch->above, PARLEY_NO_SPAN);
    read_next(feed);
}

struct parley_api_watch *parley_api_watch_open(struct parley_api *api,
                                               const struct parley_api_request *request,
                                               parley_api_on_event *on_event, void *context,
                                               struct parley_api_answer *problem) {
    struct api_feed *feed = api->feed;
    struct parley_api_watch *watch = NULL;
    if (feed->watches_count < PARLEY_API_WATCHERS_MAX)
        watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        (void)refuse_watch(problem, 503, PROBLEM_MANY);
        return NULL;
    }
    watch->api = api;
    watch->on_event = on_event;
    watch->context = context;
    if (!read_parameters(watch, request, problem)) {
        free(watch);
        return NULL;
    }
    watch->next = feed->watches;
    feed->watches = watch;
    if (feed->watches_count++ == 0)
        api_fresh_listen(feed->fresh, true);
    begin(watch, find_parameter(request, "after"));
    return watch;
}

void parley_api_watch_close(struct parley_api_watch *watch) {
    struct api_feed *feed = watch->api->feed;
    struct parley_api_watch **at = &feed->watches;
    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    if (--feed->watches_count == 0)
        api_fresh_listen(feed->fresh, false);
    free(watch);
}

struct api_feed *api_feed_create(struct parley_api *api) {
    struct api_feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL)
        return NULL;
    feed->api = api;
    feed->epoch = randombytes_random();
    feed->host_watch = (struct parley_host_watch){.on_show = on_show, .context = feed};
    feed->shows = calloc(SHOWS_MAX, sizeof(*feed->shows));
    feed->fresh = api_fresh_create(api->host);
    if (feed->shows == NULL || feed->fresh == NULL) {
        api_fresh_free(feed->fresh);
        free(feed->shows);
        free(feed);
        return NULL;
    }
    parley_host_watch(api->host, &feed->host_watch);
    return feed;
}

void api_feed_close(struct api_feed *feed) {
    parley_host_unwatch(feed->api->host, &feed->host_watch);
    while (feed->watches != NULL)
        parley_api_watch_close(feed->watches);
}

bool api_feed_is_idle(const struct api_feed *feed) {
    return !feed->is_reading;
}

void api_feed_free(struct api_feed *feed) {
    api_view_clear(&feed->view);
    api_entries_clear(&feed->found);
    api_fresh_free(feed->fresh);
    free(feed->shows);
    free(feed);
}
