/* The owner's devices, changed: one is admitted, one is ended. What `parley device add` and
 * `parley device revoke` do where the root key lies in the home. It is read when it is needed and
 * wiped, so that an owner who takes the file away has taken it away. The recovery words are none of
 * the API's: where the root key is not here the answer says what to type.
 */
#include "api_job.h"
#include "key_file.h"
#include <parley/crypto.h>
#include <stdlib.h>

struct change {
    struct parley_author author;
    struct parley_node_author known; /* of what generation the owner's keys are */
    struct parley_device_key device;
    uint8_t bytes[PARLEY_STATEMENT_BYTES_MAX]; /* borrowed by the event until its reply */
    bool ends;                                 /* the device, at: */
    parley_seq end_seq;
    struct parley_id end_id;
};

/* ---- the root key -------------------------------------------------------------------------- */

static bool read_root(struct parley_key_file *key, const struct parley_host *host,
                      unsigned generation) {
    const struct parley_home *home = parley_host_home(host);
    char path[PATH_MAX];
    *key = (struct parley_key_file){.kind = PARLEY_KEY_FILE_ROOT};
    bool is_here = parley_home_file(path, home, "root.key") &&
                   parley_key_file_read(key, path, NULL) == PARLEY_E_OK &&
                   PARLEY_EQUAL(key->author, home->author) && key->generation == generation;
    if (!is_here)
        parley_wipe(key, sizeof *key);
    return is_here;
}

bool api_root_is_here(const struct parley_host *host, unsigned generation) {
    struct parley_key_file key;
    bool is_here = read_root(&key, host, generation);
    parley_wipe(&key, sizeof key);
    return is_here;
}

/* ---- to the node --------------------------------------------------------------------------- */

static void on_taken(void *context, const struct parley_effect *effect) {
    struct api_job *job = context;
    const struct change *change = job->state;
    enum parley_error error = api_reply_error(job->api, effect);
    json_t *device = api_json_hex(change->device.bytes, sizeof change->device.bytes);
    if (error == PARLEY_E_OK || error == PARLEY_E_EXISTS) {
        if (change->ends)
            api_answer_json(
                job, 200,
                json_pack("{s:o, s:I}", "device", device, "seq", (json_int_t)change->end_seq));
        else
            api_answer_json(job, 201, json_pack("{s:o, s:b}", "device", device, "added", 1));
        return;
    }
    json_decref(device);
    api_refuse(job, error, NULL, "the node did not take the record: %s", parley_strerror(error));
}

static void send_record(struct api_job *job, struct parley_span record) {
    struct parley_event event = {.kind = PARLEY_EVENT_IMPORT_RECORD};
    event.import.bytes = record;
    parley_host_submit_patiently(job->api->host, &event, on_taken, job);
}

/* False: the job was refused. */
static bool begin(struct api_job *job) {
    const struct parley_home *home = parley_host_home(job->api->host);
    struct change *change = calloc(1, sizeof *change);
    if (change == NULL) {
        api_no_memory(job);
        return false;
    }
    job->state = change;
    job->free_state = free;
    change->author = home->author;
    if (!home->has_author) {
        api_refuse(job, PARLEY_E_NO_IDENTITY, NULL, "%s", parley_strerror(PARLEY_E_NO_IDENTITY));
        return false;
    }
    if (parley_node_author_find(parley_host_node(job->api->host), &home->author, &change->known) &&
        change->known.is_revealed)
        return true;
    api_refuse(job, PARLEY_E_READ_ONLY, NULL,
               "nothing is known here of this person's keys yet: connect to the first machine, a "
               "friend or a relay");
    return false;
}

static bool find_device(const struct api_job *job, const struct parley_device_key *device,
                        struct parley_node_log *log) {
    const struct change *change = job->state;
    struct parley_log name;
    parley_log_derive(&name, &change->author, device);
    return parley_node_log_find(parley_host_node(job->api->host), &name, log);
}

static void sign_and_send(struct api_job *job, const struct parley_device_request *request,
                          const char *command) {
    struct change *change = job->state;
    struct parley_secret_key root;
    struct parley_key_file key;
    struct parley_span record;
    uint8_t public_key[32];
    if (!read_root(&key, job->api->host, change->known.generation)) {
        api_refuse(job, PARLEY_E_READ_ONLY, "root",
                   "the root key is not on this machine: in a terminal, type parley device %s, "
                   "which asks for the recovery words, or do it where the root key is",
                   command);
        return;
    }
    parley_key_pair(&root, public_key, &key.seed);
    enum parley_error error =
        request != NULL
            ? parley_certificate_grant(&record, change->bytes, sizeof change->bytes, &root, request)
            : parley_closing_make(&record, change->bytes, sizeof change->bytes, &root,
                                  &change->author, key.generation, &change->device, change->end_seq,
                                  &change->end_id);
    parley_wipe(&root, sizeof root);
    parley_wipe(&key, sizeof key);
    if (error != PARLEY_E_OK)
        api_refuse(job, error, NULL, "the record cannot be made: %s", parley_strerror(error));
    else
        send_record(job, record);
}

/* ---- a machine more ------------------------------------------------------------------------ */

/* False: the job was refused. */
static bool check_request(struct api_job *job, struct parley_device_request *request) {
    const struct change *change = job->state;
    const char *text = api_member_text(job->json, "request");
    struct parley_node_log log;
    if (text == NULL ||
        parley_device_request_decode(request, PARLEY_SPAN(text, strlen(text))).error !=
            PARLEY_E_OK ||
        !parley_device_request_holds(request))
        api_refuse(job, PARLEY_E_BAD_INPUT, "request",
                   "this is no request of a device, or a letter of it is wrong: it begins with "
                   "pdevice- and is %u letters long",
                   PARLEY_DEVICE_REQUEST_TEXT_SIZE - 1);
    else if (!PARLEY_EQUAL(request->author, change->author))
        api_refuse(job, PARLEY_E_BAD_INPUT, "request", "the request is to join another person");
    else if (request->generation != change->known.generation)
        api_refuse(job, PARLEY_E_BAD_INPUT, "request",
                   "the request is for generation %u of your keys, and it is %u now: on the new "
                   "machine, type what stands here again",
                   request->generation, change->known.generation);
    else if (find_device(job, &request->device, &log) && log.policy.kind != PARLEY_POLICY_OPEN)
        api_refuse(job, PARLEY_E_EXISTS, "request",
                   "this device was revoked: on it, type parley init --join again for another key");
    else
        return true;
    return false;
}

void api_run_add_device(struct api_job *job) {
    const json_t *looks = json_object_get(job->json, "check");
    struct parley_device_request request;
    if (looks != NULL && !json_is_boolean(looks)) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "check", "check must be true or false");
        return;
    }
    if (!begin(job) || !check_request(job, &request))
        return;
    struct change *change = job->state;
    change->device = request.device;
    if (json_is_true(looks))
        api_answer_json(job, 200,
                        json_pack("{s:o, s:b}", "device",
                                  api_json_hex(request.device.bytes, sizeof request.device.bytes),
                                  "added", 0));
    else
        sign_and_send(job, &request, "add");
}

/* ---- a machine less ------------------------------------------------------------------------ */

/* Where its log ends: what was said until now stays, or nothing does. False: refused. */
static bool choose_end(struct api_job *job, const struct parley_node_log *log) {
    struct change *change = job->state;
    const struct parley_home *home = parley_host_home(job->api->host);
    const char *last = api_parameter(job, "last");
    bool is_none = last != NULL && strcmp(last, "none") == 0;
    if (last != NULL && !is_none)
        api_refuse(job, PARLEY_E_BAD_INPUT, "last", "last must be none, or be left out");
    else if (home->has_device && PARLEY_EQUAL(home->device, change->device))
        api_refuse(job, PARLEY_E_BAD_INPUT, "device",
                   "that is the device in use here: parley rotate gives it another key, and "
                   "another machine can revoke it");
    else if (log->policy.kind == PARLEY_POLICY_VOID ||
             (log->policy.kind == PARLEY_POLICY_CLOSED && !is_none))
        api_refuse(job, PARLEY_E_EXISTS, "device", "that device was revoked before");
    else if (log->head_seq == 0 && !is_none)
        api_refuse(job, PARLEY_E_NOT_FOUND, "last",
                   "no post of that device is here: connect first, so that none is lost; or say "
                   "that it is to have none");
    else {
        if (!is_none) {
            change->end_seq = log->head_seq;
            change->end_id = log->head_id;
        }
        return true;
    }
    return false;
}

void api_run_revoke_device(struct api_job *job) {
    struct parley_node_log log;
    if (!begin(job))
        return;
    struct change *change = job->state;
    change->ends = true;
    if (!parley_hex_decode(change->device.bytes, sizeof change->device.bytes,
                           PARLEY_SPAN(job->rest, strlen(job->rest))))
        api_refuse(job, PARLEY_E_BAD_INPUT, "device", "device must be 64 digits");
    else if (!find_device(job, &change->device, &log))
        api_refuse(job, PARLEY_E_NOT_FOUND, "device", "no device of yours has this key");
    else if (choose_end(job, &log))
        sign_and_send(job, NULL, "revoke");
}
