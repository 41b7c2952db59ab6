#include "api_unread.h"
#include "api_job.h"
#include <stdio.h>

bool api_is_unread(enum parley_error error) {
    return error != PARLEY_E_OK && error != PARLEY_E_NOT_FOUND;
}

void api_unread_keep(enum parley_error *unread, enum parley_error error) {
    if (*unread == PARLEY_E_OK && api_is_unread(error))
        *unread = error;
}

json_t *api_unread_json(enum parley_error unread) {
    char detail[160];
    if (unread == PARLEY_E_OK)
        return json_null();
    snprintf(detail, sizeof detail, "some of what is held cannot be read: %s; see parley check",
             parley_strerror(unread));
    return api_problem(unread, NULL, detail);
}

void api_unread_name(json_t *json, bool is_unread, const char *name) {
    json_t *names = json_object_get(json, "unread");
    if (!is_unread)
        return;
    if (names == NULL) {
        names = json_array();
        json_object_set_new(json, "unread", names);
    }
    json_array_append_new(names, json_string(name));
}

void api_unread_refuse(struct api_job *job, enum parley_error unread) {
    api_refuse(job, unread, NULL, "what is held cannot be read: %s; see parley check",
               parley_strerror(unread));
}
