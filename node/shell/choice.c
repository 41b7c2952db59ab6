#include "choice.h"
#include "key_file.h"
#include <stdio.h>
#include <unistd.h>

/* Nothing that the owner wrote is overruled behind the owner's back, and nothing is promised that
 * could not come true. */
static const char *what_forbids(const struct options *said, bool lan, bool nat) {
    if (said->has_lan)
        return "lan is said";
    if (said->has_nat)
        return "nat is said";
    if (lan && said->is_closed)
        return "discover = no, by which this node hides, is said";
    if ((lan || nat) && said->listeners_count > 0 && !options_listen_beyond(said))
        return "listen is said, at this machine alone,";
    return NULL;
}

static enum parley_error refuse_said(const struct parley_config_files *files, bool lan, bool nat,
                                     struct parley_problem *problem) {
    static struct options all;
    struct parley_config_files others = *files;
    others.chosen_path = "";
    enum parley_error error = parley_config_read(&all, &others, problem);
    if (error != PARLEY_E_OK)
        return error;
    const char *line = what_forbids(files->said, lan, nat), *both = what_forbids(&all, lan, nat);
    if (both == NULL)
        return PARLEY_E_OK;
    return parley_problem_set(problem, PARLEY_E_READ_ONLY, "%s %s: change it there", both,
                              line != NULL ? "where this node is started" : "in parleyd.conf");
}

static enum parley_error write_down(const char *path, bool lan, bool nat,
                                    struct parley_problem *problem) {
    char text[128];
    int size = snprintf(text, sizeof text, "# As chosen in the page.\nlan = %s\nnat = %s\n",
                        lan ? "yes" : "no", nat ? "yes" : "no");
    return parley_file_write(path, PARLEY_SPAN(text, (size_t)size), problem);
}

enum parley_error parley_choice_reach(struct parley_host *host, struct parley_finding *finding,
                                      struct options *options,
                                      const struct parley_config_files *files, bool lan, bool nat,
                                      struct parley_problem *problem) {
    bool had_file = access(files->chosen_path, F_OK) == 0;
    bool had_lan = options->wants_lan, had_nat = options->wants_nat;
    enum parley_error error = refuse_said(files, lan, nat, problem);
    if (error == PARLEY_E_OK)
        error = write_down(files->chosen_path, lan, nat, problem);
    if (error != PARLEY_E_OK || parley_reload(host, finding, options, files, problem))
        return error;
    if (!had_file || write_down(files->chosen_path, had_lan, had_nat, NULL) != PARLEY_E_OK)
        (void)unlink(files->chosen_path);
    return problem->error;
}
