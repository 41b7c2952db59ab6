#include <parley/text.h>

#define AUTHOR_HRP   "parley"
#define NODE_KEY_HRP "pnode"
#define POST_HRP     "post"
/* log, seq in six bytes, the start of the id: SPEC 3.4. */
#define POST_BYTES (32 + 6 + 8)

void parley_author_encode(char text[PARLEY_AUTHOR_TEXT_SIZE], const struct parley_author *author) {
    parley_bech32m_encode(text, AUTHOR_HRP, PARLEY_SPAN_OF(*author));
}

struct parley_fault parley_author_decode(struct parley_author *author, struct parley_span text) {
    return parley_bech32m_decode(author->bytes, sizeof author->bytes, AUTHOR_HRP, text);
}

void parley_node_key_encode(char text[PARLEY_NODE_TEXT_SIZE], const struct parley_node_key *key) {
    parley_bech32m_encode(text, NODE_KEY_HRP, PARLEY_SPAN_OF(*key));
}

struct parley_fault parley_node_key_decode(struct parley_node_key *key, struct parley_span text) {
    return parley_bech32m_decode(key->bytes, sizeof key->bytes, NODE_KEY_HRP, text);
}

void parley_post_address_encode(char text[PARLEY_POST_TEXT_SIZE],
                                const struct parley_post_address *post) {
    uint8_t bytes[POST_BYTES];
    memcpy(bytes, post->log.bytes, 32);
    parley_put_u48(bytes + 32, post->seq);
    memcpy(bytes + 38, post->id_start, 8);
    parley_bech32m_encode(text, POST_HRP, PARLEY_SPAN(bytes, sizeof bytes));
}

struct parley_fault parley_post_address_decode(struct parley_post_address *post,
                                               struct parley_span text) {
    uint8_t bytes[POST_BYTES];
    struct parley_fault fault = parley_bech32m_decode(bytes, sizeof bytes, POST_HRP, text);
    if (fault.error != PARLEY_E_OK)
        return fault;
    if (parley_get_u48(bytes + 32) == 0)
        return (struct parley_fault){PARLEY_E_BAD_TEXT, 0, "seq"};
    memcpy(post->log.bytes, bytes, 32);
    post->seq = parley_get_u48(bytes + 32);
    memcpy(post->id_start, bytes + 38, 8);
    return PARLEY_NO_FAULT;
}

/* ---- Addresses: KEY@[TRANSPORT/]HOST:PORT, SPEC 3.5 -------------------------------------------
 */

static const char default_transport[] = "tcp";

static char *append_text(char *at, const char *text) {
    size_t size = strlen(text);
    memcpy(at, text, size + 1);
    return at + size;
}

static char *append_port(char *at, uint16_t port) {
    char digits[6];
    size_t first = sizeof digits - 1;
    digits[first] = '\0';
    do {
        digits[--first] = (char)('0' + port % 10);
        port /= 10;
    } while (port > 0);
    return append_text(at, digits + first);
}

void parley_place_encode(char text[PARLEY_PLACE_TEXT_SIZE], const struct parley_address *address) {
    bool is_ipv6 = strchr(address->host, ':') != NULL;
    char *at = text;
    if (strcmp(address->transport, default_transport) != 0) {
        at = append_text(at, address->transport);
        at = append_text(at, "/");
    }
    at = append_text(at, is_ipv6 ? "[" : "");
    at = append_text(at, address->host);
    at = append_text(at, is_ipv6 ? "]:" : ":");
    append_port(at, address->port);
}

void parley_address_encode(char text[PARLEY_ADDRESS_TEXT_SIZE],
                           const struct parley_address *address) {
    parley_node_key_encode(text, &address->key);
    parley_place_encode(append_text(text + strlen(text), "@"), address);
}

static struct parley_fault text_fault(size_t offset, const char *field) {
    return (struct parley_fault){PARLEY_E_BAD_TEXT, offset, field};
}

/* The place of a letter, or text.size. */
static size_t find_letter(struct parley_span text, char letter) {
    const uint8_t *found = text.size > 0 ? memchr(text.data, letter, text.size) : NULL;
    return found == NULL ? text.size : (size_t)(found - text.data);
}

static struct parley_span cut_span(struct parley_span text, size_t start, size_t end) {
    return PARLEY_SPAN(text.data + start, end - start);
}

static struct parley_fault read_host(char *host, struct parley_span text, bool is_ipv6) {
    static const char forbidden[] = "@/[]";
    bool has_colon = false;
    if (text.size == 0 || text.size > PARLEY_HOST_SIZE_MAX)
        return text_fault(0, "host");
    for (size_t i = 0; i < text.size; i++) {
        uint8_t letter = text.data[i];
        if (letter < 0x21 || letter > 0x7e || strchr(forbidden, letter) != NULL)
            return text_fault(i, "host");
        if (letter == ':' && !is_ipv6)
            return text_fault(i, "host");
        has_colon = has_colon || letter == ':';
    }
    if (is_ipv6 && !has_colon)
        return text_fault(0, "host");
    memcpy(host, text.data, text.size);
    host[text.size] = '\0';
    return PARLEY_NO_FAULT;
}

/* Decimal without leading zeros, so that one port has one text. */
static struct parley_fault read_port(uint16_t *port, struct parley_span text) {
    uint32_t value = 0;
    if (text.size == 0 || text.size > 5 || (text.size > 1 && text.data[0] == '0'))
        return text_fault(0, "port");
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return text_fault(i, "port");
        value = value * 10 + (text.data[i] - '0');
    }
    if (value > UINT16_MAX)
        return text_fault(0, "port");
    *port = (uint16_t)value;
    return PARLEY_NO_FAULT;
}

struct parley_fault parley_host_port_decode(char *host, uint16_t *port, struct parley_span text) {
    char found_host[PARLEY_HOST_SIZE_MAX + 1];
    uint16_t found_port = 0;
    bool is_ipv6 = text.size > 0 && text.data[0] == '[';
    size_t start = is_ipv6 ? 1 : 0;
    size_t end = find_letter(text, is_ipv6 ? ']' : ':');
    size_t colon = is_ipv6 ? end + 1 : end;
    if (colon >= text.size || text.data[colon] != ':')
        return text_fault(text.size, "port");

    struct parley_fault fault = read_host(found_host, cut_span(text, start, end), is_ipv6);
    fault.offset += start;
    if (fault.error != PARLEY_E_OK)
        return fault;
    fault = read_port(&found_port, cut_span(text, colon + 1, text.size));
    fault.offset += colon + 1;
    if (fault.error != PARLEY_E_OK)
        return fault;
    memcpy(host, found_host, sizeof found_host);
    *port = found_port;
    return PARLEY_NO_FAULT;
}

static struct parley_fault read_transport(char transport[17], struct parley_span text) {
    if (text.size == 0 || text.size > 16)
        return text_fault(0, "transport");
    for (size_t i = 0; i < text.size; i++) {
        uint8_t letter = text.data[i];
        if (!(letter >= 'a' && letter <= 'z') && !(letter >= '0' && letter <= '9'))
            return text_fault(i, "transport");
    }
    memcpy(transport, text.data, text.size);
    transport[text.size] = '\0';
    return PARLEY_NO_FAULT;
}

/* What follows the '@'. */
static struct parley_fault read_place(struct parley_address *address, struct parley_span text) {
    size_t slash = find_letter(text, '/');
    size_t start = 0;
    memcpy(address->transport, default_transport, sizeof default_transport);
    if (slash < text.size) {
        struct parley_fault fault = read_transport(address->transport, cut_span(text, 0, slash));
        if (fault.error != PARLEY_E_OK)
            return fault;
        start = slash + 1;
    }
    struct parley_fault fault =
        parley_host_port_decode(address->host, &address->port, cut_span(text, start, text.size));
    fault.offset += start;
    /* Port 0 means "any" to a listener; nobody can be dialled there. */
    if (fault.error == PARLEY_E_OK && address->port == 0)
        return text_fault(text.size - 1, "port");
    return fault;
}

struct parley_fault parley_place_decode(struct parley_address *address, struct parley_span text) {
    struct parley_address found = {.key = address->key};
    struct parley_fault fault = read_place(&found, text);
    if (fault.error == PARLEY_E_OK)
        *address = found;
    return fault;
}

struct parley_fault parley_address_decode(struct parley_address *address, struct parley_span text) {
    struct parley_address found = {0};
    size_t at = find_letter(text, '@');
    if (at == text.size)
        return text_fault(text.size, "@");
    struct parley_fault fault = parley_node_key_decode(&found.key, cut_span(text, 0, at));
    if (fault.error != PARLEY_E_OK)
        return fault;
    fault = read_place(&found, cut_span(text, at + 1, text.size));
    if (fault.error != PARLEY_E_OK) {
        fault.offset += at + 1;
        return fault;
    }
    *address = found;
    return PARLEY_NO_FAULT;
}
