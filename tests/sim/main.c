#include "sim.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* sim [--seeds N] [--start S] [--nodes N] [--jobs N] [--bad] [--verbose]: runs seeds S .. S + N -
 * 1, shared between as many processes as there are processors, and prints TAP. A failed seed prints
 * its last trace lines and how to run it again. */

#define PROCESSES_MAX 8u

struct options {
    uint64_t seeds, start;
    unsigned nodes, jobs; /* jobs 0: as many as there are processors */
    bool is_verbose, has_villains;
};

struct total {
    struct sim_report sum;
    uint64_t seeds, healed_ms_max;
    uint8_t traces[32]; /* of all seeds, in any order */
};

static void total_add(struct total *total, const struct sim_report *report) {
    struct sim_report *sum = &total->sum;
    sum->steps += report->steps;
    sum->events += report->events;
    sum->effects += report->effects;
    sum->acknowledged += report->acknowledged;
    sum->published += report->published;
    sum->refused += report->refused;
    sum->simulated_ms += report->simulated_ms;
    sum->healed_ms += report->healed_ms;
    for (unsigned i = 0; i < FAULTS_COUNT; i++)
        sum->fired[i] += report->fired[i];
    if (report->healed_ms > total->healed_ms_max)
        total->healed_ms_max = report->healed_ms;
    for (unsigned i = 0; i < sizeof total->traces; i++)
        total->traces[i] ^= report->trace[i];
    total->seeds++;
}

static void total_merge(struct total *total, const struct total *part) {
    uint64_t seeds = total->seeds, highest = total->healed_ms_max;
    struct sim_report sum = part->sum;
    memcpy(sum.trace, part->traces, sizeof sum.trace);
    total_add(total, &sum);
    total->seeds = seeds + part->seeds;
    total->healed_ms_max = highest > part->healed_ms_max ? highest : part->healed_ms_max;
}

/* --- what the core asserts ----------------------------------------------------------------- */

struct sim *sim_current;

static void on_signal(int number) {
    signal(number, SIG_DFL);
    if (sim_current != NULL)
        sim_fail(sim_current, "signal %d: an assertion or a bad access", number);
    raise(number);
}

/* --- processes ----------------------------------------------------------------------------- */

static struct sim_config config_of(const struct options *options, uint64_t seed) {
    return (struct sim_config){.seed = seed,
                               .nodes_count = options->nodes,
                               .is_verbose = options->is_verbose,
                               .has_villains = options->has_villains};
}

static void run_share(const struct options *options, unsigned share, unsigned shares, int out) {
    struct total total = {0};
    for (uint64_t i = share; i < options->seeds; i += shares) {
        struct sim_report report;
        struct sim_config config = config_of(options, options->start + i);
        char trace[65];
        sim_run_seed(&config, &report);
        total_add(&total, &report);
        parley_hex_encode(trace, report.trace, sizeof report.trace);
        printf("# seed %llu: trace %s, %llu steps, %llu acknowledged of %llu, healed in %llu s\n",
               (unsigned long long)config.seed, trace, (unsigned long long)report.steps,
               (unsigned long long)report.acknowledged, (unsigned long long)report.published,
               (unsigned long long)report.healed_ms / 1000);
        fflush(stdout);
    }
    ssize_t written = write(out, &total, sizeof total);
    _exit(written == (ssize_t)sizeof total ? 0 : 1);
}

static bool read_total(int in, struct total *part) {
    size_t size = 0;
    while (size < sizeof *part) {
        ssize_t got = read(in, (uint8_t *)part + size, sizeof *part - size);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return false;
        size += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static_assert(sizeof(struct total) <= 4096, "a pipe takes it at once");

/* After the first failed seed the others are not waited for. */
static bool wait_for_all(pid_t *children, unsigned count) {
    bool is_good = true;
    int status;
    for (pid_t ended; (ended = wait(&status)) > 0;) {
        bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        for (unsigned i = 0; i < count; i++) {
            if (children[i] == ended)
                children[i] = 0;
            else if (failed && is_good && children[i] != 0)
                kill(children[i], SIGTERM);
        }
        is_good &= !failed;
    }
    return is_good;
}

static bool run_all(const struct options *options, struct total *total) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned shares = options->jobs > 0 ? options->jobs : processors < 1 ? 1 : (unsigned)processors;
    if (shares > PROCESSES_MAX)
        shares = PROCESSES_MAX;
    if (shares > options->seeds)
        shares = (unsigned)options->seeds;
    int pipes[PROCESSES_MAX];
    pid_t children[PROCESSES_MAX];
    for (unsigned i = 0; i < shares; i++) {
        int ends[2];
        if (pipe(ends) != 0)
            return false;
        fflush(stdout);
        children[i] = fork();
        if (children[i] < 0)
            return false;
        if (children[i] == 0)
            run_share(options, i, shares, ends[1]);
        close(ends[1]);
        pipes[i] = ends[0];
    }
    /* What they write is less than a pipe holds: nobody waits for its reader. */
    bool is_good = wait_for_all(children, shares);
    for (unsigned i = 0; i < shares; i++) {
        struct total part;
        if (read_total(pipes[i], &part))
            total_merge(total, &part);
        else
            is_good = false;
        close(pipes[i]);
    }
    return is_good && total->seeds == options->seeds;
}

/* --- the report ---------------------------------------------------------------------------- */

static void print_total(const struct total *total) {
    const struct sim_report *sum = &total->sum;
    char trace[65];
    parley_hex_encode(trace, total->traces, sizeof total->traces);
    printf("# %llu seeds: %llu steps, %llu events, %llu effects; posts: %llu tried, "
           "%llu acknowledged, %llu refused\n",
           (unsigned long long)total->seeds, (unsigned long long)sum->steps,
           (unsigned long long)sum->events, (unsigned long long)sum->effects,
           (unsigned long long)sum->published, (unsigned long long)sum->acknowledged,
           (unsigned long long)sum->refused);
    printf("# %llu hours simulated; converged in %llu s on average, %llu s at most\n",
           (unsigned long long)sum->simulated_ms / 3600000,
           (unsigned long long)(total->seeds == 0 ? 0 : sum->healed_ms / 1000 / total->seeds),
           (unsigned long long)total->healed_ms_max / 1000);
    printf("# all traces: %s\n", trace);
    for (unsigned i = 0; i < FAULTS_COUNT; i++)
        printf("# %9llu  %-18s %s\n", (unsigned long long)sum->fired[i], sim_fault_names[i],
               sim_fault_words[i]);
}

static bool every_fault_fired(const struct total *total, const struct sim_config *config) {
    bool all = true;
    for (unsigned i = 0; i < FAULTS_COUNT; i++)
        if (total->sum.fired[i] == 0 && fault_is_of(config, i)) {
            printf("# never fired: %s\n", sim_fault_names[i]);
            all = false;
        }
    return all;
}

static bool is_repeatable(const struct options *options) {
    struct sim_report first, second;
    struct sim_config config = config_of(options, options->start);
    config.is_verbose = false;
    sim_run_seed(&config, &first);
    sim_run_seed(&config, &second);
    return memcmp(first.trace, second.trace, sizeof first.trace) == 0;
}

static bool result(unsigned number, bool is_ok, const char *words) {
    printf("%s %u - %s\n", is_ok ? "ok" : "not ok", number, words);
    return is_ok;
}

static bool parse(int argc, char **argv, struct options *options) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bad") == 0) {
            options->has_villains = true;
            continue;
        }
        if (strcmp(argv[i], "--verbose") == 0) {
            options->is_verbose = true;
            continue;
        }
        char *end = NULL;
        unsigned long long number = i + 1 < argc ? strtoull(argv[i + 1], &end, 10) : 0;
        if (end == NULL || *end != '\0')
            return false;
        if (strcmp(argv[i], "--seeds") == 0)
            options->seeds = number;
        else if (strcmp(argv[i], "--start") == 0)
            options->start = number;
        else if (strcmp(argv[i], "--nodes") == 0)
            options->nodes = (unsigned)number;
        else if (strcmp(argv[i], "--jobs") == 0)
            options->jobs = (unsigned)number;
        else
            return false;
        i++;
    }
    return options->seeds > 0 && options->nodes >= 2 && options->nodes <= SIM_NODES_MAX;
}

int main(int argc, char **argv) {
    struct options options = {.seeds = 200, .start = 1, .nodes = 10};
    struct total total = {0};
    if (!parse(argc, argv, &options)) {
        fprintf(
            stderr,
            "usage: sim [--seeds N] [--start S] [--nodes 2..%u] [--jobs N] [--bad] [--verbose]\n",
            SIM_NODES_MAX);
        return 64;
    }
    if (parley_crypto_self_test() != PARLEY_E_OK)
        return 1;
    /* A node's large tables are mapped, untouched and cheap; glibc would learn to reuse and clear
     * them. */
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    signal(SIGABRT, on_signal);
    signal(SIGSEGV, on_signal);
    struct sim_config config = config_of(&options, options.start);
    bool is_wide = options.seeds >= 20; /* enough for every fault to be drawn */
    printf("TAP version 13\n1..%d\n", is_wide ? 3 : 2);
    bool is_good = result(1, run_all(&options, &total), "safe at every step, and converges");
    print_total(&total);
    is_good = is_good && result(2, is_repeatable(&options), "the same seed gives the same trace");
    if (is_good && is_wide)
        is_good = result(3, every_fault_fired(&total, &config), "every fault fired");
    return is_good ? 0 : 1;
}
