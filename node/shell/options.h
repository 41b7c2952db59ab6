/* What parleyd was told: the command line, and the configuration file, whose keys are the same
 * words. What the command line says once (api, log, relay, hops, erase-after, quota) wins; listen
 * and peer add up.
 */
#ifndef PARLEY_OPTIONS_H
#define PARLEY_OPTIONS_H

#include "host.h"
#include "option_table.h"
#include <limits.h>
#include <parley/node_limits.h>

#define OPTIONS_LISTENERS_MAX 16u
#define OPTIONS_PEERS_MAX     64u
#define PARLEY_PORT           7373u
/* Of the page and the API on loopback, where nothing else is said: the node's own and a thousand.
 */
#define PARLEY_API_PORT 8373u
/* Beyond a year an author's word would mean nothing. */
#define OPTIONS_ERASE_AFTER_MAX_MS (UINT64_C(365) * 86400000u)

/* LevelDB alone takes so much; and more than any disk has. */
#define OPTIONS_QUOTA_MIN_BYTES ((uint64_t)1 << 20)
#define OPTIONS_QUOTA_MAX_BYTES ((uint64_t)1 << 50)
#define OPTIONS_CONNECTIONS_MIN 8u    /* one in each role, twice */
#define OPTIONS_CONNECTIONS_MAX 4096u /* sockets of tcp.h */

struct options {
    char home[PATH_MAX]; /* "": not said */
    const char *config;  /* NULL: not said */
    struct parley_host_endpoint listeners[OPTIONS_LISTENERS_MAX];
    size_t listeners_count;
    struct parley_address peers[OPTIONS_PEERS_MAX];
    size_t peers_count;
    struct parley_address advertised[PARLEY_ADVERTISED_MAX];
    size_t advertised_count;
    bool has_discover, is_closed; /* is_closed: no addresses are learned */
    char bootstrap[PATH_MAX];     /* "": not said */
    bool has_lan, wants_lan;
    bool has_nat, wants_nat;
    bool has_api, is_api_off;
    struct parley_host_endpoint api;
    bool relay;
    bool same_device;
    unsigned hops; /* 0: not said */
    bool has_erase_after;
    parley_time_ms erase_after_ms;
    bool has_quota;
    uint64_t quota_bytes;
    unsigned connections; /* 0: not said */
    bool has_level;
    enum parley_log_level level;
};

/* Wrong usage ends the process with status 2 and a line that says what. */
void options_parse_daemon(struct options *options, int argc, char **argv);
/* One value. NULL, or what is wrong with it: half of it may then be there. A listener or a peer
 * comes to those that are there. */
const char *options_set(struct options *options, enum option_key key, const char *value);
/* Whether a key that stands once has a value. */
bool options_say(const struct options *options, enum option_key key);

/* Whether a listener of these can be reached from another machine. */
bool options_listen_beyond(const struct options *options);
/* Whether the local network is to hear of this node. Not when it hides, whatever else is said; by
 * itself only of a person's that others can reach. */
bool options_lan(const struct options *options);

/* More than a file with every listener and peer takes. */
#define OPTIONS_FILE_BYTES_MAX ((size_t)128 << 10)

/* Adds what the file says, but for what the options say already (config_file.c). Errors: BAD_INPUT
 * (the problem begins with FILE:LINE:; or there is no such file), DISK_FAILED. The options are as
 * before after an error. home is a key only of a file that options->config names. */
PARLEY_USE_RESULT enum parley_error options_read_file(struct options *options, const char *path,
                                                      struct parley_problem *problem);

#endif
