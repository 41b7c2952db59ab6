#include "node_people.h"
#include "fuzz.h"

#include <parley/body.h>
#include <sodium.h>

struct person people[PEOPLE_COUNT];

static struct parley_ref ref_to(const struct person *person, size_t branch, size_t index) {
    return (struct parley_ref){person->author, person->log, index + 1,
                               person->chain[branch][index].id};
}

/* One of each kind that says something of others, and posts. */
static void fill_body(struct parley_body *body, const struct person *person, size_t branch,
                      size_t index) {
    static const char names[PEOPLE_COUNT][4] = {"ann", "bob", "cyn", "dan"};
    size_t next = (size_t)(person - people + 1) % PEOPLE_COUNT;
    body->kind = PARLEY_BODY_POST;
    body->post.text = branch == 0 ? PARLEY_SPAN("one", 3) : PARLEY_SPAN("another", 7);
    switch (index) {
    case 1:
    case 9:
        body->kind = PARLEY_BODY_FOLLOW;
        body->follow.author = people[next].author;
        body->follow.on = index < 8;
        return;
    case 2:
        body->kind = PARLEY_BODY_PROFILE;
        body->profile.name = PARLEY_SPAN(names[person - people], 3);
        return;
    case 3:
        body->kind = PARLEY_BODY_VOTE;
        body->vote.ref = ref_to(person, branch, 0);
        body->vote.value = -1;
        return;
    case 6:
        body->post.has_root = body->post.has_parent = true;
        body->post.root = ref_to(person, branch, 0);
        /* Somebody else's, whom the node need not carry. */
        body->post.parent = ref_to(person > people ? person - 1 : person, 0, 0);
        return;
    case 10:
        body->kind = PARLEY_BODY_ERASE;
        body->erase.refs_count = 1;
        body->erase.refs[0] = ref_to(person, branch, 4);
        return;
    default:
        return;
    }
}

static void make_body(struct person *person, size_t branch, size_t index) {
    static struct parley_body body;
    struct parley_entry *entry = &person->chain[branch][index];
    uint8_t *bytes = person->bodies[branch][index];
    memset(&body, 0, sizeof body);
    fill_body(&body, person, branch, index);
    FUZZ_HOLDS(parley_body_encode(&entry->body, bytes, sizeof person->bodies[0][0], &body) ==
               PARLEY_E_OK);
}

static void make_entry(struct person *person, size_t branch, size_t index) {
    struct parley_entry *entry = &person->chain[branch][index];
    if (branch > 0 && index < FORK_AT) {
        *entry = person->chain[0][index];
        return;
    }
    memset(entry, 0, sizeof *entry);
    make_body(person, branch, index);
    entry->has_body = true;
    entry->header.version = PARLEY_ENTRY_VERSION;
    entry->header.log = person->log;
    entry->header.seq = index + 1;
    entry->header.time = 1767225600000 + index * 1000;
    if (index > 0)
        entry->header.prev = person->chain[branch][index - 1].id;
    parley_entry_sign(entry, &person->device);
}

static void keep_record(struct person *person, enum parley_error error) {
    FUZZ_HOLDS(error == PARLEY_E_OK && person->records_count < RECORDS_MAX);
    person->records_count++;
}

static void make_records(struct person *person, size_t number, const uint8_t *entropy) {
    struct parley_secret_key root;
    struct parley_root_key root_key;
    const struct parley_entry *last = &person->chain[0][3];
    struct parley_listing listing = {
        .ended = 0, .device = person->device_key, .seq = 4, .id = last->id};
#define NEXT                                                                                       \
    &person->records[person->records_count], person->record_bytes[person->records_count],          \
        sizeof person->record_bytes[0]
    parley_root_derive(&root, &root_key, entropy, 0);
    keep_record(person, parley_rotation_make(NEXT, entropy, 0, NULL, 0));
    keep_record(person, parley_certificate_make(NEXT, &root, &person->device, &person->author, 0));
    if (number == 2)
        keep_record(person, parley_closing_make(NEXT, &root, &person->author, 0,
                                                &person->device_key, 4, &last->id));
    if (number == 3)
        keep_record(person, parley_rotation_make(NEXT, entropy, 1, &listing, 1));
#undef NEXT
}

/* What tells a set of records from another one. */
static void hash_records(struct person *person) {
    struct parley_identity_fact facts[RECORDS_MAX];
    struct parley_listing listings[RECORDS_MAX];
    struct parley_identity_storage storage = {facts, RECORDS_MAX, listings, RECORDS_MAX};
    struct parley_identity set;
    struct parley_identity_change change;
    struct parley_identity_hash hash;
    parley_identity_init(&set, &person->author, &storage);
    for (size_t i = 0; i < person->records_count; i++) {
        struct parley_record record;
        FUZZ_HOLDS(parley_record_decode(&record, person->records[i]).error == PARLEY_E_OK);
        FUZZ_HOLDS(parley_identity_add(&set, &record, &change) == PARLEY_IDENTITY_ADDED);
    }
    parley_identity_hash(&hash, &set);
    memcpy(person->set_hash, hash.bytes, sizeof person->set_hash);
}

static void make_person(struct person *person, size_t number) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_seed seed;
    memset(entropy, (int)number + 1, sizeof entropy);
    memset(seed.bytes, (int)number + 1, sizeof seed.bytes);
    parley_author_derive(&person->author, entropy);
    parley_key_pair(&person->device, person->device_key.bytes, &seed);
    parley_log_derive(&person->log, &person->author, &person->device_key);
    for (size_t branch = 0; branch < BRANCHES_COUNT; branch++)
        for (size_t i = 0; i < CHAIN_SIZE; i++)
            make_entry(person, branch, i);
    make_records(person, number, entropy);
    hash_records(person);
    person->head = number == 2 ? 4 : CHAIN_SIZE;
}

void people_make(void) {
    FUZZ_HOLDS(sodium_init() >= 0);
    for (size_t i = 0; i < PEOPLE_COUNT; i++)
        make_person(&people[i], i);
}

struct parley_span people_chunk(const struct person *person, size_t branch, size_t low, size_t high,
                                bool with_bodies, bool is_badly_signed) {
    static uint8_t room[PARLEY_CHUNK_BUFFER_SIZE];
    struct parley_chunk_writer writer;
    parley_chunk_writer_init(&writer, room, sizeof room);
    for (size_t seq = low; seq <= high; seq++) {
        struct parley_entry entry = person->chain[branch][seq - 1];
        if (seq == high && is_badly_signed)
            entry.signature.bytes[63] |= 0x80;
        FUZZ_HOLDS(parley_chunk_add(&writer, &entry, with_bodies) == PARLEY_E_OK);
    }
    return parley_chunk_finish(&writer);
}
