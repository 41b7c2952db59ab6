/* Standard input, output and error, of which a caller may have closed any. */
#ifndef PARLEY_STANDARD_FILES_H
#define PARLEY_STANDARD_FILES_H

/* To be called before anything is opened: where a descriptor below 3 is closed, the next file gets
 * its number, and what is meant for a person goes into the database, or what libuv takes for a
 * standard file is never closed. Each closed one is open afterwards and fails as before: it cannot
 * be read, or cannot be written. Ends the program with status 4 where that cannot be had. */
void parley_standard_files_open(void);

#endif
