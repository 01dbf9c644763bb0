/* op_row.h -- one row states an operator instance; one call checks every promise.
 *
 *     static pdr_node make_dot(pdr_graph *g, const op_row *row, const pdr_node x[])
 *     {
 *         return pdr_dot(g, x[0], x[1]);
 *     }
 *     static const op_row rows[] = {
 *         OP_ROW("k shorter than a lane", dot, IN(NORMAL(3, 5), NORMAL(4, 5))),
 *     };
 *     OP_ROWS_KEEP(rows);                   inside a cmocka test
 *
 * A row is any function of several inputs that builds one node: an operator, a
 * layer, a loss.  The promises, in the order they are checked:
 *
 *   oracle    f64 equals the row's own arithmetic (want, when given), and f32, value
 *             and gradients, is within a running error bound (bound.h) of f64
 *   slopes    derivatives up to the row's order equal central differences to 1e-6
 *   vmap      batching equals the loop bit for bit, in f64 and f32, value and
 *             gradient, for every set of inputs mapped, and for batches of batches
 *   threads   1, 2, 3, 8 threads sharing every step, every instruction set, a second run, a
 *             plan with nothing optimised and one that goes row by row: the same bits
 *   over      an output that replaces an input has the same bits
 *   text      print, parse, print is the same; the graph verifies
 *
 * Every plan keeps its own invariants (plan_check.h).  In every f32 run inputs and
 * outputs lie between guards at odd places, the arena is filled with NaN before, and
 * inputs must not change.  All memory goes through a meter (meter.h): an overrun or a
 * block left over breaks the row too. */
#ifndef OP_ROW_H
#define OP_ROW_H

#include <perdure/graph.h>
#include <stdio.h>

#include "t.h"

enum { OP_INPUTS = 4, OP_PARAMS = 8 };

/* How an input's values are drawn. */
typedef enum op_draw {
    OP_NONE,     /* no such input */
    OP_NORMAL,   /* standard normal */
    OP_POSITIVE, /* 0.5 to 2 */
    OP_DISTINCT, /* no two within 1/32 of each other, none within 1/64 of 0 */
    OP_WHOLE,    /* -2, -1, 0, 1, 2: many ties */
    OP_INDEX,    /* i32, -1 to below: both ends are outside */
    OP_KEY       /* i32, any bits */
} op_draw;

typedef struct op_input {
    pdr_shape shape;
    op_draw draw;
    int32_t below;
} op_input;

/* Shapes and inputs as constants, for tables of rows. */
#define OP_SHAPE(...)                                                                              \
    {                                                                                              \
        (int32_t)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)), { __VA_ARGS__ }             \
    }
#define OP_SCALAR                                                                                  \
    {                                                                                              \
        0, { 0 }                                                                                   \
    }
#define NORMAL(...)                                                                                \
    {                                                                                              \
        OP_SHAPE(__VA_ARGS__), OP_NORMAL, 0                                                        \
    }
#define POSITIVE(...)                                                                              \
    {                                                                                              \
        OP_SHAPE(__VA_ARGS__), OP_POSITIVE, 0                                                      \
    }
#define DISTINCT(...)                                                                              \
    {                                                                                              \
        OP_SHAPE(__VA_ARGS__), OP_DISTINCT, 0                                                      \
    }
#define WHOLE(...)                                                                                 \
    {                                                                                              \
        OP_SHAPE(__VA_ARGS__), OP_WHOLE, 0                                                         \
    }
#define KEY(...)                                                                                   \
    {                                                                                              \
        OP_SHAPE(__VA_ARGS__), OP_KEY, 0                                                           \
    }
#define INDEX(below, ...)                                                                          \
    {                                                                                              \
        OP_SHAPE(__VA_ARGS__), OP_INDEX, below                                                     \
    }
#define SCALAR(how)                                                                                \
    {                                                                                              \
        OP_SCALAR, OP_##how, 0                                                                     \
    }

typedef struct op_row op_row;

/* What want() is given: the inputs' values and shapes, and room for the result. */
typedef struct op_case {
    const op_row *row;
    const double *in[OP_INPUTS];
    pdr_shape in_shape[OP_INPUTS];
    pdr_shape shape;
    double *out;
} op_case;

/* What a row leaves out, with good reason. */
enum {
    OP_KINKED = 1, /* has ties or jumps where it is evaluated: no slopes */
    OP_LARGE = 2,  /* too slow for slopes and batches of batches */
    OP_THIRD = 4   /* check the third derivative too */
};

struct op_row {
    const char *label;
    op_input in[OP_INPUTS];
    pdr_node (*make)(pdr_graph *g, const op_row *row, const pdr_node x[]);
    void (*want)(const op_case *c); /* NULL: no arithmetic of its own */
    int32_t p[OP_PARAMS];           /* for make and want: axes, steps, ... */
    pdr_shape to;                   /* for make: a shape */
    unsigned flags;
    const void *with; /* for make and want: anything else */
};

/* A row built by make_NAME and told by want_NAME; OP_ROW_UNTOLD has no want.
 *
 *     OP_ROW("flip, last axis", flip, IN(NORMAL(3, 7)), .p = {1}) */
#define OP_ROW(what, name, ...)                                                                    \
    {                                                                                              \
        .label = what, .make = make_##name, .want = want_##name, __VA_ARGS__                       \
    }
#define OP_ROW_UNTOLD(what, name, ...)                                                             \
    {                                                                                              \
        .label = what, .make = make_##name, __VA_ARGS__                                            \
    }
#define IN(...) .in = {__VA_ARGS__}

/* NULL, or which promise is broken and where: one line, valid until the next call.
 * op, which may be NULL, is set to the operator of the row's node. */
const char *op_row_broken(const op_row *row, int *op);

/* Check rows in a cmocka test; the broken ones are printed.  op_rows_seen[op] counts
 * the rows whose node was that operator. */
extern int op_rows_seen[];
void op_rows_keep(size_t n, const op_row rows[]);
#define OP_ROWS_KEEP(rows) op_rows_keep(COUNT(rows), rows)

/* ---- for want() ---------------------------------------------------------------- */

/* The coordinates of element flat, and back. */
void op_place(const pdr_shape *s, int64_t flat, int32_t at[PDR_MAX_RANK]);
int64_t op_flat(const pdr_shape *s, const int32_t at[PDR_MAX_RANK]);

/* Element `flat` of the result's operand k, aligned at the last axis and repeated
 * along axes of 1. */
double op_aligned(const op_case *c, int k, int64_t flat);

#endif
