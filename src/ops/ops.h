/* ops/ops.h -- what the operator families share, and walks for the planner. */
#ifndef PDI_OPS_OPS_H
#define PDI_OPS_OPS_H

#include "graph/graph.h"

#define OP(name, family, nin, adjoint, attrs, help) extern const pdi_op pdi_op_##name;
#include "ops/op.def"
#undef OP

/* An affine walk over a dense base: the element at index i of `over` lives at
 * offset + sum_k stride[k] * i[k] of the base. */
typedef struct pdi_walk {
    pdr_shape over;
    int64_t offset, stride[PDR_MAX_RANK];
} pdi_walk;

/* Whether a WALK operator adds its operand back through the walk into a zero
 * result (sum, pad, unwindow) rather than reading its operand through it. */
bool pdi_walk_adds(pdi_opcode op);

/* The walk of node nd (any WALK operator but reshape).  Over the result and
 * based on the operand when it reads; the other way round when it adds. */
pdi_walk pdi_walk_of(const pdr_graph *g, const pdi_node *nd);

/* The strides of a dense tensor of shape s. */
void pdi_dense_strides(const pdr_shape *s, int64_t stride[PDR_MAX_RANK]);

/* Axes of a tensor as it lies in memory, outermost first. */
typedef struct pdi_axes {
    int n;
    int64_t dim[PDR_MAX_RANK], stride[PDR_MAX_RANK];
} pdi_axes;

/* Index arithmetic for operators that act along one axis: s as
 * [outer, dim(axis), inner]. */
typedef struct pdi_along {
    int64_t outer, n, inner;
} pdi_along;
pdi_along pdi_along_axis(const pdr_shape *s, int axis);

/* Does a product with many rows copy its second operand b[n,k], of these strides, before it
 * reads it?  It does when columns do not lie side by side; and when, with terms enough to
 * matter, they are a multiple of 512 floats apart, which wears out few sets of a cache. */
bool pdi_dot_copies(int64_t bn, int64_t bk, int64_t k);

/* Maps that one kernel does together: pair.def. */
typedef enum pdi_pair {
    PDI_PAIR_NONE,
#define PAIR(first, nin, second) PDI_PAIR_##first##_##second,
#include "ops/pair.def"
#undef PAIR
    PDI_PAIRS
} pdi_pair;

/* The pair of two maps, PDI_PAIR_NONE when there is none. */
pdi_pair pdi_pair_of(pdi_opcode first, pdi_opcode second);

#endif
