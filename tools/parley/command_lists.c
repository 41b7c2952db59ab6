/* Whom and what I mute, block and allow. */
#include "command.h"
#include "terminal.h"

static const char *text_of(const json_t *json, const char *name) {
    return json_string_value(json_object_get(json, name));
}

static void print_item(const json_t *item) {
    const json_t *word = json_object_get(item, "word");
    if (word != NULL) {
        printf("word ");
        print_word(stdout, json_string_value(word), json_string_length(word));
        putchar('\n');
    } else {
        printf("%s\n",
               text_of(item, "author") != NULL ? text_of(item, "author") : text_of(item, "post"));
    }
}

static int print_list(const struct options *options, const char *list) {
    struct client_request request = {.method = PARLEY_API_GET, .path = "/v1/lists"};
    json_t *json, *item;
    size_t i;
    int status = client_once(options, false, &request, NULL, &json);
    if (status != EXIT_DONE)
        return status;
    json_array_foreach(json_object_get(json, "lists"), i, item) {
        if (strcmp(text_of(item, "list"), list) != 0)
            continue;
        if (options->json)
            print_json(item);
        else
            print_item(item);
    }
    json_decref(json);
    return EXIT_DONE;
}

/* What is meant: the word, or what stands as argument. */
static int set(const struct options *options, const char *list, bool on, const char *words) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/lists"};
    const char *what = options->word != NULL ? options->word : options->arguments[0];
    const char *kind = options->word != NULL                         ? "word"
                       : strcmp(list, "allow") == 0 && is_post(what) ? "post"
                                                                     : "author";
    json_t *body = json_pack("{s:s, s:s, s:b}", "list", list, kind, what, "on", (int)on), *json;
    if (body == NULL)
        return complain(EXIT_NO, "the argument is not UTF-8");
    int status = client_once(options, false, &request, body, &json);
    if (status != EXIT_DONE)
        return status;
    if (options->json)
        print_json(json);
    else {
        printf("%s ", words);
        print_item(json);
    }
    json_decref(json);
    return EXIT_DONE;
}

static int set_one(const struct options *options, const char *list, bool on, const char *words) {
    if ((options->word != NULL) + options->arguments_count != 1)
        return complain(EXIT_USAGE, "one AUTHOR or one --word is expected");
    return set(options, list, on, words);
}

int command_mute(const struct options *options) {
    if (options->word == NULL && options->arguments_count == 0)
        return print_list(options, "mute");
    return set_one(options, "mute", true, "mutes");
}

int command_unmute(const struct options *options) {
    return set_one(options, "mute", false, "mutes no longer");
}

int command_block(const struct options *options) {
    if (options->arguments_count == 0)
        return print_list(options, "block");
    return set(options, "block", true, "blocks");
}

int command_unblock(const struct options *options) {
    return set(options, "block", false, "blocks no longer");
}

int command_allow(const struct options *options) {
    if (options->arguments_count == 0)
        return print_list(options, "allow");
    return set(options, "allow", true, "allows");
}

int command_unallow(const struct options *options) {
    return set(options, "allow", false, "allows no longer");
}
