/* Posts as text for people: each line set in, so that no text can look like another post. */
#ifndef PARLEY_TOOL_PRINT_POST_H
#define PARLEY_TOOL_PRINT_POST_H

#include <jansson.h>

/* A text member; "" when it is missing or null. */
const char *post_text_of(const json_t *json, const char *name);
/* With its answers set in by depth (0: a post of its own). */
void print_post(const json_t *post, unsigned depth);

#endif
