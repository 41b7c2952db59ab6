#include "keys.h"
#include "home.h"
#include "key_file.h"
#include "terminal.h"
#include <parley/bundle.h>
#include <parley/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what there is ------------------------------------------------------------------------- */

static bool hex_member(const json_t *json, const char *name, uint8_t *bytes, size_t size) {
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL && parley_hex_decode(bytes, size, PARLEY_SPAN(text, strlen(text)));
}

static parley_seq seq_member(const json_t *json, const char *name) {
    return (parley_seq)json_integer_value(json_object_get(json, name));
}

static bool read_device(struct key_device *device, const json_t *json) {
    *device = (struct key_device){
        .state = json_string_value(json_object_get(json, "state")),
        .is_this = json_is_true(json_object_get(json, "this")),
        .seq = seq_member(json, "seq"),
        .held_seq = seq_member(json, "held_seq"),
        .json = json,
    };
    bool has_id = hex_member(json, "id", device->id.bytes, sizeof device->id.bytes);
    bool has_held = hex_member(json, "held_id", device->held_id.bytes, sizeof device->id.bytes);
    return device->state != NULL && has_id == (device->seq != 0) &&
           has_held == (device->held_seq != 0) &&
           hex_member(json, "device", device->device.bytes, sizeof device->device.bytes);
}

static bool read_state(struct key_state *state) {
    const char *author = json_string_value(json_object_get(state->json, "author"));
    const json_t *list = json_object_get(state->json, "devices"), *item;
    const json_t *generation = json_object_get(state->json, "generation");
    size_t i;
    if (author == NULL ||
        parley_author_decode(&state->author, PARLEY_SPAN(author, strlen(author))).error !=
            PARLEY_E_OK)
        return false;
    state->is_revealed = json_is_integer(generation);
    state->generation = (uint8_t)json_integer_value(generation);
    state->devices = calloc(json_array_size(list) + 1, sizeof(*state->devices));
    if (state->devices == NULL)
        return false;
    json_array_foreach(list, i, item) {
        if (!read_device(&state->devices[state->devices_count++], item))
            return false;
    }
    return true;
}

int keys_read(struct key_state *state, struct client *client) {
    struct client_request request = {.method = PARLEY_API_GET, .path = "/v1/devices"};
    *state = (struct key_state){0};
    int status = client_call_json(client, &request, NULL, &state->json);
    if (status == EXIT_DONE && !read_state(state))
        status = complain(EXIT_SYSTEM, "the node speaks of its devices in another way: it is of "
                                       "another version");
    return status;
}

void keys_clear(struct key_state *state) {
    free(state->devices);
    json_decref(state->json);
    *state = (struct key_state){0};
}

const struct key_device *keys_find(const struct key_state *state, const char *text, int *status) {
    const struct key_device *found = NULL;
    size_t size = strlen(text);
    for (size_t i = 0; i < state->devices_count; i++) {
        const struct key_device *device = &state->devices[i];
        char hex[65];
        parley_hex_encode(hex, device->device.bytes, sizeof device->device.bytes);
        bool is_meant = strcmp(text, "this") == 0
                            ? device->is_this
                            : size >= 4 && size <= 64 && strncmp(hex, text, size) == 0;
        if (is_meant && found != NULL) {
            *status =
                complain(EXIT_NO, "%s is the beginning of several devices: type more of it", text);
            return NULL;
        }
        found = is_meant ? device : found;
    }
    if (found == NULL)
        *status = complain(EXIT_NO,
                           "no device of yours begins with %s: parley device list has "
                           "them (at least four digits)",
                           text);
    return found;
}

/* ---- the home ------------------------------------------------------------------------------ */

int keys_inspect(char path[PATH_MAX], struct parley_home_state *state,
                 const struct options *options) {
    struct parley_problem problem = {0};
    if (parley_home_resolve(path, options->home, &problem) != PARLEY_E_OK)
        return complain(parley_exit_status(problem.error), "%s", problem.text);
    parley_home_inspect(state, path);
    return EXIT_DONE;
}

int keys_read_device(struct parley_key_file *key, const char *path) {
    struct parley_problem problem = {0};
    char file[PATH_MAX + 16];
    snprintf(file, sizeof file, "%s/device.key", path);
    *key = (struct parley_key_file){.kind = PARLEY_KEY_FILE_DEVICE};
    enum parley_error error = parley_key_file_read(key, file, &problem);
    return error == PARLEY_E_OK ? EXIT_DONE
                                : complain(parley_exit_status(error), "%s", problem.text);
}

const struct key_device *keys_this(const struct key_state *state) {
    for (size_t i = 0; i < state->devices_count; i++)
        if (state->devices[i].is_this)
            return &state->devices[i];
    return NULL;
}

bool keys_is_in(const struct key_device *device, const char *word) {
    return device != NULL && strcmp(device->state, word) == 0;
}

/* ---- the root key -------------------------------------------------------------------------- */

static int home_path(char path[PATH_MAX], const struct options *options, const char *name) {
    struct parley_problem problem = {0};
    struct parley_home home = {.lock = -1, .lease_lock = -1};
    if (parley_home_resolve(home.path, options->home, &problem) != PARLEY_E_OK)
        return complain(parley_exit_status(problem.error), "%s", problem.text);
    if (!parley_home_file(path, &home, name))
        return complain(EXIT_SYSTEM, "the path of the home is too long");
    return EXIT_DONE;
}

/* *is_here: root.key is of this person and generation. */
static int read_root_file(struct parley_secret_key *root, bool *is_here,
                          const struct options *options, const struct key_state *state) {
    struct parley_problem problem = {0};
    struct parley_key_file key = {.kind = PARLEY_KEY_FILE_ROOT};
    char path[PATH_MAX];
    uint8_t public_key[32];
    int status = home_path(path, options, "root.key");
    *is_here = false;
    if (status != EXIT_DONE)
        return status;
    enum parley_error error = parley_key_file_read(&key, path, &problem);
    if (error == PARLEY_E_OK) {
        *is_here = PARLEY_EQUAL(key.author, state->author) && key.generation == state->generation;
        parley_key_pair(root, public_key, &key.seed);
    }
    parley_wipe(&key, sizeof key);
    if (error == PARLEY_E_OK || error == PARLEY_E_NOT_FOUND)
        return EXIT_DONE;
    return complain(parley_exit_status(error), "%s", problem.text);
}

int keys_root(struct parley_secret_key *root, const struct options *options,
              const struct key_state *state) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_root_key public_key;
    bool is_here;
    int status = read_root_file(root, &is_here, options, state);
    if (status != EXIT_DONE || is_here)
        return status;
    status = keys_ask_words_of(entropy, &state->author);
    if (status == EXIT_DONE)
        parley_root_derive(root, &public_key, entropy, state->generation);
    parley_wipe(entropy, sizeof entropy);
    return status;
}

/* ---- to the node --------------------------------------------------------------------------- */

static bool put_section(struct parley_writer *writer, struct parley_span record) {
    parley_write_array(writer, 2);
    parley_write_uint(writer, PARLEY_SECTION_RECORD);
    parley_write_bin(writer, record);
    return !writer->overflowed;
}

/* What the node passed over is no use to the owner: all or nothing. */
static int judge_answer(const json_t *json, size_t count) {
    const json_t *problem = json_object_get(json, "problem");
    const json_t *passed = json_array_get(json_object_get(json, "passed"), 0);
    if (json_is_object(problem))
        return client_complain(problem,
                               (unsigned)json_integer_value(json_object_get(problem, "status")));
    if (passed != NULL || (size_t)json_integer_value(json_object_get(json, "records")) != count)
        return complain(EXIT_NO, "the node did not take the record: %s; see parley device list",
                        passed != NULL ? json_string_value(json_object_get(passed, "detail"))
                                       : "another one came first");
    return EXIT_DONE;
}

int keys_send(struct client *client, const struct parley_span *records, size_t count) {
    struct client_request request = {.method = PARLEY_API_POST,
                                     .path = "/v1/import",
                                     .content_type = "application/octet-stream"};
    struct parley_writer writer;
    size_t size = 64;
    bool fits = true;
    for (size_t i = 0; i < count; i++)
        size += records[i].size + 16;
    uint8_t *page = malloc(size);
    if (page == NULL)
        return complain(EXIT_SYSTEM, "out of memory");
    parley_writer_init(&writer, page, size);
    for (size_t i = 0; i < count; i++)
        fits = fits && put_section(&writer, records[i]);
    int status = fits ? EXIT_DONE : complain(EXIT_SYSTEM, "the records do not fit");
    json_t *json = NULL;
    request.body = PARLEY_SPAN(page, writer.size);
    if (fits)
        status = client_call_json(client, &request, NULL, &json);
    if (status == EXIT_DONE)
        status = judge_answer(json, count);
    json_decref(json);
    free(page);
    return status;
}

static int write_key(const struct options *options, const char *name, struct parley_key_file *key) {
    struct parley_problem problem = {0};
    char path[PATH_MAX];
    int status = home_path(path, options, name);
    if (status == EXIT_DONE && parley_key_file_write(path, key, &problem) != PARLEY_E_OK)
        status = complain(parley_exit_status(problem.error), "%s", problem.text);
    parley_wipe(key, sizeof *key);
    return status;
}

int keys_write(struct client *client, const struct options *options, const struct key_state *state,
               const struct parley_seed *device, const struct parley_secret_key *root,
               uint8_t generation) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/keys"};
    struct parley_key_file key = {.kind = PARLEY_KEY_FILE_ROOT, .author = state->author};
    json_t *answer = NULL;
    int status = EXIT_DONE;
    if (root != NULL) {
        key.generation = generation;
        memcpy(key.seed.bytes, root->bytes, sizeof key.seed.bytes);
        status = write_key(options, "root.key", &key);
    }
    if (status == EXIT_DONE && device != NULL) {
        key = (struct parley_key_file){
            .kind = PARLEY_KEY_FILE_DEVICE, .author = state->author, .seed = *device};
        status = write_key(options, "device.key", &key);
    }
    if (status == EXIT_DONE)
        status = client_call_json(client, &request, json_object(), &answer);
    json_decref(answer);
    return status;
}
