#include <parley/text.h>

#include <parley/crypto.h>

#include "words_english.h"

/* BIP 39, English, 128 bits: the entropy and the first four bits of its SHA-256, cut into twelve
 * groups of eleven bits, each the index of a word. SPEC 3.6. */
#define BITS_PER_WORD 11
#define CHECKED_SIZE  (PARLEY_ENTROPY_SIZE + 1) /* the last byte's low four bits stay zero */

/* Entropy and its checksum, as the words hold them. */
static void add_checksum(uint8_t checked[CHECKED_SIZE],
                         const uint8_t entropy[PARLEY_ENTROPY_SIZE]) {
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, entropy, PARLEY_ENTROPY_SIZE);
    memcpy(checked, entropy, PARLEY_ENTROPY_SIZE);
    checked[PARLEY_ENTROPY_SIZE] = hash[0] & 0xf0;
    parley_wipe(hash, sizeof hash);
}

static unsigned index_at(const uint8_t checked[CHECKED_SIZE], size_t word) {
    unsigned index = 0;
    for (size_t bit = word * BITS_PER_WORD; bit < (word + 1) * BITS_PER_WORD; bit++)
        index = index << 1 | (checked[bit / 8] >> (7 - bit % 8) & 1);
    return index;
}

static void put_index(uint8_t checked[CHECKED_SIZE], size_t word, unsigned index) {
    for (size_t i = 0; i < BITS_PER_WORD; i++) {
        size_t bit = word * BITS_PER_WORD + i;
        if (index >> (BITS_PER_WORD - 1 - i) & 1)
            checked[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    }
}

void parley_words_encode(char text[PARLEY_WORDS_TEXT_SIZE],
                         const uint8_t entropy[PARLEY_ENTROPY_SIZE]) {
    uint8_t checked[CHECKED_SIZE];
    add_checksum(checked, entropy);
    for (size_t i = 0; i < PARLEY_WORDS_COUNT; i++) {
        const char *word = words_english[index_at(checked, i)];
        size_t size = strlen(word);
        memcpy(text, word, size);
        text += size;
        *text++ = i + 1 < PARLEY_WORDS_COUNT ? ' ' : '\0';
    }
    parley_wipe(checked, sizeof checked);
}

/* 0 for what is no letter: no word of the list holds one. */
static char lower_of(uint8_t letter) {
    if (letter >= 'A' && letter <= 'Z')
        return (char)(letter + ('a' - 'A'));
    return letter >= 'a' && letter <= 'z' ? (char)letter : '\0';
}

static bool is_space(uint8_t letter) {
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

/* The next word's place in text, from *at on; an empty span at the end. */
static struct parley_span next_word(struct parley_span text, size_t *at) {
    while (*at < text.size && is_space(text.data[*at]))
        ++*at;
    size_t start = *at;
    while (*at < text.size && !is_space(text.data[*at]))
        ++*at;
    return *at > start ? PARLEY_SPAN(text.data + start, *at - start) : PARLEY_NO_SPAN;
}

/* The list is sorted. 2,048 when the word is not in it. */
static unsigned find_word(struct parley_span word) {
    char key[WORD_LETTERS_MAX + 1] = {0};
    unsigned low = 0;
    unsigned high = WORDS_ENGLISH_COUNT;
    if (word.size > WORD_LETTERS_MAX)
        return WORDS_ENGLISH_COUNT;
    for (size_t i = 0; i < word.size; i++)
        key[i] = lower_of(word.data[i]);
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (strncmp(words_english[middle], key, WORD_LETTERS_MAX) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < WORDS_ENGLISH_COUNT && strlen(words_english[low]) == word.size &&
                    memcmp(words_english[low], key, word.size) == 0;
    parley_wipe(key, sizeof key);
    return is_found ? low : WORDS_ENGLISH_COUNT;
}

static struct parley_fault read_words(uint8_t checked[CHECKED_SIZE], struct parley_span text) {
    size_t at = 0;
    for (size_t i = 0; i < PARLEY_WORDS_COUNT; i++) {
        struct parley_span word = next_word(text, &at);
        unsigned index = word.size == 0 ? WORDS_ENGLISH_COUNT : find_word(word);
        if (index == WORDS_ENGLISH_COUNT)
            return (struct parley_fault){PARLEY_E_BAD_WORDS, at - word.size,
                                         word.size == 0 ? "count" : "word"};
        put_index(checked, i, index);
    }
    struct parley_span rest = next_word(text, &at);
    if (rest.size > 0)
        return (struct parley_fault){PARLEY_E_BAD_WORDS, at - rest.size, "count"};
    return PARLEY_NO_FAULT;
}

struct parley_fault parley_words_decode(uint8_t entropy[PARLEY_ENTROPY_SIZE],
                                        struct parley_span text) {
    uint8_t read[CHECKED_SIZE] = {0};
    uint8_t checked[CHECKED_SIZE];
    struct parley_fault fault = read_words(read, text);
    if (fault.error == PARLEY_E_OK) {
        add_checksum(checked, read);
        if (memcmp(checked, read, sizeof read) != 0)
            fault = (struct parley_fault){PARLEY_E_BAD_CHECKSUM, 0, "words"};
        else
            memcpy(entropy, read, PARLEY_ENTROPY_SIZE);
        parley_wipe(checked, sizeof checked);
    }
    parley_wipe(read, sizeof read);
    return fault;
}
