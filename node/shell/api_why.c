/* Why a post is here, or is not: the reasons one after the other, each with the command that makes
 * an exception of this post or its author where there is one. The first reason that hides is the
 * state; with none the post is visible. */
#include "api_hide.h"
#include "api_job.h"
#include "api_unread.h"
#include <parley/log.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* As many as the store keeps beside a log (store.h). */
#define EVIDENCE_READ_MAX 16u

struct why {
    /* read by a worker */
    struct parley_id branches[2];
    size_t branches_count;
    parley_seq forked;
    enum parley_error unread;           /* api_unread.h */
    char parent[PARLEY_POST_TEXT_SIZE]; /* what it answers, when that is not here; else empty */
    /* on the loop */
    const struct parley_node *node;
    struct parley_log log;
    parley_seq seq;
    const struct api_entry *entry; /* NULL: not here */
    char author[PARLEY_AUTHOR_TEXT_SIZE];
    char post[API_NAME_SIZE_MAX]; /* as it was called */
    struct parley_node_log at;
    struct parley_node_author who;
    const char *state; /* NULL: visible so far */
    json_t *reasons;
};

static void free_why(void *state) {
    struct why *why = state;
    json_decref(why->reasons);
    free(why);
}

/* state: what the post is because of it; NULL: nothing is hidden by it. override: the words of a
 * command before what it is about. */
static void add(struct why *why, const char *state, const char *rule, const char *override,
                const char *about, const char *format, ...) __attribute__((format(printf, 6, 7)));

static void add(struct why *why, const char *state, const char *rule, const char *override,
                const char *about, const char *format, ...) {
    char words[1024], command[API_NAME_SIZE_MAX + 32];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    snprintf(command, sizeof(command), "parley %s %s", override != NULL ? override : "", about);
    json_array_append_new(why->reasons,
                          json_pack("{s:s, s:s, s:b, s:s?, s:s?, s:s?}", "rule", rule, "words",
                                    words, "hides", (int)(state != NULL), "override",
                                    override != NULL ? command : NULL, "verb", override, "about",
                                    override != NULL ? about : NULL));
    if (why->state == NULL)
        why->state = state;
}

static bool is_post_allowed(const struct why *why) {
    return why->entry != NULL &&
           parley_node_post_is_allowed(why->node, &why->log, why->seq, &why->entry->id);
}

/* ---- who ---------------------------------------------------------------------------------- */

static void add_relation(struct why *why, const struct parley_host *host) {
    const struct parley_home *home = parley_host_home(host);
    if (why->who.is_blocked)
        add(why, "blocked", "block", "unblock", why->author,
            "you block the author: nothing of theirs is taken, given or shown here");
    else if (home->has_device && PARLEY_EQUAL(home->author, why->at.author))
        add(why, NULL, "own", NULL, "", "it is your own");
    else if (why->who.is_followed)
        add(why, NULL, "follow", NULL, "", "you follow the author%s",
            why->who.is_private ? ", privately" : "");
    else if (parley_host_is_relay(host))
        add(why, NULL, "relay", NULL, "", "this node carries for everybody");
    else if (why->who.is_wanted)
        add(why, NULL, "hop", NULL, "", "somebody whom you follow follows the author");
    else
        add(why, NULL, "stranger", "follow", why->author,
            "nobody here follows the author: of theirs is kept what came before, or what is "
            "answered by somebody who is followed");
}

/* ---- the log's verdict -------------------------------------------------------------------- */

/* What is not here cannot be allowed. */
static const char *override_here(const struct why *why) {
    return why->entry != NULL ? "allow" : NULL;
}

static void add_fork(struct why *why) {
    char ids[2][65] = {"?", "?"};
    for (size_t i = 0; i < why->branches_count; i++)
        parley_hex_encode(ids[i], why->branches[i].bytes, sizeof(why->branches[i].bytes));
    add(why, "frozen", "fork", override_here(why), why->post,
        "the author's device signed two entries with the number %llu, %s and %s: from there on all "
        "is hidden until the author's root says which one is good",
        (unsigned long long)why->at.forked, ids[0], ids[1]);
}

static void add_verdict(struct why *why) {
    const struct parley_policy *policy = &why->at.policy;
    unsigned long long end = (unsigned long long)policy->seq;
    if (policy->kind == PARLEY_POLICY_VOID)
        add(why, "hidden", "void", override_here(why), why->post,
            "the author's identity records do not count this device as theirs");
    else if (policy->kind == PARLEY_POLICY_CLOSED && why->seq > policy->seq)
        add(why, "hidden", "closed", override_here(why), why->post,
            "the author's identity records end this log at entry %llu", end);
    else if (why->at.forked != 0 && why->seq >= why->at.forked)
        add_fork(why);
    else if (parley_ranges_covers(&why->at.ranges, why->seq) &&
             !parley_ranges_shows(&why->at.good, policy, why->seq))
        add(why, "hidden", "unlinked", "allow", why->post,
            "what is held of this log does not yet lead from entry %llu, which the author's "
            "identity records name, to this one",
            end);
}

/* ---- what is missing ---------------------------------------------------------------------- */

static void add_asking(struct why *why, const char *state, const char *rule, bool bodies,
                       const char *what) {
    struct parley_node_asking asking;
    char key[PARLEY_NODE_TEXT_SIZE];
    (void)parley_node_asking(why->node, &why->log, bodies, &asking);
    parley_node_key_encode(key, &asking.peer);
    if (!asking.has_source)
        add(why, state, rule, NULL, "",
            "%s is not here, and no peer that is connected said that it "
            "has it",
            what);
    else if (asking.is_asked)
        add(why, state, rule, NULL, "", "%s is not here; %s is being asked", what, key);
    else
        add(why, state, rule, NULL, "",
            "%s is not here; %s is asked in %llu s (%u asks brought "
            "nothing)",
            what, key, (unsigned long long)(asking.again_in_ms + 999) / 1000, asking.failures);
}

static void add_missing(struct why *why) {
    if (why->state != NULL)
        return; /* and nobody asks for it */
    if (parley_ranges_covers(&why->at.ranges, why->seq))
        add(why, "missing", "branch", NULL, "",
            "another entry with the number %llu is here: this one is of another branch",
            (unsigned long long)why->seq);
    else if (why->seq < why->at.floor)
        add(why, "pruned", "quota", "allow", why->author,
            "the quota was reached, and of this log entries below %llu went: they come again of "
            "whom you allow, where there is no quota any more, and out of a file (parley import)",
            (unsigned long long)why->at.floor);
    else if (!why->who.is_blocked && !why->who.is_wanted)
        add(why, "missing", "not_wanted", "follow", why->author,
            "posts of people whom nobody here follows are not fetched");
    else if (!why->who.is_blocked)
        add_asking(why, "missing", "missing", false, "the entry");
}

static void add_body(struct why *why) {
    const struct parley_store_body_state *state = &why->entry->body_state;
    struct parley_body body;
    if (state->erased_by != 0)
        add(why, is_post_allowed(why) && why->entry->has_body ? NULL : "erased", "erase",
            why->entry->has_body ? "allow" : NULL, why->post,
            "its author erased it with entry %llu of the same log%s",
            (unsigned long long)state->erased_by,
            why->entry->has_body ? "; the words are here for some days still"
                                 : "; the words are gone here");
    else if (!why->entry->has_body && state->is_forgotten)
        add(why, "purged", "purge", "allow", why->post,
            "you purged it: its words are gone here, and only here; who has them is asked again "
            "when you allow it");
    else if (!why->entry->has_body)
        add_asking(why, "no_body", "no_body", true, "the body of the entry");
    else if (!api_entry_body(why->entry, &body))
        add(why, "unknown", "unknown_kind", NULL, "",
            "it is of a version or kind that this program does not know: carried, not shown");
}

/* ---- lists -------------------------------------------------------------------------------- */

static void add_lists(struct why *why) {
    struct parley_span word = PARLEY_NO_SPAN;
    switch (api_hiding_of(why->node, why->entry, &word)) {
    case API_HIDES_NOTHING:
    case API_HIDES_BLOCKED: /* said before, of the author */
        break;
    case API_HIDES_MUTED:
        add(why, "muted", "mute", "unmute", why->author,
            "you mute the author, or whom the author passes on: it is left out of timeline and "
            "thread");
        break;
    case API_HIDES_WORD:
        add(why, "muted", "word", "allow", why->post,
            "it bears the word \"%.*s\", which you mute: it is left out of timeline and thread",
            (int)word.size, (const char *)word.data);
        break;
    }
    if (api_entry_is_allowed(why->node, why->entry))
        add(why, NULL, "allow", "unallow", is_post_allowed(why) ? why->post : why->author,
            "you allow it: what hides it otherwise does not hide it here");
}

/* ---- on a worker -------------------------------------------------------------------------- */

static void add_branch(struct why *why, const struct parley_id *id) {
    if (why->branches_count == 2 ||
        (why->branches_count == 1 && PARLEY_EQUAL(why->branches[0], *id)))
        return;
    why->branches[why->branches_count++] = *id;
}

/* What the two branches are called stands in the evidence. */
static void read_branches(struct api_job *job, struct parley_store *store) {
    struct why *why = job->state;
    uint8_t *buffer = why->forked != 0 ? malloc(PARLEY_CHUNK_LARGEST) : NULL;
    struct parley_span bytes;
    struct parley_chunk chunk;
    struct parley_entry entry;
    for (size_t i = 0; buffer != NULL; i++) {
        enum parley_error error = parley_store_read_evidence(store, &why->log, i, buffer, &bytes);
        api_unread_keep(&why->unread, error);
        if (error == PARLEY_E_STORE_DAMAGED && i < EVIDENCE_READ_MAX)
            continue; /* the next one may be whole */
        if (error != PARLEY_E_OK)
            break;
        if (parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK) {
            api_unread_keep(&why->unread, PARLEY_E_STORE_DAMAGED);
            continue;
        }
        if (parley_chunk_find(&chunk, why->forked, &entry))
            add_branch(why, &entry.id);
        else if (chunk.seq_first == why->forked + 1)
            add_branch(why, &chunk.prev_first);
    }
    free(buffer);
}

/* What a reply answers may be elsewhere only. */
static void read_parent(struct why *why, struct parley_store *store) {
    struct parley_body body;
    if (why->entry == NULL || !api_entry_body(why->entry, &body) || body.kind != PARLEY_BODY_POST ||
        !body.post.has_parent)
        return;
    enum parley_error unread = PARLEY_E_OK;
    struct api_entry *parent = api_entry_read(store, &body.post.parent, &unread);
    api_unread_keep(&why->unread, unread);
    if (parent == NULL && unread == PARLEY_E_OK) {
        struct parley_post_address address = {.log = body.post.parent.log,
                                              .seq = body.post.parent.seq};
        memcpy(address.id_start, body.post.parent.id.bytes, sizeof(address.id_start));
        parley_post_address_encode(why->parent, &address);
    }
    api_entry_free(parent);
}

static void read_why(struct api_job *job, struct parley_store *store) {
    read_branches(job, store);
    read_parent(job->state, store);
}

/* ---- requests ----------------------------------------------------------------------------- */

static void explain(struct api_job *job) {
    struct why *why = job->state;
    bool is_known = parley_node_log_find(why->node, &why->log, &why->at);
    if (!is_known) {
        add(why, "unknown", "unknown_log", NULL, "",
            "no author known here has this log: nothing of it, and nothing that commits to it, has "
            "come");
        return;
    }
    parley_author_encode(why->author, &why->at.author);
    (void)parley_node_author_find(why->node, &why->at.author, &why->who);
    add_relation(why, job->api->host);
    if (is_post_allowed(why))
        why->state = NULL;
    const char *before = why->state;
    add_verdict(why);
    if (why->entry == NULL) {
        add_missing(why);
        return;
    }
    if (api_entry_is_allowed(why->node, why->entry))
        why->state = before;
    add_body(why);
    if (why->parent[0] != '\0')
        add(why, NULL, "parent", NULL, "",
            "it answers %s, which is not here: parley why says why of that one, too", why->parent);
    add_lists(why);
}

static void answer_why(struct api_job *job) {
    struct why *why = job->state;
    why->reasons = json_array();
    explain(job);
    json_t *json = json_pack("{s:s, s:s, s:O}", "post", why->post, "state",
                             why->state != NULL ? why->state : "visible", "reasons", why->reasons);
    json_object_set_new(json, "author",
                        why->author[0] != '\0' ? json_string(why->author) : json_null());
    json_object_set_new(json, "log", api_json_hex(why->log.bytes, sizeof(why->log.bytes)));
    json_object_set_new(json, "seq", json_integer((json_int_t)why->seq));
    json_object_set_new(json, "problem", api_unread_json(why->unread));
    api_answer_json(job, 200, json);
}

void api_names_why(struct api_job *job) {
    if (!api_name_add(job, API_POST, "post", job->rest))
        return;
    job->names[0].may_be_missing = true;
    api_names_find(job);
}

void api_run_why(struct api_job *job) {
    const struct api_name *name = &job->names[0];
    struct why *why = calloc(1, sizeof(*why));
    if (why == NULL) {
        api_no_memory(job);
        return;
    }
    job->state = why;
    job->free_state = free_why;
    why->node = parley_host_node(job->api->host);
    why->log = name->log;
    why->seq = name->seq;
    why->entry = name->entry;
    memcpy(why->post, name->text, sizeof(why->post));
    if (parley_node_log_find(why->node, &why->log, &why->at))
        why->forked = why->at.forked;
    api_read(job, read_why, answer_why);
}
