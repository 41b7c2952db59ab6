/* What the owner purged may come again. */
#ifndef PARLEY_SHELL_API_PURGE_H
#define PARLEY_SHELL_API_PURGE_H

#include "api_job.h"

/* Of the first name of the job, an author or a post; then `then`, unless the job was refused. Takes
 * the job's state. */
void api_purge_undo(struct api_job *job, api_handler *then);

#endif
