/* GET check: the check of the store by the page, beside whatever the node does. The cursor is the
 * place of the check, in hex.
 */
#include "api_store.h"
#include "api_job.h"
#include <stdlib.h>

struct check_page {
    struct parley_store_check check;
    json_t *damages;
    enum parley_error error;
};

static void free_page(void *state) {
    struct check_page *page = state;
    json_decref(page->damages);
    free(page);
}

json_t *parley_api_damage(const struct parley_damage *damage) {
    bool has_seqs = damage->seq_high != 0;
    char row[2] = {damage->letter, '\0'};
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "damage", parley_damage_name(damage->kind), "words",
        parley_damage_words(damage->kind), "row",
        damage->letter >= ' ' && damage->letter <= '~' ? row : "?", "author",
        damage->has_author ? api_json_author(&damage->author) : json_null(), "log",
        damage->has_log ? api_json_hex(damage->log.bytes, sizeof(damage->log.bytes)) : json_null(),
        "seq_low", has_seqs ? json_integer((json_int_t)damage->seq_low) : json_null(), "seq_high",
        has_seqs ? json_integer((json_int_t)damage->seq_high) : json_null());
}

static void on_damage(void *context, const struct parley_damage *damage) {
    struct check_page *page = context;
    (void)!json_array_append_new(page->damages, parley_api_damage(damage));
}

static void read_page(struct api_job *job, struct parley_store *store) {
    struct check_page *page = job->state;
    page->error =
        parley_store_check_next(store, &page->check, PARLEY_API_CHECK_WORK, on_damage, page);
}

static void answer_page(struct api_job *job) {
    struct check_page *page = job->state;
    const struct parley_store_check *check = &page->check;
    char next[2 * PARLEY_STORE_KEY_MAX + 1];
    if (page->error != PARLEY_E_OK) {
        api_refuse(job, page->error, NULL, "the check cannot go on: %s",
                   parley_strerror(page->error));
        return;
    }
    parley_hex_encode(next, check->key, check->key_size);
    api_answer_json(job, 200,
                    json_pack("{s:O, s:I, s:I, s:I, s:s?}", "damages", page->damages, "logs",
                              (json_int_t)check->logs_count, "entries",
                              (json_int_t)check->entries_count, "records",
                              (json_int_t)check->records_count, "next",
                              check->is_done ? NULL : next));
}

static bool decode_cursor(struct parley_store_check *check, const char *text) {
    if (text == NULL)
        return true;
    size_t size = strlen(text);
    check->key_size = size / 2;
    return size % 2 == 0 && check->key_size <= sizeof(check->key) &&
           parley_hex_decode(check->key, check->key_size, PARLEY_SPAN(text, size));
}

void api_run_check(struct api_job *job) {
    struct check_page *page = calloc(1, sizeof(*page));
    if (page == NULL) {
        api_no_memory(job);
        return;
    }
    job->state = page;
    job->free_state = free_page;
    page->damages = json_array();
    if (!decode_cursor(&page->check, api_parameter(job, "cursor")))
        api_refuse(job, PARLEY_E_BAD_INPUT, "cursor", "cursor is not one that was given");
    else
        api_read(job, read_page, answer_page);
}
