/* Whom I follow and who is connected. */
#include "command.h"
#include "terminal.h"
#include <stdlib.h>

static int print_list(const struct options *options, const char *path, const char *name,
                      bool needs_node, void (*print)(const json_t *item)) {
    struct client_request request = {.method = PARLEY_API_GET, .path = path};
    json_t *json, *item;
    size_t i;
    int status = client_once(options, needs_node, &request, NULL, &json);
    if (status != EXIT_DONE)
        return status;
    json_array_foreach(json_object_get(json, name), i, item) {
        if (options->json)
            print_json(item);
        else
            print(item);
    }
    json_decref(json);
    return EXIT_DONE;
}

static const char *text_of(const json_t *json, const char *name) {
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL ? text : "-";
}

static void print_follow(const json_t *item) {
    printf("%s%s%s\n", text_of(item, "author"),
           json_is_true(json_object_get(item, "private")) ? "  private" : "",
           json_is_true(json_object_get(item, "known")) ? "" : "  nothing here yet");
}

static void print_peer(const json_t *item) {
    printf("%s  %s%s  %lld in  %lld out\n", text_of(item, "node_key"), text_of(item, "direction"),
           json_is_true(json_object_get(item, "relay")) ? "  relay" : "",
           (long long)json_integer_value(json_object_get(item, "received_bytes")),
           (long long)json_integer_value(json_object_get(item, "sent_bytes")));
}

int command_follows(const struct options *options) {
    return print_list(options, "/v1/follows", "follows", false, print_follow);
}

int command_peers(const struct options *options) {
    return print_list(options, "/v1/peers", "peers", true, print_peer);
}

/* Changes something and says it in JSON, or in words. */
static int change(const struct options *options, bool needs_node, struct client_request *request,
                  json_t *body, const char *words) {
    json_t *json;
    int status = client_once(options, needs_node, request, body, &json);
    if (status != EXIT_DONE)
        return status;
    if (options->json)
        print_json(json);
    else
        printf("%s %s\n", words,
               json_object_get(json, "author") != NULL ? text_of(json, "author")
                                                       : options->arguments[0]);
    json_decref(json);
    return EXIT_DONE;
}

int command_follow(const struct options *options) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/follows"};
    json_t *body = json_pack("{s:s, s:b}", "author", options->arguments[0], "private",
                             (int)options->is_private);
    if (body == NULL)
        return complain(EXIT_USAGE, "AUTHOR is not UTF-8");
    if (options->arguments_count > 1 &&
        json_object_set_new(body, "address", json_string(options->arguments[1])) != 0) {
        json_decref(body);
        return complain(EXIT_USAGE, "ADDRESS is not UTF-8");
    }
    return change(options, false, &request, body, "follows");
}

int command_unfollow(const struct options *options) {
    struct client_request request = {
        .method = PARLEY_API_DELETE, .path = "/v1/follows/", .rest = options->arguments[0]};
    return change(options, false, &request, NULL, "follows no longer");
}

int command_connect(const struct options *options) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/peers"};
    json_t *body = json_pack("{s:s}", "address", options->arguments[0]);
    if (body == NULL)
        return complain(EXIT_USAGE, "ADDRESS is not UTF-8");
    return change(options, true, &request, body, "connects to");
}

int command_disconnect(const struct options *options) {
    struct client_request request = {
        .method = PARLEY_API_DELETE, .path = "/v1/peers/", .rest = options->arguments[0]};
    return change(options, true, &request, NULL, "disconnected from");
}
