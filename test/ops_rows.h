/* ops_rows.h -- the rows of test_ops.c, a file a family of operators. */
#ifndef OPS_ROWS_H
#define OPS_ROWS_H

#include "op_row.h"

#define OPS_FAMILIES(X) X(leaf) X(map) X(stop) X(walk) X(sum) X(index) X(select) X(dot) X(chain)

#define OPS_DECLARE(family)                                                                        \
    extern const op_row ops_##family##_rows[];                                                     \
    extern const size_t ops_##family##_count;
OPS_FAMILIES(OPS_DECLARE)
#undef OPS_DECLARE

#endif
