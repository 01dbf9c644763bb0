/* perdure/option.h -- one table says everything about a set of options.
 *
 * A method, an optimiser, a layer, a scenario and the training loop each state
 * their options once.  From the table come the recipe's keys, `--set`, range
 * checks and their messages, `perdure methods NAME` and the manual.
 *
 *     typedef struct { double lambda; int64_t memory; bool online; int policy; } my;
 *     static const char *const policies[] = {"reservoir", "class-balanced", NULL};
 *     static const pdr_option my_options[] = {
 *         PDR_OPTION_REAL(my, lambda, 100.0, 0.0, 1e12, "strength of the penalty"),
 *         PDR_OPTION_COUNT(my, memory, 200, 1, 1e9, "examples kept"),
 *         PDR_OPTION_FLAG(my, online, false, "one running Fisher"),
 *         PDR_OPTION_CHOICE(my, policy, policies, 0, "which examples stay"),
 *         PDR_OPTION_END,
 *     };
 *
 * ERRORS    pdr_option_set() explains what was wrong and what would be right.
 * OWNERSHIP Tables are static.  A text option points into memory that the
 *           caller of pdr_option_set() keeps alive.
 */
#ifndef PERDURE_OPTION_H
#define PERDURE_OPTION_H

#include <perdure/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pdr_option_type {
    PDR_REAL,   /* double */
    PDR_COUNT,  /* int64_t */
    PDR_FLAG,   /* bool: true/false, yes/no, on/off */
    PDR_CHOICE, /* int, an index into choices */
    PDR_TEXT    /* const char *, may be NULL */
} pdr_option_type;

typedef struct pdr_option {
    const char *name; /* the recipe's key; NULL ends a table */
    pdr_option_type type;
    double def, lo, hi;         /* default and range; for PDR_CHOICE the default index */
    const char *const *choices; /* PDR_CHOICE: NULL-terminated names */
    const char *text;           /* PDR_TEXT: the default, may be NULL */
    size_t at;                  /* offset in the struct the table fills */
    const char *help;           /* one line, no full stop, units where there are any */
} pdr_option;

#define PDR_OPTION_REAL(T, field, def, lo, hi, help)                                               \
    {                                                                                              \
#field, PDR_REAL, def, lo, hi, NULL, NULL, offsetof(T, field), help                        \
    }
#define PDR_OPTION_COUNT(T, field, def, lo, hi, help)                                              \
    {                                                                                              \
#field, PDR_COUNT, def, lo, hi, NULL, NULL, offsetof(T, field), help                       \
    }
#define PDR_OPTION_FLAG(T, field, def, help)                                                       \
    {                                                                                              \
#field, PDR_FLAG, def, 0, 1, NULL, NULL, offsetof(T, field), help                          \
    }
#define PDR_OPTION_CHOICE(T, field, choices, def, help)                                            \
    {                                                                                              \
#field, PDR_CHOICE, def, 0, 0, choices, NULL, offsetof(T, field), help                     \
    }
#define PDR_OPTION_TEXT(T, field, def, help)                                                       \
    {                                                                                              \
#field, PDR_TEXT, 0, 0, 0, NULL, def, offsetof(T, field), help                             \
    }
#define PDR_OPTION_END                                                                             \
    {                                                                                              \
        NULL, PDR_FLAG, 0, 0, 0, NULL, NULL, 0, NULL                                               \
    }

/* Fill *self with every default of the table. */
void pdr_option_defaults(const pdr_option *table, void *self);

/* The row called name, or NULL. */
const pdr_option *pdr_option_find(const pdr_option *table, const char *name);

/* Parse value into the field that row describes.  On failure *err says what is
 * wrong and what would be right ("lambda: -1 is out of range; 0 to 1e+12"). */
pdr_rc pdr_option_set(const pdr_option *row, void *self, const char *value, pdr_error *err);

/* Write the field's present value as text that pdr_option_set() reads back. */
#define PDR_OPTION_TEXT_MAX 256
void pdr_option_get(const pdr_option *row, const void *self, char text[PDR_OPTION_TEXT_MAX]);

#ifdef __cplusplus
}
#endif
#endif
