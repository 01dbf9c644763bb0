/* learner/lock.h -- one writer at a time, and who it is.
 *
 * Beside the file stands FILE-lock while a writer has it open: a line with its process,
 * host and time, locked by the system, so that the lock ends with the process.  A lock
 * file without its process means nothing and is taken over. */
#ifndef PDI_LEARNER_LOCK_H
#define PDI_LEARNER_LOCK_H

#include "base/alloc.h"
#include "base/error.h"

typedef struct pdi_lock {
    const pdr_alloc *alloc;
    char *path;
    int fd; /* valid when path is set */
} pdi_lock;

/* Take the lock of the file, or say who has it: PDR_IO. */
pdr_rc pdi_lock_take(pdi_lock *l, const pdr_alloc *alloc, const char *file, pdr_error *err);

/* Give it back.  A zero-initialised lock is free. */
void pdi_lock_free(pdi_lock *l);

#endif
