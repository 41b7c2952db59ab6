/* parleyd: a node in the foreground, until SIGTERM or SIGINT. */
#include "shell/api.h"
#include "shell/bootstrap.h"
#include "shell/choice.h"
#include "shell/finding.h"
#include "shell/http.h"
#include "shell/invites.h"
#include "shell/key_file.h"
#include "shell/log.h"
#include "shell/memory.h"
#include "shell/options.h"
#include "shell/reload.h"
#include "shell/service.h"
#include "shell/standard_files.h"
#include <argp.h>
#include <parley/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_TRIES   60u /* three seconds: then it is another node, not a command */
#define LOCK_WAIT_MS 50u

#define TOKEN_BYTES 32
#define EXIT_USAGE  2 /* the command line or the configuration is wrong */

const char *argp_program_version = "parleyd " PARLEY_VERSION;

struct daemon {
    uv_loop_t loop;
    struct options said;    /* by the command line */
    struct options options; /* in force: with what the file says */
    char home[PATH_MAX];
    char config[PATH_MAX]; /* the configuration file, which need not be there */
    char chosen[PATH_MAX]; /* what the owner chose in the page; likewise */
    struct parley_address bootstrap[PARLEY_BOOTSTRAP_MAX];
    size_t bootstrap_count;
    struct parley_host *host;
    struct parley_finding *finding;
    struct parley_invites *invites;
    struct parley_api *api;
    struct parley_http *http;
    struct parley_service service;
    uv_signal_t signals[3];
    bool is_stopping;
};

static int fail(const struct parley_problem *problem, int status) {
    (void)fprintf(stderr, "parleyd: %s\n", problem->text);
    return status;
}

/* --- stopping --------------------------------------------------------------------------------- */

static void on_stopped(void *context) {
    /* Nothing is left on the loop but what is closing: uv_run comes to its end. */
}

static void close_api(struct daemon *daemon) {
    if (daemon->http != NULL)
        parley_http_stop(daemon->http);
    if (daemon->api != NULL)
        parley_api_free(daemon->api);
    daemon->api = NULL;
}

static void close_finding(struct daemon *daemon) {
    parley_invites_close(daemon->invites);
    daemon->invites = NULL;
    parley_finding_close(daemon->finding);
    daemon->finding = NULL;
}

static void stop(struct daemon *daemon) {
    if (daemon->is_stopping)
        return;
    daemon->is_stopping = true;
    parley_service_stopping(&daemon->service);
    for (size_t i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&daemon->signals[i], NULL);
    close_api(daemon);
    close_finding(daemon);
    parley_host_stop(daemon->host, on_stopped, daemon);
}

static void on_stop_signal(uv_signal_t *signal, int number) {
    parley_log_line(PARLEY_LOG_INFO, "stopping: %s", number == SIGINT ? "SIGINT" : "SIGTERM");
    stop(signal->data);
}

/* --- what changes while it runs --------------------------------------------------------------- */

static struct parley_config_files files_of(const struct daemon *daemon) {
    return (struct parley_config_files){&daemon->said, daemon->config, daemon->chosen};
}

static bool reload(struct daemon *daemon, struct parley_problem *problem) {
    struct parley_config_files files = files_of(daemon);
    return parley_reload(daemon->host, daemon->finding, &daemon->options, &files, problem);
}

static enum parley_error choose_reach(void *context, bool lan, bool nat,
                                      struct parley_problem *problem) {
    struct daemon *daemon = context;
    struct parley_config_files files = files_of(daemon);
    return parley_choice_reach(daemon->host, daemon->finding, &daemon->options, &files, lan, nat,
                               problem);
}

/* --- SIGHUP ----------------------------------------------------------------------------------- */

static void on_reload_signal(uv_signal_t *signal, int number) {
    struct daemon *daemon = signal->data;
    struct parley_problem problem;
    parley_service_reloading();
    parley_service_reloaded(reload(daemon, &problem));
}

static void watch_signal(struct daemon *daemon, size_t index, int number, uv_signal_cb on_signal) {
    (void)uv_signal_init(&daemon->loop, &daemon->signals[index]);
    daemon->signals[index].data = daemon;
    (void)uv_signal_start(&daemon->signals[index], on_signal, number);
    uv_unref((uv_handle_t *)&daemon->signals[index]);
}

static void watch_signals(struct daemon *daemon) {
    (void)signal(SIGPIPE, SIG_IGN);
    watch_signal(daemon, 0, SIGTERM, on_stop_signal);
    watch_signal(daemon, 1, SIGINT, on_stop_signal);
    watch_signal(daemon, 2, SIGHUP, on_reload_signal);
}

/* --- the API ---------------------------------------------------------------------------------- */

/* A new token at each start, in a file that only the owner reads. */
static enum parley_error write_token(struct daemon *daemon, char token[2 * TOKEN_BYTES + 1],
                                     struct parley_problem *problem) {
    uint8_t bytes[TOKEN_BYTES];
    char path[PATH_MAX];
    randombytes_buf(bytes, sizeof bytes);
    parley_hex_encode(token, bytes, sizeof bytes);
    if (!parley_home_file(path, parley_host_home(daemon->host), "api.token"))
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "the home's path is too long");
    return parley_file_write(path, PARLEY_SPAN(token, 2 * TOKEN_BYTES), problem);
}

static enum parley_error open_api(struct daemon *daemon, struct parley_problem *problem) {
    char token[2 * TOKEN_BYTES + 1];
    enum parley_error error = write_token(daemon, token, problem);
    if (error != PARLEY_E_OK)
        return error;
    daemon->api = parley_api_create(daemon->host);
    if (daemon->api == NULL)
        return parley_problem_set(problem, PARLEY_E_NO_MEMORY, "not enough memory for the API");
    const struct options *options = &daemon->options;
    bool is_said = options->has_api;
    struct parley_http_config config = {
        .loop = &daemon->loop,
        .api = daemon->api,
        .home = daemon->home,
        .tcp_host = !is_said              ? "127.0.0.1"
                    : options->is_api_off ? NULL
                                          : options->api.host,
        .tcp_port = is_said ? options->api.port : PARLEY_API_PORT,
        .is_optional = !is_said,
        .token = token,
    };
    error = parley_http_open(&daemon->http, &config);
    sodium_memzero(token, sizeof token);
    if (error == PARLEY_E_BAD_INPUT)
        return parley_problem_set(problem, error,
                                  "cannot serve the API: %s:%u cannot be listened on; is it taken?",
                                  config.tcp_host, config.tcp_port);
    if (error != PARLEY_E_OK)
        return parley_problem_set(problem, error,
                                  "cannot serve the API: no socket or key can be made in the home");
    parley_api_set_finding(daemon->api, daemon->finding, daemon->invites);
    parley_api_set_reach(daemon->api, choose_reach, daemon);
    parley_api_set_url(daemon->api, parley_http_url(daemon->http));
    return PARLEY_E_OK;
}

/* --- starting --------------------------------------------------------------------------------- */

static enum parley_error ensure_home(struct daemon *daemon, struct parley_problem *problem) {
    struct parley_home_state state;
    parley_home_inspect(&state, daemon->home);
    if (!daemon->options.relay || state.has_marker || state.has_database)
        return PARLEY_E_OK;
    return parley_home_init_relay(daemon->home, problem);
}

/* Without --relay a home without a person is refused: nobody could publish or follow there. */
static enum parley_error refuse_without_person(const struct daemon *daemon,
                                               struct parley_problem *problem) {
    struct parley_home_state state;
    parley_home_inspect(&state, daemon->home);
    if (daemon->options.relay || state.has_device_key)
        return PARLEY_E_OK;
    return parley_home_without_person(daemon->home, problem);
}

static enum parley_error open_host(struct daemon *daemon, struct parley_problem *problem) {
    const struct options *options = &daemon->options;
    struct parley_host_config config = {
        .home = daemon->home,
        .relay = options->relay,
        .same_device = options->same_device,
        .hops = options->hops,
        .has_erase_after = options->has_erase_after,
        .erase_after_ms = options->erase_after_ms,
        .has_quota = options->has_quota,
        .quota_bytes = options->quota_bytes,
        .connections_max = options->connections,
        .listeners = options->listeners,
        .listeners_count = options->listeners_count,
        .peers = options->peers,
        .peers_count = options->peers_count,
        .discover = !options->is_closed,
        .advertised = options->advertised,
        .advertised_count = options->advertised_count,
        .bootstrap = daemon->bootstrap,
        .bootstrap_count = daemon->bootstrap_count,
    };
    enum parley_error error = ensure_home(daemon, problem);
    if (error == PARLEY_E_OK)
        error = refuse_without_person(daemon, problem);
    /* A command may hold the home for a moment: it opens the store itself while no node runs. */
    for (unsigned tries = 0; error == PARLEY_E_OK && tries < LOCK_TRIES; tries++) {
        error = parley_host_open(&daemon->host, &config, &daemon->loop, problem);
        if (error != PARLEY_E_STORE_LOCKED || tries + 1 == LOCK_TRIES)
            break;
        error = PARLEY_E_OK;
        uv_sleep(LOCK_WAIT_MS);
    }
    return error;
}

static void open_finding(struct daemon *daemon) {
    struct parley_finding_config config = {
        .host = daemon->host,
        .lan = options_lan(&daemon->options),
        .nat = daemon->options.wants_nat,
        .advertised = daemon->options.advertised,
        .advertised_count = daemon->options.advertised_count,
    };
    daemon->finding = parley_finding_open(&config);
    daemon->invites = parley_invites_open(daemon->host, daemon->finding);
}

static void announce(struct daemon *daemon) {
    const char *text;
    parley_memory_settle();
    for (size_t i = 0; (text = parley_host_listener_text(daemon->host, i)) != NULL; i++)
        (void)printf("ready %s\n", text);
    if (parley_http_url(daemon->http) != NULL)
        (void)printf("page %s\n", parley_http_url(daemon->http));
    (void)fflush(stdout);
    parley_service_ready(&daemon->service, daemon->host);
    parley_log_line(PARLEY_LOG_INFO, "parleyd %s serves %s%s", PARLEY_VERSION, daemon->home,
                    daemon->options.relay ? ", as a relay" : "");
}

static enum parley_error serve(struct daemon *daemon, struct parley_problem *problem) {
    enum parley_error error = parley_host_start(daemon->host, problem);
    if (error == PARLEY_E_OK) {
        open_finding(daemon);
        error = open_api(daemon, problem);
    }
    if (error == PARLEY_E_OK)
        announce(daemon);
    else
        stop(daemon);
    (void)uv_run(&daemon->loop, UV_RUN_DEFAULT);
    if (daemon->http != NULL)
        parley_http_free(daemon->http);
    return error;
}

static enum parley_error run(struct daemon *daemon, struct parley_problem *problem) {
    enum parley_error error = open_host(daemon, problem);
    if (error != PARLEY_E_OK)
        return error;
    watch_signals(daemon);
    error = serve(daemon, problem);
    parley_host_free(daemon->host);
    return error;
}

static const char *home_said(const struct options *options) {
    return options->home[0] != '\0' ? options->home : NULL;
}

/* The file that --config names, or the one in the home, if it is there. */
static enum parley_error read_config(struct daemon *daemon, struct parley_problem *problem) {
    struct options *options = &daemon->options;
    const char *named = options->config;
    int size = named != NULL ? snprintf(daemon->config, sizeof daemon->config, "%s", named)
                             : snprintf(daemon->config, sizeof daemon->config, "%s/parleyd.conf",
                                        daemon->home);
    if (size < 0 || (size_t)size >= sizeof daemon->config)
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "the path is too long");
    if (named == NULL && access(daemon->config, F_OK) != 0)
        return PARLEY_E_OK;
    return options_read_file(options, daemon->config, problem);
}

/* Below the other, and where the home is: known by now. */
static enum parley_error read_chosen(struct daemon *daemon, struct parley_problem *problem) {
    int size =
        snprintf(daemon->chosen, sizeof daemon->chosen, "%s/%s", daemon->home, PARLEY_CHOICE_FILE);
    if (size < 0 || (size_t)size >= sizeof daemon->chosen)
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "the path is too long");
    return access(daemon->chosen, F_OK) == 0
               ? options_read_file(&daemon->options, daemon->chosen, problem)
               : PARLEY_E_OK;
}

/* The list that --bootstrap names, or the one in the home, if it is there. */
static enum parley_error read_bootstrap(struct daemon *daemon, struct parley_problem *problem) {
    struct options *options = &daemon->options;
    bool is_named = options->bootstrap[0] != '\0';
    int size = is_named ? 0
                        : snprintf(options->bootstrap, sizeof options->bootstrap, "%s/bootstrap",
                                   daemon->home);
    if (size < 0 || (size_t)size >= sizeof options->bootstrap)
        return parley_problem_set(problem, PARLEY_E_BAD_INPUT, "the path is too long");
    if (!is_named && access(options->bootstrap, F_OK) != 0)
        return PARLEY_E_OK;
    return parley_bootstrap_read(daemon->bootstrap, &daemon->bootstrap_count, PARLEY_BOOTSTRAP_MAX,
                                 options->bootstrap, problem);
}

/* Where the home is may stand in the file, and where the file is may follow from the home. */
static enum parley_error read_options(struct daemon *daemon, struct parley_problem *problem) {
    struct options *options = &daemon->options;
    enum parley_error error = PARLEY_E_OK;
    daemon->said = *options;
    if (options->config == NULL)
        error = parley_home_resolve(daemon->home, home_said(options), problem);
    if (error == PARLEY_E_OK)
        error = read_config(daemon, problem);
    if (error == PARLEY_E_OK && options->config != NULL)
        error = parley_home_resolve(daemon->home, home_said(options), problem);
    if (error == PARLEY_E_OK)
        error = read_chosen(daemon, problem);
    if (error != PARLEY_E_OK)
        return error;
    error = read_bootstrap(daemon, problem);
    if (error != PARLEY_E_OK)
        return error;
    if (options->has_level)
        parley_log_set_level(options->level);
    options_default_listener(options);
    return PARLEY_E_OK;
}

int main(int argc, char **argv) {
    static struct daemon daemon;
    struct parley_problem problem = {0};
    parley_memory_begin();
    parley_standard_files_open();
    (void)umask(077);
    options_parse_daemon(&daemon.options, argc, argv);
    enum parley_error error = read_options(&daemon, &problem);
    if (error == PARLEY_E_BAD_INPUT)
        return fail(&problem, EXIT_USAGE);
    if (error == PARLEY_E_OK)
        error = parley_crypto_self_test();
    if (error != PARLEY_E_OK && problem.text[0] == '\0')
        (void)parley_problem_set(&problem, error, "%s", parley_strerror(error));
    if (error == PARLEY_E_OK && uv_loop_init(&daemon.loop) != 0)
        error = parley_problem_set(&problem, PARLEY_E_NO_MEMORY, "no loop can be made");
    if (error == PARLEY_E_OK)
        error = run(&daemon, &problem);
    return error == PARLEY_E_OK ? 0 : fail(&problem, parley_exit_status(error));
}
