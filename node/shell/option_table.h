/* The options of parleyd: one table for the command line, the configuration file and the example of
 * it. The manual pages name the same words, and a test holds them to it.
 */
#ifndef PARLEY_OPTION_TABLE_H
#define PARLEY_OPTION_TABLE_H

#include <stddef.h>
#include <stdio.h>

enum option_key {
    OPTION_HOME = 1,
    OPTION_CONFIG,
    OPTION_LISTEN,
    OPTION_PEER,
    OPTION_DISCOVER,
    OPTION_ADVERTISE,
    OPTION_BOOTSTRAP,
    OPTION_LAN,
    OPTION_NAT,
    OPTION_API,
    OPTION_RELAY,
    OPTION_HOPS,
    OPTION_ERASE_AFTER,
    OPTION_QUOTA,
    OPTION_CONNECTIONS,
    OPTION_LOG,
    OPTION_SAME_DEVICE,
    OPTION_PRINT_CONFIG,
};

struct option_row {
    enum option_key key;
    const char *name;
    const char *argument; /* NULL: takes none on the command line */
    const char *words;
    const char *example; /* as a value of the file; NULL: not a key of the file */
};

#define OPTION_ROWS_MAX 32u

/* Row number index; NULL past the last. */
const struct option_row *option_row_at(size_t index);
/* A whole configuration file in which every key is there, explained and commented out. */
void option_table_print(FILE *file);

#endif
