/* The stream of what comes: each SHOW of the node is read back from the store and given to whoever
 * watches, in the order of the SHOWs. Nothing is read while nobody watches.
 */
#include "api_filter.h"
#include "api_job.h"
#include "api_view.h"
#include <stdlib.h>

/* SHOWs that wait to be read. Beyond it the oldest go: a reader who lost some asks the timeline. */
#define SHOWS_MAX 4096u
#define TURN_MAX  256u /* entries read in one turn */

struct show {
    struct parley_log log;
    parley_seq low, high;
};

struct parley_api_watch {
    struct parley_api *api;
    struct parley_api_watch *next;
    struct api_filter filter;
    parley_api_on_post *on_post;
    void *context;
};

struct api_feed {
    struct parley_api *api;
    struct parley_host_watch host_watch;
    struct parley_api_watch *watches;
    size_t watches_count;
    struct show *shows; /* a ring */
    size_t shows_first, shows_count;
    bool is_reading;
    struct show at; /* being read */
    struct api_entries found;
    struct api_view view;
};

static void read_next(struct api_feed *feed);

static void on_show(void *context, const struct parley_effect *effect) {
    struct api_feed *feed = context;
    if (feed->shows_count == SHOWS_MAX) {
        feed->shows_first = (feed->shows_first + 1) % SHOWS_MAX;
        feed->shows_count--;
    }
    feed->shows[(feed->shows_first + feed->shows_count++) % SHOWS_MAX] =
        (struct show){effect->show.log, effect->show.seq_low, effect->show.seq_high};
    read_next(feed);
}

static bool on_entry(void *context, const struct parley_store_log *log,
                     const struct parley_entry *entry, const struct parley_timeline_place *place,
                     parley_time_ms received) {
    struct api_feed *feed = context;
    feed->at.low = entry->header.seq + 1;
    if (api_entry_is_listed(entry, NULL))
        api_entries_add(&feed->found, api_entry_copy(log, entry, place, received));
    return feed->found.count < TURN_MAX;
}

static void read_show(void *context, struct parley_store *store) {
    struct api_feed *feed = context;
    parley_seq low = feed->at.low;
    if (parley_store_entries(store, &feed->at.log, low, feed->at.high, on_entry, feed) !=
            PARLEY_E_OK ||
        feed->found.count < TURN_MAX)
        feed->at.low = feed->at.high + 1;
    (void)api_view_read(&feed->view, store, &feed->found); /* what there is no memory for lacks */
}

static bool entry_has_tag(const struct api_entry *entry, const char *tag) {
    struct parley_entry plain = {.has_body = true};
    plain.header.version = PARLEY_ENTRY_VERSION;
    plain.body = PARLEY_SPAN(entry->body, entry->body_size);
    return tag[0] == '\0' || api_entry_is_listed(&plain, tag);
}

/* A watcher may close itself, not others, in its callback. */
static void give_entry(struct api_feed *feed, const struct api_wanted *wanted,
                       const struct api_entry *entry) {
    const struct parley_node *node = parley_host_node(feed->api->host);
    json_t *json = api_entry_json(entry, &feed->view);
    size_t size = 0;
    char *text = json != NULL ? api_dump(json, &size) : NULL;
    json_decref(json);
    struct parley_api_watch *next;
    for (struct parley_api_watch *watch = feed->watches; text != NULL && watch != NULL;
         watch = next) {
        next = watch->next;
        if (entry_has_tag(entry, watch->filter.tag) &&
            api_filter_shows(&watch->filter, wanted, node, entry))
            watch->on_post(watch->context, PARLEY_SPAN(text, size));
    }
    free(text);
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

static void on_read(void *context, enum parley_error error) {
    struct api_feed *feed = context;
    feed->is_reading = false;
    if (error == PARLEY_E_OK && feed->watches != NULL)
        give_found(feed);
    api_view_clear(&feed->view);
    api_entries_clear(&feed->found);
    if (error != PARLEY_E_OK)
        feed->at.low = feed->at.high + 1;
    read_next(feed);
    api_settle(feed->api);
}

static void read_next(struct api_feed *feed) {
    if (feed->is_reading || feed->watches == NULL)
        return;
    if (feed->at.low > feed->at.high || feed->at.high == 0) {
        if (feed->shows_count == 0)
            return;
        feed->at = feed->shows[feed->shows_first];
        feed->shows_first = (feed->shows_first + 1) % SHOWS_MAX;
        feed->shows_count--;
    }
    feed->is_reading = true;
    parley_host_read(feed->api->host, read_show, on_read, feed);
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

static struct parley_api_watch *refuse_watch(struct parley_api_answer *problem, unsigned status,
                                             const char *json) {
    *problem = (struct parley_api_answer){status, "application/problem+json",
                                          PARLEY_SPAN(json, strlen(json)), NULL};
    return NULL;
}

static const char *find_parameter(const struct parley_api_request *request, const char *name) {
    for (size_t i = 0; i < request->parameters_count; i++)
        if (strcmp(request->parameters[i].name, name) == 0)
            return request->parameters[i].value;
    return NULL;
}

struct parley_api_watch *parley_api_watch_open(struct parley_api *api,
                                               const struct parley_api_request *request,
                                               parley_api_on_post *on_post, void *context,
                                               struct parley_api_answer *problem) {
    struct api_feed *feed = api->feed;
    const char *author_text = find_parameter(request, "author");
    const char *tag = find_parameter(request, "tag");
    struct parley_author author;
    if (author_text != NULL &&
        parley_author_decode(&author, PARLEY_SPAN(author_text, strlen(author_text))).error !=
            PARLEY_E_OK)
        return refuse_watch(problem, 400, PROBLEM_AUTHOR);
    if (tag != NULL && (tag[0] == '\0' || strlen(tag) > PARLEY_TAG_BYTES_MAX))
        return refuse_watch(problem, 400, PROBLEM_TAG);
    struct parley_api_watch *watch = NULL;
    if (feed->watches_count < PARLEY_API_WATCHERS_MAX)
        watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return refuse_watch(problem, 503, PROBLEM_MANY);
    watch->api = api;
    watch->on_post = on_post;
    watch->context = context;
    api_filter_init(&watch->filter, api->host, author_text != NULL ? &author : NULL, tag);
    if (feed->watches == NULL)
        parley_host_watch(api->host, &feed->host_watch);
    watch->next = feed->watches;
    feed->watches = watch;
    feed->watches_count++;
    return watch;
}

void parley_api_watch_close(struct parley_api_watch *watch) {
    struct api_feed *feed = watch->api->feed;
    struct parley_api_watch **at = &feed->watches;
    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    feed->watches_count--;
    if (feed->watches == NULL) {
        parley_host_unwatch(watch->api->host, &feed->host_watch);
        feed->shows_count = 0;
        if (!feed->is_reading)
            feed->at = (struct show){0};
    }
    free(watch);
}

struct api_feed *api_feed_create(struct parley_api *api) {
    struct api_feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL)
        return NULL;
    feed->api = api;
    feed->host_watch = (struct parley_host_watch){.on_show = on_show, .context = feed};
    feed->shows = calloc(SHOWS_MAX, sizeof(*feed->shows));
    if (feed->shows == NULL) {
        free(feed);
        return NULL;
    }
    return feed;
}

void api_feed_close(struct api_feed *feed) {
    while (feed->watches != NULL)
        parley_api_watch_close(feed->watches);
}

bool api_feed_is_idle(const struct api_feed *feed) {
    return !feed->is_reading;
}

void api_feed_free(struct api_feed *feed) {
    api_view_clear(&feed->view);
    api_entries_clear(&feed->found);
    free(feed->shows);
    free(feed);
}
