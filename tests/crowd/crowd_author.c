#include "crowd.h"

#include <stdlib.h>

/* Whoever has the keys signs what they like: several entries of one number, bad signatures in the
 * middle of a chain, records that name any of it. */

void crowd_author(struct crowd_author *author, uint8_t number) {
    memset(author, 0, sizeof *author);
    story_person(&author->person, number);
    author->number = number;
    author->entries = calloc(CROWD_ENTRIES_MAX, sizeof *author->entries);
    assert_non_null(author->entries);
}

void crowd_author_end(struct crowd_author *author) {
    free(author->entries);
}

void crowd_introduce(struct crowd *crowd, const struct crowd_author *author) {
    for (unsigned i = 0; i < crowd->count; i++) {
        crowd_record(crowd, i, author->person.inception);
        crowd_record(crowd, i, author->person.certificate);
    }
}

/* seq 0: the one after the entry below. */
static uint32_t write_one(struct crowd_author *author, uint32_t below, parley_seq seq,
                          bool is_bad) {
    static const uint8_t words[] = "so many words that nobody reads";
    assert_true(author->count < CROWD_ENTRIES_MAX);
    struct crowd_entry *made = &author->entries[author->count];
    struct parley_header *header = &made->entry.header;
    const struct crowd_entry *under = below == CROWD_NOTHING ? NULL : &author->entries[below];
    *made = (struct crowd_entry){.below = seq == 0 ? below : CROWD_NOTHING, .is_bad = is_bad};
    header->version = PARLEY_ENTRY_VERSION;
    header->log = author->person.log;
    header->seq = under == NULL ? 1 : under->entry.header.seq + 1;
    if (seq != 0)
        header->seq = seq;
    if (under != NULL)
        header->prev = under->entry.id;
    header->time = STORY_WALL_START + author->count; /* so that no two are the same */
    made->entry.has_body = true;
    made->entry.body = PARLEY_SPAN(words, sizeof words);
    parley_entry_sign(&made->entry, &author->person.device);
    if (is_bad) {
        made->entry.signature.bytes[7] ^= 1;
        parley_entry_id(&made->entry);
    }
    return author->count++;
}

uint32_t crowd_write(struct crowd_author *author, uint32_t below, unsigned count) {
    for (; count > 0; count--)
        below = write_one(author, below, 0, false);
    return below;
}

uint32_t crowd_write_bad(struct crowd_author *author, uint32_t below, unsigned count) {
    for (; count > 0; count--)
        below = write_one(author, below, 0, true);
    return below;
}

uint32_t crowd_write_bent(struct crowd_author *author, uint32_t below, parley_seq seq) {
    return write_one(author, below, seq, false);
}

parley_seq crowd_seq(const struct crowd_author *author, uint32_t entry) {
    return author->entries[entry].entry.header.seq;
}

struct parley_id crowd_id(const struct crowd_author *author, uint32_t entry) {
    return author->entries[entry].entry.id;
}

/* Chunks of at most so many, so that a long chain comes in several. */
#define CHUNK_COUNT 200u

static uint32_t give_chunk(struct crowd *crowd, unsigned node, const struct crowd_author *author,
                           uint32_t entry, parley_seq low) {
    static uint8_t buffer[PARLEY_CHUNK_BUFFER_SIZE];
    uint32_t chain[CHUNK_COUNT];
    size_t count = 0;
    while (entry != CROWD_NOTHING && count < CHUNK_COUNT && crowd_seq(author, entry) >= low) {
        chain[count++] = entry;
        entry = author->entries[entry].below;
    }
    struct parley_chunk_writer writer;
    parley_chunk_writer_init(&writer, buffer, sizeof buffer);
    while (count > 0)
        assert_int_equal(parley_chunk_add(&writer, &author->entries[chain[--count]].entry, true),
                         PARLEY_E_OK);
    crowd_import(crowd, node, parley_chunk_finish(&writer));
    return entry;
}

void crowd_give(struct crowd *crowd, unsigned node, const struct crowd_author *author,
                uint32_t entry, parley_seq low) {
    while (entry != CROWD_NOTHING && crowd_seq(author, entry) >= low)
        entry = give_chunk(crowd, node, author, entry, low);
}

static void root_of(const struct crowd_author *author, uint8_t generation,
                    struct parley_secret_key *root) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE];
    struct parley_root_key key;
    memset(entropy, author->number, sizeof entropy);
    parley_root_derive(root, &key, entropy, generation);
}

void crowd_close(struct crowd *crowd, unsigned node, const struct crowd_author *author,
                 uint32_t entry) {
    crowd_close_at(crowd, node, author, entry,
                   entry == CROWD_NOTHING ? 0 : crowd_seq(author, entry));
}

void crowd_close_at(struct crowd *crowd, unsigned node, const struct crowd_author *author,
                    uint32_t entry, parley_seq seq) {
    uint8_t bytes[PARLEY_STATEMENT_BYTES_MAX];
    struct parley_secret_key root;
    struct parley_span record;
    struct parley_id id =
        entry == CROWD_NOTHING ? (struct parley_id){{0}} : crowd_id(author, entry);
    root_of(author, 0, &root);
    assert_int_equal(parley_closing_make(&record, bytes, sizeof bytes, &root,
                                         &author->person.author, 0, &author->person.device_key, seq,
                                         &id),
                     PARLEY_E_OK);
    crowd_record(crowd, node, record);
}

void crowd_rotate(struct crowd *crowd, unsigned node, const struct crowd_author *author,
                  uint8_t generation, uint32_t entry, bool ended) {
    uint8_t entropy[PARLEY_ENTROPY_SIZE], bytes[2048];
    struct parley_listing listing = {.ended = ended, .device = author->person.device_key};
    struct parley_span record;
    memset(entropy, author->number, sizeof entropy);
    if (entry != CROWD_NOTHING) {
        listing.seq = crowd_seq(author, entry);
        listing.id = crowd_id(author, entry);
    }
    assert_int_equal(parley_rotation_make(&record, bytes, sizeof bytes, entropy, generation,
                                          &listing, entry != CROWD_NOTHING),
                     PARLEY_E_OK);
    crowd_record(crowd, node, record);
}

void crowd_begin_written(struct crowd *crowd, struct crowd_author *author, unsigned count,
                         uint64_t seed) {
    crowd_begin(crowd, count, seed);
    crowd_author(author, 9);
    crowd_introduce(crowd, author);
}

void crowd_end_unblamed(struct crowd *crowd, struct crowd_author *author) {
    assert_int_equal(crowd->blamed, 0);
    crowd_author_end(author);
    crowd_end(crowd);
}
