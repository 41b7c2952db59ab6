/* What of the store cannot be read. Damaged is not absent: who gathers something goes on behind the
 * damage with what can be read, keeps the first error, and the answer bears it as "problem" beside
 * what it tells. What is not here is no error. */
#ifndef PARLEY_SHELL_API_UNREAD_H
#define PARLEY_SHELL_API_UNREAD_H

#include <jansson.h>
#include <parley/error.h>
#include <stdbool.h>

struct api_job;

bool api_is_unread(enum parley_error error);
/* The first stays. */
void api_unread_keep(enum parley_error *unread, enum parley_error error);
/* As a problem (RFC 9457), or null when all could be read. */
json_t *api_unread_json(enum parley_error unread);
/* The object's value of that name lacks, or is of a part, for what cannot be read: it stands in its
 * "unread". */
void api_unread_name(json_t *json, bool is_unread, const char *name);
/* Nothing of it could be read. Ends the job. */
void api_unread_refuse(struct api_job *job, enum parley_error unread);

#endif
