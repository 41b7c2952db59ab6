#include "option_table.h"
#include <string.h>

#define LINE_LETTERS_MAX 78u

static const struct option_row ROWS[] = {
    {OPTION_HOME, "home", "DIR",
     "Where everything is (default: $PARLEY_HOME, else the data home); in a file only if --config "
     "names it",
     "\"/var/lib/parley\""},
    {OPTION_CONFIG, "config", "FILE",
     "Read options from FILE (default: parleyd.conf in the home, if it is there)", NULL},
    {OPTION_LISTEN, "listen", "HOST:PORT",
     "Accept other nodes there; may be repeated. :PORT is every address, port 0 a free one "
     "(default: 127.0.0.1:7373; with --relay, lan = yes or nat = yes :7373)",
     "{\"127.0.0.1:7373\", \"[::1]:7373\"}"},
    {OPTION_PEER, "peer", "KEY@HOST:PORT", "Keep a connection to that node; may be repeated",
     "{\"pnode1lp6y9h6a5quxx4cm63spg3dtekkhnstswvp89cd6k2rrsnzxyx3scvjfk6@192.0.2.7:7373\"}"},
    {OPTION_DISCOVER, "discover", "YES|NO",
     "Learn of other nodes from those that are connected, and connect to some (default: yes). no: "
     "only the peers that are named, and who comes in",
     "no"},
    {OPTION_ADVERTISE, "advertise", "HOST:PORT",
     "Tell others that this node is reached there; may be repeated (default: where it listens, if "
     "that is an address of its own and not of this machine alone)",
     "\"relay.example.org:7373\""},
    {OPTION_BOOTSTRAP, "bootstrap", "FILE",
     "Nodes to begin with while no other is known, an address a line (default: bootstrap in the "
     "home, if it is there)",
     "\"/etc/parley/bootstrap\""},
    {OPTION_LAN, "lan", "YES|NO",
     "Announce this node on the local networks that it listens in, and connect to nodes that are "
     "heard there (default: yes where it listens beyond this machine, no for a relay). Never with "
     "discover = no",
     "no"},
    {OPTION_NAT, "nat", "YES|NO",
     "Ask the router to pass a port on to this node, by UPnP or NAT-PMP, so that others reach it "
     "from outside (default: no)",
     "yes"},
    {OPTION_API, "api", "HOST:PORT|no",
     "Serve the page and the local API there, too, to who has the token or a link of parley open "
     "(default: 127.0.0.1:8373, or a free port where that is taken). no: on the socket in the home "
     "alone",
     "\"127.0.0.1:8373\""},
    {OPTION_RELAY, "relay", NULL, "Carry the posts of everybody", "no"},
    {OPTION_HOPS, "hops", "N", "Carry whom I follow (1), whom they follow (2), ...", "2"},
    {OPTION_ERASE_AFTER, "erase-after", "TIME",
     "When the bytes of what others erased go: 30m, 12h, 7d (default), ...", "7d"},
    {OPTION_QUOTA, "quota", "SIZE",
     "How much of the disk the posts may take: 500M, 20G, ..., or 0 for no limit (default: 0, with "
     "--relay 10G)",
     "20G"},
    {OPTION_CONNECTIONS, "connections", "N",
     "How many connections to other nodes there may be, 8 to 4096; others dial three quarters of "
     "them (default: 256, with --relay 1024)",
     "1400"},
    {OPTION_LOG, "log", "LEVEL", "debug, info, warning or error (default: warning)", "warning"},
    {OPTION_SAME_DEVICE, "same-device", NULL,
     "The home was moved here and is the only one: go on as the same device, not as a copy", NULL},
    {OPTION_PRINT_CONFIG, "print-config", NULL,
     "Print a configuration file with every key explained and commented out", NULL},
};

const struct option_row *option_row_at(size_t index) {
    _Static_assert(sizeof ROWS / sizeof ROWS[0] <= OPTION_ROWS_MAX, "a table of options holds all");
    return index < sizeof ROWS / sizeof ROWS[0] ? &ROWS[index] : NULL;
}

/* Words as comment lines that fit a terminal. */
static void print_comment(FILE *file, const char *words) {
    while (*words != '\0') {
        size_t size = strlen(words);
        if (size > LINE_LETTERS_MAX) {
            size = LINE_LETTERS_MAX;
            while (size > 0 && words[size] != ' ')
                size--;
        }
        (void)fprintf(file, "# %.*s\n", (int)size, words);
        words += size + (words[size] == ' ');
    }
}

void option_table_print(FILE *file) {
    print_comment(file,
                  "parleyd.conf: what parleyd reads at start, and again at SIGHUP. Every key is an "
                  "option of the command line; what the command line says wins, and its listen and "
                  "peer come on top. A value of other than letters and digits stands in quotes, "
                  "several in braces. See parleyd.conf(5).");
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        if (ROWS[i].example == NULL)
            continue;
        (void)fputc('\n', file);
        print_comment(file, ROWS[i].words);
        (void)fprintf(file, "#%s = %s\n", ROWS[i].name, ROWS[i].example);
    }
}
