/* A machine that becomes one's own without the words and without a root key, by what the first
 * machine says of it (init --join): where nothing is, and again where that was cut off, or where
 * the device that is here does not count any more. */
#include "command.h"
#include "home.h"
#include "key_file.h"
#include "keys.h"
#include "terminal.h"
#include <parley/crypto.h>
#include <string.h>

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
    int status = keys_read_device(&key, path);
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
    const struct key_device *device = keys_this(state);
    struct parley_seed seed;
    if (keys_is_in(device, "open"))
        return complain(EXIT_NO, "this device is one of yours already");
    if (keys_is_in(device, "waiting"))
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
    int status = keys_inspect(path, &state, options);
    if (status != EXIT_DONE)
        return status;
    if (state.has_device_key)
        return join_home(options, path, &author, (uint8_t)generation);
    if (parley_home_join(path, &author, &problem) != PARLEY_E_OK)
        return complain(parley_exit_status(problem.error), "%s", problem.text);
    return say_request_of(options, path, (uint8_t)generation);
}
