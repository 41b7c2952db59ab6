/* doctor: what may be wrong with a home and its node, a line each with what to do. It changes
 * nothing. */
#include "client_parts.h"
#include "command.h"
#include "config_check.h"
#include "disk.h"
#include "home.h"
#include "key_file.h"
#include "terminal.h"
#include <errno.h>
#include <parley/crypto.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define WORDS_SIZE 640u
/* Opening the database writes out its log, and compaction needs room beside what it compacts. */
#define SPACE_BAD_BYTES  (UINT64_C(64) << 20)
#define SPACE_NOTE_BYTES (UINT64_C(1) << 30)
/* A clock before this program was written is wrong, and so is one far beyond. */
#define CLOCK_MIN_S 1735689600 /* 2025 */
#define CLOCK_MAX_S 4102444800 /* 2100 */

enum state { GOOD, NOTE, BAD };

struct doctor {
    const struct options *options;
    char home[PATH_MAX];
    size_t bad_count;
    char first[WORDS_SIZE]; /* that is bad */
};

static void tell(struct doctor *doctor, enum state state, const char *check, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

static void tell(struct doctor *doctor, enum state state, const char *check, const char *format,
                 ...) {
    static const char *const words_of[] = {"ok", "note", "bad"};
    char words[WORDS_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    if (state == BAD && doctor->bad_count++ == 0)
        memcpy(doctor->first, words, sizeof words);
    if (doctor->options->json) {
        json_t *json =
            json_pack("{s:s, s:s, s:s}", "check", check, "state", words_of[state], "words", words);
        print_json(json);
        json_decref(json);
        return;
    }
    printf("%-5s %-7s ", words_of[state], check);
    print_word(stdout, words, strlen(words));
    putchar('\n');
}

/* --- what lies there
 * ------------------------------------------------------------------------------
 */

static bool file_of(const struct doctor *doctor, char path[PATH_MAX], const char *name) {
    int size = snprintf(path, PATH_MAX, "%s/%s", doctor->home, name);
    return size > 0 && size < PATH_MAX;
}

/* False: nothing more can be looked at. */
static bool look_at_home(struct doctor *doctor) {
    struct stat status;
    if (stat(doctor->home, &status) != 0) {
        tell(doctor, BAD, "home", "there is no home %s: make one with parley --home %s init",
             doctor->home, doctor->home);
        return false;
    }
    if (status.st_uid != geteuid())
        tell(
            doctor, BAD, "home",
            "%s belongs to user %u and this is user %u: type the command as that user, or chown -R "
            "the home",
            doctor->home, (unsigned)status.st_uid, (unsigned)geteuid());
    else if ((status.st_mode & 077) != 0)
        tell(doctor, BAD, "home", "others may look into %s: chmod 700 %s", doctor->home,
             doctor->home);
    else if (access(doctor->home, W_OK | X_OK) != 0)
        tell(doctor, BAD, "home", "nothing can be written to %s: %s", doctor->home,
             strerror(errno));
    else
        tell(doctor, GOOD, "home", "%s", doctor->home);
    return true;
}

/* NOT_FOUND is for the caller to judge; what else is wrong is told. */
static enum parley_error look_at_key(struct doctor *doctor, const char *name,
                                     enum parley_key_file_kind kind) {
    struct parley_problem problem = {0};
    struct parley_key_file key = {.kind = kind};
    char path[PATH_MAX];
    if (!file_of(doctor, path, name))
        return PARLEY_E_NOT_FOUND;
    enum parley_error error = parley_key_file_read(&key, path, &problem);
    parley_wipe(&key, sizeof key);
    if (error != PARLEY_E_OK && error != PARLEY_E_NOT_FOUND)
        tell(doctor, BAD, "keys", "%s", problem.text);
    return error;
}

static void look_at_keys(struct doctor *doctor) {
    enum parley_error node = look_at_key(doctor, "node.key", PARLEY_KEY_FILE_NODE);
    enum parley_error device = look_at_key(doctor, "device.key", PARLEY_KEY_FILE_DEVICE);
    enum parley_error root = look_at_key(doctor, "root.key", PARLEY_KEY_FILE_ROOT);
    char lease[PATH_MAX];
    bool has_lease = file_of(doctor, lease, "lease") && access(lease, F_OK) == 0;
    if (node == PARLEY_E_NOT_FOUND)
        tell(doctor, BAD, "keys", "no node key in %s: make one with parley --home %s init",
             doctor->home, doctor->home);
    else if (node == PARLEY_E_OK && device == PARLEY_E_NOT_FOUND && has_lease)
        tell(doctor, BAD, "keys",
             "device.key is missing: put it back, or make another with parley --home %s recover",
             doctor->home);
    else if (node == PARLEY_E_OK && device == PARLEY_E_NOT_FOUND)
        tell(doctor, NOTE, "keys", "no person here: a relay, which carries and cannot publish");
    else if (device == PARLEY_E_OK && root == PARLEY_E_NOT_FOUND)
        tell(doctor, NOTE, "keys",
             "no root key here: another of your devices must revoke and certify");
    else if (node == PARLEY_E_OK && device == PARLEY_E_OK && root == PARLEY_E_OK)
        tell(doctor, GOOD, "keys", "node, device and root: whole, and for you alone");
}

/* The counter by which a copy is noticed: without it a copy of this home would fork its log. */
static void look_at_lease(struct doctor *doctor) {
    char device[PATH_MAX], lease[PATH_MAX];
    if (!file_of(doctor, device, "device.key") || access(device, F_OK) != 0)
        return;
    if (file_of(doctor, lease, "lease") && access(lease, R_OK) == 0)
        tell(doctor, GOOD, "lease", "a copy of this home would be noticed");
    else
        tell(doctor, NOTE, "lease",
             "no lease in %s: a copy of this home is not noticed until the next start",
             doctor->home);
}

static void look_at_space(struct doctor *doctor) {
    struct statvfs disk;
    if (statvfs(doctor->home, &disk) != 0) {
        tell(doctor, BAD, "space", "the disk of %s does not answer: %s", doctor->home,
             strerror(errno));
        return;
    }
    uint64_t bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    enum state state = bytes < SPACE_BAD_BYTES ? BAD : bytes < SPACE_NOTE_BYTES ? NOTE : GOOD;
    tell(doctor, state, "space", "%llu MiB are free%s", (unsigned long long)(bytes >> 20),
         state == GOOD ? "" : ": make room, or nothing more can be stored soon");
}

static void look_at_config(struct doctor *doctor) {
    struct parley_problem problem = {0};
    char path[PATH_MAX];
    if (!file_of(doctor, path, "parleyd.conf") || access(path, F_OK) != 0) {
        tell(doctor, NOTE, "config",
             "no parleyd.conf: parleyd --print-config shows what can be set");
        return;
    }
    if (parley_config_check(path, &problem) == PARLEY_E_OK)
        tell(doctor, GOOD, "config", "%s", path);
    else
        tell(doctor, BAD, "config", "%s", problem.text);
}

static void look_at_clock(struct doctor *doctor) {
    struct timex clock = {0};
    time_t now = time(NULL);
    if (now < CLOCK_MIN_S || now > CLOCK_MAX_S)
        tell(doctor, BAD, "clock", "the clock is wrong: set it, or your posts bear a wrong time");
    else if (adjtimex(&clock) == TIME_ERROR)
        tell(doctor, NOTE, "clock",
             "plausible, but nothing keeps it right: timedatectl set-ntp true");
    else
        tell(doctor, GOOD, "clock", "plausible, and kept right");
}

/* --- the store and the node ----------------------------------------------------------------------
 */

/* Where no node runs. */
static void look_at_store(struct doctor *doctor) {
    struct parley_problem problem = {0};
    struct parley_home home;
    struct parley_disk disk = {0};
    char directory[PATH_MAX];
    tell(doctor, NOTE, "node", "no node runs on %s: start parleyd to meet others", doctor->home);
    enum parley_error error = parley_home_open_keys(&home, doctor->home, &problem);
    if (error != PARLEY_E_OK) {
        if (error == PARLEY_E_STORE_LOCKED)
            tell(doctor, BAD, "store", "%s", problem.text);
        return; /* what is wrong with the keys has been told */
    }
    if (!file_of(doctor, directory, "db"))
        error = parley_problem_set(&problem, PARLEY_E_BAD_INPUT, "the home's path is too long");
    else
        error = parley_disk_open(&disk, directory, false, 0, &problem);
    if (error == PARLEY_E_OK)
        tell(doctor, GOOD, "store", "it opens; parley check verifies all that is in it");
    else
        tell(doctor, BAD, "store", "%s", problem.text);
    parley_disk_close(&disk);
    parley_home_close(&home);
}

static const char *text_of(const json_t *json, const char *name) {
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL ? text : "?";
}

/* Whether this machine may post. */
static void judge_device(struct doctor *doctor, const json_t *status) {
    const char *state = text_of(status, "device_state");
    if (strcmp(state, "none") == 0)
        return; /* a relay */
    if (strcmp(state, "open") == 0)
        tell(doctor, GOOD, "device", "this machine may post");
    else if (strcmp(state, "waiting") == 0)
        tell(
            doctor, BAD, "device",
            "this machine may not post: type parley device add where the root key is, or, with the "
            "recovery words, parley recover here");
    else
        tell(doctor, BAD, "device", "this machine may not post any more (%s): type parley recover",
             state);
}

/* No more than what is known: that nobody has come in yet proves nothing. */
static void judge_reach(struct doctor *doctor, const json_t *status) {
    const char *reach = text_of(status, "reachable");
    const json_t *nat = json_object_get(status, "nat");
    bool is_fine = strcmp(reach, "yes") == 0 || strcmp(reach, "lan") == 0;
    tell(doctor, is_fine ? GOOD : NOTE, "reach", "%s", text_of(status, "reachable_words"));
    if (json_is_object(nat))
        tell(doctor, json_is_string(json_object_get(nat, "place")) ? GOOD : NOTE, "router",
             "by %s: %s", text_of(nat, "protocol"), text_of(nat, "state"));
}

static void judge_status(struct doctor *doctor, const json_t *status) {
    const char *state = text_of(status, "state"), *version = text_of(status, "version");
    size_t listeners = json_array_size(json_object_get(status, "listen"));
    long long peers = (long long)json_integer_value(json_object_get(status, "peers"));
    tell(doctor, GOOD, "node", "one runs, and answers");
    if (json_is_true(json_object_get(status, "writable")))
        tell(doctor, GOOD, "store", "open, %lld MiB; its state is %s",
             (long long)json_integer_value(json_object_get(status, "store_bytes")) >> 20, state);
    else
        tell(doctor, BAD, "store",
             "nothing can be stored, the state is %s: the node's log says why", state);
    judge_device(doctor, status);
    if (peers > 0)
        tell(doctor, GOOD, "peers", "%lld connected", peers);
    else
        tell(doctor, NOTE, "peers", "none is connected%s: parley connect KEY@HOST:PORT%s",
             json_is_true(json_object_get(status, "dials")) ? "" : ", and nobody is known to dial",
             listeners > 0 ? "" : ", for nobody can come in either: nothing listens");
    judge_reach(doctor, status);
    if (strcmp(version, PARLEY_VERSION) != 0)
        tell(doctor, NOTE, "version", "this is %s and the node is %s: start it again",
             PARLEY_VERSION, version);
    else
        tell(doctor, GOOD, "version", "%s", version);
}

/* An exit status; not EXIT_DONE: that has been said. */
static int look_at_node(struct doctor *doctor) {
    bool timed_out = false;
    struct client_http *http = client_http_open(doctor->home, &timed_out);
    if (timed_out)
        return complain(EXIT_TIMED_OUT, "the node on %s does not answer", doctor->home);
    if (http == NULL) {
        look_at_store(doctor);
        tell(doctor, GOOD, "version", "%s", PARLEY_VERSION);
        return EXIT_DONE;
    }
    struct client_request request = {.method = PARLEY_API_GET, .path = "/v1/status"};
    struct client_answer answer = {0};
    int status = client_http_call(http, &request, &answer);
    json_t *json = status == EXIT_DONE ? json_loadb(answer.body, answer.size, 0, NULL) : NULL;
    if (status == EXIT_DONE && answer.status == 200)
        judge_status(doctor, json);
    else if (status == EXIT_DONE)
        tell(doctor, BAD, "node", "one runs and refuses: %s", text_of(json, "detail"));
    json_decref(json);
    client_answer_clear(&answer);
    client_http_close(http);
    return status;
}

int command_doctor(const struct options *options) {
    struct parley_problem problem = {0};
    struct doctor doctor = {.options = options};
    struct stat status;
    enum parley_error error = parley_home_resolve(doctor.home, options->home, &problem);
    if (error != PARLEY_E_OK)
        return complain(parley_exit_status(error), "%s", problem.text);
    if (stat(doctor.home, &status) == 0 && !S_ISDIR(status.st_mode))
        return complain(EXIT_SYSTEM, "%s is not a directory: choose another home", doctor.home);
    if (look_at_home(&doctor)) {
        look_at_keys(&doctor);
        look_at_lease(&doctor);
        look_at_space(&doctor);
        look_at_config(&doctor);
        look_at_clock(&doctor);
        int answer = look_at_node(&doctor);
        if (answer != EXIT_DONE)
            return answer;
    }
    if (doctor.bad_count == 0)
        return EXIT_DONE;
    return complain(EXIT_NO, "%zu things are wrong, the first: %s", doctor.bad_count, doctor.first);
}
