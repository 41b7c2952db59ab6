/* Peers that mean harm to one real node: each does the real handshake and then floods, asks and
 * does not read, lies, stays silent or sends rubbish; whoever is closed comes back as somebody
 * else. Beside them connections are opened and dropped. One process, one thread.
 *
 * Usage: hostile KEY@HOST:PORT PEERS DROPS
 *   prints `ready` when so many peers have come through a handshake at once or in turn, and every
 *   drop was made; goes on until its standard input ends; then prints its figures as JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <parley/crypto.h>
#include <parley/link.h>
#include <parley/text.h>
#include <parley/wire.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>

#define TICK_MS        10
#define AGAIN_MS       200 /* and as much by chance: who was closed comes back */
#define LIE_EVERY_MS   100
#define DROPS_PER_TICK 5 /* 500 connections a second */
#define DROPS_OPEN     64
#define IN_BYTES       PARLEY_LINK_SEALED_MAX
#define OUT_BYTES      (2 * PARLEY_LINK_SEALED_MAX)
#define PLACES         64

enum kind { FLOODS, ASKS, LIES, SILENT, RUBBISH, KINDS };
enum state { AWAY, LINKING, OPEN };

struct enemy {
    enum kind kind;
    enum state state;
    int fd;
    bool has_linked, is_deaf;
    unsigned session, request;
    uint64_t act_at;
    struct parley_secret_key secret;
    struct parley_node_key key;
    struct parley_link link;
    uint8_t *in, *out;
    size_t in_size, out_size;
};

static struct parley_address target;
static struct parley_random chance;
static struct enemy *enemies;
static size_t enemies_count, linked_count;
static unsigned drops_left, drop_next;
static int drops[DROPS_OPEN];
static uint64_t now_ms;
static struct { unsigned long long sent, received, opened, handshakes, closed; } figures;
/* What it tells, and asks for: a log of the node's, and an entry. */
static struct parley_wire_head head;
static uint8_t seen[PARLEY_MESSAGE_BYTES_MAX];
static size_t seen_size;

static _Noreturn void stop(const char *what) {
    fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t clock_ms(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static int connect_target(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(target.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || inet_pton(AF_INET, target.host, &to.sin_addr) != 1)
        stop("socket");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        stop("connect");
    figures.opened++;
    return fd;
}

/* --- one enemy: bytes ---------------------------------------------------------------------- */

static void leave(struct enemy *enemy) {
    close(enemy->fd);
    if (enemy->state == OPEN)
        figures.closed++;
    parley_link_close(&enemy->link);
    enemy->state = AWAY;
    enemy->act_at = now_ms + AGAIN_MS + parley_random_below(&chance, AGAIN_MS);
}

static void put(struct enemy *enemy, const void *data, size_t size) {
    if (enemy->out_size + size > OUT_BYTES)
        return;
    memcpy(enemy->out + enemy->out_size, data, size);
    enemy->out_size += size;
}

static void say(struct enemy *enemy, const struct parley_wire_message *message) {
    static uint8_t plain[PARLEY_MESSAGE_BYTES_MAX], sealed[PARLEY_LINK_SEALED_MAX];
    struct parley_writer writer;
    struct parley_span bytes;
    size_t size;
    parley_writer_init(&writer, plain, sizeof plain);
    parley_wire_encode(&writer, message);
    if (parley_writer_finish(&writer, &bytes) != PARLEY_E_OK)
        stop("a message");
    if (enemy->out_size + PARLEY_LINK_SEALED_SIZE(bytes.size) > OUT_BYTES)
        return;
    if (parley_link_seal(&enemy->link, sealed, sizeof sealed, &size, bytes) != PARLEY_E_OK)
        stop("a seal");
    put(enemy, sealed, size);
}

static void flush(struct enemy *enemy) {
    ssize_t done = enemy->out_size == 0
                       ? 0
                       : send(enemy->fd, enemy->out, enemy->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (done < 0 && errno != EAGAIN) {
        leave(enemy);
        return;
    }
    if (done <= 0)
        return;
    figures.sent += (unsigned long long)done;
    enemy->out_size -= (size_t)done;
    memmove(enemy->out, enemy->out + done, enemy->out_size);
}

/* --- one enemy: what it says --------------------------------------------------------------- */

static void say_hello(struct enemy *enemy) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_HELLO};
    message.as.hello.version = PARLEY_WIRE_VERSION;
    message.as.hello.features =
        PARLEY_WIRE_RELAY | PARLEY_WIRE_SERVES_RUNS | PARLEY_WIRE_TREE | PARLEY_WIRE_RECONCILES;
    message.as.hello.node_key = enemy->key;
    say(enemy, &message);
    message = (struct parley_wire_message){.type = PARLEY_WIRE_INTEREST};
    message.as.interest.mode = PARLEY_INTEREST_EVERYTHING;
    say(enemy, &message);
}

static void ask_heads(struct enemy *enemy) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_HEADS};
    say(enemy, &message);
}

/* of the newest entry alone, or of all */
static void ask_run(struct enemy *enemy, parley_seq down) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_RUN};
    message.as.ask_run.request = ++enemy->request;
    message.as.ask_run.log = head.log;
    message.as.ask_run.down_seq = down;
    message.as.ask_run.bodies = true;
    message.as.ask_run.bytes_max = PARLEY_WIRE_REQUEST_MAX;
    say(enemy, &message);
}

/* What everybody has, pings, and whatever else wants an answer: as much as the socket takes. */
static void flood(struct enemy *enemy) {
    while (enemy->out_size < OUT_BYTES / 4) {
        struct parley_wire_message message = {.type = PARLEY_WIRE_PING};
        say(enemy, &message);
        if (seen_size > 0) {
            message.type = PARLEY_WIRE_PUSH;
            message.as.push.chunk = PARLEY_SPAN(seen, seen_size);
            say(enemy, &message);
        }
        if (head.seq > 0)
            ask_run(enemy, head.seq - 1);
        ask_heads(enemy);
    }
}

static void ask(struct enemy *enemy) {
    while (enemy->out_size < OUT_BYTES / 4) {
        ask_heads(enemy);
        if (head.seq > 0)
            ask_run(enemy, 0);
    }
    enemy->is_deaf = head.seq > 0;
}

/* Entries of a real log that are nowhere, authors that nobody is, sessions that do not go on. */
static void lie(struct enemy *enemy) {
    static uint8_t buffer[PLACES * 256];
    struct parley_writer writer;
    struct parley_wire_message message = {.type = PARLEY_WIRE_ANNOUNCE};
    parley_writer_init(&writer, buffer, sizeof buffer);
    for (size_t i = 0; i < PLACES; i++) {
        struct parley_wire_place place = {.log = head.log, .seq = head.seq + 1 + i};
        parley_random_bytes(&chance, &place.id, sizeof place.id);
        parley_wire_put_place(&writer, &place);
    }
    message.as.announce.places = parley_wire_list_of(&writer, PLACES);
    say(enemy, &message);
    message = (struct parley_wire_message){.type = PARLEY_WIRE_HEADS};
    parley_writer_init(&writer, buffer, sizeof buffer);
    for (size_t i = 0; i < PLACES; i++) {
        struct parley_wire_author_heads item = {0};
        parley_random_bytes(&chance, &item.author, sizeof item.author);
        parley_wire_put_author_heads(&writer, &item);
    }
    message.as.heads.authors = parley_wire_list_of(&writer, PLACES);
    say(enemy, &message);
    message = (struct parley_wire_message){.type = PARLEY_WIRE_RECONCILE};
    message.as.reconcile.session = enemy->session += 2;
    message.as.reconcile.last = true;
    say(enemy, &message);
}

static void spoil(struct enemy *enemy) {
    uint8_t rubbish[700];
    size_t size = 1 + parley_random_below(&chance, sizeof rubbish);
    parley_random_bytes(&chance, rubbish, sizeof rubbish);
    struct parley_wire_message message = {.type = PARLEY_WIRE_PUSH};
    message.as.push.chunk = PARLEY_SPAN(rubbish, size);
    if (parley_random_below(&chance, 2) == 0)
        put(enemy, rubbish, size); /* under no seal */
    else
        say(enemy, &message);
}

static void act(struct enemy *enemy) {
    switch (enemy->kind) {
    case FLOODS:
        flood(enemy);
        break;
    case ASKS:
        ask(enemy);
        break;
    case LIES:
        lie(enemy);
        enemy->act_at = now_ms + LIE_EVERY_MS;
        break;
    case RUBBISH:
        spoil(enemy);
        enemy->act_at = now_ms + LIE_EVERY_MS;
        break;
    case SILENT:
    case KINDS:
        return;
    }
    flush(enemy);
}

/* --- one enemy: what it hears -------------------------------------------------------------- */

static void learn(struct enemy *enemy, struct parley_span bytes) {
    struct parley_wire_message message;
    struct parley_wire_author_heads item;
    if (parley_wire_decode(&message, bytes).error != PARLEY_E_OK)
        stop("the node's message");
    if (message.type == PARLEY_WIRE_HEADS && head.seq == 0) {
        while (parley_wire_next_author_heads(&message.as.heads.authors, &item))
            while (parley_wire_next_head(&item.heads, &head) && head.seq > 0)
                ask_run(enemy, head.seq - 1);
    } else if (message.type == PARLEY_WIRE_RUN && message.as.run.chunk.size > 0 && seen_size == 0) {
        seen_size = message.as.run.chunk.size;
        memcpy(seen, message.as.run.chunk.data, seen_size);
    }
}

static void on_open(struct enemy *enemy) {
    enemy->state = OPEN;
    enemy->act_at = now_ms + parley_random_below(&chance, LIE_EVERY_MS);
    figures.handshakes++;
    linked_count += !enemy->has_linked;
    enemy->has_linked = true;
    bool is_mute = enemy->kind == SILENT && enemy->session % 4 == 0;
    enemy->session = 2; /* half of the silent ones do not even say hello the second time */
    if (!is_mute)
        say_hello(enemy);
    if (enemy->kind != SILENT)
        ask_heads(enemy);
}

static void hear(struct enemy *enemy) {
    static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];
    size_t at = 0;
    while (enemy->state != AWAY && at < enemy->in_size) {
        struct parley_link_step step;
        if (parley_link_receive(&enemy->link, NULL,
                                PARLEY_SPAN(enemy->in + at, enemy->in_size - at), scratch,
                                &step) != PARLEY_E_OK)
            stop("the node's bytes");
        if (step.consumed == 0)
            break;
        at += step.consumed;
        put(enemy, step.flight, step.flight_size);
        if (enemy->state == LINKING && enemy->link.state == PARLEY_LINK_OPEN)
            on_open(enemy);
        if (step.message.size > 0)
            learn(enemy, step.message);
    }
    enemy->in_size -= at;
    memmove(enemy->in, enemy->in + at, enemy->in_size);
}

static void receive(struct enemy *enemy) {
    ssize_t done = recv(enemy->fd, enemy->in + enemy->in_size, IN_BYTES - enemy->in_size, 0);
    if (done == 0 || (done < 0 && errno != EAGAIN)) {
        leave(enemy);
        return;
    }
    if (done < 0)
        return;
    figures.received += (unsigned long long)done;
    enemy->in_size += (size_t)done;
    hear(enemy);
    if (enemy->state != AWAY)
        flush(enemy);
}

static void come(struct enemy *enemy, int poll_fd) {
    struct parley_seed seed;
    struct parley_link_chance fresh;
    uint8_t prelude[PARLEY_PRELUDE_BYTES_DEFAULT], flight[PARLEY_LINK_FLIGHT_MAX];
    size_t size;
    parley_random_bytes(&chance, seed.bytes, sizeof seed.bytes);
    parley_key_pair(&enemy->secret, enemy->key.bytes, &seed);
    parley_link_chance_draw(&fresh, &chance);
    parley_link_prelude_draw(prelude, sizeof prelude, &chance);
    if (parley_link_init_dialler(&enemy->link, &enemy->secret, &target.key, &fresh,
                                 PARLEY_SPAN(prelude, sizeof prelude)) != PARLEY_E_OK ||
        parley_link_start(&enemy->link, flight, &size) != PARLEY_E_OK)
        stop("the link");
    enemy->fd = connect_target();
    enemy->state = LINKING;
    enemy->is_deaf = false;
    enemy->in_size = enemy->out_size = 0;
    put(enemy, flight, size);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = enemy};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, enemy->fd, &event) != 0)
        stop("epoll");
}

/* --- all of them --------------------------------------------------------------------------- */

/* Opened, and dropped half a second later: without a word, in the midst of one, or with a reset. */
static void drop_some(void) {
    for (unsigned i = 0; i < DROPS_PER_TICK && drops_left > 0; i++, drops_left--) {
        int *place = &drops[drop_next++ % DROPS_OPEN];
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        if (*place >= 0 && drop_next % 3 == 0)
            (void)setsockopt(*place, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        if (*place >= 0 && drop_next % 3 == 1)
            (void)send(*place, seen, 60, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (*place >= 0)
            close(*place);
        *place = connect_target();
    }
}

static void tick(int poll_fd) {
    now_ms = clock_ms();
    for (size_t i = 0; i < enemies_count; i++) {
        struct enemy *enemy = &enemies[i];
        if (enemy->state == AWAY && now_ms >= enemy->act_at)
            come(enemy, poll_fd);
        else if (enemy->state == OPEN && now_ms >= enemy->act_at)
            act(enemy);
        if (enemy->state == OPEN && !enemy->is_deaf)
            receive(enemy); /* once deaf it may have left something there */
    }
    drop_some();
}

static bool is_over(void) {
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    char byte;
    return poll(&input, 1, 0) == 1 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static void run(void) {
    int poll_fd = epoll_create1(EPOLL_CLOEXEC);
    uint64_t ticked = 0;
    bool is_ready = false;
    while (!is_over()) {
        struct epoll_event events[256];
        int count = epoll_wait(poll_fd, events, 256, TICK_MS);
        for (int i = 0; i < count; i++) {
            struct enemy *enemy = events[i].data.ptr;
            if (enemy->state != AWAY && (events[i].events & EPOLLOUT) != 0)
                flush(enemy);
            if (enemy->state != AWAY && !enemy->is_deaf)
                receive(enemy);
        }
        if (clock_ms() - ticked >= TICK_MS) {
            tick(poll_fd);
            ticked = now_ms;
        }
        if (!is_ready && linked_count == enemies_count && drops_left == 0) {
            is_ready = true;
            printf("ready\n");
            fflush(stdout);
        }
    }
    printf("{\"opened\": %llu, \"handshakes\": %llu, \"closed\": %llu, \"sent\": %llu, "
           "\"received\": %llu}\n",
           figures.opened, figures.handshakes, figures.closed, figures.sent, figures.received);
}

int main(int argc, char **argv) {
    struct parley_seed seed;
    struct rlimit limit;
    if (argc != 4 || parley_address_decode(&target, PARLEY_SPAN(argv[1], strlen(argv[1]))).error !=
                         PARLEY_E_OK) {
        fprintf(stderr, "usage: hostile KEY@HOST:PORT PEERS DROPS\n");
        return 2;
    }
    if (parley_crypto_self_test() != PARLEY_E_OK ||
        getrandom(seed.bytes, sizeof seed.bytes, 0) != sizeof seed.bytes)
        stop("getrandom");
    parley_random_init(&chance, &seed);
    enemies_count = (size_t)atoi(argv[2]);
    drops_left = (unsigned)atoi(argv[3]);
    memset(drops, -1, sizeof drops);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        stop("descriptors");
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    enemies = calloc(enemies_count + 1, sizeof *enemies);
    for (size_t i = 0; i < enemies_count; i++) {
        enemies[i].kind = (enum kind)(i % KINDS);
        enemies[i].session = (unsigned)(i / KINDS) * 2;
        enemies[i].in = malloc(IN_BYTES);
        enemies[i].out = malloc(OUT_BYTES);
        enemies[i].act_at = clock_ms() + i; /* a thousand a second */
    }
    run();
    return 0;
}
