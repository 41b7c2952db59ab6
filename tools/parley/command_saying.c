/* What is said of a post: echo, vote, erase; and purge, which says nothing to anybody. */
#include "command.h"
#include "terminal.h"
#include <stdio.h>
#include <string.h>

/* The entry's address, or the answer as JSON. */
static int say(const struct options *options, const char *path, json_t *body) {
    struct client_request request = {.method = PARLEY_API_POST, .path = path};
    json_t *json;
    if (body == NULL)
        return complain(EXIT_NO, "an argument is not UTF-8: nothing was published");
    int status = client_once(options, false, &request, body, &json);
    if (status == EXIT_DONE && options->json)
        print_json(json);
    else if (status == EXIT_DONE)
        printf("%s\n", json_string_value(json_object_get(json, "post")));
    json_decref(json);
    return status;
}

int command_echo(const struct options *options) {
    const char *text = options->arguments_count > 1 ? options->arguments[1] : NULL;
    return say(options, "/v1/echoes",
               text != NULL ? json_pack("{s:s, s:s}", "post", options->arguments[0], "text", text)
                            : json_pack("{s:s}", "post", options->arguments[0]));
}

int command_vote(const struct options *options) {
    static const struct {
        const char *word;
        int value;
    } words[] = {{"up", 1}, {"down", -1}, {"none", 0}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(options->arguments[1], words[i].word) == 0)
            return say(
                options, "/v1/votes",
                json_pack("{s:s, s:i}", "post", options->arguments[0], "value", words[i].value));
    return complain(EXIT_USAGE, "%s: up, down or none is expected", options->arguments[1]);
}

int command_erase(const struct options *options) {
    return say(options, "/v1/erasures", json_pack("{s:s}", "post", options->arguments[0]));
}

bool is_post(const char *text) {
    const char *slash = strrchr(text, '/');
    return strncasecmp(text, "post1", 5) == 0 ||
           (slash != NULL && slash[1] != '\0' &&
            strspn(slash + 1, "0123456789") == strlen(slash + 1));
}

int command_purge(const struct options *options) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/purges"};
    const char *what = options->arguments[0];
    json_t *body = json_pack("{s:s, s:b}", is_post(what) ? "post" : "author", what, "force",
                             (int)options->force);
    json_t *json;
    if (body == NULL)
        return complain(EXIT_NO, "the argument is not UTF-8");
    int status = client_once(options, false, &request, body, &json);
    if (status == EXIT_DONE && options->json)
        print_json(json);
    else if (status == EXIT_DONE)
        printf("entries whose words are gone here, and only here: %lld\n",
               (long long)json_integer_value(json_object_get(json, "entries")));
    json_decref(json);
    return status;
}
