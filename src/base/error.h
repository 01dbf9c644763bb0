/* base/error.h -- filling a pdr_error. */
#ifndef PDI_BASE_ERROR_H
#define PDI_BASE_ERROR_H

#include <perdure/error.h>

#if defined(__GNUC__)
#define PDI_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PDI_PRINTF(fmt, args)
#endif

/* Record a failure in *err (which may be NULL) unless one is there already:
 * the first failure is the story.  Returns rc, so that callers can
 * `return pdi_fail(err, PDR_INPUT, "...")`. */
pdr_rc pdi_fail(pdr_error *err, pdr_rc rc, const char *fmt, ...) PDI_PRINTF(3, 4);

/* The same with the standard message for memory. */
pdr_rc pdi_nomem(pdr_error *err);

#endif
