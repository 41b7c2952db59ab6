/* Who came to the page by a link of the owner's, and comes back. Pure: time is an argument, the key
 * comes from the caller.
 *
 * `parley open` has a secret made that is good once and for minutes. Whoever brings it gets two
 * halves: a cookie that no script can read, and a word that the page keeps for itself and sends
 * with each request. Both are needed: browsers send a cookie of 127.0.0.1 to every port there, so
 * the cookie alone is known to whatever other service the owner opens; and a script that reads the
 * word has not got the cookie. Nothing of who is in is kept: the halves are a number, an end and
 * their hash under the key of HOME/page.key, so they outlive a restart, and another key ends all.
 */
#ifndef PARLEY_SHELL_HTTP_SESSION_H
#define PARLEY_SHELL_HTTP_SESSION_H

#include <parley/bytes.h>
#include <parley/error.h>
#include <parley/limits.h>

#define HTTP_SESSION_KEY_BYTES 32u
/* As text, with a zero byte. */
#define HTTP_SECRET_SIZE 33u  /* 16 bytes in hex: nobody guesses it within its minutes */
#define HTTP_COOKIE_SIZE 113u /* number, end, hash: 16 + 8 + 32 bytes in hex */
#define HTTP_WORD_SIZE   65u  /* 32 bytes in hex */
/* Links that nobody has used yet: one more takes the oldest one's place. */
#define HTTP_OPENINGS_MAX 8u
/* So long a link is good: time to change to the browser. */
#define HTTP_OPENING_MS (UINT64_C(10) * 60u * 1000u)
/* So long the two halves are good: a daily reader opens the page anew a dozen times a year. */
#define HTTP_SESSION_MS (UINT64_C(30) * 24u * 3600u * 1000u)

/* So long after a link was used the session may change whose keys are the owner's: whoever can have
 * a link made in a terminal could do it there, and whoever finds a browser open could not. */
#define HTTP_FRESH_MS HTTP_OPENING_MS

struct http_sessions {
    uint8_t key[HTTP_SESSION_KEY_BYTES];
    struct http_opening {
        char secret[HTTP_SECRET_SIZE]; /* "": none */
        parley_time_ms until;
    } openings[HTTP_OPENINGS_MAX];
    size_t openings_at; /* the next one's place */
};

/* A session that was let in. */
struct http_pass {
    char cookie[HTTP_COOKIE_SIZE];
    char word[HTTP_WORD_SIZE];
    parley_time_ms until;
};

/* Another key: nobody is in any more, and no link is good. */
void http_sessions_set_key(struct http_sessions *sessions,
                           const uint8_t key[HTTP_SESSION_KEY_BYTES]);
/* random: 16 bytes of chance. now is wall time, here and below. */
void http_sessions_open(struct http_sessions *sessions, char secret[HTTP_SECRET_SIZE],
                        const uint8_t random[16], parley_time_ms now);
/* False: the secret is none, was used or is too old. Else it is used up. random names the session.
 */
bool http_sessions_enter(struct http_sessions *sessions, struct http_pass *pass, const char *secret,
                         const uint8_t random[16], parley_time_ms now);
/* Whether the halves belong together, are of this key, and are good yet. */
bool http_sessions_holds(const struct http_sessions *sessions, const char *cookie, const char *word,
                         parley_time_ms now);
/* Of a cookie that holds: whether its link was used less than HTTP_FRESH_MS ago. */
bool http_sessions_is_fresh(const char *cookie, parley_time_ms now);

#endif
