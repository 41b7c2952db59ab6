#include <parley/error.h>

struct error_row {
    const char *name;
    const char *words;
    enum parley_error_class class;
};

static const struct error_row rows[] = {
#define X(error_name, error_class, error_words)                                                    \
    {.name = #error_name, .words = error_words, .class = PARLEY_CLASS_##error_class},
    PARLEY_ERRORS(X)
#undef X
};

static const struct error_row *row_of(enum parley_error error) {
    static const struct error_row unknown = {"UNKNOWN", "an unknown error", PARLEY_CLASS_LOCAL};
    size_t index = (size_t)error;
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : &unknown;
}

const char *parley_strerror(enum parley_error error) {
    return row_of(error)->words;
}

const char *parley_error_name(enum parley_error error) {
    return row_of(error)->name;
}

enum parley_error_class parley_error_class(enum parley_error error) {
    return row_of(error)->class;
}
