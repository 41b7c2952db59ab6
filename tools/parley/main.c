/* parley: what a person types. */
#include "command.h"
#include "standard_files.h"
#include "terminal.h"
#include <parley/crypto.h>
#include <signal.h>
#include <stdio.h>

static const struct command COMMANDS[] = {
    {"init", "", "makes keys and store; shows the recovery words once", 0, 0, "nRJG", command_init},
    {"id", "", "prints the author, the device and the node's address", 0, 0, "", command_id},
    {"open", "", "the page of the node in a browser: prints a link that is good once", 0, 0, "",
     command_open},
    {"post", "[TEXT|-]", "publishes; - reads standard input, --ndjson one post a line", 0, 1,
     "rqTN", command_post},
    {"echo", "POST [TEXT]", "passes a post on, with or without a comment", 1, 2, "", command_echo},
    {"vote", "POST up|down|none", "the newest of one's votes counts", 2, 2, "", command_vote},
    {"erase", "POST", "takes back one's own post, everywhere", 1, 1, "", command_erase},
    {"profile", "[AUTHOR] | set", "what a person says of themselves; set --name, --about", 0, 1,
     "nA", command_profile},
    {"invite", "", "makes a text, good once, by which somebody and you follow each other", 0, 0,
     "pd", command_invite},
    {"accept", "INVITE|-", "takes what somebody made by invite: both follow, and connect", 1, 1,
     "p", command_accept},
    {"follow", "AUTHOR [ADDRESS]", "follows a person, and connects to ADDRESS", 1, 2, "p",
     command_follow},
    {"unfollow", "AUTHOR", "follows a person no longer", 1, 1, "", command_unfollow},
    {"follows", "", "lists who is followed", 0, 0, "", command_follows},
    {"timeline", "", "posts, newest first", 0, 0, "atlbF", command_timeline},
    {"show", "POST", "prints one post", 1, 1, "", command_show},
    {"thread", "POST", "a post's thread: the first one and all answers", 1, 1, "l", command_thread},
    {"mute", "[AUTHOR]", "leaves a person or a word out of what is shown here; lists what is", 0, 1,
     "w", command_mute},
    {"unmute", "[AUTHOR]", "shows them again", 0, 1, "w", command_unmute},
    {"block", "[AUTHOR]", "neither takes nor gives nor shows a person's posts here; lists who is",
     0, 1, "", command_block},
    {"unblock", "AUTHOR", "takes, gives and shows them again", 1, 1, "", command_unblock},
    {"allow", "[POST|AUTHOR]", "shows it here whatever hides it; lists what is", 0, 1, "",
     command_allow},
    {"unallow", "POST|AUTHOR", "leaves it to the rules again", 1, 1, "", command_unallow},
    {"why", "POST", "why it is here, hidden, refused or missing", 1, 1, "", command_why},
    {"purge", "POST|AUTHOR", "drops the words here, and only here", 1, 1, "f", command_purge},
    {"export", "", "writes a bundle to standard output", 0, 0, "a", command_export},
    {"import", "[FILE|-]", "takes in a bundle", 0, 1, "", command_import},
    {"verify", "[FILE|-]", "checks every entry of a bundle; needs no home", 0, 1, "",
     command_verify},
    {"digest", "[AUTHOR]...", "one hex string, equal where the same entries are held", 0,
     OPTION_LIST_MAX, "", command_digest},
    {"peers", "", "lists who is connected", 0, 0, "", command_peers},
    {"connect", "ADDRESS", "connects to KEY@HOST:PORT", 1, 1, "", command_connect},
    {"disconnect", "KEY", "ends a connection", 1, 1, "", command_disconnect},
    {"check", "", "verifies the whole database and names what is damaged; exit 1 if anything is", 0,
     0, "", command_check},
    {"rebuild", "", "makes the indexes of the database anew from its entries; with no node running",
     0, 0, "", command_rebuild},
    {"repair", "",
     "the last resort for a damaged database: copies it, then keeps what is whole; posts go on in "
     "a new log",
     0, 0, "", command_repair},
    {"device", "add [REQUEST] | list | revoke DEVICE", "one's devices, each with a log of its own",
     1, 2, "L", command_device},
    {"rotate", "[-]", "another root key in place of one that may be stolen; asks for the words", 0,
     1, "KED", command_rotate},
    {"recover", "[ADDRESS|-]",
     "makes this machine a device of one's own, from the recovery words; ADDRESS is asked which "
     "root "
     "key counts",
     0, 1, "", command_recover},
    {"doctor", "",
     "looks at home, keys, disk, configuration and node; says what to do; exit 1 if bad", 0, 0, "",
     command_doctor},
    {"status", "", "how the node is", 0, 0, "", command_status},
};

int main(int argc, char **argv) {
    struct options options;
    parley_standard_files_open();
    signal(SIGPIPE, SIG_IGN);
    const struct command *command =
        options_parse(&options, argc, argv, COMMANDS, sizeof(COMMANDS) / sizeof(COMMANDS[0]));
    enum parley_error error = parley_crypto_self_test();
    if (error != PARLEY_E_OK)
        return complain(EXIT_SYSTEM, "%s", parley_strerror(error));
    int status = command->run(&options);
    /* After an earlier write that failed there may be nothing left to write. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_DONE)
        status = complain_of_output();
    options_clear(&options);
    return status;
}
