/* What the commands about keys share. The words and the root key are read here, in the command's
 * own process, and signed with here; the node gets records and the word that the home's keys have
 * changed. */
#ifndef PARLEY_TOOL_KEYS_H
#define PARLEY_TOOL_KEYS_H

#include "client.h"
#include "home.h"
#include "key_file.h"
#include <parley/identity.h>

/* One of the owner's logs, as the node tells of it. */
struct key_device {
    struct parley_device_key device;
    const char *state; /* "open", "closed", "void", "forked", "waiting" */
    bool is_this;
    parley_seq seq, held_seq; /* the end of a closed log, else its newest good entry; newest held */
    struct parley_id id, held_id;
    const json_t *json;
};

struct key_state {
    struct parley_author author;
    bool is_revealed;
    uint8_t generation;
    struct key_device *devices;
    size_t devices_count;
    json_t *json;
};

/* An exit status; what went wrong has been said. */
int keys_read(struct key_state *state, struct client *client);
void keys_clear(struct key_state *state);
/* NULL: *status; text is the beginning of a device's key in hex, or "this". */
const struct key_device *keys_find(const struct key_state *state, const char *text, int *status);

/* The device of this home; NULL: it is none of the person's. */
const struct key_device *keys_this(const struct key_state *state);
bool keys_is_in(const struct key_device *device, const char *state);
/* Where the home is, and what is there. */
int keys_inspect(char path[PATH_MAX], struct parley_home_state *state,
                 const struct options *options);
int keys_read_device(struct parley_key_file *key, const char *path);

/* "-" says what is done anyway: standard input is read. Any other word is wrong usage. */
int keys_check_dash(const struct options *options, const char *command);
/* The recovery words, from the terminal or from standard input. Wipe the entropy. */
int keys_ask_words(uint8_t entropy[PARLEY_ENTROPY_SIZE]);
/* The same, of this author. */
int keys_ask_words_of(uint8_t entropy[PARLEY_ENTROPY_SIZE], const struct parley_author *author);
/* The root key of the state's generation: of the home, or from the words. Wipe it. */
int keys_root(struct parley_secret_key *root, const struct options *options,
              const struct key_state *state);

/* Records of the owner's, into the node; they are on the disk then. */
int keys_send(struct client *client, const struct parley_span *records, size_t count);
/* device.key and root.key of the home anew, then the node goes on with them. NULL: stays as it is.
 */
int keys_write(struct client *client, const struct options *options, const struct key_state *state,
               const struct parley_seed *device, const struct parley_secret_key *root,
               uint8_t generation);

#endif
