/* The worker over a database that is played here: answers in order, groups, and what follows an
 * error of the disk. */
#include "../../node/shell/log.h"
#include "../../node/shell/worker.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define DIRECTORY "/tmp/parley-worker-test"

/* --- the database: opens, commits and fails as told ------------------------------------------- */

static atomic_int opens_to_fail, commits_to_fail, commits_count, opens_count, ops_count;
static atomic_int pieces_count, heard_count;
static atomic_bool is_open;
static int token; /* what the store's pointer points to */

enum parley_error parley_disk_open(struct parley_disk *disk, const char *directory, bool create,
                                   uint64_t quota_bytes, struct parley_problem *problem) {
    opens_count++;
    if (opens_to_fail > 0) {
        opens_to_fail--;
        return parley_problem_set(problem, PARLEY_E_DISK_FULL, "no");
    }
    is_open = true;
    disk->store = (struct parley_store *)&token;
    return PARLEY_E_OK;
}

void parley_disk_close(struct parley_disk *disk) {
    is_open = false;
    disk->store = NULL;
}

void parley_store_commit(struct parley_store *store, const struct parley_store_op *ops,
                         size_t count, enum parley_error *results) {
    bool fails = commits_to_fail > 0;
    assert(is_open && store == (struct parley_store *)&token);
    commits_count++;
    if (fails)
        commits_to_fail--;
    else
        ops_count += (int)count;
    for (size_t i = 0; i < count; i++) {
        /* a copy, whole: bytes and key say the same number */
        assert(ops[i].bytes.size == 8 && memcmp(ops[i].bytes.data, ops[i].key.data, 8) == 0);
        results[i] = fails ? PARLEY_E_DISK_FULL : PARLEY_E_OK;
    }
    usleep(2000);
}

uint64_t parley_store_bytes(struct parley_store *store) {
    return 42;
}

enum parley_error parley_store_log_get(struct parley_store *store, const struct parley_log *log,
                                       struct parley_store_log *out) {
    assert(is_open && store == (struct parley_store *)&token);
    return PARLEY_E_NOT_FOUND;
}

void parley_store_compact_next(struct parley_store *store,
                               struct parley_store_compaction *compaction) {
    assert(is_open && !compaction->is_done);
    pieces_count++;
    compaction->is_begun = true;
    compaction->is_done = ++compaction->log_number == 3;
}

void parley_disk_note(const struct parley_disk *disk) {
    assert(is_open);
}

/* --- the owner ---------------------------------------------------------------------------------
 */

struct owner {
    uv_loop_t loop;
    struct parley_worker *worker;
    uint64_t asked, told, failed, reopened, compacted, reads_done, reads_refused;
    bool is_stopped, listens;
};

static void ask(struct owner *owner, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t ticket = ++owner->asked;
        struct parley_store_op op = {.kind = PARLEY_STORE_META,
                                     .bytes = PARLEY_SPAN(&ticket, sizeof ticket),
                                     .key = PARLEY_SPAN(&ticket, sizeof ticket)};
        parley_worker_store(owner->worker, ticket, &op);
    }
}

static void on_stored(void *context, uint64_t ticket, enum parley_error error,
                      const struct parley_store_log *log) {
    (void)log;
    struct owner *owner = context;
    assert_int_equal(ticket, ++owner->told);
    assert_true(!owner->listens || (uint64_t)heard_count >= owner->told);
    if (error != PARLEY_E_OK)
        owner->failed++;
}

static void on_reopened(void *context, struct parley_store *store) {
    struct owner *owner = context;
    assert_ptr_equal(store, &token);
    assert_int_equal(owner->told, owner->asked); /* every failure was told before */
    owner->reopened++;
    ask(owner, 10); /* held back until resume, and stored then */
    parley_worker_resume(owner->worker);
}

static void on_compacted(void *context) {
    struct owner *owner = context;
    owner->compacted++;
}

static void on_stopped(void *context) {
    struct owner *owner = context;
    owner->is_stopped = true;
}

static void begin(struct owner *owner) {
    memset(owner, 0, sizeof *owner);
    opens_to_fail = commits_to_fail = commits_count = opens_count = ops_count = 0;
    assert_int_equal(uv_loop_init(&owner->loop), 0);
    struct parley_disk disk;
    assert_int_equal(parley_disk_open(&disk, DIRECTORY, false, 0, NULL), PARLEY_E_OK);
    struct parley_worker_handlers handlers = {on_stored, on_reopened, on_compacted, on_stopped,
                                              owner};
    owner->worker = parley_worker_create(&owner->loop, &disk, DIRECTORY, &handlers);
}

static void end(struct owner *owner) {
    parley_worker_stop(owner->worker);
    assert_int_equal(uv_run(&owner->loop, UV_RUN_DEFAULT), 0);
    assert_true(owner->is_stopped);
    assert_false(is_open);
    parley_worker_free(owner->worker);
    assert_int_equal(uv_loop_close(&owner->loop), 0);
}

static void run_until_told(struct owner *owner) {
    while (owner->told < owner->asked)
        (void)uv_run(&owner->loop, UV_RUN_ONCE);
}

static void answers_come_in_order_and_commits_are_shared(void **state) {
    struct owner owner;
    begin(&owner);
    ask(&owner, 10000);
    usleep(10000);
    assert_int_equal(commits_count, 0); /* held back */
    parley_worker_resume(owner.worker);
    run_until_told(&owner);
    assert_int_equal(owner.failed, 0);
    assert_int_equal(ops_count, 10000);
    assert_in_range(commits_count, 3, 10); /* 4,096 in each at most */
    assert_true(parley_worker_is_idle(owner.worker));
    end(&owner);
}

static void on_commit(void *context, struct parley_store *store, const struct parley_store_op *op) {
    assert(is_open && context == &token && store == (struct parley_store *)&token);
    assert(op->bytes.size == 8);
    heard_count++;
}

/* What was stored, and that alone, before it is answered; of many at once nobody is told. */
static void commits_are_heard_of_before_they_are_answered(void **state) {
    struct owner owner;
    begin(&owner);
    heard_count = 0;
    ask(&owner, 100);
    parley_worker_listen(owner.worker, on_commit, &token);
    parley_worker_resume(owner.worker);
    run_until_told(&owner);
    assert_int_equal(heard_count, 0);
    owner.asked = owner.told = 0;
    owner.listens = true;
    for (unsigned i = 0; i < 20; i++) {
        ask(&owner, 1 + i % 2);
        run_until_told(&owner);
    }
    assert_int_equal(heard_count, 30);
    commits_to_fail = 1;
    owner.listens = false;
    ask(&owner, 1);
    run_until_told(&owner);
    assert_int_equal(heard_count, 30);
    parley_worker_listen(owner.worker, NULL, NULL);
    while (owner.reopened == 0)
        (void)uv_run(&owner.loop, UV_RUN_ONCE);
    run_until_told(&owner);
    assert_int_equal(heard_count, 30);
    end(&owner);
}

/* Beside commits; asked for twice while it goes on, it begins once more. */
static void compaction_goes_on_beside_commits(void **state) {
    struct owner owner;
    begin(&owner);
    parley_worker_resume(owner.worker);
    pieces_count = 0;
    parley_worker_compact(owner.worker);
    parley_worker_compact(owner.worker);
    parley_worker_compact(owner.worker);
    ask(&owner, 100);
    run_until_told(&owner);
    while (!parley_worker_is_idle(owner.worker))
        (void)uv_run(&owner.loop, UV_RUN_ONCE);
    assert_int_equal(pieces_count, 6);
    assert_int_equal(owner.compacted, 1); /* when nothing is left to do */
    parley_worker_compact(owner.worker);
    end(&owner); /* after the piece at hand */
    assert_int_equal(pieces_count, 7);
}

static void what_is_queued_is_committed_before_the_end(void **state) {
    struct owner owner;
    begin(&owner);
    parley_worker_resume(owner.worker);
    ask(&owner, 500);
    end(&owner);
    assert_int_equal(owner.told, 500);
    assert_int_equal(ops_count, 500);
}

static void an_error_refuses_all_and_opens_again(void **state) {
    struct owner owner;
    begin(&owner);
    parley_worker_resume(owner.worker);
    ask(&owner, 10);
    run_until_told(&owner);
    commits_to_fail = 1;
    opens_to_fail = 1;
    ask(&owner, 20);
    run_until_told(&owner);
    assert_true(owner.failed > 0);
    assert_int_equal(parley_worker_error(owner.worker), PARLEY_E_DISK_FULL);
    uint64_t failed = owner.failed;
    ask(&owner, 5); /* while it is not open: refused */
    run_until_told(&owner);
    assert_int_equal(owner.failed, failed + 5);
    uint64_t begun = uv_hrtime();
    while (owner.reopened == 0)
        (void)uv_run(&owner.loop, UV_RUN_ONCE);
    assert_true(uv_hrtime() - begun < UINT64_C(3000000000));
    run_until_told(&owner);
    assert_int_equal(parley_worker_error(owner.worker), PARLEY_E_OK);
    assert_int_equal(owner.failed, failed + 5);
    assert_int_equal(opens_count, 3);
    end(&owner);
}

static void it_stops_while_it_cannot_be_opened(void **state) {
    struct owner owner;
    begin(&owner);
    parley_worker_resume(owner.worker);
    commits_to_fail = 1;
    opens_to_fail = 1000;
    ask(&owner, 3);
    run_until_told(&owner);
    assert_int_equal(owner.failed, 3);
    end(&owner);
}

static void work(void *context, struct parley_store *store) {
    assert(store == (struct parley_store *)&token && is_open);
}

static void done(void *context, enum parley_error error) {
    struct owner *owner = context;
    if (error == PARLEY_E_OK)
        owner->reads_done++;
    else
        owner->reads_refused++;
}

static void reads_run_beside_commits(void **state) {
    struct owner owner;
    begin(&owner);
    parley_worker_resume(owner.worker);
    for (size_t i = 0; i < 100; i++) {
        ask(&owner, 1);
        parley_worker_read(owner.worker, work, done, &owner);
    }
    assert_false(parley_worker_is_idle(owner.worker));
    end(&owner);
    assert_int_equal(owner.reads_done, 100);
    assert_int_equal(owner.told, 100);
}

static void reads_are_refused_while_it_is_closed(void **state) {
    struct owner owner;
    begin(&owner);
    parley_worker_resume(owner.worker);
    commits_to_fail = 1;
    opens_to_fail = 1000;
    ask(&owner, 1);
    run_until_told(&owner);
    while (opens_count < 2)
        usleep(1000);
    parley_worker_read(owner.worker, work, done, &owner);
    while (owner.reads_done + owner.reads_refused == 0)
        (void)uv_run(&owner.loop, UV_RUN_ONCE);
    assert_int_equal(owner.reads_refused, 1);
    end(&owner);
}

int main(void) {
    /* The failures are meant: their lines would only look like some. */
    parley_log_set_level((enum parley_log_level)(PARLEY_LOG_ERROR + 1));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_in_order_and_commits_are_shared),
        cmocka_unit_test(commits_are_heard_of_before_they_are_answered),
        cmocka_unit_test(compaction_goes_on_beside_commits),
        cmocka_unit_test(what_is_queued_is_committed_before_the_end),
        cmocka_unit_test(an_error_refuses_all_and_opens_again),
        cmocka_unit_test(it_stops_while_it_cannot_be_opened),
        cmocka_unit_test(reads_run_beside_commits),
        cmocka_unit_test(reads_are_refused_while_it_is_closed),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
