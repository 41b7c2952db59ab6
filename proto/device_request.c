#include <parley/identity.h>

/* A request to join as one word: a prefix and hex. SPEC 4.10. Longer than bech32m finds errors in,
 * and the device's signature finds them all. */
#define PREFIX      "pdevice-"
#define PREFIX_SIZE (sizeof PREFIX - 1)

struct fields {
    uint8_t author[32];
    uint8_t generation;
    uint8_t device[32];
    uint8_t signature[64];
};

static_assert(sizeof(struct fields) == 129, "bytes alone: no padding");
static_assert(PREFIX_SIZE + 2 * sizeof(struct fields) + 1 == PARLEY_DEVICE_REQUEST_TEXT_SIZE,
              "the whole text");

void parley_device_request_encode(char text[PARLEY_DEVICE_REQUEST_TEXT_SIZE],
                                  const struct parley_device_request *request) {
    struct fields fields = {.generation = request->generation};
    memcpy(fields.author, request->author.bytes, sizeof fields.author);
    memcpy(fields.device, request->device.bytes, sizeof fields.device);
    memcpy(fields.signature, request->signature.bytes, sizeof fields.signature);
    memcpy(text, PREFIX, PREFIX_SIZE);
    parley_hex_encode(text + PREFIX_SIZE, (const uint8_t *)&fields, sizeof fields);
}

struct parley_fault parley_device_request_decode(struct parley_device_request *request,
                                                 struct parley_span text) {
    struct fields fields;
    if (text.size != PARLEY_DEVICE_REQUEST_TEXT_SIZE - 1 ||
        memcmp(text.data, PREFIX, PREFIX_SIZE) != 0 ||
        !parley_hex_decode((uint8_t *)&fields, sizeof fields,
                           PARLEY_SPAN(text.data + PREFIX_SIZE, text.size - PREFIX_SIZE)))
        return (struct parley_fault){PARLEY_E_BAD_TEXT, 0, "request"};
    if (fields.generation >= PARLEY_GENERATIONS_COUNT)
        return (struct parley_fault){PARLEY_E_OUT_OF_RANGE, 0, "generation"};
    *request = (struct parley_device_request){.generation = fields.generation};
    memcpy(request->author.bytes, fields.author, sizeof fields.author);
    memcpy(request->device.bytes, fields.device, sizeof fields.device);
    memcpy(request->signature.bytes, fields.signature, sizeof fields.signature);
    return PARLEY_NO_FAULT;
}
