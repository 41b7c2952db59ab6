/* Text forms that people copy: bech32m (BIP 350) for authors, node keys and posts; addresses; and
 * the words from which a person's roots come (BIP 39, English). SPEC 3.
 */
#ifndef PARLEY_TEXT_H
#define PARLEY_TEXT_H

#include <parley/bytes.h>
#include <parley/error.h>

/* Sizes with the final zero byte. */
#define PARLEY_AUTHOR_TEXT_SIZE  66 /* "parley1" + 52 + 6 */
#define PARLEY_NODE_TEXT_SIZE    65 /* "pnode1" + 52 + 6 */
#define PARLEY_POST_TEXT_SIZE    86 /* "post1" + 74 + 6 */
#define PARLEY_HOST_SIZE_MAX     255
#define PARLEY_ADDRESS_TEXT_SIZE (PARLEY_NODE_TEXT_SIZE + 1 + 17 + PARLEY_HOST_SIZE_MAX + 2 + 6)

/* The general form. hrp is lower case. text must hold strlen(hrp) + 1 + (size * 8 + 4) / 5 + 6 + 1
 * bytes. At most 90 characters in all, as BIP 350 says. */
void parley_bech32m_encode(char *text, const char *hrp, struct parley_span data);
/* Errors: BAD_TEXT (offset at the letter), BAD_CHECKSUM. size is exact. */
PARLEY_USE_RESULT struct parley_fault
parley_bech32m_decode(uint8_t *data, size_t size, const char *hrp, struct parley_span text);

void parley_author_encode(char text[PARLEY_AUTHOR_TEXT_SIZE], const struct parley_author *author);
PARLEY_USE_RESULT struct parley_fault parley_author_decode(struct parley_author *author,
                                                           struct parley_span text);
void parley_node_key_encode(char text[PARLEY_NODE_TEXT_SIZE], const struct parley_node_key *key);
PARLEY_USE_RESULT struct parley_fault parley_node_key_decode(struct parley_node_key *key,
                                                             struct parley_span text);

/* A post's address: the place, and enough of the id to notice another branch. */
struct parley_post_address {
    struct parley_log log;
    parley_seq seq;
    uint8_t id_start[8];
};
void parley_post_address_encode(char text[PARLEY_POST_TEXT_SIZE],
                                const struct parley_post_address *post);
PARLEY_USE_RESULT struct parley_fault parley_post_address_decode(struct parley_post_address *post,
                                                                 struct parley_span text);

/* KEY@[TRANSPORT/]HOST:PORT; transport "tcp" is left out in text. Host is a name, an IPv4 or a
 * bracketed IPv6 address (kept here without the brackets), printable ASCII without '@' and '/'. */
struct parley_address {
    struct parley_node_key key;
    char transport[17];
    char host[PARLEY_HOST_SIZE_MAX + 1];
    uint16_t port;
};
void parley_address_encode(char text[PARLEY_ADDRESS_TEXT_SIZE],
                           const struct parley_address *address);
PARLEY_USE_RESULT struct parley_fault parley_address_decode(struct parley_address *address,
                                                            struct parley_span text);
/* What follows the '@', alone: where, and not who. The key is left as it is; a place is never at
 * port 0. */
#define PARLEY_PLACE_TEXT_SIZE (17 + PARLEY_HOST_SIZE_MAX + 2 + 6 + 1)
void parley_place_encode(char text[PARLEY_PLACE_TEXT_SIZE], const struct parley_address *address);
PARLEY_USE_RESULT struct parley_fault parley_place_decode(struct parley_address *address,
                                                          struct parley_span text);
/* HOST:PORT alone, for listeners. host must hold PARLEY_HOST_SIZE_MAX + 1 bytes. */
PARLEY_USE_RESULT struct parley_fault parley_host_port_decode(char *host, uint16_t *port,
                                                              struct parley_span text);

/* Recovery words: 12 words for 16 bytes of entropy. */
#define PARLEY_WORDS_COUNT     12
#define PARLEY_ENTROPY_SIZE    16
#define PARLEY_WORDS_TEXT_SIZE (PARLEY_WORDS_COUNT * 9)
/* Words separated by one space, with a final zero byte. */
void parley_words_encode(char text[PARLEY_WORDS_TEXT_SIZE],
                         const uint8_t entropy[PARLEY_ENTROPY_SIZE]);
/* Any white space, any case. Errors: BAD_WORDS (offset of the word), BAD_CHECKSUM. */
PARLEY_USE_RESULT struct parley_fault parley_words_decode(uint8_t entropy[PARLEY_ENTROPY_SIZE],
                                                          struct parley_span text);

#endif
