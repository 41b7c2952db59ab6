/* The page: a link that lets a browser in, once. */
#include "command.h"
#include "home.h"
#include "key_file.h"
#include "terminal.h"
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A browser is given a file of the owner's that leads on: on its command line everybody on this
 * machine could read the link. */
static bool write_leading(char path[PATH_MAX], const struct options *options, const char *url) {
    struct parley_problem problem = {0};
    char home[PATH_MAX], text[1024];
    if (parley_home_resolve(home, options->home, &problem) != PARLEY_E_OK ||
        (size_t)snprintf(path, PATH_MAX, "%s/open.html", home) >= PATH_MAX)
        return false;
    int size = snprintf(text, sizeof(text),
                        "<!doctype html><meta charset=\"utf-8\"><title>parley</title>"
                        "<meta name=\"referrer\" content=\"no-referrer\">"
                        "<meta http-equiv=\"refresh\" content=\"0; url=%s\">"
                        "<p><a href=\"%s\">To the page of your node</a>\n",
                        url, url);
    return size > 0 && (size_t)size < sizeof(text) &&
           parley_file_write(path, PARLEY_SPAN(text, size), &problem) == PARLEY_E_OK;
}

static bool has_display(void) {
    const char *x11 = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    return (x11 != NULL && x11[0] != '\0') || (wayland != NULL && wayland[0] != '\0');
}

/* It may live as long as the browser does: it is left alone. */
static bool open_browser(char *path) {
    extern char **environ;
    char name[] = "xdg-open";
    char *words[] = {name, path, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    pid_t process;
    if (posix_spawn_file_actions_init(&files) != 0)
        return false;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return false;
    }
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    for (int file = 0; file < 3; file++)
        posix_spawn_file_actions_addopen(&files, file, "/dev/null", O_RDWR, 0);
    int error = posix_spawnp(&process, name, &files, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error == 0;
}

int command_open(const struct options *options) {
    struct client_request request = {.method = PARLEY_API_POST, .path = "/v1/openings"};
    char path[PATH_MAX];
    json_t *json;
    int status = client_once(options, true, &request, json_object(), &json);
    const char *url = json_string_value(json_object_get(json, "url"));
    if (status == EXIT_DONE && options->json)
        print_json(json);
    else if (status == EXIT_DONE && url != NULL) {
        printf("%s\n", url);
        bool is_opened = has_display() && write_leading(path, options, url) && open_browser(path);
        fprintf(stderr, "%s It is good once, and for ten minutes; parley open makes another.\n",
                is_opened ? "Your browser opens this link." : "Open this link in a browser here.");
    }
    json_decref(json);
    return status;
}
