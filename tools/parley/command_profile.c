/* What people say of themselves: profile [AUTHOR], profile set. */
#include "command.h"
#include "terminal.h"
#include <stdio.h>
#include <string.h>

static int set_profile(const struct options *options) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/profile"};
    json_t *body = json_object(), *json;
    if (options->name == NULL && options->about == NULL) {
        json_decref(body);
        return complain(EXIT_USAGE, "profile set needs --name or --about");
    }
    if ((options->name != NULL &&
         json_object_set_new(body, "name", json_string(options->name)) != 0) ||
        (options->about != NULL &&
         json_object_set_new(body, "about", json_string(options->about)) != 0)) {
        json_decref(body);
        return complain(EXIT_NO, "the text is not UTF-8: nothing was published");
    }
    int status = client_once(options, false, &request, body, &json);
    if (status == EXIT_DONE && options->json)
        print_json(json);
    else if (status == EXIT_DONE)
        printf("%s\n", json_string_value(json_object_get(json, "post")));
    json_decref(json);
    return status;
}

static void print_profile(const json_t *json) {
    const json_t *name = json_object_get(json, "name"), *about = json_object_get(json, "about");
    fputs(style_bold(), stdout);
    print_word(stdout, json_string_value(name), json_string_length(name));
    printf("%s  %s\n", style_off(), json_string_value(json_object_get(json, "author")));
    if (!json_is_string(about))
        return;
    fputs("    ", stdout);
    print_text(stdout, json_string_value(about), json_string_length(about), "    ");
    putchar('\n');
}

static int show_profile(const struct options *options, const char *author) {
    struct client_request request = {.method = PARLEY_API_GET,
                                     .path = author != NULL ? "/v1/profiles/" : "/v1/profile",
                                     .rest = author};
    json_t *json;
    int status = client_once(options, false, &request, NULL, &json);
    if (status == EXIT_DONE && options->json)
        print_json(json);
    else if (status == EXIT_DONE)
        print_profile(json);
    if (status == EXIT_DONE)
        status = client_unread(json);
    json_decref(json);
    return status;
}

/* A person who is called "set" is found by their key. */
int command_profile(const struct options *options) {
    const char *first = options->arguments_count > 0 ? options->arguments[0] : NULL;
    bool is_set = first != NULL && strcmp(first, "set") == 0;
    if (is_set)
        return set_profile(options);
    if (options->name != NULL || options->about != NULL)
        return complain(EXIT_USAGE, "--name and --about go with profile set");
    return show_profile(options, first);
}
