/* Sections of a bundle on their way to the node, a page at a time.
 *
 * Four pages are under way where a node runs: while the disk syncs what one brought, the others are
 * judged. What goes on with an author waits for the page before, since a chunk needs the records
 * and the chunk that vouch for it.
 */
#ifndef PARLEY_TOOL_IMPORT_PAGES_H
#define PARLEY_TOOL_IMPORT_PAGES_H

#include "client.h"
#include "terminal.h"
#include <pthread.h>

#define IMPORT_SENDERS 4u

struct import_pages;

struct import_sender {
    struct import_pages *pages;
    struct client *client;
    uint8_t *page;
    size_t size;
    bool is_sending;
    pthread_t thread; /* the fields below are its alone until it is waited for */
    int status;
    json_int_t added;
    json_t *answer; /* the last one */
};

struct import_pages {
    const struct options *options;
    struct import_sender senders[IMPORT_SENDERS];
    size_t senders_count, next;
    uint8_t *page; /* being filled */
    size_t size;
    bool continues; /* it begins within an author */
    bool is_strict; /* one after the other, whatever they are of */
    bool is_quiet;  /* what was passed over is counted, and not said */
    /* answered so far */
    json_int_t records, entries, added, passed_over;
    bool has_problem;
    json_t *words; /* of what was passed over */
    struct progress progress;
};

/* All zeros before, but for options. Takes the client, which is closed with it. EXIT_SYSTEM: out of
 * memory. */
int import_pages_open(struct import_pages *pages, struct client *client);
void import_pages_close(struct import_pages *pages);
/* Counts from zero again, but for what was added. */
void import_pages_begin(struct import_pages *pages, bool is_strict, bool is_quiet);
/* Exit statuses; what is behind them has been said, unless quiet. */
int import_pages_add(struct import_pages *pages, unsigned kind, struct parley_span payload);
/* Another author begins: a page that is well filled ends before. */
int import_pages_break(struct import_pages *pages);
/* Sends what is left, if it may, and waits for all answers. */
int import_pages_end(struct import_pages *pages, bool sends);

#endif
