/* An entry on its way from the store to a person: copied out of the store on a worker, judged
 * visible or not on the loop, written as JSON. */
#ifndef PARLEY_SHELL_API_ENTRY_H
#define PARLEY_SHELL_API_ENTRY_H

#include <jansson.h>
#include <parley/body.h>
#include <parley/node.h>
#include <parley/store.h>

struct api_entry {
    struct parley_author author;
    struct parley_device_key device;
    struct parley_log log;
    parley_seq seq;
    struct parley_id id;
    parley_time_ms time, received;
    struct parley_timeline_place place;
    bool is_plain; /* of the known version and without ext: may be shown */
    struct parley_store_body_state body_state;
    bool is_state_unread, is_echoed_unread; /* api_unread.h */
    struct api_entry *echoed;    /* by an echo: what it passes on, when it is here; owned */
    struct api_details *details; /* of a detailed view; owned */
    bool has_body;
    size_t body_size;
    uint8_t body[]; /* with has_body */
};

/* NULL: out of memory. */
struct api_entry *api_entry_copy(const struct parley_store_log *log,
                                 const struct parley_entry *entry,
                                 const struct parley_timeline_place *place,
                                 parley_time_ms received);
void api_entry_free(struct api_entry *entry);
/* On a worker: what became of its body. Where that cannot be read, whether its author took it back
 * is not known, and it loses its words here. */
PARLEY_USE_RESULT enum parley_error api_entry_read_state(struct api_entry *entry,
                                                         struct parley_store *store);
/* On a worker: the entry that is meant; NULL when it is not here, or cannot be read: then *unread
 * keeps the error (api_unread.h). */
struct api_entry *api_entry_read(struct parley_store *store, const struct parley_ref *ref,
                                 enum parley_error *unread);
struct parley_ref api_entry_ref(const struct api_entry *entry);
/* False when its body is not here, is not of this version, or does not decode. Its spans point
 * into the entry. */
bool api_entry_body(const struct api_entry *entry, struct parley_body *body);
/* Good by the log's verdict and below any fork, as the node knows it now; or allowed by the owner
 * all the same. */
bool api_entry_is_good(const struct parley_node *node, const struct api_entry *entry);
/* By an entry of its author that is good itself; its bytes may still be here. */
bool api_entry_is_erased(const struct parley_node *node, const struct api_entry *entry);
/* A post or an echo that decodes and bears the tag (NULL: any). */
bool api_entry_is_listed(const struct parley_entry *entry, const char *tag);
struct api_view;
struct api_details;
/* The post as people and programs get it; for other kinds what their bodies say. "kind" is
 * "erased", "purged" or "no_body" where the words are not to be had, "muted" or "blocked" where the
 * owner's lists hide them, "hidden" where its log is void, closed before it or forked. NULL: out of
 * memory. */
json_t *api_entry_json(const struct api_entry *entry, const struct api_view *view);

/* The same of what stands beside another entry, as far as it may be shown: what the owner's lists
 * hide is there without its words. entry may be NULL, and then it is null. */
json_t *api_entry_json_beside(const struct api_entry *entry, const struct api_view *view);

/* A list that grows. */
struct api_entries {
    struct api_entry **items;
    size_t count, room;
};
bool api_entries_add(struct api_entries *list, struct api_entry *entry);
/* Frees the entries too. */
void api_entries_clear(struct api_entries *list);

#endif
