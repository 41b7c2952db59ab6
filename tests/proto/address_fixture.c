#include "address_fixture.h"

#include <parley/codec.h>

/* Written here a second time, from the words of SPEC and with the writer alone. */

#define TIME UINT64_C(1767225600000)

static uint8_t bytes[2048];

struct form {
    const char *name;
    enum parley_error verdict;
    int elements_more, version_more; /* than 5 and 1 */
    bool has_time;
    uint64_t time;
    const char *places[10]; /* up to the first NULL */
    size_t key_cut, signature_cut;
    bool is_other_domain, is_flipped, is_of_other_key;
};

#define FORM(text, error, ...)                                                                     \
    { .name = (text), .verdict = (error), __VA_ARGS__ }

static const char LONG_NAME[] =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:7373";

static const struct form FORMS[] = {
    FORM("one address of IPv4", PARLEY_E_OK, .places = {"9.1.2.3:7373"}),
    FORM("IPv6, a name and an onion", PARLEY_E_OK,
         .places = {"[2a00:1:2::3]:7373", "relay.example.org:65535", "tor/abcdefgh.onion:1024"}),
    FORM("as many as there may be", PARLEY_E_OK, .has_time = true,
         .places = {"a:1", "b:1", "c:1", "d:1", "e:1", "f:1", "g:1", "h:1"}),
    FORM("the longest name, three times", PARLEY_E_OK, .places = {LONG_NAME, LONG_NAME, LONG_NAME}),
    FORM("the last moment that there is", PARLEY_E_OK, .has_time = true,
         .time = (UINT64_C(1) << 53) - 1, .places = {"9.1.2.3:7373"}),
    FORM("places that nobody dials on a word", PARLEY_E_OK, .places = {"127.0.0.1:1", "[::1]:1"}),
    FORM("one place too many", PARLEY_E_TOO_LARGE,
         .places = {"a:1", "b:1", "c:1", "d:1", "e:1", "f:1", "g:1", "h:1", "i:1"}),
    FORM("no place", PARLEY_E_OUT_OF_RANGE, .places = {NULL}),
    FORM("longer than 1,024 bytes", PARLEY_E_TOO_LARGE,
         .places = {LONG_NAME, LONG_NAME, LONG_NAME, LONG_NAME}),
    FORM("the transport that is left out", PARLEY_E_NOT_CANONICAL, .places = {"tcp/9.1.2.3:7373"}),
    FORM("a port with a zero in front", PARLEY_E_OUT_OF_RANGE, .places = {"9.1.2.3:07373"}),
    FORM("port 0", PARLEY_E_OUT_OF_RANGE, .places = {"9.1.2.3:0"}),
    FORM("no port", PARLEY_E_OUT_OF_RANGE, .places = {"9.1.2.3"}),
    FORM("an empty place", PARLEY_E_OUT_OF_RANGE, .places = {""}),
    FORM("a place with a key", PARLEY_E_OUT_OF_RANGE, .places = {"pnode1x@9.1.2.3:7373"}),
    FORM("a bad place behind a good one", PARLEY_E_OUT_OF_RANGE,
         .places = {"9.1.2.3:7373", "nowhere"}),
    FORM("a time beyond 53 bits", PARLEY_E_OUT_OF_RANGE, .has_time = true,
         .time = UINT64_C(1) << 53, .places = {"9.1.2.3:7373"}),
    FORM("version 0", PARLEY_E_OUT_OF_RANGE, .version_more = -1, .places = {"9.1.2.3:7373"}),
    FORM("version 2", PARLEY_E_BAD_VERSION, .version_more = 1, .places = {"9.1.2.3:7373"}),
    FORM("version 2 with other fields", PARLEY_E_BAD_VERSION, .version_more = 1,
         .elements_more = 2),
    FORM("an element too many", PARLEY_E_OUT_OF_RANGE, .elements_more = 1,
         .places = {"9.1.2.3:7373"}),
    FORM("a short key", PARLEY_E_OUT_OF_RANGE, .key_cut = 1, .places = {"9.1.2.3:7373"}),
    FORM("a short signature", PARLEY_E_OUT_OF_RANGE, .signature_cut = 1,
         .places = {"9.1.2.3:7373"}),
    FORM("a signature of another use", PARLEY_E_BAD_SIGNATURE, .is_other_domain = true,
         .places = {"9.1.2.3:7373"}),
    FORM("a signature of another node", PARLEY_E_BAD_SIGNATURE, .is_of_other_key = true,
         .places = {"9.1.2.3:7373"}),
    FORM("a signature with a bit flipped", PARLEY_E_BAD_SIGNATURE, .is_flipped = true,
         .places = {"9.1.2.3:7373"}),
};

static size_t write_form(const struct form *form) {
    struct parley_seed seed;
    struct parley_secret_key secret;
    struct parley_node_key key;
    struct parley_writer writer;
    struct parley_digest digest;
    struct parley_signature signature;
    size_t count = 0;
    memset(seed.bytes, 0x5e, sizeof seed.bytes);
    parley_key_pair(&secret, key.bytes, &seed);
    seed.bytes[0] ^= form->is_of_other_key;
    parley_key_pair(&secret, (uint8_t[32]){0}, &seed);
    while (form->places[count] != NULL)
        count++;
    parley_writer_init(&writer, bytes, sizeof bytes);
    parley_write_array(&writer, (size_t)(5 + form->elements_more));
    parley_write_uint(&writer, (uint64_t)(1 + form->version_more));
    parley_write_bin(&writer, PARLEY_SPAN(key.bytes, sizeof key.bytes - form->key_cut));
    parley_write_uint(&writer, form->has_time ? form->time : TIME);
    parley_write_array(&writer, count);
    for (size_t i = 0; i < count; i++)
        parley_write_text(&writer, PARLEY_SPAN(form->places[i], strlen(form->places[i])));
    parley_hash_one(digest.bytes, form->is_other_domain ? PARLEY_DOMAIN_ENTRY : "parley address",
                    PARLEY_SPAN(bytes, writer.size));
    parley_sign(&signature, &secret, &digest);
    signature.bytes[40] ^= form->is_flipped;
    parley_write_bin(&writer,
                     PARLEY_SPAN(signature.bytes, sizeof signature.bytes - form->signature_cut));
    return writer.size;
}

bool address_row_at(struct address_row *row, size_t index) {
    const size_t count = sizeof FORMS / sizeof FORMS[0];
    if (index >= count + 2)
        return false;
    const struct form *form = &FORMS[index < count ? index : 0];
    size_t size = write_form(form);
    *row = (struct address_row){form->name, form->verdict, PARLEY_SPAN(bytes, size)};
    if (index == count)
        *row = (struct address_row){"cut", PARLEY_E_TRUNCATED, PARLEY_SPAN(bytes, size - 1)};
    if (index == count + 1)
        *row =
            (struct address_row){"a byte behind", PARLEY_E_TRAILING, PARLEY_SPAN(bytes, size + 1)};
    if (index == count + 1)
        bytes[size] = 0;
    return true;
}
