/* What a body says: the kinds that people see. SPEC 5.6.
 *
 * A body is a map with ascending small-integer keys; key 0 is the kind. It never decides whether an
 * entry is valid: what does not decode is carried, not shown, and nobody's fault. Unknown keys of a
 * known kind are skipped, so that a later version may say more. Text is any UTF-8, kept byte for
 * byte: nothing here trims, folds or normalises.
 */
#ifndef PARLEY_BODY_H
#define PARLEY_BODY_H

#include <parley/bytes.h>
#include <parley/error.h>
#include <parley/limits.h>

enum parley_body_kind {
    PARLEY_BODY_PROFILE = 1,
    PARLEY_BODY_POST = 2,
    PARLEY_BODY_ECHO = 3,
    PARLEY_BODY_VOTE = 4,
    PARLEY_BODY_FOLLOW = 5,
    PARLEY_BODY_ERASE = 6,
    /* reserved: 7 media, 8 sealed, 9 list, 10 label */
};

/* One entry of anybody, named so that another branch of a fork is noticed. */
struct parley_ref {
    struct parley_author author;
    struct parley_log log;
    parley_seq seq;
    struct parley_id id;
};

/* Optional text is absent when its data is NULL; optional refs when their flag is false. */
struct parley_profile {
    struct parley_span name;
    struct parley_span about; /* optional */
};
struct parley_post {
    struct parley_span text; /* may be empty */
    bool has_root, has_parent, has_quote;
    struct parley_ref root; /* the start of the thread */
    struct parley_ref parent;
    struct parley_ref quote;
    size_t mentions_count;
    struct parley_author mentions[PARLEY_MENTIONS_MAX];
    size_t tags_count;
    struct parley_span tags[PARLEY_TAGS_MAX]; /* 1 .. PARLEY_TAG_BYTES_MAX bytes each */
    struct parley_span language;              /* optional: a BCP 47 tag */
    struct parley_span warning;               /* optional: what the content is hidden behind */
};
struct parley_echo {
    struct parley_ref ref;
    struct parley_span comment; /* optional */
};
struct parley_vote {
    struct parley_ref ref;
    int8_t value; /* -1, 0 (taken back), 1 */
};
struct parley_follow {
    struct parley_author author;
    bool on;
};
struct parley_erase {
    size_t refs_count; /* 1 .. PARLEY_ERASE_REFS_MAX */
    struct parley_ref refs[PARLEY_ERASE_REFS_MAX];
};

struct parley_body { /* about 7 KiB */
    enum parley_body_kind kind;
    union {
        struct parley_profile profile;
        struct parley_post post;
        struct parley_echo echo;
        struct parley_vote vote;
        struct parley_follow follow;
        struct parley_erase erase;
    };
};

/* Writes the body's one encoding into data. Errors: NO_SPACE; BAD_INPUT when a field is beyond its
 * bound or text is not UTF-8. A body is never beyond
 * PARLEY_BODY_BYTES_MAX: NO_SPACE then too. */
PARLEY_USE_RESULT enum parley_error parley_body_encode(struct parley_span *out, uint8_t *data,
                                                       size_t size_max,
                                                       const struct parley_body *body);
/* Strict; spans point into bytes. Errors: BAD_KIND for a kind that is not known here, else what the
 * reader says; none of them is anybody's fault. */
PARLEY_USE_RESULT struct parley_fault parley_body_decode(struct parley_body *body,
                                                         struct parley_span bytes);

#endif
