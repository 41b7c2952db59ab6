#include <parley/body.h>
#include <parley/codec.h>

/* Keys of the maps; 0 is the kind everywhere. */
enum { KEY_KIND = 0 };
enum { PROFILE_NAME = 1, PROFILE_ABOUT };
enum {
    POST_TEXT = 1,
    POST_ROOT,
    POST_PARENT,
    POST_QUOTE,
    POST_MENTIONS,
    POST_TAGS,
    POST_LANGUAGE,
    POST_WARNING
};
enum { ECHO_REF = 1, ECHO_COMMENT };
enum { VOTE_REF = 1, VOTE_VALUE };
enum { FOLLOW_AUTHOR = 1, FOLLOW_ON };
enum { ERASE_REFS = 1 };

#define KEYS_MAX           64u /* keys of one map, unknown ones counted */
#define REF_ELEMENTS_COUNT 4u

/* ---- decoding */

static void read_ref(struct parley_reader *reader, const char *field, struct parley_ref *ref) {
    parley_read_array(reader, field, REF_ELEMENTS_COUNT, REF_ELEMENTS_COUNT);
    parley_read_fixed(reader, field, ref->author.bytes, sizeof ref->author);
    parley_read_fixed(reader, field, ref->log.bytes, sizeof ref->log);
    ref->seq = parley_read_uint(reader, field, 1, PARLEY_SEQ_MAX);
    parley_read_fixed(reader, field, ref->id.bytes, sizeof ref->id);
}

static void read_mentions(struct parley_reader *reader, struct parley_post *post) {
    post->mentions_count = parley_read_array(reader, "mentions", 1, PARLEY_MENTIONS_MAX);
    for (size_t i = 0; i < post->mentions_count; i++)
        parley_read_fixed(reader, "mentions", post->mentions[i].bytes, sizeof post->mentions[i]);
}

static void read_tags(struct parley_reader *reader, struct parley_post *post) {
    post->tags_count = parley_read_array(reader, "tags", 1, PARLEY_TAGS_MAX);
    for (size_t i = 0; i < post->tags_count; i++)
        post->tags[i] = parley_read_text(reader, "tags", 1, PARLEY_TAG_BYTES_MAX);
}

static void read_refs(struct parley_reader *reader, struct parley_erase *erase) {
    erase->refs_count = parley_read_array(reader, "refs", 1, PARLEY_ERASE_REFS_MAX);
    for (size_t i = 0; i < erase->refs_count; i++)
        read_ref(reader, "refs", &erase->refs[i]);
}

static void skip(struct parley_reader *reader) {
    parley_read_skip(reader, "unknown key", PARLEY_BODY_DEPTH_MAX);
}

static void read_profile_key(struct parley_reader *reader, struct parley_body *body, uint8_t key) {
    if (key == PROFILE_NAME)
        body->profile.name = parley_read_text(reader, "name", 0, PARLEY_NAME_BYTES_MAX);
    else if (key == PROFILE_ABOUT)
        body->profile.about = parley_read_text(reader, "about", 0, PARLEY_ABOUT_BYTES_MAX);
    else
        skip(reader);
}

static void read_post_ref(struct parley_reader *reader, struct parley_post *post, uint8_t key) {
    bool *has = key == POST_ROOT     ? &post->has_root
                : key == POST_PARENT ? &post->has_parent
                                     : &post->has_quote;
    struct parley_ref *ref = key == POST_ROOT     ? &post->root
                             : key == POST_PARENT ? &post->parent
                                                  : &post->quote;
    *has = true;
    read_ref(reader, "ref", ref);
}

static void read_post_key(struct parley_reader *reader, struct parley_body *body, uint8_t key) {
    struct parley_post *post = &body->post;
    switch (key) {
    case POST_TEXT:
        post->text = parley_read_text(reader, "text", 0, PARLEY_BODY_BYTES_MAX);
        break;
    case POST_ROOT:
    case POST_PARENT:
    case POST_QUOTE:
        read_post_ref(reader, post, key);
        break;
    case POST_MENTIONS:
        read_mentions(reader, post);
        break;
    case POST_TAGS:
        read_tags(reader, post);
        break;
    case POST_LANGUAGE:
        post->language = parley_read_text(reader, "language", 1, PARLEY_LANGUAGE_BYTES_MAX);
        break;
    case POST_WARNING:
        post->warning = parley_read_text(reader, "warning", 0, PARLEY_WARNING_BYTES_MAX);
        break;
    default:
        skip(reader);
    }
}

static void read_echo_key(struct parley_reader *reader, struct parley_body *body, uint8_t key) {
    if (key == ECHO_REF)
        read_ref(reader, "ref", &body->echo.ref);
    else if (key == ECHO_COMMENT)
        body->echo.comment = parley_read_text(reader, "comment", 0, PARLEY_BODY_BYTES_MAX);
    else
        skip(reader);
}

static void read_vote_key(struct parley_reader *reader, struct parley_body *body, uint8_t key) {
    if (key == VOTE_REF)
        read_ref(reader, "ref", &body->vote.ref);
    else if (key == VOTE_VALUE)
        body->vote.value = (int8_t)parley_read_int(reader, "value", -1, 1);
    else
        skip(reader);
}

static void read_follow_key(struct parley_reader *reader, struct parley_body *body, uint8_t key) {
    if (key == FOLLOW_AUTHOR)
        parley_read_fixed(reader, "author", body->follow.author.bytes, sizeof body->follow.author);
    else if (key == FOLLOW_ON)
        body->follow.on = parley_read_uint(reader, "on", 0, 1) == 1;
    else
        skip(reader);
}

static void read_erase_key(struct parley_reader *reader, struct parley_body *body, uint8_t key) {
    if (key == ERASE_REFS)
        read_refs(reader, &body->erase);
    else
        skip(reader);
}

/* How a kind is read, and the keys without which it says nothing. */
static const struct {
    void (*read_key)(struct parley_reader *, struct parley_body *, uint8_t key);
    uint32_t required; /* bit per key */
} kinds[] = {
    [PARLEY_BODY_PROFILE] = {read_profile_key, 1u << PROFILE_NAME},
    [PARLEY_BODY_POST] = {read_post_key, 1u << POST_TEXT},
    [PARLEY_BODY_ECHO] = {read_echo_key, 1u << ECHO_REF},
    [PARLEY_BODY_VOTE] = {read_vote_key, 1u << VOTE_REF | 1u << VOTE_VALUE},
    [PARLEY_BODY_FOLLOW] = {read_follow_key, 1u << FOLLOW_AUTHOR | 1u << FOLLOW_ON},
    [PARLEY_BODY_ERASE] = {read_erase_key, 1u << ERASE_REFS},
};
#define KINDS_END (sizeof kinds / sizeof kinds[0])

static uint64_t read_kind(struct parley_reader *reader, int *last) {
    if (parley_read_key(reader, "kind", last) != KEY_KIND)
        parley_reader_fail(reader, PARLEY_E_OUT_OF_RANGE, "kind");
    uint64_t kind = parley_read_uint(reader, "kind", 0, UINT64_MAX);
    if (kind < PARLEY_BODY_PROFILE || kind >= KINDS_END)
        parley_reader_fail(reader, PARLEY_E_BAD_KIND, "kind");
    return kind;
}

struct parley_fault parley_body_decode(struct parley_body *body, struct parley_span bytes) {
    struct parley_reader reader;
    int last = -1;
    uint32_t seen = 0;
    memset(body, 0, sizeof *body);
    parley_reader_init(&reader, bytes);
    size_t keys = parley_read_map(&reader, "body", KEYS_MAX);
    if (keys == 0)
        parley_reader_fail(&reader, PARLEY_E_OUT_OF_RANGE, "kind");
    uint64_t kind = read_kind(&reader, &last);
    if (reader.fault.error != PARLEY_E_OK)
        return reader.fault;
    body->kind = (enum parley_body_kind)kind;
    for (size_t i = 1; i < keys && reader.fault.error == PARLEY_E_OK; i++) {
        uint8_t key = parley_read_key(&reader, "key", &last);
        seen |= key < 32 ? 1u << key : 0;
        kinds[kind].read_key(&reader, body, key);
    }
    if ((seen & kinds[kind].required) != kinds[kind].required)
        parley_reader_fail(&reader, PARLEY_E_OUT_OF_RANGE, "required key");
    return parley_reader_finish(&reader);
}

/* ---- encoding */

static void write_ref(struct parley_writer *writer, const struct parley_ref *ref) {
    parley_write_array(writer, REF_ELEMENTS_COUNT);
    PARLEY_WRITE_FIXED(writer, ref->author);
    PARLEY_WRITE_FIXED(writer, ref->log);
    parley_write_uint(writer, ref->seq);
    PARLEY_WRITE_FIXED(writer, ref->id);
}

static void write_text(struct parley_writer *writer, unsigned key, struct parley_span text) {
    if (text.data == NULL)
        return;
    parley_write_uint(writer, key);
    parley_write_text(writer, text);
}

/* Required text may be empty without a place in memory. */
static struct parley_span present(struct parley_span text) {
    return text.data ? text : PARLEY_SPAN("", 0);
}

static void write_ref_key(struct parley_writer *writer, unsigned key, bool has,
                          const struct parley_ref *ref) {
    if (!has)
        return;
    parley_write_uint(writer, key);
    write_ref(writer, ref);
}

static void write_profile(struct parley_writer *writer, const struct parley_profile *profile) {
    parley_write_map(writer, 2u + (profile->about.data != NULL));
    parley_write_uint(writer, KEY_KIND);
    parley_write_uint(writer, PARLEY_BODY_PROFILE);
    write_text(writer, PROFILE_NAME, present(profile->name));
    write_text(writer, PROFILE_ABOUT, profile->about);
}

static void write_lists(struct parley_writer *writer, const struct parley_post *post) {
    if (post->mentions_count > 0) {
        parley_write_uint(writer, POST_MENTIONS);
        parley_write_array(writer, post->mentions_count);
        for (size_t i = 0; i < post->mentions_count; i++)
            PARLEY_WRITE_FIXED(writer, post->mentions[i]);
    }
    if (post->tags_count > 0) {
        parley_write_uint(writer, POST_TAGS);
        parley_write_array(writer, post->tags_count);
        for (size_t i = 0; i < post->tags_count; i++)
            parley_write_text(writer, post->tags[i]);
    }
}

static void write_post(struct parley_writer *writer, const struct parley_post *post) {
    parley_write_map(writer, 2u + post->has_root + post->has_parent + post->has_quote +
                                 (post->mentions_count > 0) + (post->tags_count > 0) +
                                 (post->language.data != NULL) + (post->warning.data != NULL));
    parley_write_uint(writer, KEY_KIND);
    parley_write_uint(writer, PARLEY_BODY_POST);
    write_text(writer, POST_TEXT, present(post->text));
    write_ref_key(writer, POST_ROOT, post->has_root, &post->root);
    write_ref_key(writer, POST_PARENT, post->has_parent, &post->parent);
    write_ref_key(writer, POST_QUOTE, post->has_quote, &post->quote);
    write_lists(writer, post);
    write_text(writer, POST_LANGUAGE, post->language);
    write_text(writer, POST_WARNING, post->warning);
}

static void write_echo(struct parley_writer *writer, const struct parley_echo *echo) {
    parley_write_map(writer, 2u + (echo->comment.data != NULL));
    parley_write_uint(writer, KEY_KIND);
    parley_write_uint(writer, PARLEY_BODY_ECHO);
    write_ref_key(writer, ECHO_REF, true, &echo->ref);
    write_text(writer, ECHO_COMMENT, echo->comment);
}

static void write_vote(struct parley_writer *writer, const struct parley_vote *vote) {
    parley_write_map(writer, 3);
    parley_write_uint(writer, KEY_KIND);
    parley_write_uint(writer, PARLEY_BODY_VOTE);
    write_ref_key(writer, VOTE_REF, true, &vote->ref);
    parley_write_uint(writer, VOTE_VALUE);
    parley_write_int(writer, vote->value);
}

static void write_follow(struct parley_writer *writer, const struct parley_follow *follow) {
    parley_write_map(writer, 3);
    parley_write_uint(writer, KEY_KIND);
    parley_write_uint(writer, PARLEY_BODY_FOLLOW);
    parley_write_uint(writer, FOLLOW_AUTHOR);
    PARLEY_WRITE_FIXED(writer, follow->author);
    parley_write_uint(writer, FOLLOW_ON);
    parley_write_uint(writer, follow->on);
}

static void write_erase(struct parley_writer *writer, const struct parley_erase *erase) {
    parley_write_map(writer, 2);
    parley_write_uint(writer, KEY_KIND);
    parley_write_uint(writer, PARLEY_BODY_ERASE);
    parley_write_uint(writer, ERASE_REFS);
    parley_write_array(writer, erase->refs_count);
    for (size_t i = 0; i < erase->refs_count; i++)
        write_ref(writer, &erase->refs[i]);
}

/* Counts come from the caller and index arrays here: checked ahead of the loops over them. */
static bool is_within_counts(const struct parley_body *body) {
    if (body->kind == PARLEY_BODY_POST)
        return body->post.mentions_count <= PARLEY_MENTIONS_MAX &&
               body->post.tags_count <= PARLEY_TAGS_MAX;
    if (body->kind == PARLEY_BODY_ERASE)
        return body->erase.refs_count <= PARLEY_ERASE_REFS_MAX;
    return true;
}

static enum parley_error write_body(struct parley_writer *writer, const struct parley_body *body) {
    switch (body->kind) {
    case PARLEY_BODY_PROFILE:
        write_profile(writer, &body->profile);
        return PARLEY_E_OK;
    case PARLEY_BODY_POST:
        write_post(writer, &body->post);
        return PARLEY_E_OK;
    case PARLEY_BODY_ECHO:
        write_echo(writer, &body->echo);
        return PARLEY_E_OK;
    case PARLEY_BODY_VOTE:
        write_vote(writer, &body->vote);
        return PARLEY_E_OK;
    case PARLEY_BODY_FOLLOW:
        write_follow(writer, &body->follow);
        return PARLEY_E_OK;
    case PARLEY_BODY_ERASE:
        write_erase(writer, &body->erase);
        return PARLEY_E_OK;
    }
    return PARLEY_E_BAD_INPUT;
}

enum parley_error parley_body_encode(struct parley_span *out, uint8_t *data, size_t size_max,
                                     const struct parley_body *body) {
    struct parley_writer writer;
    struct parley_body again;
    *out = PARLEY_NO_SPAN;
    if (!is_within_counts(body))
        return PARLEY_E_BAD_INPUT;
    parley_writer_init(&writer, data,
                       size_max < PARLEY_BODY_BYTES_MAX ? size_max : PARLEY_BODY_BYTES_MAX);
    enum parley_error error = write_body(&writer, body);
    if (error == PARLEY_E_OK)
        error = parley_writer_finish(&writer, out);
    /* The reader's bounds are the one list of them: what we write, all of us can read. */
    if (error == PARLEY_E_OK && parley_body_decode(&again, *out).error != PARLEY_E_OK)
        error = PARLEY_E_BAD_INPUT;
    if (error != PARLEY_E_OK)
        *out = PARLEY_NO_SPAN;
    return error;
}
