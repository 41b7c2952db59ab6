/* A large bundle that is expected to be good: the node that takes it in checks it anyhow, and to
 * check it here as well would take as long again. See import_quick.c. */
#ifndef PARLEY_TOOL_IMPORT_QUICK_H
#define PARLEY_TOOL_IMPORT_QUICK_H

#include "bundle_file.h"
#include "import_pages.h"

enum import_quick {
    IMPORT_WHOLE,  /* all of it was taken in, and the trailer holds */
    IMPORT_FAILED, /* the node is gone, or its answer is none: *status, and it has been said */
    IMPORT_UNSURE, /* too small to be worth it, or something did not hold: to be judged */
};
enum import_quick import_quickly(struct import_pages *pages, const struct bundle_file *file,
                                 int *status);

#endif
