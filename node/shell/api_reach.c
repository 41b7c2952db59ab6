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
