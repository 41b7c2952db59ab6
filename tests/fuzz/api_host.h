/* A host for the API that is none: a node and a store in memory that know four people, and replies
 * that the input chooses. It stands in the place of node/shell/host.c. */
#ifndef PARLEY_TESTS_FUZZ_API_HOST_H
#define PARLEY_TESTS_FUZZ_API_HOST_H

#include "../../node/shell/api.h"
#include "../../node/shell/host.h"

#define API_HOST_NAME_MAX 128u

typedef void api_host_on_event(const struct parley_event *event, const void *context);

/* how: the reply's error (three bits), then: reads fail, no device, a relay, the disk is full, and
 * a listener. on_event sees what is submitted. */
void api_host_begin(uint8_t how, api_host_on_event *on_event, const void *context);
struct parley_api *api_host_api(void);
/* Another one over the same host; the caller's. */
struct parley_api *api_host_make(void);
/* Does what was put off (reads, replies) until nothing is left. */
void api_host_run(void);
/* Some posts have become durable. */
void api_host_show(void);
/* Takes one byte off rest, or "$n" (a person's text) or "%n" (a post's), and writes it; 0 for a
 * zero byte, which is no text. */
size_t api_host_put_name(char *out, struct parley_span *rest);

#endif
