/* Memory for the shell. The core has all of its own from the start; the shell takes some for what
 * is under way, and the database takes some where it cannot be refused. Running out means to stop
 * at once: nothing acknowledged is lost by that, and a supervisor starts the node again.
 */
#ifndef PARLEY_MEMORY_H
#define PARLEY_MEMORY_H

#include <stddef.h>

/* Zeroed; never NULL. */
void *parley_memory(size_t size);
/* Not zeroed: for what is large and written anyway. */
void *parley_memory_raw(size_t size);
/* As realloc; never NULL for a size above 0. */
void *parley_memory_resize(void *memory, size_t size);

/* What is taken at the start stays: tables, as large as they may ever get. From here to
 * parley_memory_settle they have pages of their own, which take room when they are written; of the
 * heap they would be cleared. */
void parley_memory_begin(void);
/* From now on what is taken is soon given back and taken again. Gives the system what is not in
 * use: much was, for a moment, while all that is held was read. */
void parley_memory_settle(void);

#endif
