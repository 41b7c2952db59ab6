/* GET work: what goes on here that takes its time, for whoever shows how far it is. Costs little,
 * so that it can be asked for every second; what is done at once is no work. */
#include "api_job.h"
#include "api_search.h"

void api_run_work(struct api_job *job) {
    const struct parley_api *api = job->api;
    const struct parley_node *node = parley_host_node(api->host);
    struct parley_node_status status;
    size_t indexed_count;
    bool is_indexing = api_search_is_reading(api->search, &indexed_count);
    parley_node_status(node, &status);
    api_answer_json(job, 200,
                    json_pack("{s:I, s:b, s:I, s:I, s:b, s:I, s:b}", "judging",
                              (json_int_t)parley_node_unreviewed(node), "fetching",
                              (int)status.is_catching_up, "entries",
                              (json_int_t)status.entries_count, "purging",
                              (json_int_t)api->purging_count, "indexing", (int)is_indexing,
                              "indexed", (json_int_t)indexed_count, "compacting",
                              (int)parley_host_is_compacting(api->host)));
}
