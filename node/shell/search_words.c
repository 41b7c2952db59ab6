#include "search_words.h"
#include "api_hide.h"

enum kind { PARTS, OF_WORD, UNSPACED };

struct letter {
    size_t at, size;
    enum kind kind;
};

/* Bytes that are no text part words, one at a time. */
static struct letter letter_at(struct parley_span text, size_t at) {
    int32_t code;
    struct letter letter = {at, api_letter(&code, text, at), PARTS};
    if (letter.size == 0)
        return (struct letter){at, 1, PARTS};
    if (api_letter_is_unspaced(code))
        letter.kind = UNSPACED;
    else if (api_letter_is_of_word(code))
        letter.kind = OF_WORD;
    return letter;
}

void search_words_each(struct parley_span folded, bool fewest, search_on_word *on_word,
                       void *context) {
    size_t begin = 0; /* of the run of letters */
    struct letter last = {0, 0, PARTS};
    for (size_t at = 0; at < folded.size; at += last.size) {
        struct letter letter = letter_at(folded, at);
        if (last.kind == OF_WORD && letter.kind != OF_WORD)
            on_word(context, PARLEY_SPAN(folded.data + begin, at - begin));
        if (last.kind != OF_WORD && letter.kind == OF_WORD)
            begin = at;
        if (letter.kind == UNSPACED) {
            size_t end = at + letter.size;
            bool follows = last.kind == UNSPACED;
            bool is_followed = end < folded.size && letter_at(folded, end).kind == UNSPACED;
            if (follows)
                on_word(context, PARLEY_SPAN(folded.data + last.at, end - last.at));
            if (!fewest || (!follows && !is_followed))
                on_word(context, PARLEY_SPAN(folded.data + at, letter.size));
        }
        last = letter;
    }
    if (last.kind == OF_WORD)
        on_word(context, PARLEY_SPAN(folded.data + begin, folded.size - begin));
}
