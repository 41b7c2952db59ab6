#include "service.h"
#include "log.h"
#include <assert.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define PINGS_A_WATCH 3u

/* The library is loaded only where systemd waits to be told: it brings five others, and a megabyte
 * of memory that a node without it would never use. */
static int (*tell_systemd)(int unset, const char *state);
static int (*ask_watchdog)(int unset, uint64_t *us);

static void load_systemd(void) {
    void *library = getenv("NOTIFY_SOCKET") == NULL ? NULL : dlopen("libsystemd.so.0", RTLD_NOW);
    if (library == NULL)
        return;
    /* POSIX has a pointer to data be one to a function. */
    *(void **)&tell_systemd = dlsym(library, "sd_notify");
    *(void **)&ask_watchdog = dlsym(library, "sd_watchdog_enabled");
    static_assert(sizeof(tell_systemd) == sizeof(void *), "dlsym(3)");
    if (tell_systemd != NULL && ask_watchdog != NULL)
        return;
    tell_systemd = NULL;
    parley_log_line(PARLEY_LOG_WARNING, "libsystemd does not have what it should");
}

static void tell(const char *state) {
    if (tell_systemd != NULL)
        (void)tell_systemd(0, state);
}

static void on_tick(uv_timer_t *timer) {
    struct parley_service *service = timer->data;
    if (parley_host_store_moves(service->host)) {
        service->is_stalled = false;
        tell("WATCHDOG=1");
        return;
    }
    if (!service->is_stalled)
        parley_log_line(PARLEY_LOG_ERROR, "the database does not come to an end with what it was "
                                          "given: is the disk alive?");
    service->is_stalled = true;
}

static void start_watch(struct parley_service *service) {
    uint64_t watch_us = 0;
    if (tell_systemd == NULL || ask_watchdog(0, &watch_us) <= 0)
        return;
    uint64_t pause_ms = watch_us / 1000 / PINGS_A_WATCH;
    pause_ms = pause_ms > 0 ? pause_ms : 1;
    (void)uv_timer_init(parley_host_loop(service->host), &service->timer);
    service->timer.data = service;
    service->is_watched = true;
    (void)uv_timer_start(&service->timer, on_tick, pause_ms, pause_ms);
}

void parley_service_ready(struct parley_service *service, struct parley_host *host) {
    char state[PATH_MAX + 32];
    service->host = host;
    load_systemd();
    start_watch(service);
    (void)snprintf(state, sizeof state, "READY=1\nSTATUS=Serves %s", parley_host_home(host)->path);
    tell(state);
}

void parley_service_reloading(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    char state[64];
    (void)snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    tell(state);
}

void parley_service_reloaded(bool is_taken) {
    tell(is_taken ? "READY=1\nSTATUS=Serves, configuration read again"
                  : "READY=1\nSTATUS=Serves; the new configuration is wrong, the old "
                    "one stays");
}

void parley_service_stopping(struct parley_service *service) {
    tell("STOPPING=1");
    if (service->is_watched)
        uv_close((uv_handle_t *)&service->timer, NULL);
    service->is_watched = false;
}
