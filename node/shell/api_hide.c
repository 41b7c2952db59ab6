#include "api_hide.h"
#include <stdlib.h>
#include <utf8proc.h>

/* ---- words -------------------------------------------------------------------------------- */

/* Of ASCII alone nothing but the letter case can differ: a tenth of the time, and a search folds
 * every post that is held. NULL: it is not, or there is no memory. */
static char *fold_ascii(struct parley_span text, size_t *size) {
    char *out = malloc(text.size + 1);
    size_t i = 0;
    for (; out != NULL && i < text.size && text.data[i] < 0x80; i++) {
        bool is_large = text.data[i] >= 'A' && text.data[i] <= 'Z';
        out[i] = (char)(text.data[i] + (is_large ? 'a' - 'A' : 0));
    }
    if (out == NULL || i < text.size) {
        free(out);
        return NULL;
    }
    out[i] = '\0';
    *size = i;
    return out;
}

char *api_fold(struct parley_span text, size_t *size) {
    utf8proc_uint8_t *out = NULL;
    char *plain = fold_ascii(text, size);
    if (plain != NULL)
        return plain;
    utf8proc_ssize_t length = utf8proc_map(text.data, (utf8proc_ssize_t)text.size, &out,
                                           UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
                                               UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
    *size = length < 0 ? 0 : (size_t)length;
    return length < 0 ? NULL : (char *)out;
}

/* Scripts that write words without spaces between them: Thai and Lao, Myanmar, Khmer, kana, Han. */
bool api_letter_is_unspaced(int32_t letter) {
    static const struct {
        utf8proc_int32_t low, high;
    } ranges[] = {{0x0E00, 0x0EFF}, {0x1000, 0x109F}, {0x1780, 0x17FF},  {0x3040, 0x30FF},
                  {0x3400, 0x9FFF}, {0xF900, 0xFAFF}, {0x20000, 0x3FFFF}};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (letter >= ranges[i].low && letter <= ranges[i].high)
            return true;
    return false;
}

bool api_letter_is_of_word(int32_t letter) {
    char kind = utf8proc_category_string(letter)[0]; /* letters, marks on them, numbers */
    return (kind == 'L' || kind == 'M' || kind == 'N') && !api_letter_is_unspaced(letter);
}

bool api_letter_is_space(int32_t letter) {
    const char *kind = utf8proc_category_string(letter);
    return kind[0] == 'Z' || strcmp(kind, "Cc") == 0;
}

size_t api_letter(int32_t *letter, struct parley_span text, size_t at) {
    *letter = -1;
    if (at >= text.size)
        return 0;
    utf8proc_ssize_t size =
        utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.size - at), letter);
    return size > 0 ? (size_t)size : 0;
}

static bool is_of_word_at(struct parley_span text, size_t at) {
    int32_t letter;
    (void)api_letter(&letter, text, at);
    return api_letter_is_of_word(letter);
}

/* One word goes on across this place. */
static bool is_joined(struct parley_span text, size_t at) {
    size_t before = at;
    if (at == 0 || at == text.size)
        return false;
    do
        before--;
    while (before > 0 && (text.data[before] & 0xC0) == 0x80);
    return is_of_word_at(text, before) && is_of_word_at(text, at);
}

bool api_fold_has(struct parley_span text, struct parley_span word) {
    size_t from = 0;
    while (word.size > 0 && text.size - from >= word.size) {
        const uint8_t *found = memmem(text.data + from, text.size - from, word.data, word.size);
        if (found == NULL)
            return false;
        size_t at = (size_t)(found - text.data);
        if (!is_joined(text, at) && !is_joined(text, at + word.size))
            return true;
        from = at + 1;
    }
    return false;
}

static bool text_has(struct parley_span text, struct parley_span word) {
    size_t size;
    char *folded = text.size == 0 ? NULL : api_fold(text, &size);
    bool has = folded != NULL && api_fold_has(PARLEY_SPAN(folded, size), word);
    free(folded);
    return has;
}

bool api_body_has(const struct parley_body *body, struct parley_span word) {
    if (body->kind == PARLEY_BODY_ECHO)
        return text_has(body->echo.comment, word);
    if (body->kind != PARLEY_BODY_POST)
        return false;
    for (size_t i = 0; i < body->post.tags_count; i++)
        if (text_has(body->post.tags[i], word))
            return true;
    return text_has(body->post.text, word) || text_has(body->post.warning, word);
}

/* ---- lists -------------------------------------------------------------------------------- */

static bool bears_word(const struct parley_node *node, const struct api_entry *entry,
                       struct parley_span *word) {
    struct parley_listed listed;
    struct parley_body body;
    if (!parley_node_list_at(node, 0, &listed) || !api_entry_body(entry, &body))
        return false;
    for (size_t i = 0; parley_node_list_at(node, i, &listed); i++)
        if (listed.list == PARLEY_LIST_WORD && api_body_has(&body, listed.word)) {
            if (word != NULL)
                *word = listed.word;
            return true;
        }
    return false;
}

bool api_entry_is_allowed(const struct parley_node *node, const struct api_entry *entry) {
    struct parley_node_author author;
    return parley_node_post_is_allowed(node, &entry->log, entry->seq, &entry->id) ||
           (parley_node_author_find(node, &entry->author, &author) && author.is_allowed);
}

enum api_hiding api_hiding_of(const struct parley_node *node, const struct api_entry *entry,
                              struct parley_span *word) {
    struct parley_node_author author = {0};
    if (parley_node_post_is_allowed(node, &entry->log, entry->seq, &entry->id))
        return API_HIDES_NOTHING;
    (void)parley_node_author_find(node, &entry->author, &author);
    if (author.is_blocked)
        return API_HIDES_BLOCKED;
    if (author.is_muted)
        return API_HIDES_MUTED;
    if (!author.is_allowed && bears_word(node, entry, word))
        return API_HIDES_WORD;
    return entry->echoed != NULL ? api_hiding_of(node, entry->echoed, word) : API_HIDES_NOTHING;
}
