/* Attacks the handshake of a listening node over TCP: every bit flipped, flights cut, repeated,
 * reflected, and plain rubbish. Whatever does not know the node key, or touches a flight, must get
 * no byte; an untouched handshake must still complete. TAP on standard output.
 *
 * Usage: prober ADDRESS [--save FILE | --replay FILE]
 *   --save    also keeps the first flights of completed handshakes, for a later replay
 *   --replay  only sends those again (after a restart, say): each must meet silence
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <parley/crypto.h>
#include <parley/link.h>
#include <parley/text.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#define WAVE          48  /* connections at once: well below a node's places */
#define SILENCE_MS    250 /* loopback answers in less than one */
#define PATIENCE_MS   5000
#define FLIGHT_1_SIZE (PARLEY_PRELUDE_BYTES_DEFAULT + PARLEY_LINK_MASK_NONCE_SIZE + 48)
#define FLIGHT_2_SIZE (PARLEY_LINK_MASK_NONCE_SIZE + 48)
#define FLIGHT_3_SIZE 64
#define SAVED_MAX     64

static struct parley_address target;
static struct parley_secret_key own;
static struct parley_random chance_source;
static uint8_t saved[SAVED_MAX][FLIGHT_1_SIZE];
static size_t saved_count;
static int tests, failures;

static void check(bool holds, const char *what, unsigned tries, unsigned wrong) {
    tests++;
    failures += !holds;
    printf("%s %d - %s (%u tries, %u wrong)\n", holds ? "ok" : "not ok", tests, what, tries, wrong);
    fflush(stdout);
}

static _Noreturn void stop(const char *what) {
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(1);
}

static int connect_target(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(target.port)};
    if (inet_pton(AF_INET, target.host, &to.sin_addr) != 1)
        stop("the address must be IPv4");
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        stop("connect");
    return fd;
}

static void send_all(int fd, const uint8_t *data, size_t size) {
    if (send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size)
        stop("send");
}

/* Reads exactly size bytes; false when they do not come in time. */
static bool receive_all(int fd, uint8_t *data, size_t size) {
    for (size_t got = 0; got < size;) {
        struct pollfd wait = {fd, POLLIN, 0};
        if (poll(&wait, 1, PATIENCE_MS) != 1)
            return false;
        ssize_t n = recv(fd, data + got, size - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

static void dialler_init(struct parley_link *link, uint8_t flight[PARLEY_LINK_FLIGHT_MAX]) {
    struct parley_link_chance chance;
    uint8_t prelude[PARLEY_PRELUDE_BYTES_DEFAULT];
    size_t size;
    parley_link_chance_draw(&chance, &chance_source);
    parley_link_prelude_draw(prelude, sizeof prelude, &chance_source);
    if (parley_link_init_dialler(link, &own, &target.key, &chance,
                                 PARLEY_SPAN(prelude, sizeof prelude)) != PARLEY_E_OK ||
        parley_link_start(link, flight, &size) != PARLEY_E_OK || size != FLIGHT_1_SIZE)
        stop("the link");
}

/* Goes on to the third flight, which is not sent. False when the listener did not answer. */
static bool reach_flight_3(int fd, struct parley_link *link, uint8_t flight_2[FLIGHT_2_SIZE],
                           uint8_t flight_3[FLIGHT_3_SIZE]) {
    static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];
    struct parley_link_step step;
    if (!receive_all(fd, flight_2, FLIGHT_2_SIZE) ||
        parley_link_receive(link, NULL, PARLEY_SPAN(flight_2, FLIGHT_2_SIZE), scratch, &step) !=
            PARLEY_E_OK ||
        step.flight_size != FLIGHT_3_SIZE)
        return false;
    memcpy(flight_3, step.flight, FLIGHT_3_SIZE);
    return true;
}

/* How many of these connections got a byte within the time of silence. All are closed. */
static unsigned count_answered(int *fds, size_t count) {
    struct pollfd waits[WAVE];
    bool answered[WAVE] = {false};
    usleep(SILENCE_MS * 1000);
    for (size_t i = 0; i < count; i++)
        waits[i] = (struct pollfd){fds[i], POLLIN, 0};
    if (poll(waits, count, 0) < 0)
        stop("poll");
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t byte;
        answered[i] = waits[i].revents != 0 && recv(fds[i], &byte, 1, MSG_DONTWAIT) > 0;
        wrong += answered[i];
        close(fds[i]);
    }
    return wrong;
}

static void flip(uint8_t *data, size_t bit) {
    data[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* One way to begin a connection that must be met with silence; numbers its cases. */
typedef void (*begin_case)(int fd, size_t number);

static void must_be_silent(const char *what, size_t cases, begin_case begin) {
    unsigned wrong = 0;
    for (size_t first = 0; first < cases; first += WAVE) {
        int fds[WAVE];
        size_t count = cases - first < WAVE ? cases - first : WAVE;
        for (size_t i = 0; i < count; i++) {
            fds[i] = connect_target();
            begin(fds[i], first + i);
        }
        wrong += count_answered(fds, count);
    }
    check(wrong == 0, what, (unsigned)cases, wrong);
}

static void flipped_flight_1(int fd, size_t bit) {
    struct parley_link link;
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX];
    dialler_init(&link, flight);
    flip(flight, bit);
    send_all(fd, flight, FLIGHT_1_SIZE);
}

static void cut_flight_1(int fd, size_t size) {
    struct parley_link link;
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX];
    dialler_init(&link, flight);
    send_all(fd, flight, size);
    if (size % 2 == 0)
        shutdown(fd, SHUT_WR);
}

static unsigned unanswered; /* honest beginnings that got no second flight */

static void begin_honestly(int fd, uint8_t flight_2[FLIGHT_2_SIZE],
                           uint8_t flight_3[FLIGHT_3_SIZE]) {
    struct parley_link link;
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX];
    dialler_init(&link, flight);
    send_all(fd, flight, FLIGHT_1_SIZE);
    if (!reach_flight_3(fd, &link, flight_2, flight_3))
        unanswered++;
}

static void flipped_flight_3(int fd, size_t bit) {
    uint8_t flight_2[FLIGHT_2_SIZE], flight_3[FLIGHT_3_SIZE] = {0};
    begin_honestly(fd, flight_2, flight_3);
    flip(flight_3, bit);
    send_all(fd, flight_3, FLIGHT_3_SIZE);
}

static void cut_flight_3(int fd, size_t size) {
    uint8_t flight_2[FLIGHT_2_SIZE], flight_3[FLIGHT_3_SIZE] = {0};
    begin_honestly(fd, flight_2, flight_3);
    send_all(fd, flight_3, size);
}

static void reflected_flight_2(int fd, size_t number) {
    uint8_t flight_2[FLIGHT_2_SIZE], flight_3[FLIGHT_3_SIZE] = {0};
    begin_honestly(fd, flight_2, flight_3);
    /* Sent back as the third flight, with and without what is missing to its size. */
    send_all(fd, flight_2, number % 2 ? FLIGHT_2_SIZE : FLIGHT_3_SIZE);
}

/* The third flight of another conversation. */
static void foreign_flight_3(int fd, size_t number) {
    uint8_t flight_2[FLIGHT_2_SIZE], flight_3[FLIGHT_3_SIZE] = {0};
    (void)number;
    int other = connect_target();
    begin_honestly(other, flight_2, flight_3);
    close(other);
    uint8_t unused[FLIGHT_3_SIZE];
    begin_honestly(fd, flight_2, unused);
    send_all(fd, flight_3, FLIGHT_3_SIZE);
}

/* To a listener of another key: what a prober without the node key can do at best. */
static void another_key(int fd, size_t number) {
    struct parley_link link;
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX];
    struct parley_node_key right = target.key;
    struct parley_secret_key secret;
    struct parley_seed seed;
    (void)number;
    parley_random_bytes(&chance_source, seed.bytes, sizeof seed.bytes);
    parley_key_pair(&secret, target.key.bytes, &seed);
    dialler_init(&link, flight);
    target.key = right;
    send_all(fd, flight, FLIGHT_1_SIZE);
}

static void random_probe(int fd, size_t number) {
    static const char *const known[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                                        "SSH-2.0-probe\r\n",
                                        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                                        "EHLO x\r\n",
                                        "\x05\x01\x00",
                                        "*1\r\n$4\r\nPING\r\n"};
    uint8_t data[700];
    size_t size = 1 + parley_random_below(&chance_source, sizeof data);
    parley_random_bytes(&chance_source, data, size);
    const char *text = known[number % 6];
    if (number % 4 == 0 && strlen(text) < size)
        memcpy(data, text, strlen(text));
    send_all(fd, data, size);
    if (number % 3 == 0)
        shutdown(fd, SHUT_WR);
}

static void replayed(int fd, size_t number) {
    send_all(fd, saved[number], FLIGHT_1_SIZE);
}

/* An untouched handshake: the listener speaks after the third flight. */
static bool completes(uint8_t *keep) {
    struct parley_link link;
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX], flight_2[FLIGHT_2_SIZE], flight_3[FLIGHT_3_SIZE], byte;
    int fd = connect_target();
    dialler_init(&link, flight);
    send_all(fd, flight, FLIGHT_1_SIZE);
    bool done = reach_flight_3(fd, &link, flight_2, flight_3);
    if (done) {
        send_all(fd, flight_3, FLIGHT_3_SIZE);
        done = receive_all(fd, &byte, 1);
    }
    if (done && keep != NULL)
        memcpy(keep, flight, FLIGHT_1_SIZE);
    close(fd);
    return done;
}

/* Every bit of the answer: the dialler must refuse it. */
static void flipped_flight_2(void) {
    static uint8_t scratch[PARLEY_MESSAGE_BYTES_MAX];
    unsigned wrong = 0, tries = 0;
    uint8_t flight[PARLEY_LINK_FLIGHT_MAX], answer[FLIGHT_2_SIZE];
    struct parley_link link;
    int fd = connect_target();
    dialler_init(&link, flight);
    send_all(fd, flight, FLIGHT_1_SIZE);
    bool got = receive_all(fd, answer, sizeof answer);
    close(fd);
    for (size_t bit = 0; got && bit < 8 * sizeof answer; bit++, tries++) {
        struct parley_link copy = link;
        struct parley_link_step step = {0};
        uint8_t touched[FLIGHT_2_SIZE];
        memcpy(touched, answer, sizeof answer);
        flip(touched, bit);
        wrong += parley_link_receive(&copy, NULL, PARLEY_SPAN(touched, sizeof touched), scratch,
                                     &step) == PARLEY_E_OK ||
                 step.flight_size != 0;
    }
    check(tries == 8 * FLIGHT_2_SIZE && wrong == 0, "every bit of flight 2: refused by the dialler",
          tries, wrong);
}

static void attack_all(void) {
    check(completes(NULL), "an untouched handshake completes", 1, 0);
    must_be_silent("every bit of flight 1: no byte", 8 * FLIGHT_1_SIZE, flipped_flight_1);
    flipped_flight_2();
    must_be_silent("every bit of flight 3: never completes", 8 * FLIGHT_3_SIZE, flipped_flight_3);
    must_be_silent("flight 1 cut at every byte: no byte", FLIGHT_1_SIZE, cut_flight_1);
    must_be_silent("flight 3 cut at every byte: never completes", FLIGHT_3_SIZE, cut_flight_3);
    must_be_silent("flight 2 reflected: never completes", 96, reflected_flight_2);
    must_be_silent("flight 3 of another conversation: never completes", 96, foreign_flight_3);
    must_be_silent("another node's key: no byte", 192, another_key);
    must_be_silent("random probes: no byte", 1000, random_probe);
    check(unanswered == 0, "every honest beginning was answered", 1, unanswered);
    for (saved_count = 0; saved_count < SAVED_MAX; saved_count++)
        if (!completes(saved[saved_count]))
            break;
    check(saved_count == SAVED_MAX, "untouched handshakes still complete", SAVED_MAX,
          (unsigned)(SAVED_MAX - saved_count));
    must_be_silent("a first flight repeated: no byte", saved_count, replayed);
}

static void keep_flights(const char *path, bool save) {
    FILE *file = fopen(path, save ? "wb" : "rb");
    if (file == NULL)
        stop(path);
    size_t done = save ? fwrite(saved, FLIGHT_1_SIZE, saved_count, file)
                       : fread(saved, FLIGHT_1_SIZE, SAVED_MAX, file);
    if (!save)
        saved_count = done;
    if (done == 0 || fclose(file) != 0)
        stop(path);
}

int main(int argc, char **argv) {
    struct parley_seed seed;
    uint8_t key[32];
    bool save = argc == 4 && strcmp(argv[2], "--save") == 0;
    bool replay = argc == 4 && strcmp(argv[2], "--replay") == 0;
    if ((argc != 2 && !save && !replay) ||
        parley_address_decode(&target, PARLEY_SPAN(argv[1], strlen(argv[1]))).error !=
            PARLEY_E_OK) {
        fprintf(stderr, "usage: prober KEY@HOST:PORT [--save FILE | --replay FILE]\n");
        return 2;
    }
    if (parley_crypto_self_test() != PARLEY_E_OK ||
        getrandom(seed.bytes, sizeof seed.bytes, 0) != sizeof seed.bytes)
        stop("getrandom");
    parley_random_init(&chance_source, &seed);
    parley_key_pair(&own, key, &seed);
    if (replay) {
        keep_flights(argv[3], false);
        must_be_silent("first flights repeated after a restart: no byte", saved_count, replayed);
        check(completes(NULL), "an untouched handshake completes", 1, 0);
    } else {
        attack_all();
        if (save)
            keep_flights(argv[3], true);
    }
    printf("1..%d\n", tests);
    return failures != 0;
}
