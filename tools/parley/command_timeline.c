/* Reading the timeline. */
#include "command.h"
#include "print_post.h"
#include "terminal.h"
#include <stdlib.h>
#include <string.h>

#define PAGE_POSTS_MAX 1000u

static void print(const struct options *options, const json_t *post) {
    if (options->json)
        print_json(post);
    else
        print_post(post, 0);
}

/* ---- the timeline ------------------------------------------------------------------------- */

/* Pages until there are enough; limit 0: all. */
static int print_pages(const struct options *options, struct client *client, uint64_t limit) {
    char next[256], count[16];
    const char *before = options->before;
    uint64_t printed = 0;
    json_t *unread = NULL; /* the first page of which something could not be read */
    int status;
    for (;;) {
        struct client_request request = {.method = PARLEY_API_GET, .path = "/v1/timeline"};
        json_t *json, *post;
        size_t i;
        uint64_t wanted =
            limit == 0 || limit - printed > PAGE_POSTS_MAX ? PAGE_POSTS_MAX : limit - printed;
        snprintf(count, sizeof(count), "%u", (unsigned)wanted);
        client_add(&request, "limit", count);
        client_add(&request, "author", options->authors_count > 0 ? options->authors[0] : NULL);
        client_add(&request, "tag", options->tag);
        client_add(&request, "before", before);
        status = client_call_json(client, &request, NULL, &json);
        if (status != EXIT_DONE)
            break;
        json_array_foreach(json_object_get(json, "posts"), i, post) {
            print(options, post);
        }
        printed += i;
        snprintf(next, sizeof(next), "%s", post_text_of(json, "next"));
        before = next;
        if (unread == NULL && json_is_object(json_object_get(json, "problem")))
            unread = json_incref(json);
        json_decref(json);
        if (next[0] == '\0' || (limit != 0 && printed >= limit) || ferror(stdout))
            break; /* what cannot be written is complained of at the end */
    }
    if (status == EXIT_DONE)
        status = client_unread(unread);
    json_decref(unread);
    return status;
}

static bool on_post(void *context, const json_t *post) {
    print(context, post);
    return fflush(stdout) == 0;
}

static void on_gap(void *context) {
    (void)complain(EXIT_DONE,
                   "some of what came may be missing between the last post and the next: "
                   "see parley timeline");
}

/* The stream takes whole names only. */
static int follow_timeline(const struct options *options, struct client *client) {
    struct client_request request = {.method = PARLEY_API_GET, .path = "/v1/events"};
    json_t *author = NULL;
    if (options->authors_count > 0) {
        struct client_request find = {
            .method = PARLEY_API_GET, .path = "/v1/authors/", .rest = options->authors[0]};
        int status = client_call_json(client, &find, NULL, &author);
        if (status != EXIT_DONE)
            return status;
        client_add(&request, "author", post_text_of(author, "author"));
    }
    client_add(&request, "tag", options->tag);
    int status = client_stream(client, &request, on_post, on_gap, (void *)options);
    json_decref(author);
    return status;
}

int command_timeline(const struct options *options) {
    uint64_t limit;
    int status;
    if (!option_number(options->limit, 50, &limit))
        return complain(EXIT_USAGE, "--limit must be a number, 0 for all");
    if (options->authors_count > 1)
        return complain(EXIT_USAGE, "--author may stand once here");
    if (options->follow && (options->before != NULL || options->limit != NULL))
        return complain(EXIT_USAGE, "--follow goes with neither --before nor --limit");
    struct client *client = client_open(options, options->follow, &status);
    if (client == NULL)
        return status;
    status =
        options->follow ? follow_timeline(options, client) : print_pages(options, client, limit);
    client_close(client);
    return status;
}
