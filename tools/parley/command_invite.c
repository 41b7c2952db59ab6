/* Invites: one text that makes two people follow each other. */
#include "command.h"
#include "terminal.h"
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES_MAX 4096u

/* ---- the code for a camera ---------------------------------------------------------------- */

#define QUIET 2 /* modules around it; cameras of today need no four */

static bool is_dark(const json_t *rows, long x, long y) {
    const char *row = y < 0 ? NULL : json_string_value(json_array_get(rows, (size_t)y));
    return row != NULL && x >= 0 && (size_t)x < strlen(row) && row[x] == '1';
}

/* Two rows to a line, colours are set, so that a camera
 * sees dark modules on light ground whatever the terminal's are. */
static void print_code(const json_t *rows) {
    static const char *const halves[] = {" ", "\xe2\x96\x84", "\xe2\x96\x80", "\xe2\x96\x88"};
    long size = (long)json_array_size(rows);
    for (long y = -QUIET; y < size + QUIET; y += 2) {
        printf("\033[30;107m");
        for (long x = -QUIET; x < size + QUIET; x++)
            fputs(halves[2 * is_dark(rows, x, y) + is_dark(rows, x, y + 1)], stdout);
        printf("\033[0m\n");
    }
}

/* ---- commands ----------------------------------------------------------------------------- */

/* An exit status. */
static int print_invite(const json_t *json) {
    const json_t *rows = json_object_get(json, "qr"), *place;
    char until[32];
    size_t i;
    print_time(until, json_integer_value(json_object_get(json, "expires")));
    puts(json_string_value(json_object_get(json, "invite")));
    if (isatty(STDOUT_FILENO) && json_array_size(rows) > 0)
        print_code(rows);
    if (fflush(stdout) != 0)
        return complain_of_output();
    fprintf(stderr, "Good once, until %s. Whoever has it types: parley accept, and this text.\n",
            until);
    fputs("It leads to", stderr);
    json_array_foreach(json_object_get(json, "places"), i, place)
        fprintf(stderr, " %s", json_string_value(place));
    const char *first = json_string_value(json_array_get(json_object_get(json, "places"), 0));
    bool is_here =
        first != NULL && (strncmp(first, "127.", 4) == 0 || strncmp(first, "[::1]", 5) == 0);
    fputs(is_here ? ": this machine alone. For others listen beyond it, see parleyd(8).\n" : ".\n",
          stderr);
    return EXIT_DONE;
}

int command_invite(const struct options *options) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/invites"};
    json_t *body = json_pack("{s:b}", "private", (int)options->is_private), *json;
    uint64_t days;
    if (!option_number(options->days, 7, &days)) {
        json_decref(body);
        return complain(EXIT_USAGE, "--days must be a number");
    }
    json_object_set_new(body, "days", json_integer(days > INT64_MAX ? -1 : (json_int_t)days));
    int status = client_once(options, true, &request, body, &json);
    if (status != EXIT_DONE)
        return status;
    if (options->json)
        print_json(json);
    else
        status = print_invite(json);
    json_decref(json);
    return status;
}

/* "-": it is on standard input, where others on this machine do not see it. */
static json_t *read_invite(const char *argument) {
    static char text[TEXT_BYTES_MAX + 1];
    if (strcmp(argument, "-") != 0)
        return json_string(argument);
    size_t size = fread(text, 1, TEXT_BYTES_MAX, stdin);
    return json_stringn(text, size);
}

int command_accept(const struct options *options) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/acceptances"};
    json_t *text = read_invite(options->arguments[0]), *json;
    if (text == NULL)
        return complain(EXIT_NO, "this is no invite: it is not text");
    json_t *body = json_pack("{s:o, s:b}", "invite", text, "private", (int)options->is_private);
    progress_watch("asking their node");
    int status = client_once(options, true, &request, body, &json);
    progress_unwatch();
    if (status != EXIT_DONE)
        return status;
    if (options->json)
        print_json(json);
    else
        printf("you and %s follow each other\n",
               json_string_value(json_object_get(json, "author")));
    json_decref(json);
    return EXIT_DONE;
}
