/* store_life.h -- the life of a store in steps, for tests that disturb it.
 *
 * Each step is one transaction (the last but one: compaction) and the same whenever it is done, so
 * after any accident a store must be as some step left it, and can go on from there. */
#ifndef STORE_LIFE_H
#define STORE_LIFE_H

#include "learner/store.h"

enum { LIFE_STEPS = 12 };

/* Take steps from .. to - 1, opening (or creating) and closing the store now and then.
 * *done counts the steps that were acknowledged. */
pdr_rc life_run(const char *path, const pdi_store_options *how, int from, int to, int *done,
                pdr_error *err);

/* One step of a store that is open (step 0: just created). */
pdr_rc life_step(pdi_store *s, int step, pdr_error *err);

/* A hash of everything that can be read from an open store, each byte of it: state,
 * snapshots, journal. */
pdr_rc life_print(pdi_store *s, uint64_t *print, pdr_error *err);

/* The same of a file, opened for that. */
pdr_rc life_print_file(const char *path, pdi_store_mode mode, const pdi_store_options *how,
                       uint64_t *print, pdr_error *err);

#endif
