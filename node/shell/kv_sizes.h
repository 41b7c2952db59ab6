/* How large LevelDB's files are, so that they stay within a limit also while tables are merged: the
 * old ones stand beside the new until a merge ends. Measured: tests/system/quota.py.
 */
#ifndef PARLEY_KV_SIZES_H
#define PARLEY_KV_SIZES_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of one table, where all files are to stay within `bytes_max`; 0: nothing limits them. */
size_t parley_kv_file_size(uint64_t bytes_max);

/* Bytes that wait in memory, and in LevelDB's log, until they become a table. */
size_t parley_kv_buffer_size(uint64_t bytes_max);

/* At most what LevelDB writes when it opens the database in the directory `path`: its logs become
 * tables. Where there is none, or it cannot be read: a little. */
uint64_t parley_kv_opening_bytes(const char *path);

/* How much of `bytes_max` pairs may take, compacted: what a merge writes beside the old tables is
 * left free, 14 MiB or 7 %; of very little room somewhat more than half. 0 for 0. */
uint64_t parley_kv_room(uint64_t bytes_max);

#endif
