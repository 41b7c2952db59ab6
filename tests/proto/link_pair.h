/* Two ends of a link with fixed keys and chance, for tests of the link. */
#ifndef PARLEY_TESTS_LINK_PAIR_H
#define PARLEY_TESTS_LINK_PAIR_H

#include <parley/crypto.h>
#include <parley/link.h>

#define PRELUDE "abcdefghijklmnop"

struct node_keys {
    struct parley_secret_key secret;
    struct parley_node_key key;
};

static inline struct node_keys node_keys_of(uint8_t byte) {
    struct node_keys keys;
    struct parley_seed seed;
    memset(seed.bytes, byte, sizeof seed.bytes);
    parley_key_pair(&keys.secret, keys.key.bytes, &seed);
    return keys;
}

static inline struct parley_link_chance chance_of(uint8_t byte) {
    struct parley_link_chance chance;
    memset(chance.ephemeral, byte, sizeof chance.ephemeral);
    memset(chance.mask_nonce, byte + 1, sizeof chance.mask_nonce);
    return chance;
}

static inline struct parley_link dialler_of(uint8_t own, uint8_t listener, uint8_t chance_byte,
                                            struct parley_span prelude) {
    struct node_keys keys = node_keys_of(own);
    struct node_keys peer = node_keys_of(listener);
    struct parley_link_chance chance = chance_of(chance_byte);
    struct parley_link link;
    if (parley_link_init_dialler(&link, &keys.secret, &peer.key, &chance, prelude) != PARLEY_E_OK)
        abort();
    return link;
}

static inline struct parley_link listener_of(uint8_t own, uint8_t chance_byte,
                                             size_t prelude_size) {
    struct node_keys keys = node_keys_of(own);
    struct parley_link_chance chance = chance_of(chance_byte);
    struct parley_link link;
    parley_link_init_listener(&link, &keys.secret, &chance, prelude_size);
    return link;
}

#endif
