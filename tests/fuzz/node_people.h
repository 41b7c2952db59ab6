/* Four people with what they have signed: the material of the messages that a fuzz input makes.
 * Person 0 is the node's owner; person 1 forks; person 2 has closed the log; person 3 has rotated
 * and listed it. Made once. */
#ifndef PARLEY_TESTS_FUZZ_NODE_PEOPLE_H
#define PARLEY_TESTS_FUZZ_NODE_PEOPLE_H

#include <parley/identity.h>
#include <parley/log.h>
#include <parley/wire.h>

#define PEOPLE_COUNT   4u
#define CHAIN_SIZE     12u
#define FORK_AT        5u /* entries 1 .. 5 are common to both branches */
#define BRANCHES_COUNT 2u
#define RECORDS_MAX    4u

struct person {
    struct parley_author author;
    struct parley_secret_key device;
    struct parley_device_key device_key;
    struct parley_log log;
    struct parley_entry chain[BRANCHES_COUNT][CHAIN_SIZE]; /* seq - 1 */
    uint8_t bodies[BRANCHES_COUNT][CHAIN_SIZE][256];
    struct parley_span records[RECORDS_MAX];
    uint8_t record_bytes[RECORDS_MAX][1024];
    size_t records_count;
    size_t head; /* of the log, by all of the records */
    uint8_t set_hash[PARLEY_SET_HASH_SIZE];
};
extern struct person people[PEOPLE_COUNT];

void people_make(void);
/* A chunk of low .. high, 1 .. CHAIN_SIZE; with bodies or without. In room that the next call takes
 * again. */
struct parley_span people_chunk(const struct person *person, size_t branch, size_t low, size_t high,
                                bool with_bodies, bool is_badly_signed);

#endif
