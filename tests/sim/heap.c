#include "queue.h"

#include <stdlib.h>

static bool is_before(const struct sim_item *a, const struct sim_item *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct sim_item *a, struct sim_item *b) {
    struct sim_item kept = *a;
    *a = *b;
    *b = kept;
}

void queue_push(struct sim_queue *queue, const struct sim_item *item) {
    if (queue->count == queue->count_max) {
        queue->count_max = queue->count_max == 0 ? 1024 : queue->count_max * 2;
        queue->items = realloc(queue->items, queue->count_max * sizeof *queue->items);
        if (queue->items == NULL)
            abort();
    }
    size_t at = queue->count++;
    queue->items[at] = *item;
    queue->items[at].order = queue->order++;
    for (; at > 0 && is_before(&queue->items[at], &queue->items[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&queue->items[at], &queue->items[(at - 1) / 2]);
}

struct sim_item queue_pop(struct sim_queue *queue) {
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

void queue_clear(struct sim_queue *queue) {
    for (size_t i = 0; i < queue->count; i++)
        free(queue->items[i].data);
    free(queue->items);
    *queue = (struct sim_queue){0};
}
