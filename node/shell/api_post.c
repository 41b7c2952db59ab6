/* Publishing: one post, or many in one request, so that they share the disk's syncs. */
#include "api_job.h"
#include <stdio.h>
#include <stdlib.h>

#define MENTIONS_MAX 32u /* in one post that is written here; others may bear more */

/* A line of a batch, or the one post. */
struct draft {
    struct api_job *job;
    bool is_answered;
    enum parley_error error;
    const char *field;
    const char *detail; /* a literal; NULL: the error's words */
    struct parley_log log;
    parley_seq seq;
    struct parley_id id;
};

/* ---- from JSON to an entry's body --------------------------------------------------------- */

static bool refuse_draft(struct draft *draft, const char *field, const char *detail) {
    draft->error = PARLEY_E_BAD_INPUT;
    draft->field = field;
    draft->detail = detail;
    return false;
}

static bool read_tags(struct draft *draft, const json_t *json, struct parley_post *post) {
    const json_t *tags = json_object_get(json, "tags");
    if (tags == NULL || json_is_null(tags))
        return true;
    if (!json_is_array(tags) || json_array_size(tags) > PARLEY_TAGS_MAX)
        return refuse_draft(draft, "tags", "tags must be a list of at most 32 words");
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        size_t size = json_string_length(tag);
        if (size == 0 || size > PARLEY_TAG_BYTES_MAX)
            return refuse_draft(draft, "tags", "each tag must be text of 1 to 64 bytes");
        post->tags[post->tags_count++] = PARLEY_SPAN(json_string_value(tag), size);
    }
    return true;
}

static bool read_time(struct draft *draft, const json_t *json, parley_time_ms *time) {
    const json_t *value = json_object_get(json, "time");
    *time = 0;
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        (uint64_t)json_integer_value(value) > PARLEY_TIME_MAX)
        return refuse_draft(draft, "time",
                            "time must be milliseconds since 1970, above 0 and below 2^53");
    *time = (parley_time_ms)json_integer_value(value);
    return true;
}

static bool read_text(struct draft *draft, const json_t *json, struct parley_post *post) {
    const json_t *text = json_object_get(json, "text");
    if (!json_is_string(text))
        return refuse_draft(draft, "text", "text is missing or not text");
    if (json_string_length(text) == 0)
        return refuse_draft(draft, "text", "the text is empty");
    post->text = PARLEY_SPAN(json_string_value(text), json_string_length(text));
    return true;
}

/* What the content is hidden behind, and its language: text, or left out. */
static bool read_line(struct draft *draft, const json_t *json, const char *name, size_t size_max,
                      struct parley_span *line) {
    const json_t *text = json_object_get(json, name);
    if (text == NULL || json_is_null(text))
        return true;
    if (json_string_length(text) == 0 || json_string_length(text) > size_max)
        return refuse_draft(draft, name, "it must be text that is not empty nor too long");
    *line = PARLEY_SPAN(json_string_value(text), json_string_length(text));
    return true;
}

/* The parent's root is the root; a parent that has none is the root itself. */
static void set_reply(struct parley_post *post, const struct api_entry *parent) {
    struct parley_body body;
    post->has_parent = post->has_root = true;
    post->parent = post->root = api_entry_ref(parent);
    if (parent->has_body &&
        parley_body_decode(&body, PARLEY_SPAN(parent->body, parent->body_size)).error ==
            PARLEY_E_OK &&
        body.kind == PARLEY_BODY_POST && body.post.has_root)
        post->root = body.post.root;
}

static void set_refs(struct parley_post *post, const struct api_job *job) {
    for (size_t i = 0; i < job->names_count; i++) {
        const struct api_name *name = &job->names[i];
        if (name->kind == API_AUTHOR) {
            post->mentions[post->mentions_count++] = name->author;
        } else if (strcmp(name->field, "reply") == 0) {
            set_reply(post, name->entry);
        } else {
            post->has_quote = true;
            post->quote = api_entry_ref(name->entry);
        }
    }
}

static void on_published(void *context, const struct parley_effect *effect);

/* False: draft says why. */
static bool submit_draft(struct draft *draft, const json_t *json) {
    struct api_job *job = draft->job;
    struct parley_body body = {.kind = PARLEY_BODY_POST};
    uint8_t buffer[PARLEY_BODY_BYTES_MAX];
    struct parley_event event = {.kind = PARLEY_EVENT_PUBLISH};
    if (!read_text(draft, json, &body.post) || !read_tags(draft, json, &body.post) ||
        !read_time(draft, json, &event.publish.time) ||
        !read_line(draft, json, "warning", PARLEY_WARNING_BYTES_MAX, &body.post.warning) ||
        !read_line(draft, json, "language", PARLEY_LANGUAGE_BYTES_MAX, &body.post.language))
        return false;
    set_refs(&body.post, job);
    enum parley_error error =
        parley_body_encode(&event.publish.body, buffer, sizeof(buffer), &body);
    if (error == PARLEY_E_NO_SPACE)
        return refuse_draft(draft, "text", "the post is too long: at most 65,536 bytes in all");
    if (error != PARLEY_E_OK)
        return refuse_draft(draft, "text", "the text is not valid");
    parley_host_submit(job->api->host, &event, on_published, draft);
    return true;
}

static void take_reply(struct draft *draft, const struct parley_effect *effect) {
    draft->is_answered = true;
    draft->error = api_reply_error(draft->job->api, effect);
    draft->log = effect->reply.log;
    draft->seq = effect->reply.seq;
    draft->id = effect->reply.id;
}

static const char *draft_detail(const struct draft *draft) {
    if (draft->error == PARLEY_E_DISK_FULL)
        return "the disk is full: nothing can be published until there is space again";
    return draft->detail != NULL ? draft->detail : api_publish_words(draft->job->api, draft->error);
}

static json_t *json_published(const struct draft *draft) {
    return json_pack("{s:o, s:o, s:I, s:o}", "post",
                     api_json_post_address(&draft->log, draft->seq, &draft->id), "log",
                     api_json_hex(draft->log.bytes, 32), "seq", (json_int_t)draft->seq, "id",
                     api_json_hex(draft->id.bytes, 32));
}

/* ---- one post ----------------------------------------------------------------------------- */

/* False: the job was refused. */
static bool name_mentions(struct api_job *job) {
    const json_t *mentions = json_object_get(job->json, "mentions");
    if (mentions == NULL || json_is_null(mentions))
        return true;
    bool is_good = json_is_array(mentions) && json_array_size(mentions) <= MENTIONS_MAX;
    for (size_t i = 0; is_good && i < json_array_size(mentions); i++)
        is_good = json_is_string(json_array_get(mentions, i));
    if (!is_good) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "mentions",
                   "mentions must be a list of at most %u "
                   "people",
                   MENTIONS_MAX);
        return false;
    }
    for (size_t i = 0; i < json_array_size(mentions); i++)
        if (!api_name_add(job, API_AUTHOR, "mentions",
                          json_string_value(json_array_get(mentions, i))))
            return false;
    return true;
}

void api_names_publish(struct api_job *job) {
    static const char *const FIELDS[] = {"reply", "quote"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *member = json_object_get(job->json, FIELDS[i]);
        if (member == NULL || json_is_null(member))
            continue;
        const char *text = api_member_text(job->json, FIELDS[i]);
        if (text == NULL) {
            api_refuse(job, PARLEY_E_BAD_INPUT, FIELDS[i], "%s must name a post", FIELDS[i]);
            return;
        }
        if (!api_name_add(job, API_POST, FIELDS[i], text))
            return;
    }
    if (name_mentions(job))
        api_names_find(job);
}

static void finish_one(struct draft *draft) {
    struct api_job *job = draft->job;
    if (draft->error == PARLEY_E_OK)
        api_answer_json(job, 201, json_published(draft));
    else
        api_refuse(job, draft->error, draft->field, "%s", draft_detail(draft));
}

void api_run_publish(struct api_job *job) {
    struct draft *draft = calloc(1, sizeof(*draft));
    if (draft == NULL) {
        api_no_memory(job);
        return;
    }
    draft->job = job;
    job->state = draft;
    job->free_state = free;
    if (!submit_draft(draft, job->json))
        finish_one(draft);
}

/* ---- many --------------------------------------------------------------------------------- */

/* Posts of all batches under way in the node at once, and one of each: more would only wait in its
 * tables, and find these full in the end. */
#define BATCH_WINDOW    1024u
#define BATCH_LINES_MAX 8192u

struct batch {
    struct api_job *job;
    struct draft *drafts;
    size_t drafts_count;
    size_t waiting_count;
    size_t offset;    /* of the next line */
    bool has_stopped; /* at a bad line, or at a failure */
    char detail[256];
};

static void free_batch(void *state) {
    struct batch *batch = state;
    free(batch->drafts);
    free(batch);
}

static bool append_line(char **text, size_t *size, size_t *room, json_t *json) {
    size_t line_size = 0;
    char *line = json == NULL ? NULL : api_dump(json, &line_size);
    json_decref(json);
    if (line == NULL)
        return false;
    if (*size + line_size + 1 > *room) {
        *room = 2 * *room + line_size + 1;
        char *grown = realloc(*text, *room);
        if (grown == NULL) {
            free(line);
            return false;
        }
        *text = grown;
    }
    memcpy(*text + *size, line, line_size);
    (*text)[*size + line_size] = '\n';
    *size += line_size + 1;
    free(line);
    return true;
}

static json_t *json_draft(const struct draft *draft, size_t line) {
    json_t *json = draft->error == PARLEY_E_OK
                       ? json_published(draft)
                       : api_problem(draft->error, draft->field, draft_detail(draft));
    if (json != NULL)
        json_object_set_new(json, "line", json_integer((json_int_t)line));
    return json;
}

static void finish_batch(struct batch *batch) {
    struct api_job *job = batch->job;
    char *text = NULL;
    size_t size = 0, room = 0;
    bool fits = true;
    for (size_t i = 0; fits && i < batch->drafts_count; i++)
        fits = append_line(&text, &size, &room, json_draft(&batch->drafts[i], i + 1));
    if (fits)
        api_answer(job, 200, "application/x-ndjson", PARLEY_SPAN(text, size), NULL);
    else
        api_no_memory(job);
    free(text);
}

static void submit_line(struct batch *batch, const char *line, size_t size) {
    struct draft *draft = &batch->drafts[batch->drafts_count++];
    json_error_t error;
    *draft = (struct draft){.job = batch->job};
    json_t *json = json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    bool done;
    if (json_is_object(json)) {
        done = submit_draft(draft, json);
    } else {
        snprintf(batch->detail, sizeof(batch->detail), "not a JSON object: %s at byte %d",
                 json != NULL ? "another value stands" : error.text, error.position);
        done = refuse_draft(draft, "line", batch->detail);
    }
    json_decref(json);
    batch->waiting_count += done;
    batch->job->api->publishing_count += done;
    batch->has_stopped = !done;
}

static bool has_window(const struct batch *batch) {
    return batch->waiting_count == 0 || batch->job->api->publishing_count < BATCH_WINDOW;
}

static void submit_lines(struct batch *batch) {
    const char *text = (const char *)batch->job->body;
    size_t size = batch->job->body_size;
    while (!batch->has_stopped && batch->offset < size && has_window(batch)) {
        const char *line = text + batch->offset;
        const char *end = memchr(line, '\n', size - batch->offset);
        size_t line_size = end != NULL ? (size_t)(end - line) : size - batch->offset;
        batch->offset += line_size + 1;
        submit_line(batch, line, line_size);
    }
    if (batch->waiting_count == 0)
        finish_batch(batch);
}

static void on_batch_reply(struct batch *batch, const struct draft *draft) {
    batch->waiting_count--;
    batch->job->api->publishing_count--;
    if (draft->error != PARLEY_E_OK)
        batch->has_stopped = true;
    submit_lines(batch);
}

static void on_published(void *context, const struct parley_effect *effect) {
    struct draft *draft = context;
    struct api_job *job = draft->job;
    take_reply(draft, effect);
    if (job->route->run == api_run_publish)
        finish_one(draft);
    else
        on_batch_reply(job->state, draft);
}

static size_t count_lines(const struct api_job *job) {
    size_t count = 1;
    for (size_t i = 0; i < job->body_size; i++)
        count += job->body[i] == '\n';
    return count;
}

void api_run_publish_batch(struct api_job *job) {
    if (count_lines(job) > BATCH_LINES_MAX) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "body", "more than %u lines", BATCH_LINES_MAX);
        return;
    }
    struct batch *batch = calloc(1, sizeof(*batch));
    if (batch != NULL)
        batch->drafts = calloc(count_lines(job), sizeof(*batch->drafts));
    if (batch == NULL || batch->drafts == NULL) {
        free(batch);
        api_no_memory(job);
        return;
    }
    batch->job = job;
    job->state = batch;
    job->free_state = free_batch;
    submit_lines(batch);
}
