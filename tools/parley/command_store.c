/* The database itself: check, rebuild, repair. Check asks the node that runs on the home; without
 * one, and for the other two, the database is opened here, without a node around it: what
 * is damaged must not have to be whole first.
 */
#include "api_store.h"
#include "client_parts.h"
#include "command.h"
#include "disk.h"
#include "home.h"
#include "home_repair.h"
#include "terminal.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Another command holds the home for a moment. */
#define LOCK_TRIES   50
#define LOCK_WAIT_MS 100

static int say_problem(const struct parley_problem *problem) {
    return complain(parley_exit_status(problem->error), "%s", problem->text);
}

/* ---- findings ----------------------------------------------------------------------------- */

struct findings {
    const struct options *options;
    const char *home;
    json_int_t logs, entries, records, damages;
    bool needs_repair; /* something that is no index */
    char first[256];   /* of them, in words */
    struct progress progress;
};

static void describe(char text[256], const json_t *json) {
    const char *log = json_string_value(json_object_get(json, "log"));
    const char *author = json_string_value(json_object_get(json, "author"));
    json_t *low = json_object_get(json, "seq_low"), *high = json_object_get(json, "seq_high");
    size_t used =
        (size_t)snprintf(text, 256, "%s", json_string_value(json_object_get(json, "words")));
    if (json_is_integer(low))
        used += (size_t)snprintf(text + used, 256 - used, ", entries %lld to %lld",
                                 (long long)json_integer_value(low),
                                 (long long)json_integer_value(high));
    if (log != NULL)
        used += (size_t)snprintf(text + used, 256 - used, " of log %s", log);
    if (author != NULL && used < 256)
        (void)snprintf(text + used, 256 - used, " of %s", author);
}

/* Takes the reference. */
static void add_finding(struct findings *findings, json_t *json) {
    const char *kind = json_string_value(json_object_get(json, "damage"));
    char text[256];
    if (json == NULL)
        return;
    describe(text, json);
    if (findings->damages++ == 0)
        (void)snprintf(findings->first, sizeof(findings->first), "%s", text);
    if (kind == NULL || strcmp(kind, "INDEX") != 0)
        findings->needs_repair = true;
    if (findings->options->json)
        print_json(json);
    else
        printf("%s: %s\n", kind, text);
    json_decref(json);
}

static void on_damage(void *context, const struct parley_damage *damage) {
    add_finding(context, parley_api_damage(damage));
}

static int conclude(struct findings *findings) {
    progress_end(&findings->progress);
    if (findings->options->json) {
        json_t *json = json_pack("{s:b, s:I, s:I, s:I, s:I}", "valid", findings->damages == 0,
                                 "damages", findings->damages, "logs", findings->logs, "entries",
                                 findings->entries, "records", findings->records);
        print_json(json);
        json_decref(json);
    } else if (findings->damages == 0) {
        printf("good: %lld entries in %lld logs, %lld identity records\n",
               (long long)findings->entries, (long long)findings->logs,
               (long long)findings->records);
    }
    if (findings->damages == 0)
        return EXIT_DONE;
    return complain(EXIT_NO, "%lld things are damaged, the first: %s; parley --home %s %s",
                    (long long)findings->damages, findings->first, findings->home,
                    findings->needs_repair ? "repair keeps what is whole, after a copy"
                                           : "rebuild mends that");
}

/* ---- check -------------------------------------------------------------------------------- */

static json_int_t number_of(const json_t *json, const char *name) {
    return json_integer_value(json_object_get(json, name));
}

static void add_page(struct findings *findings, const json_t *page) {
    json_t *damage;
    size_t i;
    json_array_foreach(json_object_get(page, "damages"), i, damage)
        add_finding(findings, json_incref(damage));
    findings->logs += number_of(page, "logs");
    findings->entries += number_of(page, "entries");
    findings->records += number_of(page, "records");
    progress_show(&findings->progress, (unsigned long long)findings->entries, "entries");
}

static int check_by_node(struct findings *findings, struct client_http *http) {
    char cursor[2 * PARLEY_STORE_KEY_MAX + 1] = "";
    do {
        struct client_request request = {.method = PARLEY_API_GET, .path = "/v1/check"};
        struct client_answer answer = {0};
        client_add(&request, "cursor", cursor[0] != '\0' ? cursor : NULL);
        int status = client_http_call(http, &request, &answer);
        json_t *page = status == EXIT_DONE ? json_loadb(answer.body, answer.size, 0, NULL) : NULL;
        if (status == EXIT_DONE && answer.status != 200)
            status = client_complain(page, answer.status);
        const char *next = json_string_value(json_object_get(page, "next"));
        (void)snprintf(cursor, sizeof(cursor), "%s", next != NULL ? next : "");
        if (status == EXIT_DONE)
            add_page(findings, page);
        json_decref(page);
        client_answer_clear(&answer);
        if (status != EXIT_DONE)
            return status;
    } while (cursor[0] != '\0');
    return conclude(findings);
}

static int check_store(struct findings *findings, struct parley_store *store) {
    struct parley_store_check check = {.key_size = 0};
    enum parley_error error = PARLEY_E_OK;
    while (error == PARLEY_E_OK && !check.is_done) {
        error = parley_store_check_next(store, &check, PARLEY_API_CHECK_WORK, on_damage, findings);
        progress_show(&findings->progress, check.entries_count, "entries");
    }
    findings->logs = (json_int_t)check.logs_count;
    findings->entries = (json_int_t)check.entries_count;
    findings->records = (json_int_t)check.records_count;
    if (error == PARLEY_E_OK)
        return conclude(findings);
    return complain(parley_exit_status(error), "the check cannot go on: %s",
                    parley_strerror(error));
}

/* A database that does not open is what the check is asked about: found, not failed. */
static int check_closed(struct findings *findings, const struct parley_problem *problem) {
    if (problem->error != PARLEY_E_STORE_DAMAGED && problem->error != PARLEY_E_STORE_MISSING)
        return say_problem(problem);
    if (findings->options->json) {
        json_t *json =
            json_pack("{s:s, s:s, s:n, s:n, s:n, s:n, s:n}", "damage", "DATABASE", "words",
                      problem->text, "row", "author", "log", "seq_low", "seq_high");
        print_json(json);
        json_decref(json);
    }
    return complain(EXIT_NO, "%s", problem->text);
}

static enum parley_error open_home(struct parley_home *home, const char *path,
                                   struct parley_problem *problem) {
    enum parley_error error = parley_home_open_keys(home, path, problem);
    for (int i = 1; i < LOCK_TRIES && error == PARLEY_E_STORE_LOCKED; i++) {
        nanosleep(&(struct timespec){.tv_nsec = LOCK_WAIT_MS * 1000000}, NULL);
        error = parley_home_open_keys(home, path, problem);
    }
    return error;
}

static enum parley_error open_database(struct parley_home *home, struct parley_disk *disk,
                                       const char *path, struct parley_problem *problem) {
    char directory[PATH_MAX];
    memset(disk, 0, sizeof(*disk));
    enum parley_error error = open_home(home, path, problem);
    if (error != PARLEY_E_OK)
        return error;
    if (!parley_home_file(directory, home, "db"))
        error = parley_problem_set(problem, PARLEY_E_BAD_INPUT, "the home's path is too long");
    else
        error = parley_disk_open(disk, directory, false, 0, problem);
    if (error != PARLEY_E_OK)
        parley_home_close(home);
    return error;
}

static int check_here(struct findings *findings) {
    struct parley_problem problem = {0};
    struct parley_home home;
    struct parley_disk disk;
    if (open_database(&home, &disk, findings->home, &problem) != PARLEY_E_OK)
        return check_closed(findings, &problem);
    int status = check_store(findings, disk.store);
    parley_disk_close(&disk);
    parley_home_close(&home);
    return status;
}

/* The node on the home, or NULL; *status is not EXIT_DONE when nothing more can be done. */
static struct client_http *find_node(const struct options *options, char home[PATH_MAX],
                                     int *status) {
    struct parley_problem problem = {0};
    bool timed_out = false;
    *status = EXIT_DONE;
    if (parley_home_resolve(home, options->home, &problem) != PARLEY_E_OK) {
        *status = say_problem(&problem);
        return NULL;
    }
    struct client_http *http = client_http_open(home, &timed_out);
    if (timed_out)
        *status = complain(EXIT_TIMED_OUT, "the node on %s does not answer", home);
    return http;
}

int command_check(const struct options *options) {
    char home[PATH_MAX];
    int status;
    struct findings findings = {.options = options, .home = home};
    struct client_http *http = find_node(options, home, &status);
    if (status != EXIT_DONE)
        return status;
    progress_start(&findings.progress, "checked");
    if (http == NULL)
        return check_here(&findings);
    status = check_by_node(&findings, http);
    client_http_close(http);
    return status;
}

/* ---- rebuild, repair ---------------------------------------------------------------------- */

/* True when a node runs there: that has been said. */
static bool is_refused(const struct options *options, char home[PATH_MAX], int *status) {
    struct client_http *http = find_node(options, home, status);
    if (http == NULL)
        return *status != EXIT_DONE;
    client_http_close(http);
    *status = complain(EXIT_NO, "a node runs on %s: stop it first", home);
    return true;
}

int command_rebuild(const struct options *options) {
    struct parley_problem problem = {0};
    struct parley_home home;
    struct parley_disk disk;
    char path[PATH_MAX];
    int status;
    if (is_refused(options, path, &status))
        return status;
    progress_watch("making the indexes anew");
    if (open_database(&home, &disk, path, &problem) != PARLEY_E_OK)
        return say_problem(&problem);
    enum parley_error error = parley_store_rebuild(disk.store);
    parley_disk_close(&disk);
    parley_home_close(&home);
    progress_unwatch();
    if (error != PARLEY_E_OK)
        return complain(parley_exit_status(error),
                        "the indexes cannot be made anew: %s; parley --home %s check names what",
                        parley_strerror(error), path);
    if (options->json)
        printf("{\"rebuilt\":true}\n");
    else
        printf("the indexes are made anew\n");
    return EXIT_DONE;
}

static void tell_repair(const struct options *options, const struct parley_repair *repair,
                        json_int_t losses) {
    bool has_lost_commits = repair->has_commits_before && repair->commits < repair->commits_before;
    json_int_t lost_commits =
        has_lost_commits ? (json_int_t)(repair->commits_before - repair->commits) : 0;
    if (options->json) {
        json_t *json = json_pack("{s:s, s:I, s:I, s:b}", "copy", repair->copy, "losses", losses,
                                 "commits_lost", lost_commits, "new_log", repair->ends_log);
        print_json(json);
        json_decref(json);
        return;
    }
    printf("as it was, it lies in %s\n", repair->copy);
    if (losses == 0)
        printf("nothing that could be read had to go\n");
    else
        printf("lost: the %lld things above; peers who have them send them again\n",
               (long long)losses);
    if (has_lost_commits)
        printf("the last %lld commits are gone, and what was in them cannot be told\n",
               (long long)lost_commits);
    if (repair->ends_log)
        printf("the newest posts of this device may be among them, so posts go on in a new log\n");
}

int command_repair(const struct options *options) {
    struct parley_problem problem = {0};
    struct parley_repair repair;
    struct findings findings = {.options = options};
    char path[PATH_MAX];
    int status;
    if (is_refused(options, path, &status))
        return status;
    findings.home = path;
    progress_watch("repairing");
    enum parley_error error = parley_home_repair(&repair, path, on_damage, &findings, &problem);
    progress_unwatch();
    if (error != PARLEY_E_OK)
        return say_problem(&problem);
    tell_repair(options, &repair, findings.damages);
    return EXIT_DONE;
}
