/* A port of the router's, kept for this node while it runs: asked for in a thread, renewed at half
 * its lease, given back at the end.
 */
#ifndef PARLEY_NAT_H
#define PARLEY_NAT_H

#include <parley/text.h>
#include <uv.h>

enum parley_nat_state {
    PARLEY_NAT_ASKING,  /* nothing is known yet */
    PARLEY_NAT_MAPPED,  /* place is where the router listens for us */
    PARLEY_NAT_NOBODY,  /* no router here does this: it is asked again later */
    PARLEY_NAT_DOUBLED, /* mapped, but the router itself is behind another */
};

struct parley_nat_status {
    enum parley_nat_state state;
    const char *protocol;        /* "upnp", "nat-pmp"; NULL: none */
    struct parley_address place; /* MAPPED, DOUBLED; without a key */
};

struct parley_nat;

/* For the port that is listened at; 0: nobody is asked. NULL: there is no thread to be had. */
struct parley_nat *parley_nat_open(uv_loop_t *loop, uint16_t port);
/* Another one: the one of before is given back. */
void parley_nat_set_port(struct parley_nat *nat, uint16_t port);
void parley_nat_status(struct parley_nat *nat, struct parley_nat_status *status);
/* The loop goes on until the port is given back, or for six seconds: a router that answers a letter
 * a second is left alone with its thread, which ends with the process. NULL is allowed. */
void parley_nat_close(struct parley_nat *nat);

#endif
