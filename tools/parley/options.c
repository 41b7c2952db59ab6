/* Options through argp. Common options stand before or after the command; "--" ends options. */
#include "options.h"
#include "command.h"
#include "nearest.h"
#include "option_fault.h"
#include "option_table.h"
#include "terminal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_HOME    1000
#define KEY_JSON    1001
#define KEY_HELP    'h' /* and -h, as many programs have it */
#define KEY_VERSION 1003
#define KEY_TABLE   1005
#define KEY_STEPS   1006
#define KEY_SAME    1004

static const struct argp_option COMMON[] = {
    {"home", KEY_HOME, "DIR", 0, "the home folder; else $PARLEY_HOME, else ~/.local/share/parley",
     90},
    {"json", KEY_JSON, NULL, 0, "one JSON object a line", 90},
    {"same-device", KEY_SAME, NULL, 0,
     "this home was moved here and is the only one: it goes on as the same device", 90},
    {"progress", KEY_STEPS, NULL, 0, "says how far it is though standard error is no terminal", 90},
    {"help", KEY_HELP, NULL, 0, "prints this", 91},
    {"version", KEY_VERSION, NULL, 0, "prints the version", 91},
    {"print-table", KEY_TABLE, NULL, OPTION_HIDDEN, "prints commands and options as JSON", 91},
};
#define COMMON_COUNT (sizeof(COMMON) / sizeof(COMMON[0]))

/* By the letters of a command's keys. */
static const struct argp_option OWN[] = {
    {"name", 'n', "TEXT", 0, "the name others see", 1},
    {"about", 'A', "TEXT", 0, "some words on oneself", 1},
    {"force", 'f', NULL, 0, "one's own, too", 1},
    {"relay", 'R', NULL, 0, "a node that carries for everybody and has no author", 1},
    {"reply", 'r', "POST", 0, "an answer to POST", 1},
    {"quote", 'q', "POST", 0, "quotes POST", 1},
    {"tag", 'T', "WORD", 0, "a tag; may stand several times", 1},
    {"ndjson", 'N', NULL, 0, "reads one post a line: {\"text\":...,\"time\":...,\"tags\":...}", 1},
    {"private", 'p', NULL, 0, "does not publish it", 1},
    {"days", 'd', "N", 0, "good for so long, 1 to 30 (default: 7)", 1},
    {"author", 'a', "AUTHOR", 0, "of this author", 1},
    {"tag", 't', "WORD", 0, "with this tag", 1},
    {"limit", 'l', "N", 0, "how many (timeline 50, thread 1000 by default); 0: all", 1},
    {"before", 'b', "POST|TIME", 0, "older than a post or a time in ms since 1970", 1},
    {"word", 'w', "WORD", 0, "a word, or several in a row, in place of an author", 1},
    {"follow", 'F', NULL, 0, "stays, and prints what comes", 1},
    {"last", 'L', "POST|none", 0, "the last of its posts that is good; none: no post of it is", 1},
    {"join", 'J', "AUTHOR", 0,
     "a further device of AUTHOR, who is you; prints a line to take there", 1},
    {"generation", 'G', "N", 0, "with --join: as parley device add said", 1},
    {"keep", 'K', "DEVICE", 0, "goes on; this: with the key that it has", 1},
    {"end", 'E', "DEVICE", 0, "ends at what is held of it here, whatever today's root says", 1},
    {"drop", 'D', "DEVICE|all", 0, "nothing that it said counts; all: of those not named", 1},
};
#define OWN_COUNT (sizeof(OWN) / sizeof(OWN[0]))

struct parse {
    struct options *options;
    const struct command *commands; /* all of them */
    size_t commands_count;
    const struct command *command; /* NULL: before it */
    int command_index;
    bool is_quoted; /* "--" stands before the command: no options follow */
};

/* --- the table: manual pages and completions are made of it --------------------------------------
 */

static json_t *describe_option(const char *name, const char *argument, const char *words) {
    return json_pack("{s:s, s:s?, s:s}", "name", name, "argument", argument, "words", words);
}

static json_t *describe_command(const struct command *command) {
    json_t *own = json_array();
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (strchr(command->keys, OWN[i].key) != NULL)
            json_array_append_new(own, describe_option(OWN[i].name, OWN[i].arg, OWN[i].doc));
    return json_pack("{s:s, s:s, s:s, s:o}", "name", command->name, "arguments", command->arguments,
                     "words", command->words, "options", own);
}

static void print_table(const struct command *commands, size_t count) {
    json_t *all = json_array(), *common = json_array(), *daemon = json_array();
    const struct option_row *row;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, describe_command(&commands[i]));
    for (size_t i = 0; i < COMMON_COUNT; i++)
        if ((COMMON[i].flags & OPTION_HIDDEN) == 0)
            json_array_append_new(common,
                                  describe_option(COMMON[i].name, COMMON[i].arg, COMMON[i].doc));
    for (size_t i = 0; (row = option_row_at(i)) != NULL; i++) {
        json_t *option = describe_option(row->name, row->argument, row->words);
        json_object_set_new(option, "example",
                            row->example != NULL ? json_string(row->example) : json_null());
        json_array_append_new(daemon, option);
    }
    json_t *table = json_pack("{s:s, s:o, s:o, s:o}", "version", PARLEY_VERSION, "commands", all,
                              "common", common, "parleyd", daemon);
    print_json(table);
    json_decref(table);
}

static error_t add_to(const char **list, size_t *count, const char *value) {
    if (*count == OPTION_LIST_MAX)
        exit(complain(EXIT_USAGE, "an option stands more than %u times", OPTION_LIST_MAX));
    list[(*count)++] = value;
    return 0;
}

/* "parley post"; NULL: "parley". Until the next call. */
static char *name_of(const struct command *command) {
    static char name[64];
    snprintf(name, sizeof(name), "parley%s%s", command != NULL ? " " : "",
             command != NULL ? command->name : "");
    return name;
}

static void print_help(const struct argp *argp, char *name) {
    argp_help(argp, stdout, ARGP_HELP_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC, name);
    exit(fflush(stdout) == 0 ? EXIT_DONE : complain_of_output());
}

static error_t on_common(int key, char *argument, struct argp_state *state) {
    struct parse *parse = state->input;
    switch (key) {
    case KEY_HOME:
        if (argument[0] == '\0')
            exit(complain(EXIT_USAGE, "--home: the path of a directory is expected"));
        parse->options->home = argument;
        return 0;
    case KEY_JSON:
        parse->options->json = true;
        return 0;
    case KEY_SAME:
        parse->options->same_device = true;
        return 0;
    case KEY_VERSION:
        printf("parley %s\n", PARLEY_VERSION);
        exit(fflush(stdout) == 0 ? EXIT_DONE : complain_of_output());
    case KEY_STEPS:
        progress_force();
        return 0;
    case KEY_TABLE:
        print_table(parse->commands, parse->commands_count);
        exit(fflush(stdout) == 0 ? EXIT_DONE : complain_of_output());
    case KEY_HELP:
        print_help(state->root_argp, name_of(parse->command));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t on_before(int key, char *argument, struct argp_state *state) {
    struct parse *parse = state->input;
    if (key != ARGP_KEY_ARG)
        return on_common(key, argument, state);
    parse->command_index = state->next - 1;
    parse->is_quoted = state->quoted != 0;
    state->next = state->argc; /* the rest is the command's */
    return 0;
}

static error_t on_own(int key, char *argument, struct argp_state *state) {
    struct options *options = ((struct parse *)state->input)->options;
    switch (key) {
    case 'n':
        options->name = argument;
        return 0;
    case 'A':
        options->about = argument;
        return 0;
    case 'f':
        options->force = true;
        return 0;
    case 'R':
        options->relay = true;
        return 0;
    case 'r':
        options->reply = argument;
        return 0;
    case 'q':
        options->quote = argument;
        return 0;
    case 'T':
        return add_to(options->tags, &options->tags_count, argument);
    case 'N':
        options->ndjson = true;
        return 0;
    case 'p':
        options->is_private = true;
        return 0;
    case 'd':
        options->days = argument;
        return 0;
    case 'a':
        return add_to(options->authors, &options->authors_count, argument);
    case 't':
        options->tag = argument;
        return 0;
    case 'l':
        options->limit = argument;
        return 0;
    case 'b':
        options->before = argument;
        return 0;
    case 'w':
        options->word = argument;
        return 0;
    case 'F':
        options->follow = true;
        return 0;
    case 'L':
        options->last = argument;
        return 0;
    case 'J':
        options->join = argument;
        return 0;
    case 'G':
        options->generation = argument;
        return 0;
    case 'K':
        return add_to(options->keep, &options->keep_count, argument);
    case 'E':
        return add_to(options->end, &options->end_count, argument);
    case 'D':
        return add_to(options->drop, &options->drop_count, argument);
    case ARGP_KEY_ARG:
        options->arguments[options->arguments_count++] = argument;
        return 0;
    default:
        return on_common(key, argument, state);
    }
}

static void collect_options(struct argp_option *all, const char *keys) {
    size_t count = 0;
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (strchr(keys, OWN[i].key) != NULL) {
            all[count] = OWN[i];
            all[count++].key = OWN[i].key;
        }
    for (size_t i = 0; i < COMMON_COUNT; i++)
        all[count++] = COMMON[i];
    all[count] = (struct argp_option){0};
}

#define FLAGS (ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP)

static void refuse_usage(const char *command, const struct argp_option *all, char **argv,
                         int argc) {
    const char *word, *fault = parley_option_fault(&word, all, argc, argv);
    exit(complain(EXIT_USAGE, "%.200s: %s; see parley%s%s --help", word, fault,
                  command[0] != '\0' ? " " : "", command));
}

static const char *list_commands(const struct command *commands, size_t count) {
    static char text[4096];
    size_t size = (size_t)snprintf(text, sizeof(text), "%s",
                                   "Posts that nobody owns.\v"
                                   "Commands; parley COMMAND --help tells more:\n");
    for (size_t i = 0; i < count && size < sizeof(text); i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "  %-11s %s\n", commands[i].name,
                                 commands[i].words);
    return text;
}

static const struct command *known_commands; /* for the next */
static size_t known_count;

static const char *command_word_at(size_t index) {
    return index < known_count ? known_commands[index].name : NULL;
}

static const struct command *find_command(const struct command *commands, size_t count,
                                          const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    known_commands = commands;
    known_count = count;
    const char *nearest = parley_nearest(name, command_word_at);
    if (nearest != NULL)
        exit(complain(EXIT_USAGE, "%s: no such command; did you mean %s?", name, nearest));
    exit(complain(EXIT_USAGE, "%s: no such command; see parley --help", name));
}

static void take_arguments(struct options *options, char **words, int count) {
    for (int i = 0; i < count; i++)
        options->arguments[options->arguments_count++] = words[i];
}

const struct command *options_parse(struct options *options, int argc, char **argv,
                                    const struct command *commands, size_t commands_count) {
    struct argp_option all[OWN_COUNT + COMMON_COUNT + 1];
    struct parse parse = {.options = options,
                          .commands = commands,
                          .commands_count = commands_count,
                          .command_index = argc};
    int index = 0;
    argp_err_exit_status = EXIT_USAGE;
    *options = (struct options){0};
    options->arguments = calloc((size_t)argc + 1, sizeof(*options->arguments));
    if (options->arguments == NULL)
        exit(complain(EXIT_SYSTEM, "out of memory"));
    collect_options(all, "");
    struct argp before = {all, on_before, "COMMAND [ARGUMENT]...",
                          list_commands(commands, commands_count)};
    if (argp_parse(&before, argc, argv, FLAGS | ARGP_IN_ORDER, &index, &parse) != 0)
        refuse_usage("", all, argv, argc);
    if (parse.command_index == argc)
        exit(complain(EXIT_USAGE, "a command is missing; see parley --help"));

    char **rest = argv + parse.command_index;
    int rest_count = argc - parse.command_index;
    bool asks_help = strcmp(rest[0], "help") == 0; /* as many programs have it */
    if (asks_help && rest_count == 1) {
        print_help(&before, name_of(NULL));
    } else if (asks_help) {
        rest++;
        rest_count--;
    }
    const struct command *command = find_command(commands, commands_count, rest[0]);
    parse.command = command;
    collect_options(all, command->keys);
    struct argp own = {all, on_own, command->arguments, command->words};
    if (asks_help)
        print_help(&own, name_of(command));
    if (parse.is_quoted)
        take_arguments(options, rest + 1, rest_count - 1);
    else if (argp_parse(&own, rest_count, rest, FLAGS, &index, &parse) != 0)
        refuse_usage(command->name, all, rest, rest_count);
    if (options->arguments_count < command->arguments_min ||
        options->arguments_count > command->arguments_max)
        exit(complain(EXIT_USAGE, "too %s arguments; see parley %s --help",
                      options->arguments_count < command->arguments_min ? "few" : "many",
                      command->name));
    return command;
}

void options_clear(struct options *options) {
    free(options->arguments);
}

bool option_number(const char *text, uint64_t usual, uint64_t *value) {
    size_t size = text != NULL ? strlen(text) : 0;
    *value = usual;
    if (text == NULL)
        return true;
    if (size == 0 || strspn(text, "0123456789") != size)
        return false;
    *value = strtoull(text, NULL, 10); /* the largest there is, where it does not fit */
    return true;
}
