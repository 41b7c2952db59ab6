#include "internal.h"

/* A reply whose parent is not here: somebody who is carried answers somebody who is not. The
 * parent, and the entry that the thread begins with, are asked for once, of the peer that brought
 * the reply: whoever shows the reply may well hold them. What comes is judged like a push, by its
 * own signature, since a reply proves nothing of what it names; so a peer that gives what the reply
 * names is not to blame for a signature that does not hold. SPEC 9.7.
 *
 * Such an entry stands alone in its log: nothing else of an author who is not carried is asked for.
 * All of it is bounded: how many at a time, how far up a thread, and how many are kept. */

static void parent_give(struct parley_node *node, struct parent *parent) {
    parent->state = PARENT_FREE;
    node->parents.is_turn = true;
}

static struct parent *parent_take(struct parley_node *node, const struct peer *peer) {
    struct parent *taken = NULL;
    unsigned count = 0;
    for (size_t i = 0; i < PARLEY_PARENTS_MAX; i++) {
        struct parent *parent = &node->parents.items[i];
        if (parent->state == PARENT_FREE)
            taken = parent;
        else
            count += parent->connection == peer->connection;
    }
    return count < PARLEY_PARENTS_PER_PEER ? taken : NULL;
}

/* It was not asked, or ended with the link: whoever brings such a reply again is asked. */
static void not_tried(struct parley_node *node, const struct parley_ref *ref) {
    uint64_t hash = table_hash(node, ref->id.bytes);
    for (size_t i = 0; i < PARLEY_PARENTS_TRIED_MAX; i++)
        if (node->parents.tried[i] == hash)
            node->parents.tried[i] = 0;
}

/* --- asking -------------------------------------------------------------------------------- */

static bool ask_records(struct parley_node *node, struct peer *peer, struct parent *parent) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_IDENTITY};
    struct parley_writer writer;
    uint8_t buffer[34];
    parley_writer_init(&writer, buffer, sizeof buffer);
    parley_wire_put_author(&writer, &parent->ref.author);
    message.as.ask_identity.authors = parley_wire_list_of(&writer, 1);
    parent->state = PARENT_RECORDS;
    return peer_send_message(node, peer, &message);
}

static bool ask_entry(struct parley_node *node, struct peer *peer, struct parent *parent) {
    struct parley_wire_message message = {.type = PARLEY_WIRE_ASK_RUN};
    struct parley_wire_ask_run *ask = &message.as.ask_run;
    parent->state = PARENT_RUN;
    parent->request = node->next_request++;
    ask->request = parent->request;
    ask->log = parent->ref.log;
    ask->kind = PARLEY_RUN_ANCHORED;
    ask->top_seq = parent->ref.seq;
    ask->top_id = parent->ref.id;
    ask->down_seq = parent->ref.seq - 1;
    ask->bodies = true;
    ask->bytes_max = 1; /* the entry is sent whole */
    return peer_send_message(node, peer, &message);
}

static void ask(struct parley_node *node, struct peer *peer, struct parent *parent) {
    uint32_t log = log_find(node, &parent->ref.log);
    bool is_sent = log == NONE ? ask_records(node, peer, parent) : ask_entry(node, peer, parent);
    parent->deadline = node->now + PARLEY_FETCH_MS;
    deadline_lower(node, parent->deadline);
    if (is_sent)
        return;
    not_tried(node, &parent->ref);
    parent_give(node, parent);
}

/* --- wanting ------------------------------------------------------------------------------- */

/* Asked for lately, now included: who does not have it is not asked with every reply. */
static bool was_tried(struct parley_node *node, const struct parley_ref *ref) {
    struct parents *parents = &node->parents;
    uint64_t hash = table_hash(node, ref->id.bytes);
    for (size_t i = 0; i < PARLEY_PARENTS_TRIED_MAX; i++)
        if (parents->tried[i] == hash)
            return true;
    parents->tried[parents->tried_next++ % PARLEY_PARENTS_TRIED_MAX] = hash;
    return false;
}

/* Whom this node carries, catching up brings; whom the owner blocks, nobody. */
static bool is_elsewhere(const struct parley_node *node, const struct parley_ref *ref) {
    uint32_t author = author_find(node, &ref->author), log = log_find(node, &ref->log);
    if (author != NONE && (author_is_wanted(node, author) || author_is_blocked(node, author)))
        return false;
    return log == NONE || !parley_ranges_covers(&node->logs[log].ranges, ref->seq);
}

static void wait_for_a_turn(struct parents *parents, parley_connection connection,
                            const struct parley_ref *ref, unsigned depth) {
    size_t at = (parents->waiting_first + parents->waiting_count) % PARLEY_PARENTS_WAITING_MAX;
    parents->waiting[at] = (struct parent_waiting){*ref, connection, depth};
    parents->waiting_count++;
}

static void want_parent(struct parley_node *node, struct peer *peer, const struct parley_ref *ref,
                        unsigned depth) {
    if (depth > PARLEY_PARENTS_DEPTH_MAX || node->parents.kept_count >= PARLEY_PARENTS_KEPT_MAX ||
        ref->seq == 0 || ref->seq > PARLEY_SEQ_MAX || !is_elsewhere(node, ref))
        return;
    struct parent *parent = parent_take(node, peer);
    if ((parent == NULL && node->parents.waiting_count == PARLEY_PARENTS_WAITING_MAX) ||
        was_tried(node, ref))
        return;
    if (parent == NULL) {
        wait_for_a_turn(&node->parents, peer->connection, ref, depth);
        return;
    }
    *parent = (struct parent){.ref = *ref, .connection = peer->connection, .depth = depth};
    ask(node, peer, parent);
}

/* Once around when a place was given: whoever has none yet waits behind the others. */
void parents_pump(struct parley_node *node) {
    struct parents *parents = &node->parents;
    if (!parents->is_turn || !effects_have_room(node))
        return;
    parents->is_turn = false;
    for (size_t left = parents->waiting_count; left > 0; left--) {
        struct parent_waiting one = parents->waiting[parents->waiting_first];
        struct peer *peer = peer_find(node, one.connection);
        parents->waiting_first = (parents->waiting_first + 1) % PARLEY_PARENTS_WAITING_MAX;
        parents->waiting_count--;
        if (peer == NULL || peer->phase != PEER_OPEN)
            not_tried(node, &one.ref);
        if (peer == NULL || peer->phase != PEER_OPEN || !is_elsewhere(node, &one.ref))
            continue;
        struct parent *parent = parent_take(node, peer);
        if (parent == NULL) {
            wait_for_a_turn(parents, one.connection, &one.ref, one.depth);
            continue;
        }
        *parent = (struct parent){.ref = one.ref, .connection = one.connection, .depth = one.depth};
        ask(node, peer, parent);
    }
}

static struct parent *parent_of(struct parley_node *node, const struct chunk_task *task) {
    if (task->source != CHUNK_PARENT)
        return NULL;
    struct parent *parent = &node->parents.items[task->fetch];
    return parent->state == PARENT_JUDGED && parent->request == task->fetch_request ? parent : NULL;
}

void parents_look_at(struct parley_node *node, struct peer *peer, const struct chunk_task *task,
                     struct parley_span bytes) {
    const struct parent *child = parent_of(node, task);
    unsigned depth = child == NULL ? 1 : child->depth + 1;
    struct parley_chunk chunk;
    struct parley_chunk_cursor cursor;
    struct parley_item item;
    if (node->config.relay || peer == NULL || peer->phase != PEER_OPEN || peer->is_silent ||
        parley_chunk_decode(&chunk, bytes).error != PARLEY_E_OK)
        return;
    parley_chunk_start(&cursor, &chunk);
    while (effects_have_room(node) && parley_chunk_next_item(&cursor, &item)) {
        if (!item.has_body || parley_body_decode(&node->body, item.body).error != PARLEY_E_OK ||
            node->body.kind != PARLEY_BODY_POST || !node->body.post.has_parent)
            continue;
        want_parent(node, peer, &node->body.post.parent, depth);
        if (node->body.post.has_root)
            want_parent(node, peer, &node->body.post.root, depth);
    }
}

/* --- answers ------------------------------------------------------------------------------- */

bool parents_expect(const struct parley_node *node, const struct peer *peer,
                    const struct parley_author *author) {
    for (size_t i = 0; i < PARLEY_PARENTS_MAX; i++) {
        const struct parent *parent = &node->parents.items[i];
        if (parent->state == PARENT_RECORDS && parent->connection == peer->connection &&
            PARLEY_EQUAL(parent->ref.author, *author))
            return true;
    }
    return false;
}

void parents_on_records(struct parley_node *node, struct peer *peer,
                        const struct parley_author *author) {
    for (size_t i = 0; i < PARLEY_PARENTS_MAX; i++) {
        struct parent *parent = &node->parents.items[i];
        if (parent->state != PARENT_RECORDS || parent->connection != peer->connection ||
            !PARLEY_EQUAL(parent->ref.author, *author))
            continue;
        parent_give(node, parent);
        if (log_find(node, &parent->ref.log) != NONE)
            ask(node, peer, parent);
    }
}

/* The one entry that the reply names. */
static bool is_asked(const struct parent *parent, struct parley_span bytes) {
    struct parley_chunk chunk;
    struct parley_entry entry;
    return parley_chunk_decode(&chunk, bytes).error == PARLEY_E_OK && chunk.count == 1 &&
           PARLEY_EQUAL(chunk.log, parent->ref.log) &&
           parley_chunk_find(&chunk, parent->ref.seq, &entry) &&
           PARLEY_EQUAL(entry.id, parent->ref.id);
}

void parents_on_run(struct parley_node *node, struct peer *peer,
                    const struct parley_wire_run *run) {
    for (uint32_t i = 0; i < PARLEY_PARENTS_MAX; i++) {
        struct parent *parent = &node->parents.items[i];
        if (parent->state != PARENT_RUN || parent->request != run->request ||
            parent->connection != peer->connection)
            continue;
        parent_give(node, parent);
        if (run->chunk.size == 0 || !is_asked(parent, run->chunk))
            return;
        parent->state = PARENT_JUDGED;
        struct chunk_task task = {.source = CHUNK_PARENT,
                                  .log = parent->ref.log,
                                  .fetch = i,
                                  .fetch_request = parent->request};
        ingest_chunk(node, peer, 0, &task, run->chunk);
        return;
    }
}

void parents_end(struct parley_node *node, const struct chunk_task *task, enum parley_error error) {
    struct parent *parent = parent_of(node, task);
    node->parents.kept_count += error == PARLEY_E_OK;
    if (parent != NULL)
        parent_give(node, parent);
}

void parents_drop_peer(struct parley_node *node, const struct peer *peer) {
    for (size_t i = 0; i < PARLEY_PARENTS_MAX; i++)
        if (node->parents.items[i].state != PARENT_FREE &&
            node->parents.items[i].connection == peer->connection) {
            not_tried(node, &node->parents.items[i].ref);
            parent_give(node, &node->parents.items[i]);
        }
}

void parents_on_timer(struct parley_node *node) {
    for (size_t i = 0; i < PARLEY_PARENTS_MAX; i++) {
        struct parent *parent = &node->parents.items[i];
        if (parent->state == PARENT_FREE)
            continue;
        if (node->now >= parent->deadline)
            parent_give(node, parent);
        else
            deadline_lower(node, parent->deadline);
    }
}
