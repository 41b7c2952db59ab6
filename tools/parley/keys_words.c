/* The recovery words, as they are typed. */
#include "keys.h"
#include "terminal.h"
#include <parley/crypto.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Twelve words with whatever white space people put between them. */
#define TYPED_BYTES_MAX 1024u

/* What is typed is not shown: it would stay on the screen. */
static bool hide_typing(struct termios *before) {
    struct termios hidden;
    if (tcgetattr(STDIN_FILENO, before) != 0)
        return false;
    hidden = *before;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
}

/* Without a buffer of the library's, which nobody wipes. One line from a terminal, else all. */
static ssize_t read_typed(char text[TYPED_BYTES_MAX], bool is_terminal) {
    size_t size = 0;
    ssize_t got = 1;
    while (size < TYPED_BYTES_MAX && got > 0) {
        got = read(STDIN_FILENO, text + size, TYPED_BYTES_MAX - size);
        size += got > 0 ? (size_t)got : 0;
        if (is_terminal && memchr(text, '\n', size) != NULL)
            break;
    }
    return got < 0 ? -1 : (ssize_t)size;
}

static int complain_of_words(struct parley_fault fault, const char *text, size_t size) {
    size_t number = 1;
    if (strspn(text, " \t\r\n") >= size)
        return complain(EXIT_NO, "the recovery words are missing: type them on a terminal, or give "
                                 "them on standard input");
    if (fault.error == PARLEY_E_BAD_CHECKSUM)
        return complain(EXIT_NO, "these are not the recovery words: each is in the list, but not "
                                 "all of them are right, or they are in another order");
    if (strcmp(fault.field, "count") == 0)
        return complain(EXIT_NO, "there must be twelve recovery words");
    for (size_t at = 0; at < fault.offset; at++)
        number +=
            text[at] != ' ' && text[at] != '\n' && (text[at + 1] == ' ' || text[at + 1] == '\n');
    return complain(EXIT_NO, "recovery word %zu is not in the list of words", number);
}

int keys_check_dash(const struct options *options, const char *command) {
    if (options->arguments_count == 0 || strcmp(options->arguments[0], "-") == 0)
        return EXIT_DONE;
    return complain(EXIT_USAGE,
                    "the words are typed, or given on standard input, and never stand "
                    "on the command line: parley %s",
                    command);
}

int keys_ask_words(uint8_t entropy[PARLEY_ENTROPY_SIZE]) {
    char text[TYPED_BYTES_MAX + 1] = "";
    struct termios before;
    bool is_terminal = isatty(STDIN_FILENO) != 0;
    if (is_terminal)
        fputs("Recovery words (not shown as you type): ", stderr);
    bool is_hidden = is_terminal && hide_typing(&before);
    ssize_t size = read_typed(text, is_terminal);
    if (is_hidden)
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    if (is_terminal)
        fputs("\n", stderr);
    int status = EXIT_DONE;
    if (size < 0) {
        status = complain(EXIT_SYSTEM, "standard input cannot be read");
    } else {
        struct parley_fault fault = parley_words_decode(entropy, PARLEY_SPAN(text, (size_t)size));
        if (fault.error != PARLEY_E_OK)
            status = complain_of_words(fault, text, (size_t)size);
    }
    parley_wipe(text, sizeof text);
    return status;
}

int keys_ask_words_of(uint8_t entropy[PARLEY_ENTROPY_SIZE], const struct parley_author *author) {
    struct parley_author derived;
    int status = keys_ask_words(entropy);
    if (status != EXIT_DONE)
        return status;
    parley_author_derive(&derived, entropy);
    if (PARLEY_EQUAL(derived, *author))
        return EXIT_DONE;
    parley_wipe(entropy, PARLEY_ENTROPY_SIZE);
    return complain(EXIT_NO, "these are the recovery words of another person");
}
