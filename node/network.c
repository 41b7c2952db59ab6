#include <parley/node_network.h>

/* Addresses by their text. Who is dialled on a peer's word must be somebody whom the word can be
 * about: everything that is special is refused, and what is not known to be a name is none. */

/* ---- IPv4 and IPv6 as text ----------------------------------------------------------------- */

static const uint8_t V4_PREFIX[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

/* Four numbers without leading zeros: the form that every program reads alike. */
static bool read_v4(uint8_t out[4], const char *text) {
    for (unsigned i = 0; i < 4; i++) {
        unsigned value = 0, digits = 0;
        for (; is_digit(*text) && digits < 4; text++, digits++)
            value = value * 10 + (unsigned)(*text - '0');
        if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && text[-(int)digits] == '0'))
            return false;
        out[i] = (uint8_t)value;
        if (*text++ != (i < 3 ? '.' : '\0'))
            return false;
    }
    return true;
}

static int hex_of(char letter) {
    if (is_digit(letter))
        return letter - '0';
    if (letter >= 'a' && letter <= 'f')
        return letter - 'a' + 10;
    return letter >= 'A' && letter <= 'F' ? letter - 'A' + 10 : -1;
}

/* Groups from text to its end or to "::"; how many, or -1. */
static int read_groups(uint16_t groups[8], const char **text) {
    int count = 0;
    while (hex_of(**text) >= 0) {
        unsigned value = 0, digits = 0;
        for (; hex_of(**text) >= 0; (*text)++, digits++)
            value = value << 4 | (unsigned)hex_of(**text);
        if (digits > 4 || count == 8)
            return -1;
        groups[count++] = (uint16_t)value;
        if (**text == '\0' || (*text)[0] != ':' || (*text)[1] == ':')
            break;
        (*text)++;
        if (hex_of(**text) < 0)
            return -1;
    }
    return count;
}

/* Without a zone and without IPv4 in its tail: nobody needs those to be told of. */
static bool read_v6(uint8_t out[16], const char *text) {
    uint16_t front[8], back[8];
    int back_count = 0, front_count = read_groups(front, &text);
    bool has_gap = text[0] == ':' && text[1] == ':';
    if (has_gap) {
        text += 2;
        back_count = read_groups(back, &text);
    }
    int count = front_count + back_count;
    if (front_count < 0 || back_count < 0 || *text != '\0' || (has_gap ? count > 7 : count != 8))
        return false;
    memset(out, 0, 16);
    for (int i = 0; i < front_count; i++) {
        out[2 * i] = (uint8_t)(front[i] >> 8);
        out[2 * i + 1] = (uint8_t)front[i];
    }
    for (int i = 0; i < back_count; i++) {
        out[16 - 2 * (back_count - i)] = (uint8_t)(back[i] >> 8);
        out[17 - 2 * (back_count - i)] = (uint8_t)back[i];
    }
    return true;
}

bool parley_ip_decode(struct parley_ip *ip, const char *host) {
    if (strchr(host, ':') != NULL)
        return read_v6(ip->bytes, host);
    memcpy(ip->bytes, V4_PREFIX, sizeof V4_PREFIX);
    return read_v4(ip->bytes + sizeof V4_PREFIX, host);
}

bool parley_ip_is_v4(const struct parley_ip *ip) {
    return memcmp(ip->bytes, V4_PREFIX, sizeof V4_PREFIX) == 0;
}

/* ---- ranges -------------------------------------------------------------------------------- */

static bool has_prefix(const struct parley_ip *ip, const uint8_t *prefix, unsigned bits) {
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(ip->bytes, prefix, whole) != 0)
        return false;
    return rest == 0 || ((ip->bytes[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

struct range {
    struct parley_ip prefix;
    unsigned bits;
    enum parley_network network;
};

#define V4(a, b, c, d)                                                                             \
    {                                                                                              \
        { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), (c), (d) }                           \
    }

/* The registries of IANA for special addresses; the first that fits counts. */
static const struct range RANGES[] = {
    {V4(0, 0, 0, 0), 104, PARLEY_NETWORK_NONE},            /* "this" network */
    {V4(10, 0, 0, 0), 104, PARLEY_NETWORK_LAN},            /* private */
    {V4(100, 64, 0, 0), 106, PARLEY_NETWORK_LAN},          /* behind a carrier's translator */
    {V4(127, 0, 0, 0), 104, PARLEY_NETWORK_NONE},          /* loopback */
    {V4(169, 254, 0, 0), 112, PARLEY_NETWORK_LAN},         /* link-local */
    {V4(172, 16, 0, 0), 108, PARLEY_NETWORK_LAN},          /* private */
    {V4(192, 0, 0, 0), 120, PARLEY_NETWORK_NONE},          /* protocol assignments */
    {V4(192, 0, 2, 0), 120, PARLEY_NETWORK_NONE},          /* documentation */
    {V4(192, 88, 99, 0), 120, PARLEY_NETWORK_NONE},        /* 6to4 relays */
    {V4(192, 168, 0, 0), 112, PARLEY_NETWORK_LAN},         /* private */
    {V4(198, 18, 0, 0), 111, PARLEY_NETWORK_NONE},         /* benchmarks */
    {V4(198, 51, 100, 0), 120, PARLEY_NETWORK_NONE},       /* documentation */
    {V4(203, 0, 113, 0), 120, PARLEY_NETWORK_NONE},        /* documentation */
    {V4(224, 0, 0, 0), 100, PARLEY_NETWORK_NONE},          /* multicast */
    {V4(240, 0, 0, 0), 100, PARLEY_NETWORK_NONE},          /* reserved, broadcast */
    {V4(0, 0, 0, 0), 96, PARLEY_NETWORK_CLEAR},            /* any other of IPv4 */
    {{{0xfc}}, 7, PARLEY_NETWORK_LAN},                     /* private */
    {{{0xfe, 0x80}}, 10, PARLEY_NETWORK_LAN},              /* link-local */
    {{{0x20, 0x01, 0x00, 0x00}}, 23, PARLEY_NETWORK_NONE}, /* protocol assignments, Teredo */
    {{{0x20, 0x01, 0x0d, 0xb8}}, 32, PARLEY_NETWORK_NONE}, /* documentation */
    {{{0x20, 0x02}}, 16, PARLEY_NETWORK_NONE},             /* 6to4 */
    {{{0x3f, 0xff}}, 20, PARLEY_NETWORK_NONE},             /* documentation */
    {{{0x20}}, 3, PARLEY_NETWORK_CLEAR},                   /* all that is given out */
};

enum parley_network parley_network_of_ip(const struct parley_ip *ip) {
    for (size_t i = 0; i < sizeof RANGES / sizeof RANGES[0]; i++)
        if (has_prefix(ip, RANGES[i].prefix.bytes, RANGES[i].bits))
            return RANGES[i].network;
    return PARLEY_NETWORK_NONE;
}

/* ---- names --------------------------------------------------------------------------------- */

static char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static bool ends_in(const char *name, const char *end) {
    size_t size = strlen(name), end_size = strlen(end);
    if (size < end_size)
        return false;
    for (size_t i = 0; i < end_size; i++)
        if (lower(name[size - end_size + i]) != end[i])
            return false;
    return size == end_size || name[size - end_size - 1] == '.';
}

/* Letters, digits, hyphens and inner dots; the last label begins with a letter, since what ends in
 * a number some resolvers read as an address ("127.1", "0x7f.1", "2130706433"). */
static bool is_name(const char *host) {
    const char *label = host;
    bool has_dot = false;
    for (const char *at = host; *at != '\0'; at++) {
        bool is_letter = (lower(*at) >= 'a' && lower(*at) <= 'z') || is_digit(*at);
        if (!is_letter && *at != '-' && *at != '.')
            return false;
        if (*at == '.' && at == label)
            return false;
        has_dot |= *at == '.';
        if (*at == '.')
            label = at + 1;
    }
    return has_dot && lower(*label) >= 'a' && lower(*label) <= 'z';
}

static bool is_local_name(const char *host) {
    return ends_in(host, "localhost") || ends_in(host, "local") || ends_in(host, "internal");
}

static void set_other(struct parley_network_place *place, const char *transport) {
    place->network = PARLEY_NETWORK_OTHER;
    memcpy(place->transport, transport, strlen(transport) + 1);
}

void parley_network_of_place(struct parley_network_place *place,
                             const struct parley_address *address) {
    memset(place, 0, sizeof *place);
    if (address->transport[0] != '\0' && strcmp(address->transport, "tcp") != 0)
        set_other(place, address->transport);
    else if (parley_ip_decode(&place->ip, address->host)) {
        place->is_ip = true;
        place->network = parley_network_of_ip(&place->ip);
        /* IPv4 has a form of its own, and one form is enough. */
        if (parley_ip_is_v4(&place->ip) && strchr(address->host, ':') != NULL)
            place->network = PARLEY_NETWORK_NONE;
    } else if (ends_in(address->host, "onion"))
        set_other(place, "tor");
    else if (is_name(address->host) && !is_local_name(address->host))
        place->network = PARLEY_NETWORK_CLEAR;
}

bool parley_network_holds(const struct parley_remote *remote,
                          const struct parley_network_place *place) {
    if (remote->network != place->network)
        return false;
    switch (remote->network) {
    case PARLEY_NETWORK_NONE:
        return false;
    case PARLEY_NETWORK_CLEAR:
        return true;
    case PARLEY_NETWORK_LAN:
        return has_prefix(&place->ip, remote->ip.bytes, remote->prefix_bits);
    case PARLEY_NETWORK_OTHER:
        return strcmp(remote->transport, place->transport) == 0;
    }
    return false;
}
