/* Bundles for tests and vectors, made in memory, the same in every run. */
#ifndef PARLEY_TESTS_BUNDLE_FIXTURE_H
#define PARLEY_TESTS_BUNDLE_FIXTURE_H

#include "log_fixture.h"

#include "person.h"
#include <parley/bundle.h>

#define FIXTURE_BUNDLE_MAX   (1u << 18)
#define FIXTURE_SECTIONS_MAX 32

/* A bundle being made, and where its sections begin. */
struct fixture_bundle {
    struct parley_bundle_writer writer;
    uint8_t data[FIXTURE_BUNDLE_MAX];
    size_t size;
    size_t sections[FIXTURE_SECTIONS_MAX];
    size_t sections_count;
};

void fixture_bundle_start(struct fixture_bundle *bundle);
void fixture_bundle_record(struct fixture_bundle *bundle, struct parley_span record);
void fixture_bundle_chunk(struct fixture_bundle *bundle, struct parley_span chunk);
void fixture_bundle_trailer(struct fixture_bundle *bundle);
struct parley_span fixture_bundle_bytes(const struct fixture_bundle *bundle);

/* Makes the record, adds it and forgets it. */
void fixture_bundle_rotation(struct fixture_bundle *bundle, const struct person *person,
                             uint8_t generation, struct parley_listing *listings, size_t count);
void fixture_bundle_certificate(struct fixture_bundle *bundle, const struct person *person,
                                uint8_t generation, unsigned device);
void fixture_bundle_closing(struct fixture_bundle *bundle, const struct person *person,
                            uint8_t generation, unsigned device, const struct parley_entry *last);
/* Entries in chunks of at most chunk_count. */
void fixture_bundle_run(struct fixture_bundle *bundle, const struct parley_entry *entries,
                        size_t count, size_t chunk_count, bool with_bodies);

/* That device of that person, with the log that follows. */
void fixture_person_device(struct fixture_device *device, const struct person *person,
                           unsigned number);
struct parley_listing fixture_listing(unsigned device, const struct parley_entry *last, bool ended);

/* The named bundles, which are also the vectors tests/vectors/bundles/NAME.parley. */
struct fixture_named_bundle {
    const char *name;
    const char *words; /* what is in it or wrong with it */
    void (*make)(struct fixture_bundle *bundle);
};
extern const struct fixture_named_bundle fixture_named_bundles[];
extern const size_t fixture_named_bundles_count;

/* The last finding of a whole judgement: END or REFUSED. */
void fixture_judge(struct parley_bundle_finding *finding, struct parley_span bytes);

#endif
