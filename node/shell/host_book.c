/* Whom the owner named, and where: what a start loads, what the command line says, and what has
 * been asked for since. The node keeps one place for each; what the local network says may stand
 * there for a while. */
#include "host_internal.h"
#include <string.h>

#define META_BOOK      "peer/" /* as node/book.c writes it */
#define META_BOOK_SIZE (sizeof META_BOOK - 1)

static bool is_same_place(const struct parley_address *a, const struct parley_address *b) {
    return PARLEY_EQUAL(a->key, b->key) && a->port == b->port && strcmp(a->host, b->host) == 0;
}

static struct parley_address *find(struct parley_host *host, const struct parley_node_key *key) {
    for (size_t i = 0; i < host->owners_count; i++)
        if (PARLEY_EQUAL(host->owners[i].key, *key))
            return &host->owners[i];
    return NULL;
}

void parley_host_note_owners(struct parley_host *host, const struct parley_address *address) {
    struct parley_address *place = find(host, &address->key);
    if (place == NULL && host->owners_count < PARLEY_BOOK_ADDRESSES_MAX)
        place = &host->owners[host->owners_count++];
    if (place != NULL)
        *place = *address;
}

const struct parley_address *parley_host_owners_address(struct parley_host *host,
                                                        const struct parley_node_key *key) {
    return find(host, key);
}

/* Of that node, but for one place; NULL: all. */
static void forget_invited(struct parley_host *host, const struct parley_node_key *key,
                           const struct parley_address *but) {
    for (size_t i = host->invited_count; i > 0; i--) {
        const struct parley_address *one = &host->invited[i - 1];
        if (PARLEY_EQUAL(one->key, *key) && (but == NULL || !is_same_place(one, but)))
            host->invited[i - 1] = host->invited[--host->invited_count];
    }
}

void host_note_event(struct parley_host *host, const struct parley_event *event) {
    if (event->kind == PARLEY_EVENT_CONNECT && !event->connect.is_passing) {
        forget_invited(host, &event->connect.address.key, &event->connect.address);
        parley_host_note_owners(host, &event->connect.address);
    }
    if (event->kind != PARLEY_EVENT_DISCONNECT)
        return;
    struct parley_address *place = find(host, &event->disconnect.key);
    if (place != NULL)
        *place = host->owners[--host->owners_count];
    forget_invited(host, &event->disconnect.key, NULL);
}

void host_note_meta(struct parley_host *host, struct parley_span key, struct parley_span value) {
    struct parley_address address;
    if (key.size == META_BOOK_SIZE + sizeof address.key.bytes &&
        memcmp(key.data, META_BOOK, META_BOOK_SIZE) == 0 &&
        parley_address_decode(&address, value).error == PARLEY_E_OK)
        parley_host_note_owners(host, &address);
}

/* --- invited ---------------------------------------------------------------------------------- */

bool parley_host_is_invited(const struct parley_host *host, const struct parley_address *address) {
    for (size_t i = 0; i < host->invited_count; i++)
        if (is_same_place(&host->invited[i], address))
            return true;
    return false;
}

bool parley_host_note_invited(struct parley_host *host, const struct parley_address *address) {
    if (parley_host_is_invited(host, address))
        return true;
    if (host->invited_count == HOST_INVITED_MAX)
        return false;
    host->invited[host->invited_count++] = *address;
    return true;
}

void parley_host_forget_invited(struct parley_host *host, const struct parley_address *address) {
    for (size_t i = 0; i < host->invited_count; i++)
        if (is_same_place(&host->invited[i], address)) {
            host->invited[i] = host->invited[--host->invited_count];
            return;
        }
}
