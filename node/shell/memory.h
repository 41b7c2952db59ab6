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

/* Gives the system back what is not in use: after much was in use for a moment, as at the start. */
void parley_memory_give_back(void);

#endif
