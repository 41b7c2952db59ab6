#include <parley/bytes.h>

bool parley_is_zero(const uint8_t *data, size_t size) {
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++)
        all |= data[i];
    return all == 0;
}

bool parley_span_equal(struct parley_span a, struct parley_span b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

void parley_hex_encode(char *text, const uint8_t *data, size_t size) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[data[i] >> 4];
        text[2 * i + 1] = digits[data[i] & 15];
    }
    text[2 * size] = '\0';
}

static int hex_digit(uint8_t letter) {
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    if (letter >= 'a' && letter <= 'f')
        return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F')
        return letter - 'A' + 10;
    return -1;
}

bool parley_hex_decode(uint8_t *data, size_t size, struct parley_span text) {
    if (text.size % 2 != 0 || text.size / 2 != size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text.data[2 * i]);
        int low = hex_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        data[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void put_bytes(uint8_t *out, uint64_t value, size_t size) {
    for (size_t i = size; i > 0; i--) {
        out[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

static uint64_t get_bytes(const uint8_t *in, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | in[i];
    return value;
}

void parley_put_u32(uint8_t *out, uint32_t value) {
    put_bytes(out, value, 4);
}

void parley_put_u48(uint8_t *out, uint64_t value) {
    put_bytes(out, value, 6);
}

void parley_put_u64(uint8_t *out, uint64_t value) {
    put_bytes(out, value, 8);
}

uint32_t parley_get_u32(const uint8_t *in) {
    return (uint32_t)get_bytes(in, 4);
}

uint64_t parley_get_u48(const uint8_t *in) {
    return get_bytes(in, 6);
}

uint64_t parley_get_u64(const uint8_t *in) {
    return get_bytes(in, 8);
}

/* Most posts are mostly ASCII: eight bytes at a time while no high bit is set. */
static size_t skip_ascii(struct parley_span text, size_t at) {
    uint64_t eight;
    while (text.size - at >= sizeof eight) {
        memcpy(&eight, text.data + at, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
        at += sizeof eight;
    }
    while (at < text.size && text.data[at] < 0x80)
        at++;
    return at;
}

/* One character of two to four bytes; 0 when it is malformed. The table of the well-formed byte
 * sequences is table 3-7 of the Unicode standard: only the second byte's range varies. */
static size_t measure_character(const uint8_t *in, size_t left) {
    uint8_t lead = in[0];
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (left < size)
        return 0;
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (in[1] < low || in[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((in[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

bool parley_utf8_is_valid(struct parley_span text) {
    for (size_t at = skip_ascii(text, 0); at < text.size; at = skip_ascii(text, at)) {
        size_t size = measure_character(text.data + at, text.size - at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}
