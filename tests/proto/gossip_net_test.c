#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <parley/gossip.h>

/* A network of broadcast trees, without nodes and without bytes. */

struct bed {
    struct parley_gossip gossip;
    void *memory;
};

#define NET_NODES 30u
#define NET_LINKS 12u
#define NET_MAIL  4096u
#define NET_ALONE NET_NODES /* no peer */

#define CHORDS 6u  /* links of each node in the first net */
#define RELAYS 10u /* in the second one */

struct mail {
    parley_time_ms at;
    uint32_t from, to;
    enum { MAIL_PUSH, MAIL_ANNOUNCE, MAIL_ASK, MAIL_PRUNE, MAIL_GRAFT } what;
    uint64_t what_of; /* seq, or buckets */
};

static void begin(struct bed *bed, bool is_broad) {
    const struct parley_gossip_sizes sizes = {NET_LINKS, 64, 16, 1000, 2000, 100, is_broad};
    static const uint8_t key[16] = {1};
    bed->memory = calloc(1, parley_gossip_memory(&sizes));
    assert_non_null(bed->memory);
    parley_gossip_init(&bed->gossip, &sizes, key, bed->memory);
}

static void end(struct bed *bed) {
    parley_gossip_check(&bed->gossip);
    free(bed->memory);
}

/* Of one log, in the bucket 5. */
static struct parley_wire_place place(parley_seq seq) {
    struct parley_wire_place out = {.seq = seq};
    memset(&out.log, 5, sizeof out.log);
    parley_put_u64(out.id.bytes, seq);
    return out;
}

struct net {
    struct bed beds[NET_NODES];
    bool is_up[NET_NODES];
    bool has[NET_NODES][512];
    uint32_t peers[NET_NODES][NET_LINKS];
    struct mail mail[NET_MAIL];
    size_t count, pushes, news, words;
    parley_time_ms now;
};

static void post(struct net *net, uint32_t from, uint32_t to, int what, uint64_t what_of) {
    assert_true(net->count < NET_MAIL);
    /* Each link has a pace of its own. */
    parley_time_ms late = 10 + (from * 7 + to * 13) % 30;
    net->mail[net->count++] = (struct mail){net->now + late, from, to, what, what_of};
}

static uint32_t link_to(const struct net *net, uint32_t node, uint32_t peer) {
    for (uint32_t i = 0; i < NET_LINKS; i++)
        if (net->peers[node][i] == peer)
            return i;
    fail();
    return 0;
}

static void tell(struct net *net, uint32_t node, const struct parley_gossip_word *word) {
    net->words++;
    post(net, node, net->peers[node][word->link], word->is_graft ? MAIL_GRAFT : MAIL_PRUNE,
         word->buckets);
}

static void take_new(struct net *net, uint32_t node, uint32_t link, parley_seq seq) {
    struct bed *bed = &net->beds[node];
    struct parley_wire_place at = place(seq);
    net->has[node][seq] = true;
    net->news++;
    struct parley_gossip_word word;
    if (parley_gossip_on_entry(&bed->gossip, link, &at, true, net->now, &word))
        tell(net, node, &word);
    for (uint32_t i = 0; i < NET_LINKS; i++) {
        if (i == link || !bed->gossip.links[i].is_open)
            continue;
        enum parley_gossip_way how = parley_gossip_way(&bed->gossip, i, &at);
        if (how == PARLEY_GOSSIP_PUSH)
            parley_gossip_note(&bed->gossip, i, &at);
        if (how != PARLEY_GOSSIP_NOTHING)
            post(net, node, net->peers[node][i],
                 how == PARLEY_GOSSIP_PUSH ? MAIL_PUSH : MAIL_ANNOUNCE, seq);
    }
}

static void arrive(struct net *net, const struct mail *mail) {
    struct bed *bed = &net->beds[mail->to];
    if (!net->is_up[mail->to] || !net->is_up[mail->from])
        return;
    struct parley_wire_place at = place(mail->what_of);
    struct parley_gossip_word word = {.link = link_to(net, mail->to, mail->from), .is_graft = true};
    uint32_t link = word.link;
    bool is_here = mail->what <= MAIL_ASK && net->has[mail->to][mail->what_of];
    switch (mail->what) {
    case MAIL_PRUNE:
        word.buckets = parley_gossip_on_prune(&bed->gossip, link, mail->what_of);
        if (word.buckets != 0)
            tell(net, mail->to, &word);
        return;
    case MAIL_GRAFT:
        parley_gossip_on_graft(&bed->gossip, link, mail->what_of);
        return;
    case MAIL_ASK:
        post(net, mail->to, mail->from, MAIL_PUSH, mail->what_of);
        return;
    case MAIL_ANNOUNCE:
        if (is_here)
            parley_gossip_note(&bed->gossip, link, &at);
        else if (parley_gossip_on_announce(&bed->gossip, link, &at, net->now) == PARLEY_GOSSIP_ASK)
            post(net, mail->to, mail->from, MAIL_ASK, mail->what_of);
        return;
    case MAIL_PUSH:
        net->pushes++;
        if (!is_here)
            take_new(net, mail->to, link, mail->what_of);
        else if (parley_gossip_on_entry(&bed->gossip, link, &at, false, net->now, &word))
            tell(net, mail->to, &word);
        return;
    }
}

static void lose_link(struct net *net, uint32_t node, uint32_t peer) {
    struct parley_gossip_word word;
    if (parley_gossip_close(&net->beds[node].gossip, link_to(net, node, peer), &word))
        tell(net, node, &word);
}

static void tick(struct net *net) {
    net->now++;
    for (size_t i = 0; i < net->count;) {
        struct mail mail = net->mail[i];
        if (mail.at > net->now) {
            i++;
            continue;
        }
        memmove(&net->mail[i], &net->mail[i + 1], (--net->count - i) * sizeof net->mail[0]);
        arrive(net, &mail);
    }
    for (uint32_t node = 0; node < NET_NODES; node++) {
        struct parley_gossip_entry *entry;
        struct parley_gossip_word word;
        while (net->is_up[node] &&
               (entry = parley_gossip_due(&net->beds[node].gossip, net->now)) != NULL) {
            parley_seq seq = entry->place.seq;
            uint32_t link = parley_gossip_graft(&net->beds[node].gossip, entry, net->now, &word);
            if (link == PARLEY_GOSSIP_NOBODY)
                continue;
            if (word.buckets != 0)
                tell(net, node, &word);
            post(net, node, net->peers[node][link], MAIL_ASK, seq);
        }
    }
}

/* Entry seq begins at a node; how many copies each new one cost, in hundredths. */
static size_t spread(struct net *net, uint32_t node, parley_seq seq) {
    net->pushes = net->news = net->words = 0;
    take_new(net, node, PARLEY_GOSSIP_NOBODY, seq);
    for (unsigned i = 0; i < 8000; i++)
        tick(net);
    for (uint32_t i = 0; i < NET_NODES; i++)
        assert_true(!net->is_up[i] || net->has[i][seq]);
    return net->pushes * 100 / (net->news - 1);
}

/* A link of either side. */
static void join(struct net *net, uint32_t a, uint32_t b) {
    uint32_t pair[2] = {a, b};
    for (unsigned i = 0; i < 2; i++) {
        uint32_t link = link_to(net, pair[i], NET_ALONE);
        net->peers[pair[i]][link] = pair[!i];
        parley_gossip_open(&net->beds[pair[i]].gossip, link, true);
    }
}

static void net_begin(struct net *net, uint32_t relays) {
    memset(net, 0, sizeof *net);
    for (uint32_t i = 0; i < NET_NODES; i++) {
        begin(&net->beds[i], i < relays);
        net->is_up[i] = true;
        for (uint32_t k = 0; k < NET_LINKS; k++)
            net->peers[i][k] = NET_ALONE;
    }
}

/* Without a word in silence; else whoever is linked with it sees the link close. */
static void kill_node(struct net *net, uint32_t node, bool in_silence) {
    net->is_up[node] = false;
    for (uint32_t k = 0; k < NET_LINKS; k++) {
        uint32_t peer = net->peers[node][k];
        if (peer != NET_ALONE && net->is_up[peer] && !in_silence)
            lose_link(net, peer, node);
    }
}

/* Nodes in a ring with chords, each link with a pace of its own. All of them hear of each entry,
 * and soon each hears of it once; when some go, the rest hears again of all. */
static void test_a_tree_forms_and_mends(void **state) {
    static struct net net;
    static const uint32_t chords[CHORDS / 2] = {1, 7, 11};
    size_t first, last = 0;
    net_begin(&net, 0);
    for (uint32_t i = 0; i < NET_NODES; i++)
        for (uint32_t k = 0; k < CHORDS / 2; k++)
            join(&net, i, (i + chords[k]) % NET_NODES);
    first = spread(&net, 0, 1);
    assert_in_range(first, 300, 600); /* a flood, as everything begins */
    parley_seq seq = 2;
    for (; seq < 30; seq++)
        last = spread(&net, (uint32_t)(seq * 17 % NET_NODES), seq);
    assert_in_range(last, 100, 105);
    /* Every fourth is killed, and nobody is told by more than a closed link. */
    for (uint32_t i = 0; i < NET_NODES; i += 4)
        kill_node(&net, i, false);
    for (; seq < 60; seq++)
        last = spread(&net, (uint32_t)(seq * 17 % NET_NODES) | 1, seq);
    assert_in_range(last, 100, 105);
    for (uint32_t i = 0; i < NET_NODES; i++)
        end(&net.beds[i]);
}

/* All know what their peers want. */
static void be_told(struct net *net, uint32_t relays) {
    struct parley_gossip_word word;
    for (uint32_t i = 0; i < NET_NODES; i++)
        for (uint32_t k = 0; k < NET_LINKS; k++) {
            if (net->peers[i][k] == NET_ALONE)
                continue;
            if (parley_gossip_set_broad(&net->beds[i].gossip, k, net->peers[i][k] < relays, &word))
                tell(net, i, &word);
            while (parley_gossip_spare(&net->beds[i].gossip, k, &word))
                tell(net, i, &word);
        }
}

/* People with three relays each, and friends. With the second entry whoever writes costs nobody a
 * second copy or a word of the tree; and when some relays die in silence, it is so again soon. */
static void test_relays_and_people(void **state) {
    static struct net net;
    size_t copies = 0;
    net_begin(&net, RELAYS);
    for (uint32_t i = 0; i < RELAYS; i++) {
        join(&net, i, (i + 1) % RELAYS);
        join(&net, i, (i + 3) % RELAYS);
    }
    for (uint32_t i = RELAYS; i < NET_NODES; i++) {
        for (uint32_t k = 0; k < 3; k++)
            join(&net, i, (i + 3 * k) % RELAYS);
        join(&net, i, RELAYS + (i + 1) % (NET_NODES - RELAYS));
    }
    be_told(&net, RELAYS);
    copies = spread(&net, RELAYS, 1);
    assert_in_range(copies, 101, 200);
    parley_seq seq = 2;
    for (; seq < 60; seq++) {
        copies = spread(&net, RELAYS + (uint32_t)(seq * 7 % (NET_NODES - RELAYS)), seq);
        assert_int_equal(copies, 100);
        assert_int_equal(net.words, 0);
    }
    for (uint32_t i = 0; i < RELAYS; i += 4)
        kill_node(&net, i, true);
    size_t words = 0;
    for (; seq < 200; seq++) {
        copies = spread(&net, RELAYS + (uint32_t)(seq * 7 % (NET_NODES - RELAYS)), seq);
        words = net.words;
    }
    assert_int_equal(copies, 100);
    assert_int_equal(words, 0);
    for (uint32_t i = 0; i < NET_NODES; i++)
        end(&net.beds[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tree_forms_and_mends),
        cmocka_unit_test(test_relays_and_people),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("gossip_net", tests, NULL, NULL) == 0 ? 0 : 1;
}
