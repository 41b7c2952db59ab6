/* Writes tests/vectors/addresses.txt to standard output: address records good and bad (SPEC
 * 9.11.1). A test compares it with what is in the tree. */
#include "address_fixture.h"

#include <stdio.h>

static void print_hex(struct parley_span bytes) {
    static char hex[2 * 2048 + 1];
    parley_hex_encode(hex, bytes.data, bytes.size);
    printf("%s", bytes.size > 0 ? hex : "-");
}

/* The verdict, the bytes, what they say. */
static void print_row(const char *name, struct parley_span bytes) {
    struct parley_address_record record;
    struct parley_check check;
    enum parley_error error = parley_address_record_decode(&record, bytes).error;
    if (error == PARLEY_E_OK) {
        parley_address_record_check(&check, &record);
        if (!parley_check_holds(&check))
            error = PARLEY_E_BAD_SIGNATURE;
    }
    printf("%s\t%s\t", parley_error_name(error), name);
    print_hex(bytes);
    if (error == PARLEY_E_OK) {
        struct parley_span places = record.places;
        struct parley_address address;
        char text[PARLEY_NODE_TEXT_SIZE];
        parley_node_key_encode(text, &record.key);
        printf("\t%s\t%llu\t", text, (unsigned long long)record.time);
        for (size_t i = 0; parley_address_record_next(&address, &record, &places); i++) {
            char place[PARLEY_PLACE_TEXT_SIZE];
            parley_place_encode(place, &address);
            printf("%s%s", i > 0 ? " " : "", place);
        }
    } else {
        printf("\t-\t-\t-");
    }
    puts("");
}

int main(void) {
    struct address_row row;
    puts("# Address records of SPEC 9.11.1: verdict, name, record, node key, time, places.");
    puts("# Written by tests/proto/address_vectors.c; the node's seed is 32 bytes of 0x5e.");
    for (size_t i = 0; address_row_at(&row, i); i++)
        print_row(row.name, row.bytes);
    return 0;
}
