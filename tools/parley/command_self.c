/* Who I am and how the node is: init, id, status, digest. */
#include "command.h"
#include "home.h"
#include "terminal.h"
#include <parley/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- init --------------------------------------------------------------------------------- */

static int say_problem(const struct parley_problem *problem) {
    return complain(parley_exit_status(problem->error), "%s", problem->text);
}

static void print_words(FILE *file, const char *words) {
    fprintf(file,
            "\nThe recovery words. They are shown this once and kept nowhere: write them down on\n"
            "paper. Whoever has them is you; without them a lost device cannot be replaced.\n\n"
            "  %s\n\n",
            words);
}

/* To the person, not to a file that standard output was sent to; to standard output only where no
 * terminal is to be found, for they are nowhere else. */
static void show_words(const char *words) {
    FILE *terminal = isatty(STDOUT_FILENO) ? NULL : fopen("/dev/tty", "we");
    print_words(terminal != NULL ? terminal : stdout, words);
    if (terminal != NULL)
        fclose(terminal);
}

/* Words that nobody has seen make a home that nobody can recover. */
static int check_shown(const char *path, const char *words) {
    if (words == NULL || (fflush(stdout) == 0 && !ferror(stdout)))
        return EXIT_DONE;
    return complain(EXIT_SYSTEM,
                    "standard output cannot be written, and the recovery words are nowhere else: "
                    "delete %s and make it again",
                    path);
}

/* What the new home says of itself, with words (NULL for a relay). */
static int print_new_home(const struct options *options, const char *path, const char *words) {
    struct parley_problem problem = {0};
    struct parley_home home;
    char author[PARLEY_AUTHOR_TEXT_SIZE] = "", node[PARLEY_NODE_TEXT_SIZE], device[65] = "";
    if (parley_home_open(&home, path, false, &problem) != PARLEY_E_OK)
        return say_problem(&problem);
    if (home.has_device) {
        parley_author_encode(author, &home.author);
        parley_hex_encode(device, home.device.bytes, sizeof(home.device.bytes));
    }
    parley_node_key_encode(node, &home.node);
    parley_home_close(&home);
    if (options->json) {
        json_t *json = json_pack(
            "{s:s?, s:s?, s:s, s:s, s:s?}", "author", words != NULL ? author : NULL, "device",
            words != NULL ? device : NULL, "node_key", node, "home", path, "words", words);
        print_json(json);
        json_decref(json);
        return check_shown(path, words);
    }
    if (words != NULL)
        printf("author  %s\n", author);
    printf("node    %s\nhome    %s\n", node, path);
    if (words != NULL)
        show_words(words);
    return check_shown(path, words);
}

static int publish_name(const struct options *options) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/profile"};
    json_t *answer;
    int status =
        client_once(options, false, &request, json_pack("{s:s}", "name", options->name), &answer);
    json_decref(answer);
    return status;
}

int command_init(const struct options *options) {
    struct parley_problem problem = {0};
    char path[PATH_MAX], words[PARLEY_WORDS_TEXT_SIZE] = "";
    if (options->join != NULL)
        return command_join(options);
    if (options->generation != NULL)
        return complain(EXIT_USAGE, "--generation stands with --join");
    if (options->name != NULL && options->relay)
        return complain(EXIT_USAGE, "a relay has no author: leave out --name");
    if (options->name != NULL &&
        (options->name[0] == '\0' || strlen(options->name) > 256 ||
         !parley_utf8_is_valid(PARLEY_SPAN(options->name, strlen(options->name)))))
        return complain(EXIT_USAGE, "--name must be UTF-8 text of 1 to 256 bytes");
    enum parley_error error = parley_home_resolve(path, options->home, &problem);
    if (error == PARLEY_E_OK)
        error = options->relay ? parley_home_init_relay(path, &problem)
                               : parley_home_init(path, words, &problem);
    if (error != PARLEY_E_OK)
        return say_problem(&problem);
    int status = print_new_home(options, path, options->relay ? NULL : words);
    parley_wipe(words, sizeof(words));
    if (status == EXIT_DONE && options->name != NULL)
        status = publish_name(options);
    return status;
}

/* ---- id, status, digest ------------------------------------------------------------------- */

static void print_value(const json_t *value) {
    json_t *item;
    const char *key;
    size_t i = 0;
    if (json_is_string(value))
        print_text(stdout, json_string_value(value), json_string_length(value), "");
    else if (json_is_integer(value))
        printf("%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "yes" : "no", stdout);
    else if (json_is_array(value) && json_array_size(value) > 0)
        json_array_foreach(value, i, item) {
            fputs(i > 0 ? " " : "", stdout);
            print_value(item);
        }
    else if (json_is_object(value))
        json_object_foreach((json_t *)value, key, item) {
            fputs(i++ > 0 ? " " : "", stdout);
            print_value(item);
        }
    else
        fputs("-", stdout);
}

static int print_object(const struct options *options, const char *path) {
    struct client_request request = {.method = PARLEY_API_GET, .path = path};
    json_t *json;
    int status = client_once(options, false, &request, NULL, &json);
    if (status != EXIT_DONE)
        return status;
    if (options->json) {
        print_json(json);
    } else {
        const char *key;
        json_t *value;
        json_object_foreach(json, key, value) {
            if (strcmp(key, "problem") == 0)
                continue; /* said at the end */
            printf("%-17s ", key);
            print_value(value);
            putchar('\n');
        }
    }
    status = client_unread(json);
    json_decref(json);
    return status;
}

int command_id(const struct options *options) {
    return print_object(options, "/v1/id");
}

int command_status(const struct options *options) {
    return print_object(options, "/v1/status");
}

int command_digest(const struct options *options) {
    struct client_request request = {.method = PARLEY_API_GET, .path = "/v1/digest"};
    json_t *json;
    for (size_t i = 0; i < options->arguments_count; i++)
        client_add(&request, "author", options->arguments[i]);
    int status = client_once(options, false, &request, NULL, &json);
    if (status != EXIT_DONE)
        return status;
    if (options->json)
        print_json(json);
    else
        printf("%s\n", json_string_value(json_object_get(json, "digest")));
    status = client_unread(json);
    json_decref(json);
    return status;
}
