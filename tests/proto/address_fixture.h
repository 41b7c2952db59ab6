/* Address records good and bad, for the vectors and for the test. */
#ifndef PARLEY_TESTS_ADDRESS_FIXTURE_H
#define PARLEY_TESTS_ADDRESS_FIXTURE_H

#include <parley/address.h>

struct address_row {
    const char *name;
    enum parley_error verdict; /* of form, then of signature */
    struct parley_span bytes;  /* good until the next call */
};
/* False past the last. */
bool address_row_at(struct address_row *row, size_t index);

#endif
