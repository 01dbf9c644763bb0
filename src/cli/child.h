/* cli/child.h -- this program, run again beside itself.
 *
 *     pdi_child c = {.label = "er, seed 2"};
 *     pdi_child_start(&c, argv, &err);            argv[0] is a command: "run", ..., NULL
 *     while (pdi_child_wait(n, children, 0.1)) ... is_running of one may have become false
 *
 * A child has its own process group, so a Ctrl-C reaches the parent alone, which passes it on
 * once; it ends when the parent dies.  It reads nothing, its standard output is dropped, its
 * standard error is read line by line. */
#ifndef PDI_CLI_CHILD_H
#define PDI_CLI_CHILD_H

#include <perdure/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PDI_CHILD_LINE = 512 };

typedef struct pdi_child {
    bool is_running;
    int status;                 /* exit status; 128 and the signal for one that was killed */
    double started, ended;      /* seconds */
    char last[PDI_CHILD_LINE];  /* what it said last about its progress */
    char error[PDI_CHILD_LINE]; /* what it said was wrong, "" for nothing */
    pid_t pid;                  /* the rest belongs to child.c */
    int from;                   /* its standard error */
    size_t n;
    char line[PDI_CHILD_LINE];
} pdi_child;

pdr_rc pdi_child_start(pdi_child *c, const char *const argv[], pdr_error *err);

/* Wait until a child says something or ends, at most so long, and take note of it. */
void pdi_child_wait(size_t n, pdi_child *const child[], double seconds);

/* Ask it to end, as Ctrl-C would. */
void pdi_child_stop(const pdi_child *c);

#endif
