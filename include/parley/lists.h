/* The owner's lists: whom and what they mute, block, and want to see all the same. They are kept at
 * home and never published; nobody else's access changes by them (README, "Muting and blocking").
 *
 * The core keeps them, since what is blocked is neither taken nor given. What is muted is carried
 * like anything else: programs that show leave it out, and ask for the lists with
 * parley_node_list_at and parley_node_author_at.
 */
#ifndef PARLEY_LISTS_H
#define PARLEY_LISTS_H

#include <parley/bytes.h>

enum parley_list {
    PARLEY_LIST_MUTE,  /* an author: left out of what is shown, and carried on */
    PARLEY_LIST_BLOCK, /* an author: not taken from peers, not given to them, not shown */
    PARLEY_LIST_ALLOW, /* an author: words, closings and forks hide nothing of theirs here */
    PARLEY_LIST_WORD,  /* a word: posts that bear it are left out */
    PARLEY_LIST_POST,  /* a post: shown whatever would hide it, as long as it is here */
};
#define PARLEY_LISTS_COUNT 5u

struct parley_listed {
    enum parley_list list;
    struct parley_author author; /* MUTE, BLOCK, ALLOW */
    struct parley_span word; /* WORD: as whoever shows compares it; 1 .. PARLEY_WORD_BYTES_MAX */
    struct parley_log log;   /* POST, with seq and id */
    parley_seq seq;
    struct parley_id id;
};

#endif
