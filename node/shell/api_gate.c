/* Until what a start loaded is judged, less shows of it than is good, and handlers would say so:
 * requests wait here, each for a bounded time. See PARLEY_API_JUDGING_MS_MAX. */
#include "api_job.h"
#include <stdlib.h>

#define LOOK_EVERY_MS 5u /* a review takes about one; a look costs nothing */

struct api_gate {
    uv_timer_t timer;
    struct api_job *first, *last; /* by when their time is over */
};

static size_t left(const struct parley_api *api) {
    return parley_node_unreviewed(parley_host_node(api->host));
}

static struct api_job *take_first(struct api_gate *gate) {
    struct api_job *job = gate->first;
    gate->first = job->gate_next;
    if (gate->first == NULL)
        gate->last = NULL;
    return job;
}

static void end_wait(struct api_job *job, size_t logs) {
    if (logs == 0 || job->route->gate == API_JUDGED_IN_TIME)
        api_run(job);
    else
        api_refuse(job, PARLEY_E_TIMED_OUT, NULL,
                   "still judging what the store holds, %zu %s left: try again", logs,
                   logs == 1 ? "log" : "logs");
}

static void on_look(uv_timer_t *timer) {
    struct parley_api *api = timer->data;
    struct api_gate *gate = api->gate;
    size_t logs = left(api);
    /* Those that are run may ask anew, behind these. */
    for (size_t count = api->jobs_count; count > 0 && gate->first != NULL; count--) {
        if (logs > 0 && uv_now(timer->loop) < gate->first->gate_until)
            break;
        end_wait(take_first(gate), logs);
    }
    if (gate->first == NULL)
        (void)uv_timer_stop(timer);
}

bool api_gate_create(struct parley_api *api) {
    struct api_gate *gate = calloc(1, sizeof(*gate));
    if (gate == NULL)
        return false;
    (void)uv_timer_init(parley_host_loop(api->host), &gate->timer);
    gate->timer.data = api;
    api->gate = gate;
    return true;
}

static void on_closed(uv_handle_t *handle) {
    free(handle); /* the timer stands first */
}

void api_gate_close(struct parley_api *api) {
    while (api->gate->first != NULL)
        api_refuse(take_first(api->gate), PARLEY_E_RETRY, NULL, "the node stops: try again");
    uv_close((uv_handle_t *)&api->gate->timer, on_closed);
    api->gate = NULL;
}

void api_gate_pass(struct api_job *job) {
    struct parley_api *api = job->api;
    struct api_gate *gate = api->gate;
    if (job->route->gate == API_AT_ONCE || left(api) == 0) {
        api_run(job);
        return;
    }
    uv_update_time(gate->timer.loop);
    job->gate_until = uv_now(gate->timer.loop) + api->judging_ms_max;
    job->gate_next = NULL;
    if (gate->last != NULL)
        gate->last->gate_next = job;
    else
        gate->first = job;
    gate->last = job;
    if (!uv_is_active((uv_handle_t *)&gate->timer))
        (void)uv_timer_start(&gate->timer, on_look, 0, LOOK_EVERY_MS);
}
