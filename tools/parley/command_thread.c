/* One post, and a thread as a tree: answers stand below what they answer, in the order of time. */
#include "command.h"
#include "print_post.h"
#include "terminal.h"
#include <stdlib.h>
#include <string.h>

#define PAGE_POSTS_MAX 500u
/* A tree is made of all its posts at once; a longer thread is read with --json, page by page. */
#define TREE_POSTS_MAX 100000u

int command_show(const struct options *options) {
    struct client_request request = {
        .method = PARLEY_API_GET, .path = "/v1/posts/", .rest = options->arguments[0]};
    json_t *json;
    int status = client_once(options, false, &request, NULL, &json);
    if (status == EXIT_DONE && options->json)
        print_json(json);
    else if (status == EXIT_DONE)
        print_post(json, 0);
    if (status == EXIT_DONE)
        status = client_unread(json);
    json_decref(json);
    return status;
}

/* ---- the tree ----------------------------------------------------------------------------- */

#define NOBODY SIZE_MAX
struct node {
    size_t parent, first, last, next; /* its answers, and the one after it */
    unsigned depth;
};

/* Each post below the one it answers; where that is not here, below the top: the first post, or,
 * without it, a place behind all of them that is not printed. */
static void link_posts(struct node *nodes, const json_t *posts, json_t *places, size_t top) {
    size_t count = json_array_size(posts);
    for (size_t i = 0; i <= count; i++)
        nodes[i] = (struct node){NOBODY, NOBODY, NOBODY, NOBODY, 0};
    for (size_t i = 0; i < count; i++) {
        const char *parent = post_text_of(json_array_get(posts, i), "reply_to");
        const json_t *place = json_object_get(places, parent);
        size_t at = place != NULL ? (size_t)json_integer_value(place) : top;
        if (i == top)
            continue;
        nodes[i].parent = at == i ? top : at;
        struct node *above = &nodes[nodes[i].parent];
        if (above->last == NOBODY)
            above->first = i;
        else
            nodes[above->last].next = i;
        above->last = i;
    }
}

static void print_tree(struct node *nodes, const json_t *posts, size_t top) {
    size_t count = json_array_size(posts), at = top;
    while (at != NOBODY) {
        if (at < count)
            print_post(json_array_get(posts, at), nodes[at].depth);
        if (nodes[at].first != NOBODY) {
            nodes[nodes[at].first].depth = at < count ? nodes[at].depth + 1 : 0;
            at = nodes[at].first;
            continue;
        }
        while (at != NOBODY && nodes[at].next == NOBODY)
            at = nodes[at].parent;
        if (at != NOBODY) {
            nodes[nodes[at].next].depth = nodes[at].depth;
            at = nodes[at].next;
        }
    }
}

static int print_posts(const json_t *posts, bool has_root) {
    size_t count = json_array_size(posts);
    struct node *nodes = calloc(count + 1, sizeof(*nodes));
    json_t *places = json_object();
    const json_t *post;
    size_t i;
    if (nodes == NULL || places == NULL) {
        free(nodes);
        return complain(EXIT_SYSTEM, "out of memory");
    }
    json_array_foreach(posts, i, post) {
        json_object_set_new(places, post_text_of(post, "post"), json_integer((json_int_t)i));
    }
    size_t top = has_root ? 0 : count;
    link_posts(nodes, posts, places, top);
    print_tree(nodes, posts, top);
    json_decref(places);
    free(nodes);
    return EXIT_DONE;
}

/* ---- reading it --------------------------------------------------------------------------- */

struct reading {
    const struct options *options;
    struct client *client;
    json_t *posts;  /* for the tree */
    json_t *silent; /* addresses of those without words */
    json_t *unread; /* the first page of which something could not be read; NULL: none */
    bool has_root;
    uint64_t count, limit;
};

/* The first post may be what is not here, or cannot be read: that is said in its place. */
static void say_missing(struct reading *reading, const json_t *page) {
    const json_t *is_here = json_object_get(page, "root_here");
    if (json_is_true(is_here))
        return;
    reading->has_root = false;
    json_t *missing = json_pack("{s:s, s:s}", "post", post_text_of(page, "root"), "kind",
                                json_is_false(is_here) ? "missing" : "unread");
    if (reading->options->json)
        print_json(missing);
    else
        printf("(the first post of this thread %s: %s)\n",
               json_is_false(is_here) ? "is not here" : "cannot be read",
               post_text_of(page, "root"));
    json_decref(missing);
}

/* What has no words comes with every page that answers it. */
static bool was_taken(struct reading *reading, const json_t *post) {
    const char *address = post_text_of(post, "post");
    if (!json_is_null(json_object_get(post, "text")))
        return false;
    if (json_object_get(reading->silent, address) != NULL)
        return true;
    json_object_set_new(reading->silent, address, json_true());
    return false;
}

static void take_page(struct reading *reading, const json_t *page) {
    json_t *post;
    size_t i;
    json_array_foreach(json_object_get(page, "posts"), i, post) {
        if (was_taken(reading, post))
            continue;
        if (reading->options->json)
            print_json(post);
        else
            json_array_append(reading->posts, post);
        reading->count++;
    }
}

static int read_pages(struct reading *reading) {
    char after[256] = "", count[16];
    do {
        struct client_request request = {.method = PARLEY_API_GET,
                                         .path = "/v1/threads/",
                                         .rest = reading->options->arguments[0]};
        json_t *page;
        uint64_t left = reading->limit - reading->count;
        snprintf(count, sizeof(count), "%u",
                 (unsigned)(left < PAGE_POSTS_MAX ? left : PAGE_POSTS_MAX));
        client_add(&request, "limit", count);
        client_add(&request, "after", after[0] != '\0' ? after : NULL);
        int status = client_call_json(reading->client, &request, NULL, &page);
        if (status != EXIT_DONE)
            return status;
        say_missing(reading, page);
        take_page(reading, page);
        snprintf(after, sizeof(after), "%s", post_text_of(page, "next"));
        if (reading->unread == NULL && json_is_object(json_object_get(page, "problem")))
            reading->unread = json_incref(page);
        json_decref(page);
    } while (after[0] != '\0' && reading->count < reading->limit && !ferror(stdout));
    if (after[0] != '\0' && !ferror(stdout))
        fputs("parley: there are more; see --limit\n", stderr);
    return EXIT_DONE; /* what cannot be written is complained of at the end */
}

int command_thread(const struct options *options) {
    struct reading reading = {.options = options, .has_root = true};
    int status;
    if (!option_number(options->limit, 1000, &reading.limit))
        return complain(EXIT_USAGE, "--limit must be a number, 0 for all");
    reading.posts = json_array();
    reading.silent = json_object();
    if (reading.limit == 0)
        reading.limit = options->json ? UINT64_MAX : TREE_POSTS_MAX;
    reading.client = client_open(options, false, &status);
    if (reading.client != NULL) {
        status = read_pages(&reading);
        client_close(reading.client);
        if (status == EXIT_DONE && !options->json)
            status = print_posts(reading.posts, reading.has_root);
        if (status == EXIT_DONE)
            status = client_unread(reading.unread);
    }
    json_decref(reading.unread);
    json_decref(reading.posts);
    json_decref(reading.silent);
    return status;
}
