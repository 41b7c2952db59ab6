/* The handlers in this process, on the home itself: no listeners, and no dials but for recover. */
#include "client_parts.h"
#include "host.h"
#include "terminal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Longer than the records of any usual home keep the disk busy. */
#define VERDICTS_MS_MAX 5000u

struct client_local {
    uv_loop_t loop;
    struct parley_host *host;
    struct parley_api *api;
    bool is_stopped;
};

static void on_stopped(void *context) {
    struct client_local *local = context;
    local->is_stopped = true;
}

/* A node that was opened just now reads on what of it its records hide, and one that was given
 * another branch of a log which of the two counts. A command waits for that rather than tell less,
 * or end before it is settled. */
static void wait_for_verdicts(struct client_local *local) {
    const struct parley_node *node = parley_host_node(local->host);
    struct parley_node_status status;
    parley_node_status(node, &status);
    for (unsigned waited = 0; status.is_judging && waited < VERDICTS_MS_MAX; waited++) {
        if (uv_run(&local->loop, UV_RUN_NOWAIT) == 0)
            return;
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        parley_node_status(node, &status);
    }
}

void client_local_close(struct client_local *local) {
    if (local->host != NULL) {
        if (local->api != NULL)
            wait_for_verdicts(local);
        parley_host_stop(local->host, on_stopped, local);
        while (!local->is_stopped && uv_run(&local->loop, UV_RUN_ONCE) != 0)
            ;
        parley_api_free(local->api);
        parley_host_free(local->host);
    }
    while (uv_run(&local->loop, UV_RUN_ONCE) != 0)
        ;
    uv_loop_close(&local->loop);
    free(local);
}

struct client_local *client_local_open(const char *home, bool same_device, bool is_online,
                                       struct parley_problem *problem) {
    struct client_local *local = calloc(1, sizeof(*local));
    if (local == NULL || uv_loop_init(&local->loop) != 0) {
        parley_problem_set(problem, PARLEY_E_NO_MEMORY, "out of memory");
        free(local);
        return NULL;
    }
    struct parley_host_config config = {
        .home = home, .offline = !is_online, .same_device = same_device};
    enum parley_error error = parley_host_open(&local->host, &config, &local->loop, problem);
    if (error == PARLEY_E_OK)
        error = parley_host_start(local->host, problem);
    if (error == PARLEY_E_OK) {
        local->api = parley_api_create(local->host);
        if (local->api == NULL)
            error = parley_problem_set(problem, PARLEY_E_NO_MEMORY, "out of memory");
    }
    if (error == PARLEY_E_OK)
        return local;
    client_local_close(local);
    return NULL;
}

void client_local_wait(struct client_local *local, unsigned ms) {
    for (uint64_t end = uv_hrtime() + ms * UINT64_C(1000000); uv_hrtime() < end;) {
        (void)uv_run(&local->loop, UV_RUN_NOWAIT);
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* ---- a call ------------------------------------------------------------------------------- */

struct call {
    bool is_done, is_out_of_memory;
    struct client_answer *answer;
};

static void on_done(void *context, const struct parley_api_answer *from) {
    struct call *call = context;
    struct client_answer *answer = call->answer;
    call->is_done = true;
    answer->status = from->status;
    answer->size = from->body.size;
    answer->body = malloc(from->body.size + 1);
    if (answer->body == NULL) {
        call->is_out_of_memory = true;
        return;
    }
    if (from->body.size > 0)
        memcpy(answer->body, from->body.data, from->body.size);
    answer->body[from->body.size] = '\0';
    snprintf(answer->next, sizeof(answer->next), "%s", from->next != NULL ? from->next : "");
}

int client_local_call(struct client_local *local, const struct client_request *request,
                      struct client_answer *answer) {
    const char *rest = request->rest != NULL ? request->rest : "";
    size_t size = strlen(request->path) + strlen(rest) + 1;
    char *path = malloc(size);
    if (path == NULL)
        return complain(EXIT_SYSTEM, "out of memory");
    snprintf(path, size, "%s%s", request->path, rest);
    struct parley_api_request to = {
        .method = request->method,
        .path = path,
        .parameters = request->parameters,
        .parameters_count = request->parameters_count,
        .content_type = request->content_type,
        .body = request->body,
    };
    struct call call = {.answer = answer};
    wait_for_verdicts(local);
    parley_api_handle(local->api, &to, on_done, &call);
    while (!call.is_done)
        uv_run(&local->loop, UV_RUN_ONCE);
    free(path);
    return call.is_out_of_memory ? complain(EXIT_SYSTEM, "out of memory") : EXIT_DONE;
}
