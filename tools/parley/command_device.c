/* The person's devices: list, add, revoke. */
#include "command.h"
#include "keys.h"
#include "terminal.h"
#include <parley/crypto.h>
#include <string.h>

/* ---- list ---------------------------------------------------------------------------------- */

static void print_since(const char *word, const json_t *time) {
    char text[32];
    if (!json_is_integer(time))
        return;
    print_time(text, json_integer_value(time));
    printf("  %s %s", word, text);
}

static void print_device(const struct key_device *device) {
    printf("%s  %s%s", json_string_value(json_object_get(device->json, "device")), device->state,
           device->is_this ? "  this device" : "");
    printf("%s %llu", strcmp(device->state, "closed") == 0 ? " at" : "  newest",
           (unsigned long long)device->seq);
    print_since("since", json_object_get(device->json, "since"));
    print_since("until", json_object_get(device->json, "latest"));
    printf("\n");
}

static int list_devices(const struct options *options, const struct key_state *state) {
    for (size_t i = 0; i < state->devices_count; i++) {
        if (options->json)
            print_json(state->devices[i].json);
        else
            print_device(&state->devices[i]);
    }
    return client_unread(state->json);
}

/* ---- add ----------------------------------------------------------------------------------- */

/* What to type on the new machine. */
static int say_how_to_join(const struct options *options, const struct key_state *state) {
    char author[PARLEY_AUTHOR_TEXT_SIZE], generation[32] = "";
    parley_author_encode(author, &state->author);
    if (state->generation > 0)
        snprintf(generation, sizeof generation, " --generation %u", state->generation);
    if (options->json) {
        json_t *json =
            json_pack("{s:s, s:i}", "author", author, "generation", (int)state->generation);
        print_json(json);
        json_decref(json);
        return EXIT_DONE;
    }
    printf("On the new machine, type:\n\n  parley init --join %s%s\n\n"
           "It prints a line to type here. No key leaves a machine.\n",
           author, generation);
    return EXIT_DONE;
}

static int check_request(struct parley_device_request *request, const char *text,
                         const struct key_state *state) {
    struct parley_fault fault =
        parley_device_request_decode(request, PARLEY_SPAN(text, strlen(text)));
    if (fault.error != PARLEY_E_OK || !parley_device_request_holds(request))
        return complain(EXIT_NO,
                        "this is no request of a device, or a letter of it is wrong: it "
                        "begins with pdevice- and is %u letters long",
                        PARLEY_DEVICE_REQUEST_TEXT_SIZE - 1);
    if (!PARLEY_EQUAL(request->author, state->author))
        return complain(EXIT_NO, "the request is to join another person");
    if (request->generation != state->generation)
        return complain(EXIT_NO,
                        "the request is for generation %u, and it is %u now: type parley "
                        "device add, and there what it says",
                        request->generation, state->generation);
    return EXIT_DONE;
}

static int say_added(const struct options *options, const struct parley_device_request *request) {
    char device[65];
    parley_hex_encode(device, request->device.bytes, sizeof request->device.bytes);
    if (options->json) {
        json_t *json = json_pack("{s:s}", "device", device);
        print_json(json);
        json_decref(json);
        return EXIT_DONE;
    }
    printf("device %s is yours now\nIt must be the one that the new machine shows. There, start "
           "parleyd and connect it to this\nmachine, a friend or a relay; or bring it parley "
           "export on a stick.\n",
           device);
    return EXIT_DONE;
}

static int add_device(const struct options *options, struct client *client,
                      const struct key_state *state) {
    uint8_t bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_device_request request;
    struct parley_secret_key root;
    struct parley_span record;
    if (options->arguments_count < 2)
        return say_how_to_join(options, state);
    int status = check_request(&request, options->arguments[1], state);
    for (size_t i = 0; status == EXIT_DONE && i < state->devices_count; i++)
        if (PARLEY_EQUAL(state->devices[i].device, request.device) &&
            strcmp(state->devices[i].state, "open") != 0)
            return complain(EXIT_NO, "this device was revoked: on it, type parley init --join "
                                     "again for another key");
    if (status == EXIT_DONE)
        status = keys_root(&root, options, state);
    if (status != EXIT_DONE)
        return status;
    enum parley_error error =
        parley_certificate_grant(&record, bytes, sizeof bytes, &root, &request);
    parley_wipe(&root, sizeof root);
    if (error != PARLEY_E_OK)
        return complain(EXIT_SYSTEM, "the certificate cannot be made: %s", parley_strerror(error));
    status = keys_send(client, &record, 1);
    return status == EXIT_DONE ? say_added(options, &request) : status;
}

/* ---- revoke -------------------------------------------------------------------------------- */

struct place {
    parley_seq seq;
    struct parley_id id;
};

/* The post that is to be its last good one. */
static int place_of_post(struct place *place, const struct options *options,
                         const struct key_device *device, struct client *client) {
    struct client_request request = {
        .method = PARLEY_API_GET, .path = "/v1/posts/", .rest = options->last};
    json_t *json = NULL;
    const char *of = json_string_value(json_object_get(device->json, "device"));
    int status = client_call_json(client, &request, NULL, &json);
    const char *by = json_string_value(json_object_get(json, "device"));
    const char *id = json_string_value(json_object_get(json, "id"));
    if (status == EXIT_DONE && (by == NULL || strcmp(by, of) != 0))
        status = complain(EXIT_NO, "%s is not a post of that device", options->last);
    else if (status == EXIT_DONE &&
             (id == NULL || !parley_hex_decode(place->id.bytes, sizeof place->id.bytes,
                                               PARLEY_SPAN(id, strlen(id)))))
        status = complain(EXIT_SYSTEM, "the node does not tell the post's id");
    if (status == EXIT_DONE)
        place->seq = (parley_seq)json_integer_value(json_object_get(json, "seq"));
    json_decref(json);
    return status;
}

static int choose_place(struct place *place, const struct options *options,
                        const struct key_device *device, struct client *client) {
    bool is_closed = strcmp(device->state, "closed") == 0;
    *place = (struct place){device->seq, device->id};
    if (options->last != NULL && strcmp(options->last, "none") == 0) {
        *place = (struct place){0};
    } else if (options->last != NULL) {
        int status = place_of_post(place, options, device, client);
        if (status != EXIT_DONE)
            return status;
    } else if (strcmp(device->state, "void") == 0 || is_closed) {
        return complain(EXIT_NO, "that device was revoked before");
    } else if (place->seq == 0) {
        return complain(EXIT_NO, "no post of that device is here: connect first, so that none is "
                                 "lost; or, if it is to have none, type --last none");
    }
    if (is_closed && place->seq >= device->seq)
        return complain(EXIT_NO,
                        "that device was revoked at %llu before: only an earlier end "
                        "changes anything",
                        (unsigned long long)device->seq);
    return EXIT_DONE;
}

static int say_revoked(const struct options *options, const struct key_device *device,
                       const struct place *place) {
    const char *key = json_string_value(json_object_get(device->json, "device"));
    if (options->json) {
        json_t *json = json_pack("{s:s, s:I}", "device", key, "seq", (json_int_t)place->seq);
        print_json(json);
        json_decref(json);
    } else if (place->seq == 0) {
        printf("device %s is revoked, and nothing that it ever said counts\n", key);
    } else {
        printf("device %s is revoked: what it said up to %llu stays, and nothing after\n", key,
               (unsigned long long)place->seq);
    }
    return EXIT_DONE;
}

static int revoke_device(const struct options *options, struct client *client,
                         const struct key_state *state) {
    uint8_t bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_secret_key root;
    struct parley_span record;
    struct place place;
    int status = EXIT_DONE;
    const struct key_device *device = keys_find(state, options->arguments[1], &status);
    if (device == NULL)
        return status;
    if (device->is_this)
        return complain(EXIT_NO, "that is the device in use here: parley rotate gives it another "
                                 "key, and another machine can revoke it");
    status = choose_place(&place, options, device, client);
    if (status == EXIT_DONE)
        status = keys_root(&root, options, state);
    if (status != EXIT_DONE)
        return status;
    enum parley_error error =
        parley_closing_make(&record, bytes, sizeof bytes, &root, &state->author, state->generation,
                            &device->device, place.seq, &place.id);
    parley_wipe(&root, sizeof root);
    if (error != PARLEY_E_OK)
        return complain(EXIT_SYSTEM, "the closing cannot be made: %s", parley_strerror(error));
    status = keys_send(client, &record, 1);
    return status == EXIT_DONE ? say_revoked(options, device, &place) : status;
}

/* ---- the command --------------------------------------------------------------------------- */

static const struct verb {
    const char *word;
    size_t arguments_min, arguments_max; /* with the word */
    bool changes;
} VERBS[] = {{"add", 1, 2, true}, {"list", 1, 1, false}, {"revoke", 2, 2, true}};

static const struct verb *find_verb(const struct options *options) {
    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++)
        if (strcmp(options->arguments[0], VERBS[i].word) == 0 &&
            options->arguments_count >= VERBS[i].arguments_min &&
            options->arguments_count <= VERBS[i].arguments_max)
            return &VERBS[i];
    return NULL;
}

static int run_verb(const struct verb *verb, const struct options *options, struct client *client,
                    const struct key_state *state) {
    if (!verb->changes)
        return list_devices(options, state);
    if (!state->is_revealed)
        return complain(EXIT_NO, "nothing is known here of this person's keys yet: connect to the "
                                 "first machine, a friend or a relay");
    return strcmp(verb->word, "add") == 0 ? add_device(options, client, state)
                                          : revoke_device(options, client, state);
}

int command_device(const struct options *options) {
    const struct verb *verb = find_verb(options);
    struct key_state state;
    int status;
    if (verb == NULL)
        return complain(EXIT_USAGE, "device add [REQUEST], device list or device revoke DEVICE; "
                                    "see parley device --help");
    struct client *client = client_open(options, false, &status);
    if (client == NULL)
        return status;
    status = keys_read(&state, client);
    if (status == EXIT_DONE)
        status = run_verb(verb, options, client, &state);
    keys_clear(&state);
    client_close(client);
    return status;
}
