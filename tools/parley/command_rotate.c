/* Rotate: the next root takes the place of today's. Whatever was stolen until now, root key or
 * device key of this machine, is worthless then: this machine goes on with another device key, and
 * of the other devices only those that the person names. */
#include "command.h"
#include "keys.h"
#include "terminal.h"
#include <parley/crypto.h>
#include <stdlib.h>
#include <string.h>

/* What becomes of a log. */
enum fate { FATE_GOES_ON, FATE_ENDED, FATE_DROPPED };

static const char *const FATE_NAMES[] = {"goes_on", "ended", "dropped"};

struct rotation {
    const struct options *options;
    struct client *client;
    struct key_state state;
    enum fate *fates; /* of state.devices */
    uint8_t generation;
    struct parley_listing listings[PARLEY_ROTATION_ITEMS_MAX];
    size_t listings_count;
    bool has_new_device;
    /* secret */
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_secret_key root;
    struct parley_seed seed;
};

/* ---- which logs stay ----------------------------------------------------------------------- */

/* Where the log is listed. What today's root closed may have been closed by a thief: who is told to
 * keep or end a log, takes what is held of it. This device's own entries are its own. */
static void place_of(const struct key_device *device, bool is_named, parley_seq *seq,
                     struct parley_id *id) {
    bool is_forked = strcmp(device->state, "forked") == 0;
    bool is_open = strcmp(device->state, "open") == 0;
    bool takes_held = !is_forked && !is_open && (is_named || device->is_this);
    *seq = takes_held ? device->held_seq : device->seq;
    *id = takes_held ? device->held_id : device->id;
}

/* Each of the devices that an option names. "all" are the others of those that are open. */
static int name_fates(struct rotation *rotation, bool *is_named, const char *const *names,
                      size_t count, enum fate fate) {
    const struct key_state *state = &rotation->state;
    int status = EXIT_DONE;
    for (size_t i = 0; i < count; i++) {
        bool is_all = strcmp(names[i], "all") == 0;
        const struct key_device *one = is_all ? NULL : keys_find(state, names[i], &status);
        if (status != EXIT_DONE)
            return status;
        for (size_t at = 0; at < state->devices_count; at++) {
            const struct key_device *device = &state->devices[at];
            bool is_meant = is_all ? !device->is_this && !is_named[at] : device == one;
            if (is_all && strcmp(device->state, "open") != 0)
                is_meant = false;
            if (!is_meant)
                continue;
            rotation->fates[at] = fate;
            is_named[at] = true;
        }
    }
    return EXIT_DONE;
}

static int add_listing(struct rotation *rotation, const struct key_device *device, enum fate *fate,
                       bool is_named) {
    struct parley_listing listing = {.device = device->device, .ended = *fate == FATE_ENDED};
    place_of(device, is_named, &listing.seq, &listing.id);
    /* An end at nothing says no more than no listing. */
    if (*fate == FATE_ENDED && listing.seq == 0)
        *fate = FATE_DROPPED;
    if (*fate == FATE_DROPPED)
        return EXIT_DONE;
    if (rotation->listings_count == PARLEY_ROTATION_ITEMS_MAX)
        return complain(EXIT_NO,
                        "there are more than %u logs to list: name those that are not "
                        "yours with --drop, or --drop all",
                        PARLEY_ROTATION_ITEMS_MAX);
    rotation->listings[rotation->listings_count++] = listing;
    return EXIT_DONE;
}

static int choose_fates(struct rotation *rotation, bool *is_named) {
    const struct options *options = rotation->options;
    const struct key_state *state = &rotation->state;
    for (size_t i = 0; i < state->devices_count; i++) {
        bool is_void = strcmp(state->devices[i].state, "void") == 0;
        rotation->fates[i] = is_void && !state->devices[i].is_this ? FATE_DROPPED : FATE_ENDED;
    }
    int status = name_fates(rotation, is_named, options->keep, options->keep_count, FATE_GOES_ON);
    if (status == EXIT_DONE)
        status = name_fates(rotation, is_named, options->end, options->end_count, FATE_ENDED);
    if (status == EXIT_DONE)
        status = name_fates(rotation, is_named, options->drop, options->drop_count, FATE_DROPPED);
    rotation->has_new_device = true;
    for (size_t i = 0; status == EXIT_DONE && i < state->devices_count; i++) {
        if (state->devices[i].is_this && rotation->fates[i] == FATE_GOES_ON)
            rotation->has_new_device = false;
        status = add_listing(rotation, &state->devices[i], &rotation->fates[i], is_named[i]);
    }
    parley_listings_sort(rotation->listings, rotation->listings_count);
    return status;
}

/* ---- the records --------------------------------------------------------------------------- */

static enum parley_error make_certificate(struct rotation *rotation, struct parley_span *record,
                                          uint8_t *data, size_t size_max) {
    struct parley_secret_key device;
    uint8_t public_key[32];
    randombytes_buf(rotation->seed.bytes, sizeof rotation->seed.bytes);
    parley_key_pair(&device, public_key, &rotation->seed);
    enum parley_error error =
        parley_certificate_make(record, data, size_max, &rotation->root, &device,
                                &rotation->state.author, rotation->generation);
    parley_wipe(&device, sizeof device);
    return error;
}

static int send_records(struct rotation *rotation) {
    uint8_t certificate[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_root_key public_key;
    struct parley_span records[2];
    uint8_t *data = malloc(PARLEY_RECORD_BYTES_MAX);
    if (data == NULL)
        return complain(EXIT_SYSTEM, "out of memory");
    parley_root_derive(&rotation->root, &public_key, rotation->entropy, rotation->generation);
    enum parley_error error =
        parley_rotation_make(&records[0], data, PARLEY_RECORD_BYTES_MAX, rotation->entropy,
                             rotation->generation, rotation->listings, rotation->listings_count);
    if (error == PARLEY_E_OK && rotation->has_new_device)
        error = make_certificate(rotation, &records[1], certificate, sizeof certificate);
    int status =
        error == PARLEY_E_OK
            ? keys_send(rotation->client, records, 1 + rotation->has_new_device)
            : complain(EXIT_SYSTEM, "the rotation cannot be made: %s", parley_strerror(error));
    free(data);
    return status;
}

/* ---- what is said -------------------------------------------------------------------------- */

static const char *device_text(const struct rotation *rotation, size_t index) {
    return json_string_value(json_object_get(rotation->state.devices[index].json, "device"));
}

static void print_rotation(const struct rotation *rotation) {
    static const char *const WORDS[] = {"goes on", "has ended; what it said stays",
                                        "is dropped; nothing that it said counts"};
    printf("generation %u: the root key of before is worthless, whoever has it\n",
           rotation->generation);
    if (rotation->has_new_device)
        printf("this machine goes on with a new device key\n");
    for (size_t i = 0; i < rotation->state.devices_count; i++)
        printf("%s  %s\n", device_text(rotation, i), WORDS[rotation->fates[i]]);
}

static int say_rotation(const struct rotation *rotation) {
    if (!rotation->options->json) {
        print_rotation(rotation);
        return EXIT_DONE;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < rotation->state.devices_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "device", device_text(rotation, i),
                                              "becomes", FATE_NAMES[rotation->fates[i]]));
    json_t *json = json_pack("{s:i, s:b, s:o}", "generation", (int)rotation->generation,
                             "new_device", (int)rotation->has_new_device, "devices", list);
    print_json(json);
    json_decref(json);
    return EXIT_DONE;
}

/* ---- the command --------------------------------------------------------------------------- */

static int check_state(struct rotation *rotation) {
    if (!rotation->state.is_revealed)
        return complain(EXIT_NO, "nothing is known here of this person's keys yet: connect to the "
                                 "first machine, a friend or a relay");
    if (rotation->state.generation + 1u >= PARLEY_GENERATIONS_COUNT)
        return complain(EXIT_NO, "the last of %u root keys is in use: there is none after it",
                        PARLEY_GENERATIONS_COUNT);
    rotation->generation = (uint8_t)(rotation->state.generation + 1);
    return EXIT_DONE;
}

/* Another rotation to the same generation may count instead: both were made with the words. */
static int check_result(struct rotation *rotation) {
    struct key_state now;
    bool has_this = false;
    int status = keys_read(&now, rotation->client);
    for (size_t i = 0; status == EXIT_DONE && i < now.devices_count; i++)
        has_this |= now.devices[i].is_this && strcmp(now.devices[i].state, "open") == 0;
    if (status == EXIT_DONE && (now.generation != rotation->generation || !has_this))
        status = complain(EXIT_NO, "another rotation came first: see parley device list, then "
                                   "rotate again");
    keys_clear(&now);
    return status;
}

static int rotate(struct rotation *rotation) {
    int status = keys_read(&rotation->state, rotation->client);
    if (status == EXIT_DONE)
        status = check_state(rotation);
    if (status != EXIT_DONE)
        return status;
    bool *is_named = calloc(rotation->state.devices_count + 1, sizeof(*is_named));
    rotation->fates = calloc(rotation->state.devices_count + 1, sizeof(*rotation->fates));
    status = is_named == NULL || rotation->fates == NULL ? complain(EXIT_SYSTEM, "out of memory")
                                                         : choose_fates(rotation, is_named);
    free(is_named);
    if (status == EXIT_DONE)
        status = keys_ask_words_of(rotation->entropy, &rotation->state.author);
    if (status == EXIT_DONE)
        status = send_records(rotation);
    /* Records first: keys that nothing certifies would be worse than a rotation to do again. */
    if (status == EXIT_DONE)
        status = keys_write(rotation->client, rotation->options, &rotation->state,
                            rotation->has_new_device ? &rotation->seed : NULL, &rotation->root,
                            rotation->generation);
    if (status == EXIT_DONE)
        status = check_result(rotation);
    return status == EXIT_DONE ? say_rotation(rotation) : status;
}

int command_rotate(const struct options *options) {
    int status = keys_check_dash(options, "rotate");
    if (status != EXIT_DONE)
        return status;
    struct rotation *rotation = calloc(1, sizeof(*rotation));
    if (rotation == NULL)
        return complain(EXIT_SYSTEM, "out of memory");
    rotation->options = options;
    rotation->client = client_open(options, false, &status);
    if (rotation->client != NULL) {
        status = rotate(rotation);
        client_close(rotation->client);
    }
    keys_clear(&rotation->state);
    free(rotation->fates);
    parley_wipe(rotation, sizeof(*rotation));
    free(rotation);
    return status;
}
