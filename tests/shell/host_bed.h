/* The end of a test that has a host with its home in a directory of its own. */
#ifndef PARLEY_TESTS_HOST_BED_H
#define PARLEY_TESTS_HOST_BED_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "../../node/shell/host.h"

static inline void host_bed_on_stopped(void *context) {
    *(bool *)context = true;
}

/* Stops the host, ends the loop and removes the directory; 0, or -1 when something was left. */
static inline int host_bed_close(struct parley_host *host, uv_loop_t *loop, const char *directory) {
    bool is_stopped = false;
    char command[128];
    parley_host_stop(host, host_bed_on_stopped, &is_stopped);
    while (!is_stopped && uv_run(loop, UV_RUN_ONCE) != 0)
        ;
    parley_host_free(host);
    while (uv_run(loop, UV_RUN_ONCE) != 0)
        ;
    (void)snprintf(command, sizeof command, "rm -rf %s", directory);
    return uv_loop_close(loop) != 0 || system(command) != 0 ? -1 : 0;
}

#endif
