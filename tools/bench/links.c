/* Many peers of one node in one process, each over a sealed link of its own: JSON lines and times.
 *
 *   links ADDRESS fan COUNT POSTS   COUNT links that want everything. Says "ready", then one line
 *                                   `SEQ NANOSECONDS` for each push that arrives, by the monotonic
 *                                   clock, until every link has had POSTS of them.
 *   links ADDRESS serve POSTS       one link that finds out by a session what there is, as a peer
 *                                   that has nothing yet, asks for every run, opens what comes and
 *                                   keeps nothing, until it has had POSTS entries.
 */
#include "figures.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <parley/crypto.h>
#include <parley/link.h>
#include <parley/log.h>
#include <parley/reconcile.h>
#include <parley/text.h>
#include <parley/wire.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINKS_MAX    4000u
#define IN_BYTES_MAX (4u * PARLEY_LINK_SEALED_MAX) /* read at once; a message and a part of one */
#define ASKS_MAX     28u                           /* on the way: as many as a node has */
#define HEADS_MAX    65536u
#define SESSION      2u
#define TURN_MAX     (48u << 10) /* in one message of a turn; more go into the next */
#define EVENTS_MAX   256
#define PATIENCE_MS  60000
#define OUT_BYTES    (8u << 20) /* all lines of a run: who reads them does so at the end */

struct peer {
    int socket;
    struct parley_link link;
    uint8_t *in;
    size_t in_size, in_max;
    unsigned pushes_count;
};

struct wanted {
    struct parley_log log;
    parley_seq seq;
};

static struct peer peers[LINKS_MAX];
static size_t peers_count, done_count;
static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX]; /* the message that is being read */
static uint8_t composed[PARLEY_MESSAGE_BYTES_MAX], sealed[PARLEY_LINK_SEALED_MAX];
static struct wanted heads[HEADS_MAX];
static size_t heads_count, heads_asked, asks_count;
static uint64_t entries_count, bytes_count;
static unsigned posts_wanted;
static bool is_fan;
static char out[OUT_BYTES];

static _Noreturn void stop(const char *what) {
    fprintf(stderr, "links: %s\n", what);
    exit(4);
}

static void send_all(const struct peer *peer, const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t sent = send(peer->socket, data, size, MSG_NOSIGNAL);
        if (sent <= 0)
            stop("the node does not listen any more");
        data += sent;
        size -= (size_t)sent;
    }
}

static void say(struct peer *peer, const struct parley_wire_message *message) {
    struct parley_writer writer;
    struct parley_span bytes;
    size_t size = 0;
    parley_writer_init(&writer, composed, sizeof composed);
    parley_wire_encode(&writer, message);
    if (parley_writer_finish(&writer, &bytes) != PARLEY_E_OK ||
        parley_link_seal(&peer->link, sealed, sizeof sealed, &size, bytes) != PARLEY_E_OK)
        stop("a message does not fit");
    send_all(peer, sealed, size);
}

/* ---- what there is ------------------------------------------------------------------------- */

static struct parley_reconcile nothing;
static struct parley_reconcile_bucket buckets[8];
static struct parley_reconcile_item no_item;
static uint8_t turn[TURN_MAX];
static struct parley_reconcile_out answers;

static bool found_what_is_here(void *context, const struct parley_reconcile_found *found) {
    (void)context;
    return found == NULL; /* nothing is */
}

static void say_turn(struct peer *peer, bool is_last) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_RECONCILE};
    message.as.reconcile.session = SESSION;
    message.as.reconcile.last = is_last;
    message.as.reconcile.ranges = parley_wire_list_of(&answers.writer, answers.count);
    say(peer, &message);
    parley_writer_init(&answers.writer, turn, sizeof turn);
    answers.count = 0;
}

static void open_session(struct peer *peer) {
    uint8_t key[PARLEY_RECONCILE_KEY_SIZE];
    if (parley_reconcile_buckets_for(1) > sizeof buckets / sizeof *buckets)
        stop("more buckets for nothing");
    parley_reconcile_key(key, &peer->link, SESSION);
    parley_reconcile_init(&nothing, key, &no_item, buckets, 1);
    nothing.room = HEADS_MAX;
    parley_writer_init(&answers.writer, turn, sizeof turn);
    say_turn(peer, true);
}

static void on_reconcile(struct peer *peer, const struct parley_wire_reconcile *said) {
    struct parley_wire_list ranges = said->ranges;
    struct parley_wire_range range;
    while (parley_wire_next_range(&ranges, &range)) {
        if (answers.writer.size + PARLEY_RECONCILE_ANSWER_MAX > sizeof turn ||
            answers.count + 8 > PARLEY_WIRE_RANGES_MAX)
            say_turn(peer, false);
        parley_reconcile_answer(&nothing, &answers, &range, found_what_is_here, NULL);
    }
    if (said->last && said->ranges.count > 0)
        say_turn(peer, true);
}

/* ---- runs ---------------------------------------------------------------------------------- */

static void ask_next(struct peer *peer) {
    while (heads_asked < heads_count && asks_count < ASKS_MAX) {
        struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_RUN};
        message.as.ask_run.request = heads_asked;
        message.as.ask_run.log = heads[heads_asked].log;
        message.as.ask_run.kind = PARLEY_RUN_FROM_HEAD;
        message.as.ask_run.bodies = true;
        message.as.ask_run.bytes_max = UINT32_MAX;
        heads_asked++;
        asks_count++;
        say(peer, &message);
    }
}

static void on_heads(const struct parley_wire_heads *told) {
    struct parley_wire_list authors = told->authors;
    struct parley_wire_author_heads item;
    struct parley_wire_head head;
    while (parley_wire_next_author_heads(&authors, &item))
        while (parley_wire_next_head(&item.heads, &head))
            if (head.seq > 0 && heads_count < HEADS_MAX)
                heads[heads_count++] = (struct wanted){head.log, head.seq};
}

static void on_run(const struct parley_wire_run *run) {
    struct parley_chunk chunk;
    if (run->chunk.size > 0 && parley_chunk_decode(&chunk, run->chunk).error == PARLEY_E_OK) {
        entries_count += chunk.count;
        bytes_count += run->chunk.size;
    }
    asks_count -= run->last;
}

/* ---- pushes -------------------------------------------------------------------------------- */

static void on_push(struct peer *peer, struct parley_span bytes) {
    struct timespec now;
    struct parley_chunk chunk;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK)
        stop("a push that is no chunk");
    printf("%llu %lld\n", (unsigned long long)chunk.seq_first,
           (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    if (++peer->pushes_count == posts_wanted)
        done_count++;
}

static void on_message(struct peer *peer, struct parley_span bytes) {
    struct parley_wire_message message;
    if (parley_wire_decode(&message, bytes).error != PARLEY_E_OK)
        stop("a message that does not decode");
    if (message.type == PARLEY_WIRE_GOODBYE)
        stop("the node says goodbye");
    if (message.type == PARLEY_WIRE_PUSH)
        on_push(peer, message.as.push.chunk);
    if (message.type == PARLEY_WIRE_HEADS && !is_fan)
        on_heads(&message.as.heads);
    if (message.type == PARLEY_WIRE_RECONCILE && message.as.reconcile.session == SESSION)
        on_reconcile(peer, &message.as.reconcile);
    if (message.type == PARLEY_WIRE_RUN)
        on_run(&message.as.run);
}

static void read_peer(struct peer *peer) {
    ssize_t got = recv(peer->socket, peer->in + peer->in_size, peer->in_max - peer->in_size, 0);
    if (got <= 0)
        stop("the node closed a link");
    peer->in_size += (size_t)got;
    size_t at = 0;
    for (;;) {
        struct parley_link_step step;
        if (parley_link_receive(&peer->link, NULL, PARLEY_SPAN(peer->in + at, peer->in_size - at),
                                scratch, &step) != PARLEY_E_OK)
            stop("a link broke");
        if (step.consumed == 0)
            break;
        at += step.consumed;
        if (step.flight_size > 0)
            send_all(peer, step.flight, step.flight_size);
        if (step.message.size > 0)
            on_message(peer, step.message);
    }
    memmove(peer->in, peer->in + at, peer->in_size - at);
    peer->in_size -= at;
}

/* ---- connecting ---------------------------------------------------------------------------- */

static void introduce(struct peer *peer, const struct parley_node_key *key) {
    struct parley_wire_message hello = {.type = PARLEY_WIRE_HELLO};
    struct parley_wire_message interest = {.type = PARLEY_WIRE_INTEREST};
    hello.as.hello.version = PARLEY_WIRE_VERSION;
    hello.as.hello.features = is_fan ? 0 : PARLEY_WIRE_RECONCILES;
    hello.as.hello.node_key = *key;
    interest.as.interest.mode = PARLEY_INTEREST_EVERYTHING;
    say(peer, &hello);
    say(peer, &interest);
    if (!is_fan)
        open_session(peer);
}

static void connect_peer(struct peer *peer, const struct parley_address *target) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(target->port)};
    struct parley_seed seed;
    struct parley_secret_key own;
    struct parley_node_key key;
    struct parley_link_chance chance;
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX];
    size_t size = 0;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed ||
        getrandom(&chance, sizeof chance, 0) != sizeof chance)
        stop("no chance");
    parley_key_pair(&own, key.bytes, &seed);
    peer->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (inet_pton(AF_INET, target->host, &to.sin_addr) != 1 || peer->socket < 0 ||
        connect(peer->socket, (struct sockaddr *)&to, sizeof to) != 0)
        stop("cannot connect");
    (void)setsockopt(peer->socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    peer->in_max = is_fan ? PARLEY_LINK_SEALED_MAX : IN_BYTES_MAX;
    peer->in = malloc(peer->in_max);
    if (peer->in == NULL ||
        parley_link_init_dialler(&peer->link, &own, &target->key, &chance,
                                 PARLEY_SPAN("benchbenchbenchb", PARLEY_PRELUDE_BYTES_DEFAULT)) !=
            PARLEY_E_OK ||
        parley_link_start(&peer->link, flight, &size) != PARLEY_E_OK)
        stop("no link");
    send_all(peer, flight, size);
    while (peer->link.state == PARLEY_LINK_HANDSHAKING)
        read_peer(peer);
    introduce(peer, &key);
}

static bool is_done(void) {
    return is_fan ? done_count == peers_count : entries_count >= posts_wanted;
}

static void run(void) {
    struct epoll_event events[EVENTS_MAX];
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < peers_count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &peers[i]};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, peers[i].socket, &event) != 0)
            stop("epoll");
    }
    while (!is_done()) {
        int count = epoll_wait(poll, events, EVENTS_MAX, PATIENCE_MS);
        if (count <= 0)
            stop("nothing comes");
        for (int i = 0; i < count; i++)
            read_peer(events[i].data.ptr);
        if (!is_fan)
            ask_next(&peers[0]);
    }
}

int main(int argc, char **argv) {
    struct parley_address target;
    is_fan = argc == 5 && strcmp(argv[2], "fan") == 0;
    if (!is_fan && !(argc == 4 && strcmp(argv[2], "serve") == 0)) {
        fprintf(stderr, "usage: links ADDRESS fan COUNT POSTS | links ADDRESS serve POSTS\n");
        return 2;
    }
    if (parley_crypto_self_test() != PARLEY_E_OK ||
        parley_address_decode(&target, PARLEY_SPAN(argv[1], strlen(argv[1]))).error != PARLEY_E_OK)
        stop("what address is that?");
    (void)setvbuf(stdout, out, _IOFBF, sizeof out);
    peers_count = is_fan ? strtoul(argv[3], NULL, 10) : 1;
    posts_wanted = (unsigned)strtoul(argv[argc - 1], NULL, 10);
    if (peers_count < 1 || peers_count > LINKS_MAX || posts_wanted < 1)
        stop("too many, or none");
    struct rlimit limit = {peers_count + 64, peers_count + 64};
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    for (size_t i = 0; i < peers_count; i++)
        connect_peer(&peers[i], &target);
    double began = now_s();
    if (is_fan)
        printf("ready\n");
    (void)fflush(stdout);
    run();
    if (!is_fan)
        printf("{\"bench\":\"serve\",\"posts\":%llu,\"per_second\":%.0f,\"bytes_per_post\":%.1f}\n",
               (unsigned long long)entries_count, (double)entries_count / (now_s() - began),
               (double)bytes_count / (double)entries_count);
    return 0;
}
