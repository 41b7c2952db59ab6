/* Reading: timeline and show. */
#include "command.h"
#include "terminal.h"
#include <stdlib.h>
#include <string.h>

#define PAGE_POSTS_MAX 1000u

static const char *text_of(const json_t *json, const char *name) {
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL ? text : "";
}

static void print_tags(const json_t *post) {
    const json_t *tag;
    size_t i;
    json_array_foreach(json_object_get(post, "tags"), i, tag) {
        fputs(i == 0 ? "    #" : " #", stdout);
        print_text(stdout, json_string_value(tag), json_string_length(tag), "");
    }
    if (i > 0)
        putchar('\n');
}

/* Every line of a text is set in, so that no text can look like a post's first line. */
static void print_body(const json_t *post) {
    const json_t *text = json_object_get(post, "text");
    if (!json_is_string(text)) {
        printf("    (%s)\n", text_of(post, "kind"));
        return;
    }
    fputs("    ", stdout);
    print_text(stdout, json_string_value(text), json_string_length(text), "    ");
    putchar('\n');
}

static void print_relation(const json_t *post, const char *name, const char *words) {
    const char *text = text_of(post, name);
    if (text[0] != '\0')
        printf("    %s%s %s%s\n", style_dim(), words, text, style_off());
}

static void print_post(const struct options *options, const json_t *post) {
    char time[32];
    if (options->json) {
        print_json(post);
        return;
    }
    print_time(time, json_integer_value(json_object_get(post, "time")));
    printf("%s%s%s  %s\n", style_bold(), text_of(post, "author"), style_off(), time);
    print_relation(post, "reply_to", "in answer to");
    print_relation(post, "echo_of", "passes on");
    print_body(post);
    print_relation(post, "quote", "quotes");
    print_tags(post);
    printf("    %s%s  %s%s\n", style_dim(), text_of(post, "handle"), text_of(post, "post"),
           style_off());
}

/* ---- the timeline ------------------------------------------------------------------------- */

/* Pages until there are enough; limit 0: all. */
static int print_pages(const struct options *options, struct client *client, uint64_t limit) {
    char before[256] = "", count[16];
    uint64_t printed = 0;
    if (options->before != NULL && strlen(options->before) >= sizeof(before))
        return complain(EXIT_NO, "--before is too long");
    snprintf(before, sizeof(before), "%s", options->before != NULL ? options->before : "");
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
        client_add(&request, "before", before[0] != '\0' ? before : NULL);
        int status = client_call_json(client, &request, NULL, &json);
        if (status != EXIT_DONE)
            return status;
        json_array_foreach(json_object_get(json, "posts"), i, post) {
            print_post(options, post);
        }
        printed += i;
        snprintf(before, sizeof(before), "%s", text_of(json, "next"));
        json_decref(json);
        if (before[0] == '\0' || (limit != 0 && printed >= limit))
            return EXIT_DONE;
        if (ferror(stdout))
            return EXIT_SYSTEM;
    }
}

static bool on_post(void *context, const json_t *post) {
    print_post(context, post);
    return fflush(stdout) == 0;
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
        client_add(&request, "author", text_of(author, "author"));
    }
    client_add(&request, "tag", options->tag);
    int status = client_stream(client, &request, on_post, (void *)options);
    json_decref(author);
    return status;
}

static bool parse_limit(const char *text, uint64_t *limit) {
    size_t size = text != NULL ? strlen(text) : 0;
    *limit = 50;
    if (text == NULL)
        return true;
    if (size == 0 || size > 12 || strspn(text, "0123456789") != size)
        return false;
    *limit = strtoull(text, NULL, 10);
    return true;
}

int command_timeline(const struct options *options) {
    uint64_t limit;
    int status;
    if (!parse_limit(options->limit, &limit))
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

int command_show(const struct options *options) {
    struct client_request request = {
        .method = PARLEY_API_GET, .path = "/v1/posts/", .rest = options->arguments[0]};
    json_t *json;
    int status = client_once(options, false, &request, NULL, &json);
    if (status == EXIT_DONE)
        print_post(options, json);
    json_decref(json);
    return status;
}
