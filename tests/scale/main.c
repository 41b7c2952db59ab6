#include "scale.h"

#include <getopt.h>
#include <parley/crypto.h>
#include <stdlib.h>

/* Options; the report goes to standard output. Exit status 1: a bound does not hold, or the same
 * seed went another way. */

static noreturn void usage(void) {
    fprintf(stderr,
            "usage: scale SCENARIO [--seed S] [--nodes N] [--relays N] [--posts N] [--warm N]\n"
            "             [--follows MEAN] [--slow PERCENT] [--sybils N] [--old N] [--minutes N] "
            "[--places N]\n"
            "             [--flood] [--discover] [--twice] [--verbose]\n"
            "             [--copies-most X] [--delay-times X]\n");
    for (const struct scenario *at = scenarios; at->name != NULL; at++)
        fprintf(stderr, "  %-8s %s\n", at->name, at->words);
    exit(2);
}

static unsigned number(const char *text, unsigned least, unsigned most) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < least || value > most)
        usage();
    return (unsigned)value;
}

/* All but what the machine decides. */
static size_t same_size(const char *text) {
    const char *machine = strstr(text, "\"machine\"");
    return machine == NULL ? strlen(text) : (size_t)(machine - text);
}

static bool run_once(const struct scenario *scenario, const struct scale_config *config) {
    return world_run(scenario, config, stdout);
}

static bool run_twice(const struct scenario *scenario, const struct scale_config *config) {
    char *texts[2];
    size_t sizes[2];
    bool holds = true;
    for (unsigned i = 0; i < 2; i++) {
        FILE *out = must(open_memstream(&texts[i], &sizes[i]));
        holds &= world_run(scenario, config, out);
        (void)fclose(out);
    }
    bool is_same = same_size(texts[0]) == same_size(texts[1]) &&
                   memcmp(texts[0], texts[1], same_size(texts[0])) == 0;
    fputs(texts[0], stdout);
    if (!is_same)
        fprintf(stderr, "scale: the same seed went two ways\n");
    free(texts[0]);
    free(texts[1]);
    return holds && is_same;
}

static double factor(const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (*text == '\0' || *end != '\0' || !(value >= 0))
        usage();
    return value;
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},
        {"nodes", required_argument, NULL, 'n'},
        {"relays", required_argument, NULL, 'r'},
        {"posts", required_argument, NULL, 'p'},
        {"follows", required_argument, NULL, 'f'},
        {"slow", required_argument, NULL, 'w'},
        {"twice", no_argument, NULL, '2'},
        {"flood", no_argument, NULL, 'F'},
        {"copies-most", required_argument, NULL, 'c'},
        {"delay-times", required_argument, NULL, 'd'},
        {"sybils", required_argument, NULL, 'y'},
        {"old", required_argument, NULL, 'o'},
        {"minutes", required_argument, NULL, 'm'},
        {"places", required_argument, NULL, 'P'},
        {"discover", no_argument, NULL, 'D'},
        {"warm", required_argument, NULL, 'W'},
        {"verbose", no_argument, NULL, 'v'},
        {0},
    };
    const struct scenario *scenario = argc < 2 ? NULL : scenario_find(argv[1]);
    if (scenario == NULL)
        usage();
    struct scale_config config = scenario->config;
    bool is_twice = false;
    optind = 2;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's')
            config.seed = number(optarg, 0, UINT32_MAX);
        else if (option == 'n')
            config.nodes_count = number(optarg, 2, 16000);
        else if (option == 'r')
            config.relays_count = number(optarg, 0, 16000);
        else if (option == 'p')
            config.posts = number(optarg, 0, 1000000);
        else if (option == 'D')
            config.discovers = true;
        else if (option == 'y')
            config.sybils_count = number(optarg, 0, 16000);
        else if (option == 'o')
            config.old_count = number(optarg, 2, 16000);
        else if (option == 'P')
            config.places = number(optarg, 8, 4096);
        else if (option == 'm')
            config.surge_minutes = number(optarg, 1, 1440);
        else if (option == 'c')
            config.copies_most = factor(optarg);
        else if (option == 'd')
            config.delay_times = factor(optarg);
        else if (option == 'W')
            config.warm_posts = number(optarg, 0, 1000000);
        else if (option == 'f')
            config.follows_mean = number(optarg, 1, 1000);
        else if (option == 'w')
            config.slow_percent = number(optarg, 0, 100);
        else if (option == 'F')
            config.is_flooding = true;
        else if (option == '2')
            is_twice = true;
        else if (option == 'v')
            config.is_verbose = true;
        else
            usage();
    }
    if (optind != argc || config.relays_count >= config.nodes_count ||
        (config.old_count > 0 &&
         (config.old_count <= config.relays_count || config.old_count >= config.nodes_count)) ||
        parley_crypto_self_test() != PARLEY_E_OK)
        usage();
    return (is_twice ? run_twice : run_once)(scenario, &config) ? 0 : 1;
}
