/* learner_life.h -- the life of a learner in steps, for tests that disturb it.
 *
 * Each step is one call and the same whenever it is done: learning with examples left waiting,
 * of tasks and without, new classes and room for more, labels that come late, adapting, snapshots
 * and going back, the end of a task, compaction, parameters from elsewhere.  Replay memory,
 * running normaliser and Adam's state are all there.  So after any accident a learner must be as
 * some step left it, and can go on from there. */
#ifndef LEARNER_LIFE_H
#define LEARNER_LIFE_H

#include <perdure/learner.h>

enum { LEARNER_STEPS = 19 };

/* Where a learner lives: its path, SQLite's name of the file system (NULL: the machine's), its
 * allocator (NULL: malloc). */
typedef struct learner_home {
    const char *path, *vfs;
    const pdr_alloc *alloc;
} learner_home;

/* Take steps from .. to - 1, making (step 0) or opening the learner, closing and opening it now
 * and then, and closing it.  *done counts the steps that were acknowledged. */
pdr_rc learner_run(const learner_home *home, int from, int to, int *done, pdr_error *err);

/* One step of a learner that is open (not step 0). */
pdr_rc learner_step(pdr_learner *l, int step, pdr_error *err);

pdr_rc learner_open(const learner_home *home, bool reads_only, pdr_learner **l, pdr_error *err);

/* A hash of its state hash, of answers, and of what it is. */
pdr_rc learner_print(pdr_learner *l, uint64_t *print, pdr_error *err);

/* The same of a file, opened for that and closed. */
pdr_rc learner_print_file(const learner_home *home, bool reads_only, uint64_t *print,
                          pdr_error *err);

#endif
