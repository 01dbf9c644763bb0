/* cli/args.h -- the command line, read through one table a command.
 *
 * `--flag value`, `--flag=value`, flags and operands in any order, `--` before
 * operands that begin with a dash; `-` alone is an operand. */
#ifndef PDI_CLI_ARGS_H
#define PDI_CLI_ARGS_H

#include <perdure/alloc.h>
#include <perdure/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pdi_flag {
    const char *name;  /* without dashes; NULL ends a table */
    const char *value; /* what help calls the value; NULL when it takes none */
    const char *help;  /* one line, no full stop; NULL hides the flag */
} pdi_flag;

#define PDI_FLAG_END                                                                               \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

typedef struct pdi_given {
    const pdi_flag *flag;
    const char *value; /* "" for a flag that takes none */
} pdi_given;

/* All strings point into argv. */
typedef struct pdi_args {
    const pdr_alloc *alloc;
    size_t operands, flags;
    const char **operand;
    pdi_given *flag; /* in the order given */
} pdi_args;

/* Read argv[0 .. argc-1] (the command's name left out).  A flag that the table
 * lacks is PDR_USAGE, with the nearest one named. */
pdr_rc pdi_args_parse(const pdr_alloc *alloc, const pdi_flag *table, int argc,
                      const char *const argv[], pdi_args *out, pdr_error *err);
void pdi_args_close(pdi_args *a);

/* The value of a flag; the last one holds.  NULL when it was not given. */
const char *pdi_args_get(const pdi_args *a, const char *name);

/* Every value of a flag in order: start with *at = 0; NULL after the last. */
const char *pdi_args_next(const pdi_args *a, const char *name, size_t *at);

/* A flag's value as a whole number from lo to hi; *out stays when it was not given. */
pdr_rc pdi_args_count(const pdi_args *a, const char *name, uint64_t lo, uint64_t hi, uint64_t *out,
                      pdr_error *err);

/* A flag's value as "A..B" or "A", lo <= A <= B <= hi; both stay when it was not given. */
pdr_rc pdi_args_range(const pdi_args *a, const char *name, uint64_t lo, uint64_t hi, uint64_t *from,
                      uint64_t *to, pdr_error *err);

/* Refuse fewer than least or more than most operands; what names them ("RECIPE"). */
pdr_rc pdi_args_operands(const pdi_args *a, size_t least, size_t most, const char *what,
                         pdr_error *err);

#endif
