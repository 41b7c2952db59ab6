/* The lease: who may go on with a device's log, whatever is copied, put back or killed in between.
 */
#include "../../node/shell/lease.h"
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LEASE_BYTES_MAX 1024

static char top[64], state[96], home[96], inside[128], outside[PATH_MAX];
static const struct parley_device_key device = {.bytes = {7}};

struct copy {
    char bytes[LEASE_BYTES_MAX];
    size_t size;
};

static void find_outside(void) {
    char folder[128];
    (void)snprintf(folder, sizeof folder, "%s/parley", state);
    DIR *opened = opendir(folder);
    assert_non_null(opened);
    for (struct dirent *file = readdir(opened); file != NULL; file = readdir(opened))
        if (strncmp(file->d_name, "lease-", 6) == 0 && strstr(file->d_name, ".lock") == NULL)
            (void)snprintf(outside, sizeof outside, "%s/%s", folder, file->d_name);
    closedir(opened);
}

static struct copy take_copy(const char *path) {
    struct copy copy = {.size = 0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    copy.size = fread(copy.bytes, 1, sizeof copy.bytes, file);
    (void)fclose(file);
    return copy;
}

static void put_back(const char *path, const struct copy *copy) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(copy->bytes, 1, copy->size, file), copy->size);
    assert_int_equal(fclose(file), 0);
}

/* --- what a process does with a home ---------------------------------------------------------- */

static enum parley_lease open_and_die(void) {
    enum parley_lease answer;
    int lock;
    struct parley_problem problem;
    assert_int_equal(parley_lease_take(&answer, &lock, home, &device, false, &problem),
                     PARLEY_E_OK);
    if (lock >= 0)
        close(lock);
    return answer;
}

static enum parley_lease open_and_close(void) {
    enum parley_lease answer = open_and_die();
    parley_lease_end(home, &device);
    return answer;
}

/* Killed after the file inside was written and before the one outside. */
static enum parley_lease die_between_the_two(void) {
    struct copy before = take_copy(outside);
    enum parley_lease answer = open_and_die();
    put_back(outside, &before);
    return answer;
}

static void die_between_the_two_at_the_end(void) {
    struct copy before = take_copy(outside);
    parley_lease_end(home, &device);
    put_back(outside, &before);
}

static int begin(void **unused) {
    (void)strcpy(top, "/tmp/parley_lease_XXXXXX");
    assert_non_null(mkdtemp(top));
    (void)snprintf(state, sizeof state, "%s/state", top);
    (void)snprintf(home, sizeof home, "%s/home", top);
    (void)snprintf(inside, sizeof inside, "%s/lease", home);
    assert_int_equal(mkdir(home, 0700), 0);
    assert_int_equal(setenv("XDG_STATE_HOME", state, 1), 0);
    assert_int_equal(open_and_close(), PARLEY_LEASE_FRESH);
    find_outside();
    return 0;
}

static int end(void **unused) {
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", top);
    return system(command); /* a folder that mkdtemp named */
}

/* --- stories ---------------------------------------------------------------------------------- */

static void the_same_home_goes_on(void **unused) {
    assert_int_equal(open_and_close(), PARLEY_LEASE_SAME);
    assert_int_equal(open_and_die(), PARLEY_LEASE_SAME);
    assert_int_equal(open_and_die(), PARLEY_LEASE_SAME);
    assert_int_equal(open_and_close(), PARLEY_LEASE_SAME);
}

static void a_home_killed_again_and_again_while_it_starts_goes_on(void **unused) {
    for (int i = 0; i < 5; i++)
        assert_int_equal(die_between_the_two(), PARLEY_LEASE_SAME);
    assert_int_equal(open_and_close(), PARLEY_LEASE_SAME);
    assert_int_equal(open_and_die(), PARLEY_LEASE_SAME);
    die_between_the_two_at_the_end();
    assert_int_equal(die_between_the_two(), PARLEY_LEASE_SAME);
    assert_int_equal(open_and_close(), PARLEY_LEASE_SAME);
}

static void an_old_state_put_back_is_told(void **unused) {
    struct copy old = take_copy(inside);
    assert_int_equal(open_and_die(), PARLEY_LEASE_SAME);
    put_back(inside, &old);
    assert_int_equal(open_and_die(), PARLEY_LEASE_OTHER);
}

/* Both reach the same count, one by a start that was cut off and one by a start: still two. */
static void a_copy_that_overtakes_a_start_that_was_cut_off_is_the_only_one(void **unused) {
    struct copy copy = take_copy(inside);
    assert_int_equal(die_between_the_two(), PARLEY_LEASE_SAME);
    struct copy original = take_copy(inside);
    put_back(inside, &copy);
    assert_int_equal(open_and_die(), PARLEY_LEASE_SAME);
    put_back(inside, &original);
    assert_int_equal(open_and_die(), PARLEY_LEASE_OTHER);
}

static void a_copy_that_overtakes_an_end_that_was_cut_off_is_the_only_one(void **unused) {
    assert_int_equal(open_and_die(), PARLEY_LEASE_SAME);
    struct copy copy = take_copy(inside);
    die_between_the_two_at_the_end();
    struct copy original = take_copy(inside);
    put_back(inside, &copy);
    assert_int_equal(open_and_die(), PARLEY_LEASE_SAME);
    put_back(inside, &original);
    assert_int_equal(open_and_die(), PARLEY_LEASE_OTHER);
}

static void what_is_missing_or_damaged_is_another(void **unused) {
    struct copy good = take_copy(outside);
    assert_int_equal(unlink(outside), 0);
    assert_int_equal(open_and_die(), PARLEY_LEASE_OTHER);
    for (size_t size = 0; size + 1 < good.size; size++) {
        struct copy cut = good;
        cut.size = size;
        put_back(outside, &cut);
        assert_int_equal(open_and_die(), PARLEY_LEASE_OTHER);
    }
    put_back(outside, &good);
    assert_int_equal(open_and_die(), PARLEY_LEASE_SAME);
}

static void a_spent_device_writes_no_more(void **unused) {
    struct parley_problem problem;
    assert_int_equal(parley_lease_spend(home, &device, &problem), PARLEY_E_OK);
    assert_int_equal(open_and_die(), PARLEY_LEASE_OTHER);
}

static void two_at_once_are_told_apart(void **unused) {
    enum parley_lease first, second;
    int lock, other;
    struct parley_problem problem;
    assert_int_equal(parley_lease_take(&first, &lock, home, &device, false, &problem), PARLEY_E_OK);
    assert_int_equal(parley_lease_take(&second, &other, home, &device, false, &problem),
                     PARLEY_E_OK);
    assert_int_equal(first, PARLEY_LEASE_SAME);
    assert_int_equal(second, PARLEY_LEASE_OTHER);
    close(lock);
}

/* On the owner's word, however old the state outside; but not a device that was ended, nor one that
 * is in use. */
static void what_was_moved_goes_on(void **unused) {
    enum parley_lease answer;
    int lock, other;
    struct parley_problem problem;
    struct copy old = take_copy(outside);
    (void)open_and_close();
    (void)open_and_close();
    put_back(outside, &old);
    assert_int_equal(parley_lease_take(&answer, &lock, home, &device, true, &problem), PARLEY_E_OK);
    assert_int_equal(answer, PARLEY_LEASE_MOVED);
    assert_int_equal(parley_lease_take(&answer, &other, home, &device, true, &problem),
                     PARLEY_E_OK);
    assert_int_equal(answer, PARLEY_LEASE_OTHER);
    close(lock);
    assert_int_equal(open_and_close(), PARLEY_LEASE_SAME);
    assert_int_equal(parley_lease_take(&answer, &lock, home, &device, true, &problem), PARLEY_E_OK);
    assert_int_equal(answer, PARLEY_LEASE_SAME);
    close(lock);
    assert_int_equal(parley_lease_spend(home, &device, &problem), PARLEY_E_OK);
    assert_int_equal(parley_lease_take(&answer, &lock, home, &device, true, &problem), PARLEY_E_OK);
    assert_int_equal(answer, PARLEY_LEASE_OTHER);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORY(the_same_home_goes_on),
        STORY(a_home_killed_again_and_again_while_it_starts_goes_on),
        STORY(an_old_state_put_back_is_told),
        STORY(a_copy_that_overtakes_a_start_that_was_cut_off_is_the_only_one),
        STORY(a_copy_that_overtakes_an_end_that_was_cut_off_is_the_only_one),
        STORY(what_is_missing_or_damaged_is_another),
        STORY(a_spent_device_writes_no_more),
        STORY(two_at_once_are_told_apart),
        STORY(what_was_moved_goes_on),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
