#include "service.h"
#include "log.h"
#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define PINGS_A_WATCH 3u

static void on_tick(uv_timer_t *timer) {
    struct parley_service *service = timer->data;
    if (parley_host_store_moves(service->host)) {
        service->is_stalled = false;
        (void)sd_notify(0, "WATCHDOG=1");
        return;
    }
    if (!service->is_stalled)
        parley_log_line(PARLEY_LOG_ERROR, "the database does not come to an end with what it was "
                                          "given: is the disk alive?");
    service->is_stalled = true;
}

static void start_watch(struct parley_service *service) {
    uint64_t watch_us = 0;
    if (sd_watchdog_enabled(0, &watch_us) <= 0)
        return;
    uint64_t pause_ms = watch_us / 1000 / PINGS_A_WATCH;
    pause_ms = pause_ms > 0 ? pause_ms : 1;
    (void)uv_timer_init(parley_host_loop(service->host), &service->timer);
    service->timer.data = service;
    service->is_watched = true;
    (void)uv_timer_start(&service->timer, on_tick, pause_ms, pause_ms);
}

void parley_service_ready(struct parley_service *service, struct parley_host *host) {
    service->host = host;
    start_watch(service);
    (void)sd_notifyf(0, "READY=1\nSTATUS=Serves %s", parley_host_home(host)->path);
}

void parley_service_reloading(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                     (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void parley_service_reloaded(bool is_taken) {
    (void)sd_notify(0, is_taken ? "READY=1\nSTATUS=Serves, configuration read again"
                                : "READY=1\nSTATUS=Serves; the new configuration is wrong, the old "
                                  "one stays");
}

void parley_service_stopping(struct parley_service *service) {
    (void)sd_notify(0, "STOPPING=1");
    if (service->is_watched)
        uv_close((uv_handle_t *)&service->timer, NULL);
    service->is_watched = false;
}
