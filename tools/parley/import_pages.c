#include "import_pages.h"
#include "command.h"
#include <parley/bundle.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A page that the node has no room for is sent again, up to a minute. */
#define PAGE_TRIES   600u
#define PAGE_WAIT_MS 100
/* What was passed over is told one by one up to here. */
#define WORDS_MAX 16u

static json_int_t number_of(const json_t *json, const char *name) {
    return json_integer_value(json_object_get(json, name));
}

/* ---- answers ------------------------------------------------------------------------------ */

static void say_passed(struct import_pages *pages, const json_t *item) {
    const char *log = json_string_value(json_object_get(item, "log"));
    const char *detail = json_string_value(json_object_get(item, "detail"));
    if (json_array_size(pages->words) >= WORDS_MAX)
        return;
    (void)json_array_append(pages->words, (json_t *)item);
    if (pages->is_quiet)
        return;
    if (log == NULL)
        (void)complain(EXIT_NO, "an identity record was passed over: %s", detail);
    else
        (void)complain(EXIT_NO, "entries %lld to %lld of log %s were passed over: %s",
                       (long long)number_of(item, "low"), (long long)number_of(item, "high"), log,
                       detail);
}

static int count_page(struct import_pages *pages, const json_t *json) {
    const json_t *problem = json_object_get(json, "problem"), *item;
    size_t index;
    pages->records += number_of(json, "records");
    pages->entries += number_of(json, "entries");
    pages->passed_over += number_of(json, "passed_over");
    json_array_foreach(json_object_get(json, "passed"), index, item) {
        say_passed(pages, item);
    }
    progress_show(&pages->progress, (unsigned long long)pages->entries, "entries");
    if (!json_is_object(problem))
        return EXIT_DONE;
    pages->has_problem = true;
    return pages->is_quiet ? EXIT_NO
                           : client_complain(problem, (unsigned)number_of(problem, "status"));
}

/* ---- sending ------------------------------------------------------------------------------ */

static bool is_for_later(const json_t *problem) {
    const char *error = json_string_value(json_object_get(problem, "error"));
    return error != NULL && strcmp(error, parley_error_name(PARLEY_E_RETRY)) == 0;
}

/* What a page brought before the node had no room stays: sending it again changes nothing there. */
static void *run_sender(void *context) {
    struct import_sender *sender = context;
    struct client_request request = {.method = PARLEY_API_POST,
                                     .path = "/v1/import",
                                     .content_type = "application/octet-stream",
                                     .body = PARLEY_SPAN(sender->page, sender->size)};
    for (unsigned tries = 1;; tries++) {
        sender->status = client_call_json(sender->client, &request, NULL, &sender->answer);
        if (sender->status != EXIT_DONE)
            return NULL;
        const json_t *problem = json_object_get(sender->answer, "problem");
        sender->added += number_of(sender->answer, "added");
        if (!json_is_object(problem) || !is_for_later(problem) || tries == PAGE_TRIES)
            return NULL;
        json_decref(sender->answer);
        (void)nanosleep(&(struct timespec){.tv_nsec = PAGE_WAIT_MS * 1000000L}, NULL);
    }
}

/* What became of a page under way, if there is one. */
static int end_sender(struct import_sender *sender) {
    if (!sender->is_sending)
        return EXIT_DONE;
    (void)pthread_join(sender->thread, NULL);
    sender->is_sending = false;
    sender->pages->added += sender->added;
    if (sender->status != EXIT_DONE)
        return sender->status;
    int status = count_page(sender->pages, sender->answer);
    json_decref(sender->answer);
    return status;
}

/* In the order in which they were sent. */
static int end_senders(struct import_pages *pages) {
    int status = EXIT_DONE;
    for (size_t i = 0; i < pages->senders_count; i++) {
        int ended = end_sender(&pages->senders[(pages->next + i) % pages->senders_count]);
        status = status != EXIT_DONE ? status : ended;
    }
    return status;
}

static int send_page(struct import_pages *pages) {
    struct import_sender *sender = &pages->senders[pages->next];
    if (pages->size == 0)
        return EXIT_DONE;
    bool waits = pages->is_strict || pages->continues;
    int status = waits ? end_senders(pages) : end_sender(sender);
    if (status != EXIT_DONE)
        return status;
    uint8_t *page = pages->page;
    pages->page = sender->page;
    sender->page = page;
    sender->size = pages->size;
    sender->added = 0;
    pages->size = 0;
    pages->next = (pages->next + 1) % pages->senders_count;
    sender->is_sending = pthread_create(&sender->thread, NULL, run_sender, sender) == 0;
    return sender->is_sending ? EXIT_DONE : complain(EXIT_SYSTEM, "no thread can be made");
}

int import_pages_add(struct import_pages *pages, unsigned kind, struct parley_span payload) {
    struct parley_writer writer;
    struct parley_span out;
    if (pages->size + PARLEY_BUNDLE_SECTION_MAX > PARLEY_API_BODY_BYTES_MAX) {
        int status = send_page(pages);
        if (status != EXIT_DONE)
            return status;
        pages->continues = true;
    }
    parley_writer_init(&writer, pages->page + pages->size, PARLEY_API_BODY_BYTES_MAX - pages->size);
    parley_write_array(&writer, 2);
    parley_write_uint(&writer, kind);
    parley_write_bin(&writer, payload);
    if (parley_writer_finish(&writer, &out) != PARLEY_E_OK)
        return complain(EXIT_SYSTEM, "a section does not fit");
    pages->size += out.size;
    return EXIT_DONE;
}

int import_pages_break(struct import_pages *pages) {
    if (pages->size < PARLEY_API_BODY_BYTES_MAX / 4 * 3)
        return EXIT_DONE;
    int status = send_page(pages);
    pages->continues = false;
    return status;
}

int import_pages_end(struct import_pages *pages, bool sends) {
    int status = sends ? send_page(pages) : EXIT_DONE;
    int ended = end_senders(pages);
    pages->size = 0;
    return status != EXIT_DONE ? status : ended;
}

/* ---- life --------------------------------------------------------------------------------- */

/* One of its own for each page under way; a home without a node is worked on by one. */
static void open_senders(struct import_pages *pages, struct client *client) {
    pages->senders[0].client = client;
    pages->senders_count = 1;
    while (pages->senders_count < IMPORT_SENDERS && client_is_remote(client)) {
        struct client *another = client_open_again(client, pages->options);
        if (another == NULL)
            break;
        pages->senders[pages->senders_count++].client = another;
    }
}

int import_pages_open(struct import_pages *pages, struct client *client) {
    open_senders(pages, client);
    pages->page = malloc(PARLEY_API_BODY_BYTES_MAX);
    pages->words = json_array();
    bool is_open = pages->page != NULL && pages->words != NULL;
    for (size_t i = 0; i < pages->senders_count; i++) {
        struct import_sender *sender = &pages->senders[i];
        sender->pages = pages;
        sender->page = malloc(PARLEY_API_BODY_BYTES_MAX);
        is_open = is_open && sender->page != NULL;
    }
    return is_open ? EXIT_DONE : complain(EXIT_SYSTEM, "out of memory");
}

void import_pages_close(struct import_pages *pages) {
    for (size_t i = 0; i < pages->senders_count; i++) {
        client_close(pages->senders[i].client);
        free(pages->senders[i].page);
    }
    free(pages->page);
    json_decref(pages->words);
}

void import_pages_begin(struct import_pages *pages, bool is_strict, bool is_quiet) {
    pages->is_strict = is_strict;
    pages->is_quiet = is_quiet;
    pages->continues = pages->has_problem = false;
    pages->records = pages->entries = pages->passed_over = 0;
    json_array_clear(pages->words);
}
