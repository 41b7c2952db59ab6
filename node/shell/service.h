/* What systemd is told (sd_notify(3)): ready, reloading, stopping, and that the node lives. Without
 * systemd all of it is nothing.
 */
#ifndef PARLEY_SERVICE_H
#define PARLEY_SERVICE_H

#include "host.h"

/* The caller's; must stay until the loop has ended. */
struct parley_service {
    struct parley_host *host;
    uv_timer_t timer;
    bool is_watched;
    bool is_stalled; /* said */
};

/* READY=1, and pings from now on if a watchdog is wanted: three in its time. A ping comes from the
 * loop, and only while the store's thread moves; so a node that hangs, or whose disk does, is
 * started again. */
void parley_service_ready(struct parley_service *service, struct parley_host *host);
/* Around a reload. */
void parley_service_reloading(void);
void parley_service_reloaded(bool is_taken);
/* The pings end. */
void parley_service_stopping(struct parley_service *service);

#endif
