/* What words are in which post, so that a search need not read all of them. In memory alone: it is
 * made anew from the store at each start, newest posts first, and nothing of it ever lies on a
 * disk, so what is purged leaves no word behind in a file.
 *
 * A row for each post, with a number for each of its words: a hash under a key that is drawn at
 * each start, so that no writer can choose words whose numbers meet. A search looks through the
 * rows, a few milliseconds for 100,000, and gets posts that may bear its words; whoever asks reads
 * them from the store and sees. What is hidden, erased or gone by then is so found out, too.
 *
 * Rows are all there above the floor, a place in the order of time. The rest is read from the
 * store.
 *
 * What is damaged when it is filled has no row. It is filled with what is behind all the same, and
 * whoever asks is told from then on, until all is read again.
 */
#ifndef PARLEY_SHELL_SEARCH_H
#define PARLEY_SHELL_SEARCH_H

#include <parley/body.h>
#include <parley/store.h>

/* Of rows: about 150 bytes for a post of two lines, so that some 400,000 find room. When more come
 * it is made anew, of the newest that fit three quarters. */
#define SEARCH_BYTES_MAX (64u * 1024u * 1024u)
/* Numbers of one row. A longer post, 2,000 different words, is looked into at every search. */
#define SEARCH_MARKS_MAX 2048u
/* Of what is asked: 16 words of 512 bytes have no more, and an author. */
#define SEARCH_ASKED_MAX 600u
/* Posts that a search gets at once, and room to gather them in. */
#define SEARCH_FOUND_MAX  256u
#define SEARCH_FOUND_ROOM 1024u
/* Entries read into it in one turn: five milliseconds, for which a search may wait. */
#define SEARCH_TURN_ENTRIES 500u
/* Runs of new entries that wait to be read. When more wait it is made anew. */
#define SEARCH_RUNS_MAX 4096u

struct search;

/* NULL: out of memory. owner NULL: nothing concerns anybody. */
struct search *search_create(const struct parley_author *owner, size_t bytes_max);
void search_free(struct search *search);

/* ---- filling it: read from any thread, one at a time waits for the other */

/* Entries that are new in the store, or have their bodies now. On the loop; never waits long. */
void search_note(struct search *search, const struct parley_log *log, parley_seq low,
                 parley_seq high);
/* Reads what was noted, or a part of it, and else goes on down from the floor. True: there is more
 * to do. */
bool search_fill(struct search *search, struct parley_store *store);
/* All is read again. On the loop. */
void search_renew(struct search *search);
/* What was dropped here loses its marks. Waits for a turn. */
void search_forget(struct search *search, const struct parley_log *log, parley_seq low,
                   parley_seq high);

/* ---- asking it */

struct search_asked {
    uint32_t marks[SEARCH_ASKED_MAX];
    size_t count;
};
/* All that is asked is to be borne. False: the word has no letter to be found by, it is all of
 * signs. */
bool search_ask_word(const struct search *search, struct search_asked *asked,
                     struct parley_span folded);
void search_ask_tag(const struct search *search, struct search_asked *asked,
                    struct parley_span tag);
void search_ask_author(const struct search *search, struct search_asked *asked,
                       const struct parley_author *author);
/* What api_concern_of tells of. */
void search_ask_concern(const struct search *search, struct search_asked *asked);

/* Places of posts that may bear what is asked, newest first, below `before` (NULL: all): *count of
 * them; SEARCH_FOUND_MAX: there may be more. Reads first what was noted. Answers the floor: what is
 * below it was not looked at, unless *is_whole. *unread: why some posts may not be in it, else it
 * is left alone. Beside commits, on any thread. */
struct parley_timeline_place search_find(struct search *search, struct parley_store *store,
                                         const struct search_asked *asked,
                                         const struct parley_timeline_place *before,
                                         struct parley_timeline_place places[SEARCH_FOUND_ROOM],
                                         size_t *count, bool *is_whole, enum parley_error *unread);

/* The order of time (store.h). */
int search_place_compare(const struct parley_timeline_place *a,
                         const struct parley_timeline_place *b);

struct search_counts {
    size_t rows, bytes;
    bool is_whole;
    enum parley_error unread; /* what was met first that cannot be read */
};
struct search_counts search_counts(struct search *search);

#endif
