/* Entries in the order of time, newest first, over all logs or one author's.
 *
 * The index has one row for each segment, by its newest entry. Rows are met newest first; a segment
 * is opened when its row is met and waits in a heap with the place of its next entry. Whatever
 * stands in the heap above the row just met is next. The heap is bounded: where more segments
 * overlap in time, the lowest is put aside, and when the walk comes down to it, it begins again
 * from there.
 *
 * What is damaged is passed over: the walk goes on behind with what can be read, and answers
 * STORE_DAMAGED at its end.
 */
#include "internal.h"
#include <stdlib.h>

#ifndef CURSORS_MAX /* a fuzz target has few of both, so that it meets what is put aside */
#define CURSORS_MAX 4096u
/* Opened segments kept: about as many logs as write at one time on a page. */
#define OPENED_MAX 16u
#endif

/* An entry of an opened segment. */
struct spot {
    parley_time_ms time;
    parley_time_ms received_ms;
    parley_seq seq;
};

struct opened {
    uint32_t log_number;
    parley_seq seq_first;
    uint64_t used; /* when it was last, 0: never */
    struct log_row row;
    struct segment segment;
    uint8_t *buffer;                             /* SEGMENT_SIZE_MAX */
    struct spot spots[PARLEY_CHUNK_ENTRIES_MAX]; /* newest first */
    size_t spots_count;
    struct parley_entry *entries; /* NULL until one is shown; ids cost hashing */
};

/* A segment that has entries below what was shown. */
struct cursor {
    struct parley_timeline_place place; /* of its next entry */
    uint32_t log_number;
    parley_seq seq_first;
    size_t spot; /* index of that entry */
};

struct timeline {
    struct parley_kv *kv;
    const void *view;
    uint32_t author_number;
    parley_store_on_entry *on_entry;
    void *context;
    struct parley_timeline_place before; /* only what is below is shown */
    struct parley_timeline_place floor;  /* of what was put aside */
    bool is_floored;
    bool is_done;    /* the callback has enough */
    bool is_cut;     /* the walk reached the floor */
    bool is_damaged; /* something was passed over */
    enum parley_error error;
    struct cursor heap[CURSORS_MAX];
    size_t heap_count;
    struct opened opened[OPENED_MAX];
    uint64_t uses;
};

static int compare_places(const struct parley_timeline_place *a,
                          const struct parley_timeline_place *b) {
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    int order = PARLEY_COMPARE(a->log, b->log);
    if (order != 0)
        return order;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

/* ---- the heap: the highest place on top */

static bool is_higher(const struct timeline *timeline, size_t a, size_t b) {
    return compare_places(&timeline->heap[a].place, &timeline->heap[b].place) > 0;
}

static void swap(struct timeline *timeline, size_t a, size_t b) {
    struct cursor kept = timeline->heap[a];
    timeline->heap[a] = timeline->heap[b];
    timeline->heap[b] = kept;
}

static void sift_up(struct timeline *timeline, size_t index) {
    for (; index > 0 && is_higher(timeline, index, (index - 1) / 2); index = (index - 1) / 2)
        swap(timeline, index, (index - 1) / 2);
}

static void sift_down(struct timeline *timeline, size_t index) {
    for (;;) {
        size_t highest = index;
        for (size_t child = 2 * index + 1; child <= 2 * index + 2; child++)
            if (child < timeline->heap_count && is_higher(timeline, child, highest))
                highest = child;
        if (highest == index)
            return;
        swap(timeline, index, highest);
        index = highest;
    }
}

/* Takes the lowest cursor out; the walk will begin again when it comes down to it. */
static void put_lowest_aside(struct timeline *timeline) {
    size_t lowest = 0;
    for (size_t i = timeline->heap_count / 2; i < timeline->heap_count; i++)
        if (is_higher(timeline, lowest, i))
            lowest = i;
    const struct parley_timeline_place *place = &timeline->heap[lowest].place;
    if (!timeline->is_floored || compare_places(place, &timeline->floor) > 0)
        timeline->floor = *place;
    timeline->is_floored = true;
    timeline->heap[lowest] = timeline->heap[--timeline->heap_count];
    if (lowest < timeline->heap_count)
        sift_up(timeline, lowest);
}

static void push(struct timeline *timeline, const struct cursor *cursor) {
    if (timeline->heap_count == CURSORS_MAX)
        put_lowest_aside(timeline);
    timeline->heap[timeline->heap_count++] = *cursor;
    sift_up(timeline, timeline->heap_count - 1);
}

static struct cursor pop(struct timeline *timeline) {
    struct cursor top = timeline->heap[0];
    timeline->heap[0] = timeline->heap[--timeline->heap_count];
    sift_down(timeline, 0);
    return top;
}

/* ---- opened segments */

static bool is_newer(const struct spot *a, const struct spot *b) {
    return a->time != b->time ? a->time > b->time : a->seq > b->seq;
}

/* Shell's sort, newest first. Nearly sorted already as a rule, and never slow. */
static void sort_spots(struct spot *spots, size_t count) {
    static const size_t gaps[] = {301, 132, 57, 23, 10, 4, 1}; /* Ciura 2001 */
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        size_t gap = gaps[g];
        for (size_t i = gap; i < count; i++) {
            struct spot spot = spots[i];
            size_t place = i;
            for (; place >= gap && is_newer(&spot, &spots[place - gap]); place -= gap)
                spots[place] = spots[place - gap];
            spots[place] = spot;
        }
    }
}

static enum parley_error load_segment(struct timeline *timeline, struct opened *opened) {
    struct key key;
    size_t size = 0;
    key_segment(&key, opened->log_number, opened->seq_first);
    enum parley_error error = timeline->kv->calls->get(timeline->kv, timeline->view, key_span(&key),
                                                       opened->buffer, SEGMENT_SIZE_MAX, &size);
    if (error == PARLEY_E_NOT_FOUND || error == PARLEY_E_NO_SPACE)
        return PARLEY_E_STORE_DAMAGED;
    if (error == PARLEY_E_OK)
        error = row_read_by_number(timeline->kv, timeline->view, opened->log_number, &opened->row);
    if (error == PARLEY_E_OK)
        error = segment_decode_row(&opened->segment, &opened->row.held.log, opened->seq_first,
                                   PARLEY_SPAN(opened->buffer, size));
    return error;
}

static void find_spots(struct opened *opened) {
    struct segment_cursor cursor;
    struct parley_item item;
    size_t count = opened->segment.chunk.count, place = count;
    segment_start(&cursor, &opened->segment);
    while (place > 0 && segment_next_item(&cursor, &item))
        opened->spots[--place] = (struct spot){effective_time(item.time, cursor.received_ms),
                                               cursor.received_ms, item.seq};
    opened->spots_count = count;
    sort_spots(opened->spots, count);
}

static struct opened *least_used(struct timeline *timeline) {
    struct opened *least = &timeline->opened[0];
    for (size_t i = 1; i < OPENED_MAX; i++)
        if (timeline->opened[i].used < least->used)
            least = &timeline->opened[i];
    return least;
}

/* NULL with the error set. */
static struct opened *open_segment(struct timeline *timeline, uint32_t log_number,
                                   parley_seq seq_first) {
    timeline->uses++;
    for (size_t i = 0; i < OPENED_MAX; i++) {
        struct opened *opened = &timeline->opened[i];
        if (opened->used != 0 && opened->log_number == log_number &&
            opened->seq_first == seq_first) {
            opened->used = timeline->uses;
            return opened;
        }
    }
    struct opened *opened = least_used(timeline);
    free(opened->entries);
    opened->entries = NULL;
    opened->used = 0;
    if (opened->buffer == NULL)
        opened->buffer = malloc(SEGMENT_SIZE_MAX);
    opened->log_number = log_number;
    opened->seq_first = seq_first;
    timeline->error = opened->buffer == NULL ? PARLEY_E_NO_MEMORY : load_segment(timeline, opened);
    if (timeline->error != PARLEY_E_OK)
        return NULL;
    find_spots(opened);
    opened->used = timeline->uses;
    return opened;
}

static const struct parley_entry *entry_of(struct timeline *timeline, struct opened *opened,
                                           parley_seq seq) {
    struct segment_cursor cursor;
    if (opened->entries == NULL) {
        opened->entries = calloc(opened->spots_count, sizeof opened->entries[0]);
        if (opened->entries == NULL) {
            timeline->error = PARLEY_E_NO_MEMORY;
            return NULL;
        }
        segment_start(&cursor, &opened->segment);
        for (size_t i = 0; segment_next(&cursor, &opened->entries[i]); i++)
            if (i + 1 == opened->spots_count)
                break;
    }
    return &opened->entries[seq - opened->seq_first];
}

/* ---- the walk */

/* Puts the segment into the heap with its first entry from `spot` on that is below `before`. */
static void wait_for(struct timeline *timeline, const struct opened *opened, size_t spot) {
    struct cursor cursor = {.log_number = opened->log_number, .seq_first = opened->seq_first};
    for (; spot < opened->spots_count; spot++) {
        cursor.place = (struct parley_timeline_place){
            opened->spots[spot].time, opened->row.held.log, opened->spots[spot].seq};
        cursor.spot = spot;
        if (compare_places(&cursor.place, &timeline->before) < 0) {
            push(timeline, &cursor);
            return;
        }
    }
}

static void show_top(struct timeline *timeline) {
    if (timeline->is_floored && compare_places(&timeline->heap[0].place, &timeline->floor) <= 0) {
        timeline->is_cut = true;
        return;
    }
    struct cursor top = pop(timeline);
    struct opened *opened = open_segment(timeline, top.log_number, top.seq_first);
    const struct parley_entry *entry =
        opened == NULL ? NULL : entry_of(timeline, opened, top.place.seq);
    if (entry == NULL)
        return;
    timeline->before = top.place;
    if (!timeline->on_entry(timeline->context, &opened->row.held, entry, &top.place,
                            opened->spots[top.spot].received_ms)) {
        timeline->is_done = true;
        return;
    }
    wait_for(timeline, opened, top.spot + 1);
}

/* Damage ends nothing: one part of a walk is as good without another. */
static bool goes_on(struct timeline *timeline) {
    if (timeline->error == PARLEY_E_STORE_DAMAGED) {
        timeline->is_damaged = true;
        timeline->error = PARLEY_E_OK;
    }
    return !timeline->is_done && !timeline->is_cut && timeline->error == PARLEY_E_OK;
}

static bool on_row(void *context, struct parley_span key, struct parley_span value) {
    struct timeline *timeline = context;
    struct timeline_row row;
    timeline->error = timeline_row_decode(&row, key, value);
    if (timeline->error != PARLEY_E_OK)
        return goes_on(timeline);
    while (goes_on(timeline) && timeline->heap_count > 0 &&
           timeline->heap[0].place.time > row.time_newest)
        show_top(timeline);
    if (!goes_on(timeline) || row.time_oldest > timeline->before.time)
        return goes_on(timeline);
    struct opened *opened = open_segment(timeline, row.log_number, row.seq_first);
    if (opened != NULL)
        wait_for(timeline, opened, 0);
    return goes_on(timeline);
}

/* One walk down from `before`. */
static void walk(struct timeline *timeline) {
    struct key low, high;
    key_letter_number(&low, 't', timeline->author_number);
    key_after(&high, &low);
    struct parley_kv_bounds bounds = {key_span(&low), key_span(&high), .is_descending = true,
                                      .is_past_damage = true};
    timeline->heap_count = 0;
    timeline->is_floored = false;
    timeline->is_cut = false;
    enum parley_error error =
        timeline->kv->calls->scan(timeline->kv, timeline->view, &bounds, on_row, timeline);
    if (timeline->error == PARLEY_E_OK)
        timeline->error = error;
    while (goes_on(timeline) && timeline->heap_count > 0)
        show_top(timeline);
}

static void walk_all(struct timeline *timeline, const struct parley_author *author) {
    if (author != NULL)
        timeline->error =
            author_number_read(timeline->kv, timeline->view, author, &timeline->author_number);
    if (timeline->error == PARLEY_E_NOT_FOUND) {
        timeline->error = PARLEY_E_OK;
        return;
    }
    if (timeline->error != PARLEY_E_OK)
        return; /* number 0 would be everybody's */
    bool is_short, has_shown;
    do {
        struct parley_timeline_place from = timeline->before;
        walk(timeline);
        is_short = timeline->is_cut || (goes_on(timeline) && timeline->is_floored);
        has_shown = compare_places(&timeline->before, &from) < 0;
    } while (is_short && has_shown);
    /* What is put aside is below something that is shown, unless one segment has many rows. */
    if (is_short)
        timeline->error = PARLEY_E_STORE_DAMAGED;
}

enum parley_error parley_store_timeline(struct parley_store *store,
                                        const struct parley_timeline_place *before,
                                        const struct parley_author *author,
                                        parley_store_on_entry *on_entry, void *context) {
    struct timeline *timeline = calloc(1, sizeof *timeline);
    if (timeline == NULL)
        return PARLEY_E_NO_MEMORY;
    timeline->kv = store->kv;
    timeline->on_entry = on_entry;
    timeline->context = context;
    if (before != NULL)
        timeline->before = *before;
    else
        timeline->before.time = UINT64_MAX;
    timeline->error = store->kv->calls->view_begin(store->kv, &timeline->view);
    if (timeline->error == PARLEY_E_OK) {
        walk_all(timeline, author);
        store->kv->calls->view_end(store->kv, timeline->view);
    }
    enum parley_error error = timeline->error;
    if (error == PARLEY_E_OK && timeline->is_damaged)
        error = PARLEY_E_STORE_DAMAGED;
    for (size_t i = 0; i < OPENED_MAX; i++) {
        free(timeline->opened[i].buffer);
        free(timeline->opened[i].entries);
    }
    free(timeline);
    return error;
}
