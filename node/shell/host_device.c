/* The device that the node signs with: a new one when the keys in the home have changed, or when
 * somebody else turns out to sign with the one that is here.
 */
#include "host_internal.h"
#include "lease.h"
#include "log.h"
#include "memory.h"
#include <parley/crypto.h>
#include <stdlib.h>

static void tell_node(struct parley_host *host) {
    struct parley_event event = {.kind = PARLEY_EVENT_DEVICE, .device = &host->home.device_secret};
    (void)host_step(host, &event);
}

enum parley_error parley_host_read_keys(struct parley_host *host, struct parley_problem *problem) {
    bool is_other;
    enum parley_error error = parley_home_read_again(&host->home, &is_other, problem);
    if (error != PARLEY_E_OK)
        return error;
    if (is_other)
        tell_node(host);
    host->is_device_lost = false;
    return PARLEY_E_OK;
}

/* --- in use elsewhere, too -------------------------------------------------------------------- */

/* False: nothing is known of which root counts. */
static bool find_generation(const struct parley_host *host, uint8_t *generation) {
    struct parley_node_author author;
    bool is_known = parley_node_author_find(host->node, &host->home.author, &author);
    *generation = is_known ? author.generation : 0;
    return is_known && author.is_revealed;
}

static bool is_current_root(const struct parley_host *host) {
    uint8_t generation;
    return find_generation(host, &generation) && generation == host->home.root_generation;
}

/* Nor after the next start, when nothing reminds of it. */
static void give_up(struct parley_host *host) {
    if (parley_lease_spend(host->home.path, &host->home.device, NULL) != PARLEY_E_OK)
        parley_log_line(PARLEY_LOG_ERROR, "what follows cannot be kept in the home: do not start "
                                          "it again before the disk is well");
    parley_log_line(PARLEY_LOG_WARNING, "posts that were signed elsewhere with this device's key "
                                        "have come, and the current root key is not here: "
                                        "read-only; type: parley recover");
}

static void on_certified(void *context, const struct parley_effect *reply) {
    struct parley_host *host = context;
    struct parley_problem problem = {0};
    enum parley_error error = reply->reply.error;
    if (error == PARLEY_E_OK)
        error = parley_new_device_use(&host->home, host->new_device, &problem);
    parley_wipe(host->new_device, sizeof *host->new_device);
    free(host->new_device);
    host->new_device = NULL;
    if (error != PARLEY_E_OK) {
        parley_log_line(PARLEY_LOG_WARNING, "a new device cannot be made, read-only: %s",
                        problem.error != PARLEY_E_OK ? problem.text : parley_strerror(error));
        return;
    }
    parley_log_line(PARLEY_LOG_WARNING, "posts that were signed elsewhere with this device's key "
                                        "have come: own posts go on in a new log of the same "
                                        "author");
    tell_node(host);
    host->is_device_lost = false;
}

static void certify_another(struct parley_host *host) {
    struct parley_problem problem = {0};
    struct parley_event event = {.kind = PARLEY_EVENT_IMPORT_RECORD};
    struct parley_new_device *device = parley_memory(sizeof *device);
    if (parley_new_device_make(device, &host->home, &problem) != PARLEY_E_OK) {
        parley_log_line(PARLEY_LOG_ERROR, "%s", problem.text);
        parley_wipe(device, sizeof *device);
        free(device);
        return;
    }
    host->new_device = device;
    event.import.bytes = device->certificate;
    parley_host_submit_patiently(host, &event, on_certified, host);
}

/* A command that changes keys sends the records first. */
#define KEYS_FOLLOW_MS 5000u

/* What others know of this device came, and it may not post: once. */
static void say_that_it_ended(struct parley_host *host, enum parley_own own) {
    uint8_t generation;
    bool is_known = find_generation(host, &generation);
    bool has_old_root = host->home.has_root && is_known && generation > host->home.root_generation;
    if (host->is_offline || host->has_said_end || (own == PARLEY_OWN_WAITING && !has_old_root))
        return;
    if (host->ended_at == 0)
        host->ended_at = uv_now(host->loop);
    if (uv_now(host->loop) - host->ended_at < KEYS_FOLLOW_MS)
        return;
    host->has_said_end = true;
    if (has_old_root)
        parley_log_line(PARLEY_LOG_WARNING,
                        "the root key was changed, number %u counts now, and this machine is none "
                        "of this person's: read-only; type: parley recover",
                        generation);
    else
        parley_log_line(PARLEY_LOG_WARNING,
                        "this device was revoked: read-only; if it is yours, type: parley recover");
}

void host_mind_device(struct parley_host *host) {
    if (host->is_device_lost || host->is_stopping || !host->home.has_device)
        return;
    switch (parley_node_own(host->node)) {
    case PARLEY_OWN_NONE:
        return;
    case PARLEY_OWN_OPEN:
        host->has_said_end = false;
        host->ended_at = 0;
        return;
    case PARLEY_OWN_WAITING:
    case PARLEY_OWN_CLOSED: /* the owner's own will */
        say_that_it_ended(host, parley_node_own(host->node));
        return;
    case PARLEY_OWN_FORKED:
    case PARLEY_OWN_ELSEWHERE:
        break;
    }
    host->is_device_lost = true;
    if (host->home.has_root && is_current_root(host))
        certify_another(host);
    else
        give_up(host);
}
