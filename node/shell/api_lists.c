/* The owner's lists: what is muted, blocked and allowed. */
#include "api_hide.h"
#include "api_job.h"
#include "api_purge.h"
#include "api_search.h"
#include <parley/node_limits.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const NAMES[] = {"mute", "block", "allow", "mute", "allow"};

/* ---- what stands there -------------------------------------------------------------------- */

static void add_author(json_t *lists, enum parley_list list, const struct parley_author *author) {
    json_array_append_new(
        lists, json_pack("{s:s, s:o}", "list", NAMES[list], "author", api_json_author(author)));
}

static json_t *json_item(const struct parley_listed *listed) {
    if (listed->list == PARLEY_LIST_WORD)
        return json_pack("{s:s, s:s%}", "list", NAMES[listed->list], "word", listed->word.data,
                         listed->word.size);
    return json_pack("{s:s, s:o}", "list", NAMES[listed->list], "post",
                     api_json_post_address(&listed->log, listed->seq, &listed->id));
}

void api_run_lists(struct api_job *job) {
    const struct parley_node *node = parley_host_node(job->api->host);
    struct parley_node_author author;
    struct parley_listed listed;
    json_t *lists = json_array();
    for (size_t i = 0; parley_node_author_at(node, i, &author); i++) {
        if (author.is_muted)
            add_author(lists, PARLEY_LIST_MUTE, &author.author);
        if (author.is_blocked)
            add_author(lists, PARLEY_LIST_BLOCK, &author.author);
        if (author.is_allowed)
            add_author(lists, PARLEY_LIST_ALLOW, &author.author);
    }
    for (size_t i = 0; parley_node_list_at(node, i, &listed); i++)
        json_array_append_new(lists, json_item(&listed));
    api_answer_json(job, 200, json_pack("{s:o}", "lists", lists));
}

/* ---- on it, or off it --------------------------------------------------------------------- */

static bool find_list(enum parley_list *list, const char *name, const char *word,
                      const char *post) {
    *list = PARLEY_LIST_BLOCK;
    if (name == NULL)
        return false;
    if (strcmp(name, "mute") == 0)
        *list = word != NULL ? PARLEY_LIST_WORD : PARLEY_LIST_MUTE;
    else if (strcmp(name, "allow") == 0)
        *list = post != NULL ? PARLEY_LIST_POST : PARLEY_LIST_ALLOW;
    else if (strcmp(name, "block") != 0)
        return false;
    bool takes_word = *list == PARLEY_LIST_WORD, takes_post = *list == PARLEY_LIST_POST;
    return (word == NULL || takes_word) && (post == NULL || takes_post);
}

/* A post may have gone that is still on the list: it is found there. */
static bool find_listed_post(const struct parley_node *node, const char *text,
                             struct parley_listed *listed) {
    struct parley_post_address post;
    if (parley_post_address_decode(&post, PARLEY_SPAN(text, strlen(text))).error != PARLEY_E_OK)
        return false;
    for (size_t i = 0; parley_node_list_at(node, i, listed); i++)
        if (listed->list == PARLEY_LIST_POST && PARLEY_EQUAL(listed->log, post.log) &&
            listed->seq == post.seq &&
            memcmp(listed->id.bytes, post.id_start, sizeof(post.id_start)) == 0)
            return true;
    return false;
}

static bool is_on(const struct api_job *job) {
    return !json_is_false(json_object_get(job->json, "on"));
}

static void answer_list(struct api_job *job) {
    const struct api_name *name = job->names_count > 0 ? &job->names[0] : NULL;
    const char *word = api_member_text(job->json, "word");
    json_t *json =
        json_pack("{s:s, s:b}", "list", api_member_text(job->json, "list"), "on", (int)is_on(job));
    if (word != NULL)
        json_object_set_new(json, "word", json_string(word));
    else if (name == NULL) /* it may be here no more: as it was called */
        json_object_set_new(json, "post", json_string(api_member_text(job->json, "post")));
    else if (name->kind == API_AUTHOR)
        json_object_set_new(json, "author", api_json_author(&name->author));
    else
        json_object_set_new(
            json, "post",
            api_json_post_address(&name->entry->log, name->entry->seq, &name->entry->id));
    api_answer_json(job, 200, json);
}

/* What is allowed is to be had again if the owner purged it. */
static bool brings_back(const struct api_job *job) {
    return job->names_count > 0 && is_on(job) &&
           strcmp(api_member_text(job->json, "list"), "allow") == 0;
}

static void bring_back(struct api_job *job) {
    api_search_renew(job->api->search);
    api_purge_undo(job, answer_list);
}

static void on_list_reply(void *context, const struct parley_effect *effect) {
    struct api_job *job = context;
    const char *list = api_member_text(job->json, "list");
    enum parley_error error = api_reply_error(job->api, effect);
    if (error == PARLEY_E_NOT_FOUND)
        api_refuse(job, error, NULL, "that is not on the list; parley %s lists what is", list);
    else if (error == PARLEY_E_FULL)
        api_refuse(job, error, NULL, "the list is full: take something off it first");
    else if (error == PARLEY_E_BAD_INPUT)
        api_refuse(job, error, NULL, "that cannot be put on this list");
    else if (error != PARLEY_E_OK)
        api_refuse(job, error, NULL, "%s", parley_strerror(error));
    else if (brings_back(job))
        bring_back(job);
    else
        answer_list(job);
}

static void submit(struct api_job *job, struct parley_listed *listed) {
    struct parley_event event = {.kind = PARLEY_EVENT_LIST};
    event.list.listed = *listed;
    event.list.on = is_on(job);
    parley_host_submit(job->api->host, &event, on_list_reply, job);
}

/* Spaces and line ends alone, in folded text. */
static bool is_blank(struct parley_span word) {
    int32_t letter;
    size_t at = 0, size;
    while ((size = api_letter(&letter, word, at)) > 0 && api_letter_is_space(letter))
        at += size;
    return at == word.size;
}

static void submit_word(struct api_job *job, const char *word) {
    struct parley_listed listed = {.list = PARLEY_LIST_WORD};
    size_t size;
    char *folded = api_fold(PARLEY_SPAN(word, strlen(word)), &size);
    listed.word = PARLEY_SPAN(folded, size);
    if (folded == NULL || size == 0 || size > PARLEY_WORD_BYTES_MAX)
        api_refuse(job, PARLEY_E_BAD_INPUT, "word", "a word must have 1 to %u bytes",
                   PARLEY_WORD_BYTES_MAX);
    else if (is_on(job) && is_blank(listed.word))
        api_refuse(job, PARLEY_E_BAD_INPUT, "word",
                   "a word must have more than spaces, which stand in nearly every post");
    else
        submit(job, &listed);
    free(folded);
}

void api_names_list(struct api_job *job) {
    const char *author = api_member_text(job->json, "author");
    const char *post = api_member_text(job->json, "post");
    const char *word = api_member_text(job->json, "word");
    const json_t *on = json_object_get(job->json, "on");
    struct parley_listed listed;
    enum parley_list list;
    if (!find_list(&list, api_member_text(job->json, "list"), word, post))
        api_refuse(job, PARLEY_E_BAD_INPUT, "list",
                   "list must be mute (author or word), block (author) or allow (author or post)");
    else if (on != NULL && !json_is_boolean(on))
        api_refuse(job, PARLEY_E_BAD_INPUT, "on", "on must be true or false");
    else if ((author != NULL) + (post != NULL) + (word != NULL) != 1)
        api_refuse(job, PARLEY_E_BAD_INPUT, "author",
                   "exactly one author, post or word must be given");
    else if (word != NULL)
        submit_word(job, word);
    else if (post != NULL && !is_on(job) &&
             find_listed_post(parley_host_node(job->api->host), post, &listed))
        submit(job, &listed);
    else if (post != NULL ? api_name_add(job, API_POST, "post", post)
                          : api_name_add(job, API_AUTHOR, "author", author))
        api_names_find(job);
}

void api_run_list(struct api_job *job) {
    const struct parley_home *home = parley_host_home(job->api->host);
    const struct api_name *name = &job->names[0];
    struct parley_listed listed = {.author = name->author};
    (void)find_list(&listed.list, api_member_text(job->json, "list"), NULL,
                    name->kind == API_POST ? "" : NULL);
    if (name->kind == API_POST) {
        listed.log = name->entry->log;
        listed.seq = name->entry->seq;
        listed.id = name->entry->id;
    } else if (home->has_device && PARLEY_EQUAL(home->author, name->author)) {
        api_refuse(job, PARLEY_E_BAD_INPUT, "author", "this is your own name");
        return;
    }
    submit(job, &listed);
}
