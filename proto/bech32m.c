#include <parley/text.h>

#include <assert.h>

/* BIP 350: groups of five bits as letters, and a checksum of six letters that finds any four wrong
 * ones. */
#define TEXT_LETTERS_MAX      90
#define CHECKSUM_LETTERS      6
#define BECH32M_CONSTANT      0x2bc830a3u
#define GROUPS_COUNT_OF(size) (((size)*8 + 4) / 5)

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* One step of the remainder, "polymod" in the BIP: groups in, 30 bits of state. */
static uint32_t step_checksum(uint32_t state, uint8_t group) {
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                          0x2a1462b3};
    uint32_t top = state >> 25;
    state = (state & 0x1ffffff) << 5 ^ group;
    for (size_t i = 0; i < 5; i++)
        if (top >> i & 1)
            state ^= generator[i];
    return state;
}

/* The state after the human-readable part: its high bits, a zero, its low bits. */
static uint32_t start_checksum(const char *hrp) {
    uint32_t state = 1;
    for (size_t i = 0; hrp[i] != '\0'; i++)
        state = step_checksum(state, (uint8_t)hrp[i] >> 5);
    state = step_checksum(state, 0);
    for (size_t i = 0; hrp[i] != '\0'; i++)
        state = step_checksum(state, (uint8_t)hrp[i] & 31);
    return state;
}

/* The index-th group of data; the bits beyond its end are zero. */
static uint8_t group_at(struct parley_span data, size_t index) {
    size_t at = index * 5 / 8;
    unsigned window = (unsigned)data.data[at] << 8;
    if (at + 1 < data.size)
        window |= data.data[at + 1];
    return window >> (11 - index * 5 % 8) & 31;
}

void parley_bech32m_encode(char *text, const char *hrp, struct parley_span data) {
    size_t hrp_size = strlen(hrp);
    size_t groups_count = GROUPS_COUNT_OF(data.size);
    assert(hrp_size + 1 + groups_count + CHECKSUM_LETTERS <= TEXT_LETTERS_MAX);
    memcpy(text, hrp, hrp_size);
    text += hrp_size;
    *text++ = '1';
    uint32_t state = start_checksum(hrp);
    for (size_t i = 0; i < groups_count; i++) {
        uint8_t group = group_at(data, i);
        state = step_checksum(state, group);
        *text++ = alphabet[group];
    }
    for (size_t i = 0; i < CHECKSUM_LETTERS; i++)
        state = step_checksum(state, 0);
    state ^= BECH32M_CONSTANT;
    for (size_t i = 0; i < CHECKSUM_LETTERS; i++)
        *text++ = alphabet[state >> (5 * (CHECKSUM_LETTERS - 1 - i)) & 31];
    *text = '\0';
}

static bool is_upper(uint8_t letter) {
    return letter >= 'A' && letter <= 'Z';
}

static uint8_t lower_of(uint8_t letter) {
    return is_upper(letter) ? (uint8_t)(letter + ('a' - 'A')) : letter;
}

static struct parley_fault text_fault(size_t offset, const char *field) {
    return (struct parley_fault){PARLEY_E_BAD_TEXT, offset, field};
}

/* Printable, and all lower or all upper, as QR codes like it; the fault stands at the first letter
 * of the other case. */
static struct parley_fault judge_letters(struct parley_span text) {
    int is_text_upper = -1;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t letter = text.data[i];
        if (letter < 0x21 || letter > 0x7e)
            return text_fault(i, "letter");
        if (lower_of(letter) < 'a' || lower_of(letter) > 'z')
            continue;
        if (is_text_upper >= 0 && is_text_upper != is_upper(letter))
            return text_fault(i, "case");
        is_text_upper = is_upper(letter);
    }
    return PARLEY_NO_FAULT;
}

static struct parley_fault judge_hrp(struct parley_span text, const char *hrp) {
    size_t hrp_size = strlen(hrp);
    if (hrp_size == 0)
        return text_fault(0, "prefix");
    for (size_t i = 0; i <= hrp_size; i++) {
        char wanted = i < hrp_size ? hrp[i] : '1';
        if (i >= text.size || lower_of(text.data[i]) != (uint8_t)wanted)
            return text_fault(i, "prefix");
    }
    return PARLEY_NO_FAULT;
}

/* Letters after the separator to groups, the checksum among them. */
static struct parley_fault read_groups(uint8_t *groups, struct parley_span letters, size_t offset) {
    for (size_t i = 0; i < letters.size; i++) {
        uint8_t letter = lower_of(letters.data[i]);
        const char *found = strchr(alphabet, letter);
        if (found == NULL)
            return text_fault(offset + i, "letter");
        groups[i] = (uint8_t)(found - alphabet);
    }
    return PARLEY_NO_FAULT;
}

/* Groups to bytes; false when a bit beyond the last byte is set, for then a second text would name
 * the same bytes. */
static bool join_groups(uint8_t *data, size_t size, const uint8_t *groups, size_t groups_count) {
    uint32_t window = 0;
    unsigned bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < groups_count; i++) {
        window = (window << 5 | groups[i]) & 0xfff;
        bits += 5;
        if (bits < 8)
            continue;
        bits -= 8;
        data[at++] = (uint8_t)(window >> bits);
    }
    assert(at == size);
    return (window & ((1u << bits) - 1)) == 0;
}

static bool is_checksum_good(const char *hrp, const uint8_t *groups, size_t groups_count) {
    uint32_t state = start_checksum(hrp);
    for (size_t i = 0; i < groups_count; i++)
        state = step_checksum(state, groups[i]);
    return state == BECH32M_CONSTANT;
}

struct parley_fault parley_bech32m_decode(uint8_t *data, size_t size, const char *hrp,
                                          struct parley_span text) {
    uint8_t groups[TEXT_LETTERS_MAX];
    uint8_t bytes[TEXT_LETTERS_MAX];
    size_t offset = strlen(hrp) + 1;
    size_t groups_count = GROUPS_COUNT_OF(size);

    if (text.size > TEXT_LETTERS_MAX)
        return text_fault(TEXT_LETTERS_MAX, "length");
    struct parley_fault fault = judge_letters(text);
    if (fault.error == PARLEY_E_OK)
        fault = judge_hrp(text, hrp);
    if (fault.error != PARLEY_E_OK)
        return fault;
    struct parley_span letters = PARLEY_SPAN(text.data + offset, text.size - offset);
    fault = read_groups(groups, letters, offset);
    if (fault.error != PARLEY_E_OK)
        return fault;
    if (letters.size != groups_count + CHECKSUM_LETTERS)
        return text_fault(text.size, "length");
    if (!is_checksum_good(hrp, groups, letters.size))
        return (struct parley_fault){PARLEY_E_BAD_CHECKSUM, offset + groups_count, "checksum"};
    if (!join_groups(bytes, size, groups, groups_count))
        return text_fault(offset + groups_count - 1, "padding");
    if (size > 0)
        memcpy(data, bytes, size);
    return PARLEY_NO_FAULT;
}
