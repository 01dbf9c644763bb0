/* learner/lock.h -- one writer at a time, who it is, and how far it got.
 *
 * Beside the file stands FILE-lock while a writer has it open: two lines, the number of
 * its commits, and its process, host and time.  It is locked by the system, so the lock
 * ends with the process.  What is left of a process that died tells the next one how many
 * commits there must be: SQLite takes a damaged log for one that ends early. */
#ifndef PDI_LEARNER_LOCK_H
#define PDI_LEARNER_LOCK_H

#include <stdint.h>

#include "base/alloc.h"
#include "base/error.h"

typedef struct pdi_lock {
    const pdr_alloc *alloc;
    char *path;
    int fd; /* valid when path is set */
} pdi_lock;

/* Take the lock of the file, or say who has it: PDR_IO.  *commits is what the last holder
 * noted, 0 when that one closed in peace. */
pdr_rc pdi_lock_take(pdi_lock *l, const pdr_alloc *alloc, const char *file, int64_t *commits,
                     pdr_error *err);

/* What the holder, of now or of then, has noted; 0 when there is none. */
pdr_rc pdi_lock_look(const pdr_alloc *alloc, const char *file, int64_t *commits, pdr_error *err);

/* So many commits are on the disk.  A free lock notes nothing. */
void pdi_lock_note(const pdi_lock *l, int64_t commits);

/* Give it back; with keep, what was noted stays.  A zero-initialised lock is free. */
void pdi_lock_free(pdi_lock *l, bool keep);

#endif
