#include "api_host.h"
#include "../../node/shell/finding.h"
#include "../../node/shell/invites.h"
#include "fuzz.h"
#include "node_message.h"

#define LATER_MAX 16384u

struct parley_host {
    bool is_made;
    struct parley_home home;
    struct parley_api *api;
    struct parley_id own_first; /* the node says its time itself */
    struct parley_host_watch *watch;
    uint8_t how;
    api_host_on_event *on_event;
    const void *context;
    parley_request next_request;
    /* in order: a read, or a reply */
    struct later {
        parley_host_work *work;
        parley_host_done *done;
        parley_host_on_reply *on_reply;
        void *context;
        enum parley_event_kind kind;
    } later[LATER_MAX];
    size_t later_first, later_end;
};
static struct parley_host host;

/* ---- the node that is asked */

static void say(const struct parley_wire_message *message) {
    puppet_put(&world.puppets[0], message_write(message));
    puppet_deliver(&world.puppets[0], SIZE_MAX);
    world_settle();
}

static void follow(const struct person *person) {
    struct parley_event event = {.kind = PARLEY_EVENT_FOLLOW};
    event.follow.author = person->author;
    event.follow.on = true;
    world_ask(&event);
    world_settle();
}

static void import(const struct person *person, size_t entries_count) {
    struct parley_event event = {.kind = PARLEY_EVENT_IMPORT_CHUNK};
    event.import.bytes = people_chunk(person, 0, 1, entries_count, true, false);
    world_ask(&event);
    world_settle();
}

/* The owner's own; what a peer pushes of them is not taken. Before the follows, which are in the
 * same log, so that the first is a post. */
static void publish_own(void) {
    for (size_t i = 0; i < CHAIN_SIZE; i++) {
        struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
        event.publish.body = people[0].chain[0][i].body;
        event.publish.time = people[0].chain[0][i].header.time;
        world_ask(&event);
        world_settle();
    }
}

static void make(void) {
    people_make();
    world_begin(false);
    puppet_connect(&world.puppets[0]);
    world_settle();
    say(message_make(&world.puppets[0], PARLEY_WIRE_HELLO, 0, 0));
    FUZZ_HOLDS(world.entries_count == 0);
    publish_own();
    host.own_first = world.entries[0].id;
    for (size_t i = 1; i < PEOPLE_COUNT; i++) {
        follow(&people[i]);
        say(message_records(&people[i], 0));
        import(&people[i], i < 2 ? CHAIN_SIZE : 4);
    }
    FUZZ_HOLDS(world.puppets[0].is_there);
    for (size_t i = 1; i < PEOPLE_COUNT; i++)
        FUZZ_HOLDS(world_is_told(&people[i].chain[0][3].id));
    host.home.author = people[0].author;
    host.home.device = people[0].device_key;
    host.home.log = people[0].log;
    host.api = parley_api_create(&host);
    FUZZ_HOLDS(host.api != NULL);
    host.is_made = true;
}

void api_host_begin(uint8_t how, api_host_on_event *on_event, const void *context) {
    if (!host.is_made)
        make();
    host.how = how;
    host.on_event = on_event;
    host.context = context;
    host.home.has_author = host.home.has_device = (how & 16) == 0;
    host.later_first = host.later_end = 0;
}

struct parley_api *api_host_api(void) {
    return host.api;
}

struct parley_api *api_host_make(void) {
    struct parley_api *api = parley_api_create(&host);
    FUZZ_HOLDS(api != NULL);
    return api;
}

static size_t take(struct parley_span *rest, size_t size) {
    *rest = PARLEY_SPAN(rest->data + size, rest->size - size);
    return size;
}

/* Made once: an input of names alone would be about their checksums. */
static const char *name_of(bool is_post, const struct person *person) {
    static char names[2][PEOPLE_COUNT][API_HOST_NAME_MAX];
    char *name = names[is_post][person - people];
    if (name[0] != '\0')
        return name;
    if (is_post) {
        struct parley_post_address post = {.log = person->log, .seq = 1};
        const struct parley_id *id = person == people ? &host.own_first : &person->chain[0][0].id;
        memcpy(post.id_start, id->bytes, sizeof post.id_start);
        parley_post_address_encode(name, &post);
    } else {
        parley_author_encode(name, &person->author);
    }
    return name;
}

size_t api_host_put_name(char *out, struct parley_span *rest) {
    uint8_t first = rest->data[0];
    bool is_name = (first == '$' || first == '%') && rest->size > 1 && rest->data[1] >= '0' &&
                   rest->data[1] < '0' + (int)PEOPLE_COUNT;
    if (!is_name) {
        out[0] = (char)first;
        (void)take(rest, 1);
        return first != 0;
    }
    const char *name = name_of(first == '%', &people[rest->data[1] - '0']);
    size_t size = strlen(name);
    (void)take(rest, 2);
    memcpy(out, name, size);
    return size;
}

/* ---- later */

static struct later *put_off(void *context) {
    FUZZ_HOLDS(host.later_end < LATER_MAX);
    struct later *later = &host.later[host.later_end++];
    *later = (struct later){.context = context};
    return later;
}

static void reply(const struct later *later) {
    static const enum parley_error errors[] = {
        PARLEY_E_OK,   PARLEY_E_OK,     PARLEY_E_READ_ONLY, PARLEY_E_DISK_FULL,
        PARLEY_E_FULL, PARLEY_E_EXISTS, PARLEY_E_BAD_INPUT, PARLEY_E_UNKNOWN_AUTHOR};
    struct parley_effect effect = {.kind = PARLEY_EFFECT_REPLY};
    effect.reply.error = errors[host.how & 7];
    if (effect.reply.error == PARLEY_E_OK &&
        (later->kind == PARLEY_EVENT_PUBLISH || later->kind == PARLEY_EVENT_FOLLOW)) {
        effect.reply.log = people[0].log;
        effect.reply.seq = 3;
        effect.reply.id = people[0].chain[0][2].id;
    }
    effect.reply.count = 1;
    later->on_reply(later->context, &effect);
}

void api_host_run(void) {
    while (host.later_first < host.later_end) {
        struct later later = host.later[host.later_first++];
        bool fails = host.how & 8;
        if (later.on_reply != NULL) {
            reply(&later);
            continue;
        }
        if (!fails)
            later.work(later.context, world.store);
        later.done(later.context, fails ? PARLEY_E_RETRY : PARLEY_E_OK);
    }
    (void)uv_run(uv_default_loop(), UV_RUN_NOWAIT); /* timers of an API that was freed go */
}

void api_host_show(void) {
    struct parley_effect show = {.kind = PARLEY_EFFECT_SHOW};
    show.show.author = people[1].author;
    show.show.log = people[1].log;
    show.show.seq_low = 1;
    show.show.seq_high = 4;
    show.show.id = people[1].chain[0][3].id;
    for (struct parley_host_watch *watch = host.watch; watch != NULL; watch = watch->next)
        watch->on_show(watch->context, &show);
}

/* ---- node/shell/host.h */

parley_request parley_host_submit(struct parley_host *to, struct parley_event *event,
                                  parley_host_on_reply *on_reply, void *context) {
    to->on_event(event, to->context);
    struct later *later = put_off(context);
    later->on_reply = on_reply;
    later->kind = event->kind;
    return ++to->next_request;
}

/* Nobody waits here: RETRY is one of the answers. */
void parley_host_submit_patiently(struct parley_host *to, const struct parley_event *event,
                                  parley_host_on_reply *on_reply, void *context) {
    struct parley_event copy = *event;
    (void)parley_host_submit(to, &copy, on_reply, context);
}

void parley_host_read(struct parley_host *of, parley_host_work *work, parley_host_done *done,
                      void *context) {
    (void)of;
    struct later *later = put_off(context);
    later->work = work;
    later->done = done;
}

void parley_host_watch(struct parley_host *of, struct parley_host_watch *watch) {
    watch->next = of->watch;
    of->watch = watch;
}

void parley_host_unwatch(struct parley_host *of, struct parley_host_watch *watch) {
    struct parley_host_watch **at = &of->watch;
    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
}

const struct parley_node *parley_host_node(const struct parley_host *of) {
    (void)of;
    return world.node;
}

uv_loop_t *parley_host_loop(struct parley_host *of) {
    (void)of;
    return uv_default_loop();
}

const struct parley_home *parley_host_home(const struct parley_host *of) {
    return &of->home;
}

/* No thread commits here: streams read what they tell of. */
void parley_host_listen_commits(struct parley_host *of, parley_host_on_commit *on_commit,
                                void *context) {
    (void)of, (void)on_commit, (void)context;
}

void parley_host_compact(struct parley_host *of) {
    (void)of;
}

bool parley_host_is_compacting(const struct parley_host *of) {
    (void)of;
    return false;
}

/* The index of words is filled when the first asks, as in a command. */
bool parley_host_is_offline(const struct parley_host *of) {
    (void)of;
    return true;
}

bool parley_host_is_relay(const struct parley_host *of) {
    return of->how & 32;
}

const char *parley_host_listener_text(const struct parley_host *of, size_t index) {
    return index == 0 && of->how & 128 ? "somewhere:7373" : NULL;
}

uint64_t parley_host_store_bytes(struct parley_host *of) {
    (void)of;
    return 1000;
}

uint64_t parley_host_quota_bytes(const struct parley_host *of) {
    (void)of;
    return 0;
}

enum parley_error parley_host_store_error(const struct parley_host *of) {
    return of->how & 64 ? PARLEY_E_DISK_FULL : PARLEY_E_OK;
}

enum parley_error parley_host_read_keys(struct parley_host *of, struct parley_problem *problem) {
    return of->how & 64 ? parley_problem_set(problem, PARLEY_E_DISK_FULL, "no room") : PARLEY_E_OK;
}

parley_time_ms parley_host_uptime(const struct parley_host *of) {
    (void)of;
    return 5000;
}

void parley_host_counts(const struct parley_host *of, struct parley_host_counts *out) {
    (void)of;
    *out = (struct parley_host_counts){.published_count = 1};
}

/* ---- how it is found: it is not */

bool parley_finding_lan(const struct parley_finding *finding) {
    (void)finding;
    return false;
}

bool parley_finding_nat(struct parley_finding *finding, struct parley_nat_status *status) {
    (void)finding;
    (void)status;
    return false;
}

size_t parley_finding_places(struct parley_finding *finding, struct parley_address *places,
                             size_t places_max) {
    (void)finding;
    (void)places;
    (void)places_max;
    return 0;
}

enum parley_reach parley_finding_reach(struct parley_finding *finding, const char **words) {
    (void)finding;
    *words = "nobody looked";
    return PARLEY_REACH_UNKNOWN;
}

enum parley_error parley_invites_make(struct parley_invites *invites, struct parley_invite *invite,
                                      bool is_private, unsigned days,
                                      struct parley_problem *problem) {
    (void)invites;
    (void)invite;
    (void)is_private;
    (void)days;
    return parley_problem_set(problem, PARLEY_E_NOT_FOUND, "nobody can reach this node");
}

enum parley_error parley_invites_accept(struct parley_invites *invites,
                                        const struct parley_invite *invite, bool is_private,
                                        parley_invites_done *done, void *context,
                                        struct parley_problem *problem) {
    (void)invites;
    (void)invite;
    (void)is_private;
    (void)done;
    (void)context;
    return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "of another network");
}
