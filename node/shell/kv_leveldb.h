/* LevelDB as the ordered key-value engine (../store/kv.h), with every setting that losing nothing
 * asks for: synced writes, paranoid checks, checksums verified on every read.
 */
#ifndef PARLEY_KV_LEVELDB_H
#define PARLEY_KV_LEVELDB_H

#include "../store/kv.h"

/* Opens the database in the directory `path`. It is made only with `create`, and never where one
 * has been: files of a database without their CURRENT are STORE_MISSING in any case.
 * Errors: STORE_MISSING, STORE_LOCKED (another process), STORE_DAMAGED, DISK_FULL, DISK_FAILED,
 * NO_MEMORY. `words`, when not NULL, gets LevelDB's own sentence about it, else an empty one.
 * `bytes_max`: what all files are meant to stay below (kv_sizes.h); 0: nothing said. */
PARLEY_USE_RESULT enum parley_error parley_kv_leveldb_open(struct parley_kv **kv, const char *path,
                                                           bool create, uint64_t bytes_max,
                                                           char *words, size_t words_size);

/* LevelDB's own repair, which keeps what it can read and says OK whatever it lost: for whoever has
 * made a copy and compares. The directory must be there, with or without CURRENT, and closed. */
PARLEY_USE_RESULT enum parley_error parley_kv_leveldb_repair(const char *path, char *words,
                                                             size_t words_size);

/* What a LevelDB error text means. */
enum parley_error parley_kv_leveldb_error(const char *text);

#endif
