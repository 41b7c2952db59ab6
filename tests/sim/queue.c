#include "sim.h"

#include <stdlib.h>

static bool is_before(const struct sim_item *a, const struct sim_item *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct sim_item *a, struct sim_item *b) {
    struct sim_item kept = *a;
    *a = *b;
    *b = kept;
}

static void heap_push(struct sim_queue *queue, const struct sim_item *item) {
    if (queue->count == queue->count_max) {
        queue->count_max = queue->count_max == 0 ? 1024 : queue->count_max * 2;
        queue->items = realloc(queue->items, queue->count_max * sizeof *queue->items);
        if (queue->items == NULL)
            abort();
    }
    size_t at = queue->count++;
    queue->items[at] = *item;
    for (; at > 0 && is_before(&queue->items[at], &queue->items[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&queue->items[at], &queue->items[(at - 1) / 2]);
}

static struct sim_item heap_pop(struct sim_queue *queue) {
    struct sim_item first = queue->items[0];
    queue->items[0] = queue->items[--queue->count];
    for (size_t at = 0, child; (child = 2 * at + 1) < queue->count; at = child) {
        if (child + 1 < queue->count && is_before(&queue->items[child + 1], &queue->items[child]))
            child++;
        if (!is_before(&queue->items[child], &queue->items[at]))
            break;
        swap(&queue->items[child], &queue->items[at]);
    }
    return first;
}

void sim_put(struct sim *sim, parley_time_ms delay, uint32_t node, sim_run *run, void *data,
             uint64_t number) {
    struct sim_item item = {.at = sim->now + delay,
                            .order = sim->queue.order++,
                            .node = node,
                            .life = node == SIM_NOBODY ? 0 : sim->nodes[node].life,
                            .number = number,
                            .run = run,
                            .data = data};
    heap_push(&sim->queue, &item);
}

bool sim_next(struct sim *sim) {
    if (sim->queue.count == 0)
        return false;
    struct sim_item item = heap_pop(&sim->queue);
    sim->now = item.at;
    if (item.node == SIM_NOBODY || sim->nodes[item.node].life == item.life)
        item.run(sim, &item);
    free(item.data);
    return true;
}

void sim_queue_clear(struct sim *sim) {
    for (size_t i = 0; i < sim->queue.count; i++)
        free(sim->queue.items[i].data);
    free(sim->queue.items);
    sim->queue = (struct sim_queue){0};
}
