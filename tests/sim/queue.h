/* Simulated time: what happens next, in an order that is the same every time. Whoever simulates
 * defines struct sim, its own world.
 */
#ifndef PARLEY_SIM_QUEUE_H
#define PARLEY_SIM_QUEUE_H

#include <parley/bytes.h>

#define QUEUE_NOBODY UINT32_MAX /* an item that belongs to no node's life */

struct sim;
struct sim_item;
typedef void sim_run(struct sim *sim, struct sim_item *item);

struct sim_item {
    parley_time_ms at;
    uint64_t order;  /* of two at one moment the one put first comes first */
    uint32_t node;   /* dropped when that node was killed meanwhile */
    uint32_t life;   /* which of its lives */
    uint64_t number; /* whatever run wants to know */
    sim_run *run;
    void *data; /* one allocation, freed after run; NULL: none */
};

struct sim_queue {
    struct sim_item *items; /* a heap by (at, order) */
    size_t count, count_max;
    uint64_t order;
};

/* Its order is given here. */
void queue_push(struct sim_queue *queue, const struct sim_item *item);
/* There must be one. */
struct sim_item queue_pop(struct sim_queue *queue);
void queue_clear(struct sim_queue *queue);

#endif
