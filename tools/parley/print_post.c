#include "print_post.h"
#include "terminal.h"
#include <stdio.h>
#include <string.h>

#define STEP      4u /* letters that an answer is set in */
#define DEPTH_MAX 8u /* deeper ones stand at this one's place */

const char *post_text_of(const json_t *json, const char *name) {
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL ? text : "";
}

/* Where the lines of a post begin: its own, and what belongs to it. */
struct margin {
    char own[STEP * DEPTH_MAX + 1];
    char inner[STEP * (DEPTH_MAX + 2) + 1];
};

static struct margin margin_of(unsigned depth, unsigned inner) {
    struct margin margin;
    unsigned own = depth < DEPTH_MAX ? depth : DEPTH_MAX;
    memset(margin.own, ' ', STEP * own);
    margin.own[STEP * own] = '\0';
    memset(margin.inner, ' ', STEP * (own + inner));
    margin.inner[STEP * (own + inner)] = '\0';
    return margin;
}

static void print_author(const json_t *post) {
    const json_t *name = json_object_get(post, "author_name");
    if (json_is_string(name)) {
        fputs(style_bold(), stdout);
        print_word(stdout, json_string_value(name), json_string_length(name));
        printf("%s  ", style_off());
        fputs(post_text_of(post, "author"), stdout);
    } else {
        printf("%s%s%s", style_bold(), post_text_of(post, "author"), style_off());
    }
}

static void print_words(const json_t *post, const struct margin *margin) {
    const json_t *text = json_object_get(post, "text");
    if (json_is_string(text)) {
        fputs(margin->inner, stdout);
        print_text(stdout, json_string_value(text), json_string_length(text), margin->inner);
        putchar('\n');
    } else if (strcmp(post_text_of(post, "kind"), "echo") != 0) {
        printf("%s(%s)\n", margin->inner, post_text_of(post, "kind"));
    }
}

static void print_tags(const json_t *post, const struct margin *margin) {
    const json_t *tag;
    size_t i;
    json_array_foreach(json_object_get(post, "tags"), i, tag) {
        printf("%s#", i == 0 ? margin->inner : " ");
        print_word(stdout, json_string_value(tag), json_string_length(tag));
    }
    if (i > 0)
        putchar('\n');
}

static void print_relation(const json_t *post, const char *name, const char *words,
                           const struct margin *margin) {
    const char *text = post_text_of(post, name);
    if (text[0] != '\0')
        printf("%s%s%s %s%s\n", margin->inner, style_dim(), words, text, style_off());
}

/* Who said it and what, under the one who passes it on. */
static void print_echoed(const json_t *post, unsigned depth) {
    const json_t *echoed = json_object_get(post, "echoed");
    struct margin margin = margin_of(depth, 2);
    if (strcmp(post_text_of(post, "kind"), "echo") != 0)
        return;
    if (!json_is_object(echoed)) {
        printf("%s(it is not here)\n", margin.inner);
        return;
    }
    fputs(margin.inner, stdout);
    print_author(echoed);
    putchar('\n');
    print_words(echoed, &margin);
}

static void print_votes(const json_t *post) {
    const json_t *votes = json_object_get(post, "votes");
    json_int_t up = json_integer_value(json_object_get(votes, "up"));
    json_int_t down = json_integer_value(json_object_get(votes, "down"));
    if (up != 0 || down != 0)
        printf("  +%lld -%lld", (long long)up, (long long)down);
}

void print_post(const json_t *post, unsigned depth) {
    char time[32];
    struct margin margin = margin_of(depth, 1);
    print_time(time, json_integer_value(json_object_get(post, "time")));
    fputs(margin.own, stdout);
    print_author(post);
    printf("  %s\n", time);
    if (depth == 0)
        print_relation(post, "reply_to", "in answer to", &margin);
    if (json_is_false(json_object_get(post, "parent_here")))
        printf("%s(what this answers is not here)\n", margin.inner);
    print_relation(post, "echo_of", "passes on", &margin);
    print_echoed(post, depth);
    print_words(post, &margin);
    print_relation(post, "quote", "quotes", &margin);
    print_tags(post, &margin);
    printf("%s%s%s  %s", margin.inner, style_dim(), post_text_of(post, "handle"),
           post_text_of(post, "post"));
    print_votes(post);
    printf("%s\n", style_off());
}
