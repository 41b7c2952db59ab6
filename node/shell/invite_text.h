/* An invite as text: who invites, where their node is, and a secret that is good once. Pure.
 *
 *   "pinvite1" and, in the letters of base64 for addresses and without padding:
 *   version 1, node key (32), author (32), secret (16), minutes since 1970 until which it is good
 *   (4, big endian), for each place its length (1) and its text (SPEC 9.11.1), and the first four
 *   bytes of H("parley invite text", all before)
 *
 * BIP 350's checksum is made for at most 90 letters and an invite has twice as many, so this has
 * one of its own, which finds any damage but one in four thousand million.
 */
#ifndef PARLEY_INVITE_TEXT_H
#define PARLEY_INVITE_TEXT_H

#include <parley/text.h>
#include <parley/wire.h>

#define INVITE_SECRET_SIZE PARLEY_INVITE_SECRET_SIZE
#define INVITE_PLACES_MAX  4u /* what is advertised, the router's, two of this machine */
#define INVITE_BYTES_MAX   1024u
#define INVITE_TEXT_SIZE   1400u /* with the final zero byte */

/* The secret is one: wipe it. */
struct parley_invite {
    struct parley_node_key node;
    struct parley_author author;
    uint8_t secret[INVITE_SECRET_SIZE];
    parley_time_ms expires;                          /* a whole minute */
    struct parley_address places[INVITE_PLACES_MAX]; /* their keys are the node's */
    size_t places_count;
};

/* Places that do not fit are left out, from the last on. */
void parley_invite_encode(char text[INVITE_TEXT_SIZE], const struct parley_invite *invite);
/* White space around it is passed over. Errors: BAD_TEXT (it is none, or one that was cut),
 * BAD_CHECKSUM, BAD_VERSION, BAD_INPUT (a place that is none, no place or too many). */
PARLEY_USE_RESULT enum parley_error parley_invite_decode(struct parley_invite *invite,
                                                         struct parley_span text);

/* By what the inviter knows it again without keeping the secret. */
#define INVITE_ID_SIZE PARLEY_INVITE_ID_SIZE
void parley_invite_id(uint8_t id[INVITE_ID_SIZE], const uint8_t secret[INVITE_SECRET_SIZE]);

#endif
