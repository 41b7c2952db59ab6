/* People, their roots and their devices: deriving keys from the recovery words, identity records,
 * and the set of an author's records with its verdicts. SPEC 4.
 *
 * A record is a free-standing statement: a rotation (the inception is the one to generation 0)
 * reveals roots and lists the logs that stay; a certificate admits a device; a closing ends a log.
 * The set of an author's records is a join-semilattice: whatever the order in which the same
 * records come, the same ones are kept and every verdict is the same.
 *
 * Nothing here allocates. A set keeps compact facts in memory that the caller gives and may give
 * anew when more is needed; the bytes of the records themselves live in the store, by their hash.
 */
#ifndef PARLEY_IDENTITY_H
#define PARLEY_IDENTITY_H

#include <parley/bytes.h>
#include <parley/crypto.h>
#include <parley/error.h>
#include <parley/limits.h>
#include <parley/policy.h>
#include <parley/text.h>

/* Deriving, SPEC 4.1 and 4.2. The entropy is what the recovery words stand for; it is secret, and
 * so is every seed and secret key: wipe with parley_wipe. generation < PARLEY_GENERATIONS_COUNT. */
void parley_root_derive(struct parley_secret_key *secret, struct parley_root_key *key,
                        const uint8_t entropy[PARLEY_ENTROPY_SIZE], uint8_t generation);
/* c_g, the commitment to all roots after generation; zero for the last. At most 63 key
 * derivations, 2 ms. */
void parley_root_commitment(struct parley_hash *next, const uint8_t entropy[PARLEY_ENTROPY_SIZE],
                            uint8_t generation);
/* The person of these words. 2 ms. */
void parley_author_derive(struct parley_author *author, const uint8_t entropy[PARLEY_ENTROPY_SIZE]);
/* log = H("parley log", author, device). */
void parley_log_derive(struct parley_log *log, const struct parley_author *author,
                       const struct parley_device_key *device);

/* Records, SPEC 4.3 to 4.5. */

enum parley_record_kind {
    PARLEY_RECORD_ROTATION = 0,
    PARLEY_RECORD_CLOSING = 1,
    PARLEY_RECORD_CERTIFICATE = 2,
};

/* One log that a rotation lists: it stays readable up to id at seq and goes on or has ended
 * there. seq 0 exactly when id is zero. */
struct parley_listing {
    uint8_t ended;        /* 0 or 1 */
    uint8_t log_start[7]; /* of the log's name; filled and used by sets, else not looked at */
    struct parley_device_key device;
    parley_seq seq;
    struct parley_id id;
};

/* Room for a closing or a certificate; a rotation may need PARLEY_RECORD_BYTES_MAX. */
#define PARLEY_STATEMENT_BYTES_MAX 256u

/* The rotation to generation (0: the inception), encoded into data. listings must be ascending by
 * device key, unique. Errors: BAD_INPUT (order, count, seq without id), NO_SPACE. */
PARLEY_USE_RESULT enum parley_error
parley_rotation_make(struct parley_span *record, uint8_t *data, size_t size_max,
                     const uint8_t entropy[PARLEY_ENTROPY_SIZE], uint8_t generation,
                     const struct parley_listing *listings, size_t listings_count);
/* Ascending by device key, in place. At most PARLEY_ROTATION_ITEMS_MAX. */
void parley_listings_sort(struct parley_listing *listings, size_t count);
/* Root and device both consent. Errors: NO_SPACE. */
PARLEY_USE_RESULT enum parley_error parley_certificate_make(struct parley_span *record,
                                                            uint8_t *data, size_t size_max,
                                                            const struct parley_secret_key *root,
                                                            const struct parley_secret_key *device,
                                                            const struct parley_author *author,
                                                            uint8_t generation);

/* The same with root and device on two machines: what the device says of itself, SPEC 4.10. */
struct parley_device_request {
    struct parley_author author;
    uint8_t generation;
    struct parley_device_key device;
    struct parley_signature signature; /* the device's, as its certificate bears it */
};
/* generation < PARLEY_GENERATIONS_COUNT. */
void parley_device_request_make(struct parley_device_request *request,
                                const struct parley_secret_key *device,
                                const struct parley_author *author, uint8_t generation);
/* Whether the device consents. Ask before granting: nobody takes the certificate else. 100 us. */
PARLEY_USE_RESULT bool parley_device_request_holds(const struct parley_device_request *request);
/* The certificate. Errors: NO_SPACE, BAD_INPUT (generation). */
PARLEY_USE_RESULT enum parley_error
parley_certificate_grant(struct parley_span *record, uint8_t *data, size_t size_max,
                         const struct parley_secret_key *root,
                         const struct parley_device_request *request);
/* As one word that people copy, with a final zero byte. */
#define PARLEY_DEVICE_REQUEST_TEXT_SIZE (8u + 2u * (32u + 1u + 32u + 64u) + 1u)
void parley_device_request_encode(char text[PARLEY_DEVICE_REQUEST_TEXT_SIZE],
                                  const struct parley_device_request *request);
/* Errors: BAD_TEXT (another size, prefix or letter), OUT_OF_RANGE (generation). */
PARLEY_USE_RESULT struct parley_fault
parley_device_request_decode(struct parley_device_request *request, struct parley_span text);

/* Ends the device's log at id, or voids it whole (seq 0, id zero). Close only at an entry that
 * reachable nodes hold. Errors: BAD_INPUT (seq without id or the reverse), NO_SPACE. */
PARLEY_USE_RESULT enum parley_error
parley_closing_make(struct parley_span *record, uint8_t *data, size_t size_max,
                    const struct parley_secret_key *root, const struct parley_author *author,
                    uint8_t generation, const struct parley_device_key *device, parley_seq seq,
                    const struct parley_id *id);

/* One record, decoded. Spans point into the bytes given. */
struct parley_record {
    enum parley_record_kind kind;
    uint8_t generation;
    struct parley_author author; /* of a rotation: derived from its roots and commitment */
    struct parley_hash hash;     /* H("parley record", all bytes) */
    struct parley_root_key root; /* of a rotation: the root of its generation; else zero */
    /* of a certificate and a closing; a certificate has seq 0 and id zero */
    struct parley_device_key device;
    parley_seq seq;
    struct parley_id id;
    /* of a rotation */
    struct parley_span listings; /* for parley_listing_next */
    size_t listings_count;
    /* what is signed, and by whom */
    struct parley_span signed_part;
    struct parley_signature root_signature;
    struct parley_signature device_signature; /* of a certificate */
};

/* Canonical form, bounds, order of listings; no signature. The author of a rotation follows from
 * its bytes: whoever expects a certain author compares. Errors: those of the codec, BAD_VERSION,
 * BAD_KIND, BAD_ROOT_CHAIN (a last generation that commits to more). */
PARLEY_USE_RESULT struct parley_fault parley_record_decode(struct parley_record *record,
                                                           struct parley_span bytes);
/* Steps through record->listings (start with a copy of that span); false at the end. */
bool parley_listing_next(struct parley_listing *listing, struct parley_span *rest);

/* The signatures that a record needs, as data: one for a rotation or closing, two for a
 * certificate. set_root is the root of the record's generation as the set reveals it; a rotation
 * brings its own and does not look at it. Returns the count. */
size_t parley_record_checks(struct parley_check checks[2], const struct parley_record *record,
                            const struct parley_root_key *set_root);
/* The same at once. Error: BAD_SIGNATURE. 100 us each. */
PARLEY_USE_RESULT struct parley_fault parley_record_verify(const struct parley_record *record,
                                                           const struct parley_root_key *set_root);

/* The set, SPEC 4.6. */

/* What the set keeps of one certificate or closing: 112 bytes. */
struct parley_identity_fact {
    uint8_t kind;         /* enum parley_record_kind */
    uint8_t log_start[7]; /* of the log's name, so that a search by log costs no hashing */
    struct parley_device_key device;
    parley_seq seq;
    struct parley_id id;
    struct parley_hash hash; /* of the record */
};

static_assert(sizeof(struct parley_identity_fact) == 112, "a relay keeps one per device");
static_assert(sizeof(struct parley_listing) == 80, "no padding");

/* Memory for a set, the caller's. An author with one device needs one fact and no listing. */
struct parley_identity_storage {
    struct parley_identity_fact *facts;
    size_t facts_count_max;
    struct parley_listing *listings;
    size_t listings_count_max;
};

/* Read freely, change only through the functions below. */
struct parley_identity {
    struct parley_author author;
    bool revealed;      /* a rotation is here; all that follows is empty until then */
    uint8_t generation; /* the highest revealed */
    struct parley_root_key root;
    struct parley_hash rotation_hash;
    uint32_t facts_count_bound; /* PARLEY_SET_RECORDS_MAX; a test may lower it before adding */
    uint32_t facts_count;       /* ascending by kind, then hash */
    uint32_t listings_count;    /* ascending by device key */
    struct parley_identity_storage storage;
};

enum parley_identity_answer {
    PARLEY_IDENTITY_ADDED,      /* the set has changed; look at what left it */
    PARLEY_IDENTITY_EXISTS,     /* this very record is in the set */
    PARLEY_IDENTITY_UNREVEALED, /* of a generation above the set's: ask for the rotation first */
    PARLEY_IDENTITY_VOID,       /* of a lower generation, or a rotation that another one beats */
    PARLEY_IDENTITY_BEYOND,     /* sorts behind the bound of 1,024: dropped */
    PARLEY_IDENTITY_FULL,       /* the caller's memory: move the set to more and add again */
};

enum parley_identity_removed {
    PARLEY_REMOVED_NOTHING,
    PARLEY_REMOVED_ONE, /* the record with removed_hash */
    PARLEY_REMOVED_ALL, /* every record there was before: a higher generation is revealed */
};

/* What an addition did besides adding. When a certificate or closing was ADDED, only the verdict
 * of its own device's log, and that of removed_device, can have changed; after a rotation, any. */
struct parley_identity_change {
    enum parley_identity_removed removed;
    struct parley_hash removed_hash;         /* of the one, whose bytes need not be kept */
    struct parley_device_key removed_device; /* of the one, if it is no rotation; else zero */
    /* what the storage must hold at least for the record: tells FULL how far to grow */
    size_t facts_count_needed;
    size_t listings_count_needed;
};

/* An empty set. The storage may be of size 0. */
void parley_identity_init(struct parley_identity *set, const struct parley_author *author,
                          const struct parley_identity_storage *storage);
/* To other memory, at least as large as the counts in use. The old memory is the caller's again. */
void parley_identity_move(struct parley_identity *set,
                          const struct parley_identity_storage *storage);
/* What parley_identity_add would answer, without changing anything. Ask before checking
 * signatures: all but ADDED and FULL make that needless. record must be of the set's author. */
enum parley_identity_answer parley_identity_preview(const struct parley_identity *set,
                                                    const struct parley_record *record,
                                                    struct parley_identity_change *change);
/* Adds a record of this author whose signatures have been verified against the root of its
 * generation. The name admits one root of each, so a verification never goes stale: a rotation
 * that came in between answers VOID. After anything but ADDED the set is as before. */
enum parley_identity_answer parley_identity_add(struct parley_identity *set,
                                                const struct parley_record *record,
                                                struct parley_identity_change *change);

/* The verdict on one device's log. Cost: a walk over the facts. */
struct parley_policy parley_identity_policy(const struct parley_identity *set,
                                            const struct parley_device_key *device);
/* The same by the log's name; tells the device, whose key signs the entries. False, and a void
 * policy, when the set does not speak of the log. Cost: the walk and one hash. */
bool parley_identity_log_policy(struct parley_policy *policy, struct parley_device_key *device,
                                const struct parley_identity *set, const struct parley_log *log);

/* One log that the set speaks of. */
struct parley_identity_log {
    struct parley_device_key device;
    struct parley_log log;
    struct parley_policy policy;
};
/* Visits each log once, void ones too: start with *position 0; false at the end. Do not change
 * the set between. Cost of a whole visit: quadratic in the facts, 5 ms for 1,024. */
bool parley_identity_log_next(struct parley_identity_log *out, const struct parley_identity *set,
                              size_t *position);

/* What two nodes compare instead of sets: the start of H("parley identity set", author, hash of
 * the rotation, hashes of the facts in the set's order); zero when nothing is revealed. */
struct parley_identity_hash {
    uint8_t bytes[16];
};
void parley_identity_hash(struct parley_identity_hash *hash, const struct parley_identity *set);

#endif
