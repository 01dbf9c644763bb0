/* perdure/error.h -- what can go wrong, and how a caller learns of it.
 *
 * Perdure reports in two ways and never mixes them.  Building a graph sticks:
 * see perdure/graph.h.  Doing something (reading a file, running a plan)
 * returns a pdr_rc and, where the caller passes a pdr_error, one line of text
 * that names the file, the place, the cause and the remedy.
 *
 *     pdr_error err = PDR_NO_ERROR;
 *     if (pdr_option_set(row, &options, "fast", &err))
 *         fprintf(stderr, "%s\n", err.text);
 *
 * ERRORS    The library never prints, never exits and never asserts on input.
 * OWNERSHIP A pdr_error is a plain value on the caller's stack.
 * THREADS   Use one pdr_error per thread.
 */
#ifndef PERDURE_ERROR_H
#define PERDURE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* Every return code, once: name, what it says, exit status of the program. */
#define PDR_RC_MAP(X)                                                                              \
    X(OK, "success", 0)                                                                            \
    X(NOMEM, "out of memory", 1)                                                                   \
    X(INPUT, "the input is not usable", 2)                                                         \
    X(IO, "reading or writing failed", 1)                                                          \
    X(USAGE, "the call or command is not usable", 2)                                               \
    X(STOPPED, "stopped by the caller", 1)                                                         \
    X(DIVERGED, "a value stopped being finite", 1)                                                 \
    X(INTERNAL, "an invariant does not hold; please report this", 1)

typedef enum pdr_rc {
#define PDR_RC_NAME(name, text, status) PDR_##name,
    PDR_RC_MAP(PDR_RC_NAME)
#undef PDR_RC_NAME
} pdr_rc;

#define PDR_ERROR_MAX 512

/* The first failure of a call, in words.  Zero-initialise before use. */
typedef struct pdr_error {
    pdr_rc rc;
    char text[PDR_ERROR_MAX];
} pdr_error;

#ifdef __cplusplus
#define PDR_NO_ERROR                                                                               \
    {                                                                                              \
    }
#else
#define PDR_NO_ERROR                                                                               \
    {                                                                                              \
        PDR_OK, { 0 }                                                                              \
    }
#endif

/* What rc says, in a few words.  Never NULL. */
const char *pdr_rc_text(pdr_rc rc);

/* The exit status a program should end with: 0, 1 (failure) or 2 (bad usage or input). */
int pdr_rc_status(pdr_rc rc);

#ifdef __cplusplus
}
#endif
#endif
