#include "sim.h"

#include <stdlib.h>

void sim_put(struct sim *sim, parley_time_ms delay, uint32_t node, sim_run *run, void *data,
             uint64_t number) {
    struct sim_item item = {.at = sim->now + delay,
                            .node = node,
                            .life = node == SIM_NOBODY ? 0 : sim->nodes[node].life,
                            .number = number,
                            .run = run,
                            .data = data};
    queue_push(&sim->queue, &item);
}

bool sim_next(struct sim *sim) {
    if (sim->queue.count == 0)
        return false;
    struct sim_item item = queue_pop(&sim->queue);
    sim->now = item.at;
    if (item.node == SIM_NOBODY || sim->nodes[item.node].life == item.life)
        item.run(sim, &item);
    free(item.data);
    return true;
}

void sim_queue_clear(struct sim *sim) {
    queue_clear(&sim->queue);
}
