/* What LevelDB does not notice by itself: that its log or manifest was cut, or is not there, is to
 * it as if the last writes had never been. So the directory of a database holds one more file.
 *
 *   SEAL    written after closing: how many commits there are, and size and hash of those files
 *           that LevelDB believes (CURRENT, MANIFEST-*, *.log). Tables it checks by itself.
 *   COUNT   while it is open, and after a crash: a number of commits that were acknowledged. A
 *           database with fewer has lost some.
 *
 * A seal that is damaged itself is not believed, and said so; a missing one is no fault: a backup
 * by hand may lack it.
 */
#ifndef PARLEY_SEAL_H
#define PARLEY_SEAL_H

#include "problem.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Before opening: compares the files with the seal, then breaks it. *commits_min is the least
 * number of commits that must be there. Error: STORE_DAMAGED with words about the file; nothing is
 * changed then. DISK_FAILED. */
PARLEY_USE_RESULT enum parley_error parley_seal_break(const char *directory, uint64_t *commits_min,
                                                      char *words, size_t words_size);
/* The number alone; false when neither file tells one. */
bool parley_seal_commits(const char *directory, uint64_t *commits);
/* After closing. What cannot be written is left: the number stands in COUNT still. */
void parley_seal_write(const char *directory, uint64_t commits);
/* While it is open. */
void parley_seal_count(const char *directory, uint64_t commits);
/* Both files, before a repair. */
void parley_seal_remove(const char *directory);

#endif
