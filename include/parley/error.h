/* Whose fault, and what to do about it.
 *
 * One list makes the enum, the words and the class. The class says what the caller does:
 *   REMOTE  a peer's fault: close the link with the reason
 *   NOBODY  an honest answer that is no: ignore, or answer with what we hold (protocol, "a peer's
 *           fault is only ...")
 *   CALLER  the person's input: tell the person
 *   LOCAL   this machine: retry or stop
 */
#ifndef PARLEY_ERROR_H
#define PARLEY_ERROR_H

#include <stddef.h>
#include <stdint.h>

#define PARLEY_USE_RESULT __attribute__((warn_unused_result))

#define PARLEY_ERRORS(X)                                                                           \
    X(OK, NONE, "no error")                                                                        \
    /* bytes that do not parse */                                                                  \
    X(TRUNCATED, REMOTE, "the bytes end too early")                                                \
    X(TRAILING, REMOTE, "bytes are left over at the end")                                          \
    X(NOT_CANONICAL, REMOTE, "not in canonical form")                                              \
    X(WRONG_TYPE, REMOTE, "another type of value was expected")                                    \
    X(OUT_OF_RANGE, REMOTE, "the value is out of its range")                                       \
    X(NOT_UTF8, REMOTE, "the text is not UTF-8")                                                   \
    X(TOO_DEEP, REMOTE, "nested too deeply")                                                       \
    X(TOO_LARGE, REMOTE, "larger than its limit")                                                  \
    X(BAD_VERSION, NOBODY, "of a version that is not known here")                                  \
    X(BAD_KIND, NOBODY, "of a kind that is not known here")                                        \
    /* judged false */                                                                             \
    X(BAD_SIGNATURE, REMOTE, "the signature does not verify")                                      \
    X(BAD_ROOT_CHAIN, REMOTE, "the roots do not lead to the author's name")                        \
    X(BAD_BODY, REMOTE, "the body does not match its size and salted hash")                        \
    X(BAD_ANCHOR, REMOTE, "the bytes do not hash to what was asked for")                           \
    X(BAD_MESSAGE, REMOTE, "a message that may not come now")                                      \
    X(BAD_HANDSHAKE, REMOTE, "the handshake failed")                                               \
    X(BAD_SEAL, REMOTE, "the sealed bytes do not open")                                            \
    X(REPLAYED, REMOTE, "a first flight was repeated")                                             \
    X(OVER_BUDGET, REMOTE, "more than the budget allows")                                          \
    X(BAD_TRAILER, REMOTE, "count or hash of the trailer do not match")                            \
    /* a no that is nobody's fault */                                                              \
    X(UNKNOWN_AUTHOR, NOBODY, "the author is not known here")                                      \
    X(UNKNOWN_LOG, NOBODY, "the log is not certified by its author")                               \
    X(UNREVEALED, NOBODY, "of a generation that is not yet revealed")                              \
    X(LOG_VOID, NOBODY, "the log is void")                                                         \
    X(LOG_CLOSED, NOBODY, "the log is closed before this entry")                                   \
    X(FORKED, NOBODY, "the log is forked at or before this entry")                                 \
    X(PREV_MISMATCH, NOBODY, "prev does not name the entry before")                                \
    X(GAP, NOBODY, "the entries before are not here")                                              \
    X(EXISTS, NOBODY, "already here")                                                              \
    X(NOT_FOUND, NOBODY, "not found")                                                              \
    X(NOT_WANTED, NOBODY, "not in the interest of this node")                                      \
    X(BLOCKED, NOBODY, "the author is blocked here")                                               \
    X(FULL, NOBODY, "the table is full")                                                           \
    /* the person's input */                                                                       \
    X(BAD_TEXT, CALLER, "not a valid text form")                                                   \
    X(BAD_CHECKSUM, CALLER, "the checksum does not match: a letter is wrong")                      \
    X(BAD_WORDS, CALLER, "not valid recovery words")                                               \
    X(BAD_INPUT, CALLER, "the input is not valid")                                                 \
    X(AMBIGUOUS, CALLER, "matches more than one")                                                  \
    X(READ_ONLY, CALLER, "read-only: nothing can be published now")                                \
    X(NO_IDENTITY, CALLER, "this home has no identity")                                            \
    X(HAS_IDENTITY, CALLER, "this home has an identity already")                                   \
    /* this machine */                                                                             \
    X(NO_SPACE, LOCAL, "does not fit the space given")                                             \
    X(NO_MEMORY, LOCAL, "out of memory")                                                           \
    X(DISK_FULL, LOCAL, "the disk is full")                                                        \
    X(DISK_FAILED, LOCAL, "the disk failed")                                                       \
    X(STORE_DAMAGED, LOCAL, "the store is damaged")                                                \
    X(STORE_MISSING, LOCAL, "the store is missing though it was made once")                        \
    X(STORE_LOCKED, LOCAL, "another process uses this home")                                       \
    X(TIMED_OUT, LOCAL, "not done in time: try again")                                             \
    X(RETRY, LOCAL, "not done now: try again")                                                     \
    X(SELF_TEST, LOCAL, "the cryptographic library does not behave as pinned")

enum parley_error {
#define X(name, class, words) PARLEY_E_##name,
    PARLEY_ERRORS(X)
#undef X
};

enum parley_error_class {
    PARLEY_CLASS_NONE,
    PARLEY_CLASS_REMOTE,
    PARLEY_CLASS_NOBODY,
    PARLEY_CLASS_CALLER,
    PARLEY_CLASS_LOCAL,
};

/* Context by value: what failed, at which byte of the input, in which field (a string literal). */
struct parley_fault {
    enum parley_error error;
    size_t offset;
    const char *field; /* NULL when none */
};

#define PARLEY_NO_FAULT ((struct parley_fault){PARLEY_E_OK, 0, NULL})

/* A sentence in lower case without a full stop. Never NULL. */
const char *parley_strerror(enum parley_error error);
/* The name in the list, for logs and JSON: "BAD_SIGNATURE". Never NULL. */
const char *parley_error_name(enum parley_error error);
enum parley_error_class parley_error_class(enum parley_error error);

#endif
