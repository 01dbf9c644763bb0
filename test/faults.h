/* faults.h -- the n-th write fails, the disk is full, the power goes: for every n, in any life.
 *
 * A life is a row of steps, each of which is one transaction or call and the same whenever it is
 * taken.  It is lived in three parts, each from opening to closing, on a disk on which anything can
 * go wrong (disk.h).  After an accident in one part it must be as the last acknowledged step left
 * it, or as the one under way would have; and from there it must reach the end it would have
 * reached.  The suite tries some n, with --long it is every one.
 *
 *     static const fault_life life = {.steps = 12, .run = my_run, .print = my_print, ...};
 *
 *     int main(int argc, char **argv)
 *     {
 *         const struct CMUnitTest tests[] = {FAULT_TESTS, cmocka_unit_test(my_own)};
 *         faults_live(&life, argc, argv);
 *         return cmocka_run_group_tests(tests, faults_start, faults_stop);
 *     }
 *
 * Tests of its own begin a part, cause their accident, and ask what is shown and whether life goes
 * on. */
#ifndef FAULTS_H
#define FAULTS_H

#include <perdure/error.h>

#include "disk.h"

enum { FAULT_PARTS = 3, FAULT_STEPS_MOST = 31 };

/* The file in which it is lived, on SQLite's file system FAULT_DISK. */
#define FAULT_PATH "/life"
#define FAULT_DISK "disk"

typedef struct fault_life {
    int steps;                  /* at most FAULT_STEPS_MOST */
    int first[FAULT_PARTS + 1]; /* steps with which the parts begin, and the end: 0 .. steps */

    /* Take steps from .. to - 1; *done counts those that were acknowledged. */
    pdr_rc (*run)(int from, int to, int *done, pdr_error *err);

    /* A hash of all that it shows, opened for that, for reading alone or for writing too. */
    pdr_rc (*print)(bool reads_only, uint64_t *print, pdr_error *err);

    /* A step that shows nothing (compaction) may be taken twice; otherwise, where a life looks the
     * same before and after the step under way, that step counts as taken. */
    bool steps_repeat;

    /* Of so many changes or reads one is tried, of so many openings; with --long each. */
    size_t every, every_opening;

    /* The same of two accidents, one after the other; [1] is for --long. */
    size_t every_first[2], every_second;
} fault_life;

/* Before all else.  Knows --long. */
void faults_live(const fault_life *life, int argc, char **argv);

/* Of a group of tests: live undisturbed once, to know what each step leaves. */
int faults_start(void **state);
int faults_stop(void **state);

void the_nth_change_fails(void **state);
void the_disk_is_full(void **state);
void the_nth_read_or_opening_fails(void **state);
void the_power_goes(void **state);
void a_second_accident_during_recovery(void **state);

/* clang-format off */
#define FAULT_TESTS                                  \
    cmocka_unit_test(the_nth_change_fails),          \
    cmocka_unit_test(the_disk_is_full),              \
    cmocka_unit_test(the_nth_read_or_opening_fails), \
    cmocka_unit_test(the_power_goes),                \
    cmocka_unit_test(a_second_accident_during_recovery)
/* clang-format on */

/* ---- for accidents of another kind ---------------------------------------------------------- */

extern disk fault_disk;

bool faults_is_long(void);

/* n, with --long 1: how far it is to the next one that is tried. */
size_t faults_every(size_t n);

/* The disk as it was when a part began, without faults. */
void faults_begin(int part);

/* The hash that so many steps leave. */
uint64_t faults_print(int steps);

/* How many steps it shows, which must be done or one more.  what and n name the accident. */
int faults_shown(int done, const char *what, size_t n);

/* From so many steps on to the end, which must be the same. */
void faults_live_on(int steps, const char *what, size_t n);

#endif
