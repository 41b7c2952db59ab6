/* Whether others reach this node, and where, as status tells it. */
#include "api_job.h"
#include "finding.h"

#define PLACES_MAX 8u

static const char *const REACH_WORDS[] = {"unknown", "lan", "yes", "no"};
static const char *const NAT_WORDS[] = {"asking", "mapped", "none", "doubled"};

static json_t *json_nat(struct parley_finding *finding) {
    struct parley_nat_status nat;
    char text[PARLEY_PLACE_TEXT_SIZE];
    if (!parley_finding_nat(finding, &nat))
        return json_null();
    json_t *json = json_pack("{s:s, s:s?, s:n}", "state", NAT_WORDS[nat.state], "protocol",
                             nat.protocol, "place");
    if (nat.protocol != NULL) {
        parley_place_encode(text, &nat.place);
        json_object_set_new(json, "place", json_string(text));
    }
    return json;
}

static json_t *json_places(struct parley_finding *finding) {
    struct parley_address places[PLACES_MAX];
    size_t count = parley_finding_places(finding, places, PLACES_MAX);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        char text[PARLEY_ADDRESS_TEXT_SIZE];
        parley_address_encode(text, &places[i]);
        json_array_append_new(list, json_string(text));
    }
    return list;
}

void api_reach_set(const struct api_job *job, json_t *json) {
    struct parley_finding *finding = job->api->finding;
    const char *words = "no node runs here";
    enum parley_reach reach =
        finding == NULL ? PARLEY_REACH_NO : parley_finding_reach(finding, &words);
    json_object_set_new(json, "reachable", json_string(REACH_WORDS[reach]));
    json_object_set_new(json, "reachable_words", json_string(words));
    json_object_set_new(json, "lan", json_boolean(finding != NULL && parley_finding_lan(finding)));
    json_object_set_new(json, "nat", finding == NULL ? json_null() : json_nat(finding));
    json_object_set_new(json, "places", finding == NULL ? json_array() : json_places(finding));
}

static bool read_switch(struct api_job *job, const char *name, bool *is_on) {
    const json_t *member = json_object_get(job->json, name);
    *is_on = json_is_true(member);
    if (json_is_boolean(member))
        return true;
    api_refuse(job, PARLEY_E_BAD_INPUT, name, "%s must be true or false", name);
    return false;
}

void api_run_reach(struct api_job *job) {
    const struct parley_api *api = job->api;
    struct parley_problem problem = {0};
    bool lan, nat;
    if (!read_switch(job, "lan", &lan) || !read_switch(job, "nat", &nat))
        return;
    if (api->change_reach == NULL) {
        api_refuse(job, PARLEY_E_RETRY, NULL, "no node runs: start parleyd");
        return;
    }
    enum parley_error error = api->change_reach(api->reach_context, lan, nat, &problem);
    if (error != PARLEY_E_OK) {
        api_refuse(job, error, NULL, "%s", problem.text);
        return;
    }
    json_t *json = json_object();
    api_reach_set(job, json);
    api_answer_json(job, 200, json);
}
