/* Publishing: one text, standard input, or one post a line. */
#include "command.h"
#include "terminal.h"
#include <parley/bytes.h>
#include <parley/limits.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_LINES_MAX 500u
#define BATCH_BYTES_MAX (256u * 1024u)

static int print_posted(const struct options *options, const json_t *json) {
    if (options->json)
        print_json(json);
    else
        printf("%s\n", json_string_value(json_object_get(json, "post")));
    return EXIT_DONE;
}

/* ---- one post ----------------------------------------------------------------------------- */

/* False: an option is not UTF-8. */
static bool add_options(json_t *body, const struct options *options) {
    json_t *tags = json_array();
    bool done = json_object_set_new(body, "tags", tags) == 0;
    for (size_t i = 0; done && i < options->tags_count; i++)
        done = json_array_append_new(tags, json_string(options->tags[i])) == 0;
    if (done && options->reply != NULL)
        done = json_object_set_new(body, "reply", json_string(options->reply)) == 0;
    if (done && options->quote != NULL)
        done = json_object_set_new(body, "quote", json_string(options->quote)) == 0;
    return done;
}

static int post_text(const struct options *options, const char *text, size_t size) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/posts"};
    if (size == 0)
        return complain(EXIT_NO, "the text is empty: nothing was published");
    json_t *json_text = json_stringn(text, size);
    if (json_text == NULL)
        return complain(EXIT_NO, "the text is not UTF-8: nothing was published");
    json_t *body = json_pack("{s:o}", "text", json_text), *answer;
    if (!add_options(body, options)) {
        json_decref(body);
        return complain(EXIT_NO, "--tag, --reply or --quote is not UTF-8: nothing was published");
    }
    int status = client_once(options, false, &request, body, &answer);
    if (status == EXIT_DONE)
        print_posted(options, answer);
    json_decref(answer);
    return status;
}

/* Byte for byte, a line end at the end too. One byte more than fits a post is enough to be
 * refused. */
static int post_input(const struct options *options) {
    static char text[PARLEY_BODY_BYTES_MAX + 2];
    size_t size = fread(text, 1, sizeof(text), stdin);
    if (ferror(stdin))
        return complain(EXIT_SYSTEM, "standard input cannot be read");
    return post_text(options, text, size);
}

/* ---- one post a line ---------------------------------------------------------------------- */

struct lines {
    const struct options *options;
    struct client *client;
    char *text;
    size_t size, count;
    unsigned long long first; /* number of the first line held, from 1 */
    unsigned long long posted;
    struct progress progress;
};

static int complain_line(const json_t *problem, unsigned long long number) {
    char words[512];
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    snprintf(words, sizeof(words), "line %llu: %s", number, detail != NULL ? detail : "refused");
    json_t *named = json_copy((json_t *)problem);
    json_object_set_new(named, "detail", json_string(words));
    int status =
        client_complain(named, (unsigned)json_integer_value(json_object_get(problem, "status")));
    json_decref(named);
    return status;
}

/* Each line of the answer is a post, or what was wrong; the first wrong one ends it. */
static int take_answer(struct lines *lines, const char *text) {
    int status = EXIT_DONE;
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        json_t *json = json_loadb(text, size, JSON_ALLOW_NUL, NULL);
        text += size + (text[size] == '\n');
        if (json_object_get(json, "post") != NULL) {
            print_posted(lines->options, json);
            lines->posted++;
        } else if (status == EXIT_DONE) {
            status = complain_line(
                json, lines->first +
                          (unsigned long long)json_integer_value(json_object_get(json, "line")) -
                          1);
        }
        json_decref(json);
    }
    return status;
}

static int send_lines(struct lines *lines) {
    struct client_request request = {.method = PARLEY_API_POST,
                                     .path = "/v1/posts/batch",
                                     .content_type = "application/x-ndjson",
                                     .body = PARLEY_SPAN(lines->text, lines->size)};
    struct client_answer answer;
    if (lines->count == 0)
        return EXIT_DONE;
    int status = client_call(lines->client, &request, &answer);
    if (status == EXIT_DONE) {
        status = take_answer(lines, answer.body);
        client_answer_clear(&answer);
    }
    lines->first += lines->count;
    lines->size = lines->count = 0;
    progress_show(&lines->progress, lines->posted, "posts");
    if (fflush(stdout) != 0 && status == EXIT_DONE)
        status = complain_of_output(); /* what is published with nobody told is no use */
    return status;
}

/* The line with its end. Sent before it when it does not fit beside what is held. */
static int add_line(struct lines *lines, const char *line, size_t size) {
    int status = EXIT_DONE;
    if (lines->count == BATCH_LINES_MAX ||
        (lines->count > 0 && lines->size + size > BATCH_BYTES_MAX))
        status = send_lines(lines);
    if (status != EXIT_DONE)
        return status;
    memcpy(lines->text + lines->size, line, size);
    lines->size += size;
    lines->count++;
    return EXIT_DONE;
}

/* One line with its end, as far as it fits: a line need not end. */
static size_t read_line(char line[PARLEY_API_BODY_BYTES_MAX]) {
    size_t size = 0;
    int letter = EOF;
    while (size < PARLEY_API_BODY_BYTES_MAX && letter != '\n' &&
           (letter = getc_unlocked(stdin)) != EOF)
        line[size++] = (char)letter;
    return size;
}

static int send_all_lines(struct lines *lines, char line[PARLEY_API_BODY_BYTES_MAX]) {
    size_t size;
    int status = EXIT_DONE;
    while (status == EXIT_DONE && (size = read_line(line)) > 0 && size < PARLEY_API_BODY_BYTES_MAX)
        status = add_line(lines, line, size);
    if (status == EXIT_DONE)
        status = send_lines(lines);
    if (status == EXIT_DONE && size == PARLEY_API_BODY_BYTES_MAX)
        status = complain(EXIT_NO, "line %llu: longer than 1 MiB", lines->first);
    if (status == EXIT_DONE && ferror(stdin))
        status = complain(EXIT_SYSTEM, "standard input cannot be read");
    return status;
}

static int post_lines(const struct options *options) {
    int status;
    struct lines lines = {.options = options, .first = 1};
    char *line = malloc(2 * PARLEY_API_BODY_BYTES_MAX);
    if (line == NULL)
        return complain(EXIT_SYSTEM, "out of memory");
    lines.text = line + PARLEY_API_BODY_BYTES_MAX;
    lines.client = client_open(options, false, &status);
    if (lines.client != NULL) {
        progress_start(&lines.progress, "published");
        status = send_all_lines(&lines, line);
        progress_end(&lines.progress);
        client_close(lines.client);
    }
    free(line);
    return status;
}

int command_post(const struct options *options) {
    const char *text = options->arguments_count > 0 ? options->arguments[0] : NULL;
    if (options->ndjson) {
        if ((text != NULL && strcmp(text, "-") != 0) || options->reply != NULL ||
            options->quote != NULL || options->tags_count > 0)
            return complain(EXIT_USAGE, "--ndjson takes everything from standard input");
        return post_lines(options);
    }
    if (text == NULL)
        return complain(EXIT_USAGE, "a text is missing, or - for standard input");
    return strcmp(text, "-") == 0 ? post_input(options) : post_text(options, text, strlen(text));
}
