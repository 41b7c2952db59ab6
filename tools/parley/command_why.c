/* Why a post is here, hidden, refused or missing. */
#include "command.h"
#include "terminal.h"

static void print_reason(const json_t *reason) {
    const json_t *override = json_object_get(reason, "override");
    const json_t *words = json_object_get(reason, "words");
    printf("  ");
    print_word(stdout, json_string_value(words), json_string_length(words));
    putchar('\n');
    if (json_is_string(override))
        printf("    %sotherwise: %s%s\n", style_dim(), json_string_value(override), style_off());
}

int command_why(const struct options *options) {
    struct client_request request = {
        .method = PARLEY_API_GET, .path = "/v1/why/", .rest = options->arguments[0]};
    json_t *json, *reason;
    size_t i;
    int status = client_once(options, false, &request, NULL, &json);
    if (status != EXIT_DONE)
        return status;
    if (options->json) {
        print_json(json);
    } else {
        printf("%s\n", json_string_value(json_object_get(json, "state")));
        json_array_foreach(json_object_get(json, "reasons"), i, reason) print_reason(reason);
    }
    status = client_unread(json);
    json_decref(json);
    return status;
}
