/* A machine that becomes one's own: from the recovery words (recover), or without them and without
 * a root key, by what the first machine says of it (init --join). Both work where nothing is, and
 * again where they were cut off, or where the device that is here does not count any more. */
#include "command.h"
#include "home.h"
#include "key_file.h"
#include "keys.h"
#include "terminal.h"
#include <parley/crypto.h>
#include <string.h>

static int say_problem(const struct parley_problem *problem) {
    return complain(parley_exit_status(problem->error), "%s", problem->text);
}

static int resolve(char path[PATH_MAX], struct parley_home_state *state,
                   const struct options *options) {
    struct parley_problem problem = {0};
    if (parley_home_resolve(path, options->home, &problem) != PARLEY_E_OK)
        return say_problem(&problem);
    parley_home_inspect(state, path);
    return EXIT_DONE;
}

static const struct key_device *this_device(const struct key_state *state) {
    for (size_t i = 0; i < state->devices_count; i++)
        if (state->devices[i].is_this)
            return &state->devices[i];
    return NULL;
}

static bool is_in(const struct key_device *device, const char *word) {
    return device != NULL && strcmp(device->state, word) == 0;
}

static int read_device_key(struct parley_key_file *key, const char *path) {
    struct parley_problem problem = {0};
    char file[PATH_MAX + 16];
    snprintf(file, sizeof file, "%s/device.key", path);
    *key = (struct parley_key_file){.kind = PARLEY_KEY_FILE_DEVICE};
    enum parley_error error = parley_key_file_read(key, file, &problem);
    return error == PARLEY_E_OK ? EXIT_DONE : say_problem(&problem);
}

/* ---- recover ------------------------------------------------------------------------------- */

/* Secret: wipe. */
struct recovery {
    const struct options *options;
    struct client *client;
    struct key_state state;
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_secret_key root;
    struct parley_key_file key; /* the device's */
    bool has_new_device;
};

static int say_recovered(const struct options *options, const struct key_state *state) {
    const struct key_device *device = this_device(state);
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
    printf(
        "Start parleyd and connect to a friend or a relay: posts, follows and profile come back\n"
        "from whoever holds them. If you have ever rotated, then type parley recover once more.\n"
        "A device that was lost: parley device list, and parley device revoke.\n");
    return EXIT_DONE;
}

static int say_what_is_here(const struct options *options, struct client *client) {
    struct key_state state;
    int status = keys_read(&state, client);
    if (status == EXIT_DONE)
        status = say_recovered(options, &state);
    keys_clear(&state);
    return status;
}

/* The certificate of the device here, or of a new one; and what the old one said stays. */
static int certify(struct recovery *recovery) {
    uint8_t data[2][PARLEY_STATEMENT_BYTES_MAX];
    const struct key_state *state = &recovery->state;
    const struct key_device *device = this_device(state);
    struct parley_secret_key secret;
    struct parley_span records[2];
    uint8_t public_key[32];
    size_t count = 1;
    parley_key_pair(&secret, public_key, &recovery->key.seed);
    enum parley_error error =
        parley_certificate_make(&records[0], data[0], sizeof data[0], &recovery->root, &secret,
                                &state->author, state->generation);
    parley_wipe(&secret, sizeof secret);
    if (error == PARLEY_E_OK && recovery->has_new_device && is_in(device, "void") &&
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
    const struct key_device *device = this_device(&recovery->state);
    recovery->has_new_device = !is_in(device, "open") && !is_in(device, "waiting");
    if (!recovery->has_new_device)
        return read_device_key(&recovery->key, path);
    randombytes_buf(recovery->key.seed.bytes, sizeof recovery->key.seed.bytes);
    return EXIT_DONE;
}

static int recover_here(struct recovery *recovery, const char *path) {
    struct key_state *state = &recovery->state;
    struct parley_root_key public_key;
    int status = keys_read(state, recovery->client);
    if (status == EXIT_DONE && !state->is_revealed)
        status = complain(EXIT_NO, "nothing is known here of this person's keys yet: connect to "
                                   "the first machine, a friend or a relay");
    if (status == EXIT_DONE)
        status = keys_ask_words_of(recovery->entropy, &state->author);
    if (status == EXIT_DONE)
        status = choose_device(recovery, path);
    if (status != EXIT_DONE)
        return status;
    parley_root_derive(&recovery->root, &public_key, recovery->entropy, state->generation);
    if (!is_in(this_device(state), "open"))
        status = certify(recovery);
    if (status == EXIT_DONE)
        status = keys_write(recovery->client, recovery->options, state,
                            recovery->has_new_device ? &recovery->key.seed : NULL, &recovery->root,
                            state->generation);
    return status == EXIT_DONE ? say_what_is_here(recovery->options, recovery->client) : status;
}

static int recover_home(const struct options *options, const char *path) {
    struct recovery recovery = {.options = options};
    int status;
    recovery.client = client_open(options, false, &status);
    if (recovery.client != NULL) {
        status = recover_here(&recovery, path);
        client_close(recovery.client);
    }
    keys_clear(&recovery.state);
    parley_wipe(&recovery, sizeof recovery);
    return status;
}

static int recover_nothing(const struct options *options, const char *path) {
    struct parley_problem problem = {0};
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    int status = keys_ask_words(entropy);
    if (status == EXIT_DONE && parley_home_recover(path, entropy, &problem) != PARLEY_E_OK)
        status = say_problem(&problem);
    parley_wipe(entropy, sizeof entropy);
    if (status != EXIT_DONE)
        return status;
    struct client *client = client_open(options, false, &status);
    if (client == NULL)
        return status;
    status = say_what_is_here(options, client);
    client_close(client);
    return status;
}

int command_recover(const struct options *options) {
    struct parley_home_state state;
    char path[PATH_MAX];
    int status = keys_check_dash(options, "recover");
    if (status == EXIT_DONE)
        status = resolve(path, &state, options);
    if (status != EXIT_DONE)
        return status;
    return state.has_device_key ? recover_home(options, path) : recover_nothing(options, path);
}

/* ---- join ---------------------------------------------------------------------------------- */

static int say_request(const struct options *options, const struct parley_device_request *request) {
    char text[PARLEY_DEVICE_REQUEST_TEXT_SIZE], device[65];
    parley_device_request_encode(text, request);
    parley_hex_encode(device, request->device.bytes, sizeof request->device.bytes);
    if (options->json) {
        char author[PARLEY_AUTHOR_TEXT_SIZE];
        parley_author_encode(author, &request->author);
        json_t *json = json_pack("{s:s, s:s, s:i, s:s}", "author", author, "device", device,
                                 "generation", (int)request->generation, "request", text);
        print_json(json);
        json_decref(json);
        return EXIT_DONE;
    }
    printf("device  %s\n\nOn the machine that has the root key, type:\n\n  parley device add %s\n",
           device, text);
    return EXIT_DONE;
}

static int say_request_of(const struct options *options, const char *path, uint8_t generation) {
    struct parley_device_request request;
    struct parley_secret_key secret;
    struct parley_key_file key;
    uint8_t public_key[32];
    int status = read_device_key(&key, path);
    if (status != EXIT_DONE)
        return status;
    parley_key_pair(&secret, public_key, &key.seed);
    parley_device_request_make(&request, &secret, &key.author, generation);
    parley_wipe(&secret, sizeof secret);
    parley_wipe(&key, sizeof key);
    return say_request(options, &request);
}

/* A device that was ended gets another key: no certificate opens its log again. */
static int join_again(const struct options *options, struct client *client,
                      const struct key_state *state) {
    const struct key_device *device = this_device(state);
    struct parley_seed seed;
    if (is_in(device, "open"))
        return complain(EXIT_NO, "this device is one of yours already");
    if (is_in(device, "waiting"))
        return EXIT_DONE;
    randombytes_buf(seed.bytes, sizeof seed.bytes);
    int status = keys_write(client, options, state, &seed, NULL, 0);
    parley_wipe(&seed, sizeof seed);
    return status;
}

static int join_home(const struct options *options, const char *path,
                     const struct parley_author *author, uint8_t generation) {
    struct key_state state;
    int status;
    struct client *client = client_open(options, false, &status);
    if (client == NULL)
        return status;
    status = keys_read(&state, client);
    if (status == EXIT_DONE && !PARLEY_EQUAL(state.author, *author))
        status = complain(EXIT_NO, "there is an identity in %s already", path);
    if (status == EXIT_DONE)
        status = join_again(options, client, &state);
    if (state.is_revealed && state.generation > generation)
        generation = state.generation;
    keys_clear(&state);
    client_close(client);
    return status == EXIT_DONE ? say_request_of(options, path, generation) : status;
}

int command_join(const struct options *options) {
    struct parley_problem problem = {0};
    struct parley_home_state state;
    struct parley_author author;
    char path[PATH_MAX];
    uint64_t generation;
    if (options->name != NULL || options->relay)
        return complain(EXIT_USAGE, "--join stands without --name and --relay");
    if (!option_number(options->generation, 0, &generation) ||
        generation >= PARLEY_GENERATIONS_COUNT)
        return complain(EXIT_USAGE, "--generation must be a number from 0 to %u",
                        PARLEY_GENERATIONS_COUNT - 1);
    if (parley_author_decode(&author, PARLEY_SPAN(options->join, strlen(options->join))).error !=
        PARLEY_E_OK)
        return complain(EXIT_NO, "--join: that is no author, or a letter of it is wrong: it must "
                                 "be the whole parley1...");
    int status = resolve(path, &state, options);
    if (status != EXIT_DONE)
        return status;
    if (state.has_device_key)
        return join_home(options, path, &author, (uint8_t)generation);
    if (parley_home_join(path, &author, &problem) != PARLEY_E_OK)
        return say_problem(&problem);
    return say_request_of(options, path, (uint8_t)generation);
}
