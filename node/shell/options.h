/* What parleyd was told: the command line, and the configuration file, whose keys are the same
 * words. What the command line says once (api, log, relay, hops, erase-after) wins; listen and peer
 * add up.
 */
#ifndef PARLEY_OPTIONS_H
#define PARLEY_OPTIONS_H

#include "host.h"

#define OPTIONS_LISTENERS_MAX 16u
#define OPTIONS_PEERS_MAX     64u
#define PARLEY_PORT           7373u
/* Beyond a year an author's word would mean nothing. */
#define OPTIONS_ERASE_AFTER_MAX_MS (UINT64_C(365) * 86400000u)

struct options {
    const char *home;
    const char *config;
    struct parley_host_endpoint listeners[OPTIONS_LISTENERS_MAX];
    size_t listeners_count;
    struct parley_address peers[OPTIONS_PEERS_MAX];
    size_t peers_count;
    bool has_api;
    struct parley_host_endpoint api;
    bool relay;
    unsigned hops; /* 0: not said */
    bool has_erase_after;
    parley_time_ms erase_after_ms;
    bool has_level;
    enum parley_log_level level;
};

/* Wrong usage ends the process with status 2 and a line that says what. */
void options_parse(struct options *options, int argc, char **argv);
/* Adds what the file says. Errors: BAD_INPUT (the problem names file and line), DISK_FAILED. The
 * options are as before after an error. */
PARLEY_USE_RESULT enum parley_error options_read_file(struct options *options, const char *path,
                                                      struct parley_problem *problem);

#endif
