/* A machine that becomes one's own, from the recovery words: where nothing is, and again where that
 * was cut off, or where the device that is here does not count any more. Which root key counts only
 * others know; whoever is named is asked before the certificate is made. */
#include "command.h"
#include "home.h"
#include "key_file.h"
#include "keys.h"
#include "terminal.h"
#include <parley/crypto.h>
#include <string.h>
#include <time.h>

/* ---- recover ------------------------------------------------------------------------------- */

/* Secret: wipe. */
struct recovery {
    const struct options *options;
    const char *address; /* whom to ask; NULL: nobody */
    struct client *client;
    struct key_state state;
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_secret_key root;
    struct parley_key_file key; /* the device's */
    bool has_new_device;
};

static int say_recovered(const struct recovery *recovery) {
    const struct options *options = recovery->options;
    const struct key_state *state = &recovery->state;
    const struct key_device *device = keys_this(state);
    char author[PARLEY_AUTHOR_TEXT_SIZE], key[65] = "";
    parley_author_encode(author, &state->author);
    if (device != NULL)
        parley_hex_encode(key, device->device.bytes, sizeof device->device.bytes);
    if (options->json) {
        json_t *json = json_pack("{s:s, s:s, s:i}", "author", author, "device", key, "generation",
                                 (int)state->generation);
        print_json(json);
        json_decref(json);
        return EXIT_DONE;
    }
    printf("author  %s\ndevice  %s\n\n", author, key);
    /* Generation 0 may have been rotated away where nobody was asked. */
    bool is_sure = recovery->address != NULL || state->generation > 0;
    fputs("Start parleyd and connect to a friend or a relay: posts, follows and profile come back\n"
          "from whoever holds them.",
          stdout);
    if (is_sure)
        printf(" The root key here is number %u.\n", state->generation);
    else
        fputs(" If you have ever rotated, your root key is not this one:\n"
              "then type parley recover ADDRESS, with the address of a friend or a relay.\n",
              stdout);
    fputs("A device that was lost: parley device list, and parley device revoke.\n", stdout);
    return EXIT_DONE;
}

static int say_what_is_here(struct recovery *recovery) {
    keys_clear(&recovery->state);
    int status = keys_read(&recovery->state, recovery->client);
    return status == EXIT_DONE ? say_recovered(recovery) : status;
}

/* The certificate of the device here, or of a new one; and what the old one said stays. */
static int certify(struct recovery *recovery) {
    uint8_t data[2][PARLEY_STATEMENT_BYTES_MAX];
    const struct key_state *state = &recovery->state;
    const struct key_device *device = keys_this(state);
    struct parley_secret_key secret;
    struct parley_span records[2];
    uint8_t public_key[32];
    size_t count = 1;
    parley_key_pair(&secret, public_key, &recovery->key.seed);
    enum parley_error error =
        parley_certificate_make(&records[0], data[0], sizeof data[0], &recovery->root, &secret,
                                &state->author, state->generation);
    parley_wipe(&secret, sizeof secret);
    if (error == PARLEY_E_OK && recovery->has_new_device && keys_is_in(device, "void") &&
        device->held_seq != 0)
        error = parley_closing_make(&records[count++], data[1], sizeof data[1], &recovery->root,
                                    &state->author, state->generation, &device->device,
                                    device->held_seq, &device->held_id);
    return error == PARLEY_E_OK ? keys_send(recovery->client, records, count)
                                : complain(EXIT_SYSTEM, "the certificate cannot be made: %s",
                                           parley_strerror(error));
}

/* An open log goes on; one that waits for a certificate never had an entry that counted. */
static int choose_device(struct recovery *recovery, const char *path) {
    const struct key_device *device = keys_this(&recovery->state);
    recovery->has_new_device = !keys_is_in(device, "open") && !keys_is_in(device, "waiting");
    if (!recovery->has_new_device)
        return keys_read_device(&recovery->key, path);
    randombytes_buf(recovery->key.seed.bytes, sizeof recovery->key.seed.bytes);
    return EXIT_DONE;
}

/* ---- what others know ---------------------------------------------------------------------- */

#define HEARING_MS_MAX 20000u
#define QUIET_MS       3000u /* a set of records comes at once, and is whole by then */
#define STEP_MS        100u

static uint64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int connect_to(struct client *client, const char *address) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/peers"};
    json_t *answer;
    int status =
        client_call_json(client, &request, json_pack("{s:s}", "address", address), &answer);
    json_decref(answer);
    return status;
}

/* Until it is known which root key counts, or a device of before is: then what one peer has of this
 * person is here. *is_known: false when nothing came. */
static int hear(struct recovery *recovery, bool *is_known) {
    size_t devices = 1;
    uint8_t generation = 0;
    progress_watch("asking who has this person's records");
    int status = connect_to(recovery->client, recovery->address);
    uint64_t end = now_ms() + HEARING_MS_MAX;
    while (status == EXIT_DONE && now_ms() < end) {
        struct key_state state;
        client_wait(recovery->client, STEP_MS);
        status = keys_read(&state, recovery->client);
        bool is_new = state.generation != generation || state.devices_count > devices;
        if (status == EXIT_DONE && is_new) {
            end = now_ms() + QUIET_MS;
            *is_known = true;
            generation = state.generation;
            devices = state.devices_count;
        }
        keys_clear(&state);
    }
    progress_unwatch();
    return status;
}

/* ---- the command --------------------------------------------------------------------------- */

/* With the words in hand. */
static int recover_from(struct recovery *recovery, const char *path) {
    struct key_state *state = &recovery->state;
    struct parley_root_key public_key;
    bool asks = recovery->address != NULL, is_known = false;
    int status = asks ? hear(recovery, &is_known) : EXIT_DONE;
    if (status == EXIT_DONE)
        status = keys_read(state, recovery->client);
    if (status == EXIT_DONE && !state->is_revealed)
        status = complain(EXIT_NO, "nothing is known here of this person's keys yet: connect to "
                                   "the first machine, a friend or a relay");
    if (status == EXIT_DONE)
        status = choose_device(recovery, path);
    if (status != EXIT_DONE)
        return status;
    parley_root_derive(&recovery->root, &public_key, recovery->entropy, state->generation);
    if (!keys_is_in(keys_this(state), "open"))
        status = certify(recovery);
    if (status == EXIT_DONE)
        status = keys_write(recovery->client, recovery->options, state,
                            recovery->has_new_device ? &recovery->key.seed : NULL, &recovery->root,
                            state->generation);
    if (status == EXIT_DONE)
        status = say_what_is_here(recovery);
    if (status == EXIT_DONE && asks && !is_known)
        status =
            complain(EXIT_TIMED_OUT,
                     "%s told of nothing that is this person's: connect to whoever has it, and "
                     "if you have ever rotated, then type parley recover once more",
                     recovery->address);
    return status;
}

/* Of a home that is somebody's already the words must be theirs. */
static int ask_words(struct recovery *recovery) {
    struct key_state state;
    int status = keys_read(&state, recovery->client);
    if (status == EXIT_DONE)
        status = keys_ask_words_of(recovery->entropy, &state.author);
    keys_clear(&state);
    return status;
}

static int recover(struct recovery *recovery, const char *path, bool is_here) {
    struct parley_problem problem = {0};
    struct options online = *recovery->options;
    int status = is_here ? EXIT_DONE : keys_ask_words(recovery->entropy);
    if (status == EXIT_DONE && !is_here &&
        parley_home_recover(path, recovery->entropy, &problem) != PARLEY_E_OK)
        status = complain(parley_exit_status(problem.error), "%s", problem.text);
    if (status != EXIT_DONE)
        return status;
    online.is_online = recovery->address != NULL;
    recovery->client = client_open(&online, false, &status);
    if (recovery->client == NULL)
        return status;
    if (is_here)
        status = ask_words(recovery);
    if (status == EXIT_DONE)
        status = recover_from(recovery, path);
    client_close(recovery->client);
    keys_clear(&recovery->state);
    return status;
}

/* An address may stand there: of a peer that has what is this person's. */
static int read_address(struct recovery *recovery) {
    const struct options *options = recovery->options;
    struct parley_address address;
    const char *word = options->arguments_count > 0 ? options->arguments[0] : "-";
    if (parley_address_decode(&address, PARLEY_SPAN(word, strlen(word))).error == PARLEY_E_OK)
        recovery->address = word;
    else if (strncmp(word, "pnode", 5) == 0)
        return complain(EXIT_NO, "%s is no address, or a letter of it is wrong: KEY@HOST:PORT",
                        word);
    return recovery->address != NULL ? EXIT_DONE : keys_check_dash(options, "recover");
}

int command_recover(const struct options *options) {
    struct recovery recovery = {.options = options};
    struct parley_home_state state;
    char path[PATH_MAX];
    int status = read_address(&recovery);
    if (status == EXIT_DONE)
        status = keys_inspect(path, &state, options);
    if (status == EXIT_DONE)
        status = recover(&recovery, path, state.has_device_key);
    parley_wipe(&recovery, sizeof recovery);
    return status;
}
