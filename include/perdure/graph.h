/* perdure/graph.h -- build a computation, differentiate it, batch it.
 *
 * A pdr_graph is a list of nodes that only grows.  A node has a fixed shape and
 * names its operands, which are always older than it is, so the list is its own
 * topological order.  Building never computes; see perdure/plan.h for that.
 * Gradients and batched copies are more nodes at the end of the same list:
 * differentiate them again, batch them again.
 *
 *     pdr_graph *g = pdr_graph_new(NULL);
 *     pdr_node   x = pdr_input(g, PDR_F32, PDR_SHAPE(32, 784));
 *     pdr_node   w = pdr_input(g, PDR_F32, PDR_SHAPE(10, 784));
 *     pdr_node   y = pdr_tanh(g, pdr_dot(g, x, w));
 *     pdr_node   loss = pdr_mean_all(g, pdr_mul(g, y, y)), dw;
 *     pdr_grad(g, loss, 1, &w, &dw);
 *     if (pdr_graph_error(g)) fputs(pdr_graph_error(g), stderr);
 *     pdr_graph_free(g);
 *
 * ERRORS    Stick.  A call that cannot be honoured returns the null node and
 *           leaves a message naming the operator, its shapes and the caller's
 *           label.  A call given the null node returns the null node.  So
 *           compose freely and test pdr_graph_error() once.
 * OWNERSHIP The graph owns its nodes and strings.  Handles are plain values,
 *           valid until pdr_graph_free().
 * THREADS   One thread builds a graph.  A finished graph may be shared.
 */
#ifndef PERDURE_GRAPH_H
#define PERDURE_GRAPH_H

#include <perdure/alloc.h>
#include <perdure/error.h>
#include <perdure/shape.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pdr_graph pdr_graph;

typedef struct pdr_node {
    uint32_t id; /* 0 is the null node */
} pdr_node;

/* Reals, and 32-bit integers for indices and random keys. */
typedef enum pdr_type { PDR_F32, PDR_I32 } pdr_type;

/* ---- graphs -------------------------------------------------------------- */

/* An empty graph.  alloc may be NULL for malloc.  NULL when out of memory. */
pdr_graph *pdr_graph_new(const pdr_alloc *alloc);

/* Free a graph and every node in it.  NULL is allowed. */
void pdr_graph_free(pdr_graph *g);

/* The first error recorded, or NULL.  Owned by the graph. */
const char *pdr_graph_error(const pdr_graph *g);

/* PDR_OK, PDR_NOMEM, or PDR_USAGE when an error is recorded. */
pdr_rc pdr_graph_rc(const pdr_graph *g);

/* Name what is being built ("encoder.2"), for messages and plans; it holds
 * until the next call.  NULL or "" for none.  One line: control characters become
 * '?', and what goes past 255 bytes is cut. */
void pdr_graph_label(pdr_graph *g, const char *label);

/* Record an error of the caller's own, for code that composes operators: the
 * first one sticks.  Returns the null node. */
pdr_node pdr_graph_fail(pdr_graph *g, const char *message);

size_t pdr_graph_size(const pdr_graph *g); /* nodes, the null node included */

/* Rank 0 and PDR_F32 for the null node. */
pdr_shape pdr_node_shape(const pdr_graph *g, pdr_node x);
pdr_type pdr_node_type(const pdr_graph *g, pdr_node x);

/* The graph as text, a node a line, "%12 = dot %3 %7 : f32[32,10]".  The caller
 * frees it through the graph's allocator.  NULL when out of memory. */
char *pdr_graph_print(const pdr_graph *g);

/* Read text that pdr_graph_print() wrote.  Node numbers are kept.  NULL with
 * *err saying line and cause when it cannot be read. */
pdr_graph *pdr_graph_parse(const pdr_alloc *alloc, const char *text, pdr_error *err);

/* Infer every node again and compare with what is recorded.  Run by the passes
 * of a debug build on themselves. */
pdr_rc pdr_graph_verify(const pdr_graph *g, pdr_error *err);

/* ---- leaves -------------------------------------------------------------- */

/* A value supplied when the graph runs.  Two inputs are never the same node. */
pdr_node pdr_input(pdr_graph *g, pdr_type type, pdr_shape shape);

/* One constant everywhere; pdr_scalar for rank 0, pdr_like for x's shape. */
pdr_node pdr_fill(pdr_graph *g, pdr_shape shape, double value);
pdr_node pdr_scalar(pdr_graph *g, double value);
pdr_node pdr_like(pdr_graph *g, pdr_node x, double value);

/* Each element's own coordinate along axis: 0, 1, 2, ... */
pdr_node pdr_iota(pdr_graph *g, pdr_shape shape, int axis);

/* Uniform on [0, 1), multiples of 2^-24, a pure function of key and position:
 * Philox4x32-10.  key is i32[..., 4]; leading axes of key lead the result too,
 * each with its own draws.  Draws of different stream numbers are independent.
 * shape is that of one key's draws, at most 2^34 of them. */
pdr_node pdr_rand(pdr_graph *g, pdr_node key, uint32_t stream, pdr_shape shape);

/* Standard normal, by Box-Muller from two streams: stream and stream + 1. */
pdr_node pdr_randn(pdr_graph *g, pdr_node key, uint32_t stream, pdr_shape shape);

/* ---- scalar maps: element by element ---------------------------------------
 *
 * Operands are aligned at their last axis; an axis that is missing or 1 is
 * repeated.  The repetition is a node of its own (broadcast). */

pdr_node pdr_neg(pdr_graph *g, pdr_node x);
pdr_node pdr_exp(pdr_graph *g, pdr_node x);
pdr_node pdr_log(pdr_graph *g, pdr_node x);  /* -inf at 0, NaN below */
pdr_node pdr_sqrt(pdr_graph *g, pdr_node x); /* its gradient at 0 is infinite */
pdr_node pdr_tanh(pdr_graph *g, pdr_node x);
pdr_node pdr_erf(pdr_graph *g, pdr_node x);
pdr_node pdr_sin(pdr_graph *g, pdr_node x);
pdr_node pdr_cos(pdr_graph *g, pdr_node x);
pdr_node pdr_stop(pdr_graph *g, pdr_node x); /* x, with no gradient */
pdr_node pdr_cast(pdr_graph *g, pdr_node x); /* i32 to f32, exact up to 2^24 */

pdr_node pdr_add(pdr_graph *g, pdr_node x, pdr_node y);
pdr_node pdr_sub(pdr_graph *g, pdr_node x, pdr_node y);
pdr_node pdr_mul(pdr_graph *g, pdr_node x, pdr_node y); /* an outer product squared: of squares */
pdr_node pdr_div(pdr_graph *g, pdr_node x, pdr_node y);
pdr_node pdr_lt(pdr_graph *g, pdr_node x, pdr_node y); /* 1 where x < y, else 0 */
pdr_node pdr_eq(pdr_graph *g, pdr_node x, pdr_node y); /* 1 where x == y, else 0 */

/* yes where c is not 0, else no.  Both sides are computed, and a gradient that
 * is NaN on the side not taken still spoils the sum: keep both sides finite
 * ("double where": sqrt(where(c, x, 1)) rather than where(c, sqrt(x), 0)). */
pdr_node pdr_where(pdr_graph *g, pdr_node c, pdr_node yes, pdr_node no);

/* Compositions of the above. */
pdr_node pdr_scale(pdr_graph *g, double factor, pdr_node x);
pdr_node pdr_shift(pdr_graph *g, double offset, pdr_node x);
pdr_node pdr_square(pdr_graph *g, pdr_node x);
pdr_node pdr_minimum(pdr_graph *g, pdr_node x, pdr_node y); /* ties: y */
pdr_node pdr_maximum(pdr_graph *g, pdr_node x, pdr_node y); /* ties: y */

/* ---- structure: affine walks, in adjoint pairs ------------------------------ */

pdr_node pdr_reshape(pdr_graph *g, pdr_node x, pdr_shape shape);

/* Axis i of the result is axis perm[i] of x. */
pdr_node pdr_permute(pdr_graph *g, pdr_node x, const int32_t perm[]);
pdr_node pdr_swap_last(pdr_graph *g, pdr_node x); /* exchange the last two axes */
pdr_node pdr_flip(pdr_graph *g, pdr_node x, int axis);

/* Insert the axes of shape whose bit is set in axes, repeating x along them. */
pdr_node pdr_broadcast(pdr_graph *g, pdr_node x, pdr_shape shape, uint32_t axes);

/* Add the axes away whose bit is set.  The order of addition depends on how
 * many elements are added and on nothing else: see docs/determinism.md.  The sum
 * of a product over batch axes is built as one product with a longer inner axis. */
pdr_node pdr_sum(pdr_graph *g, pdr_node x, uint32_t axes);
pdr_node pdr_sum_all(pdr_graph *g, pdr_node x);
pdr_node pdr_mean(pdr_graph *g, pdr_node x, uint32_t axes);
pdr_node pdr_mean_all(pdr_graph *g, pdr_node x);

/* pdr_sum, pdr_mean and pdr_max with the axes kept, at length 1. */
pdr_node pdr_sum_keep(pdr_graph *g, pdr_node x, uint32_t axes);
pdr_node pdr_mean_keep(pdr_graph *g, pdr_node x, uint32_t axes);

/* count elements of an axis: lo, lo + step, ... */
pdr_node pdr_slice(pdr_graph *g, pdr_node x, int axis, int32_t lo, int32_t count, int32_t step);

/* The adjoint: x's elements at lo, lo + step, ... of an axis of length full,
 * zeros between. */
pdr_node pdr_pad(pdr_graph *g, pdr_node x, int axis, int32_t lo, int32_t full, int32_t step);

/* An axis of n becomes two: (n - span) / step + 1 positions, each with taps
 * elements, dilation apart; span = (taps - 1) * dilation + 1. */
pdr_node pdr_window(pdr_graph *g, pdr_node x, int axis, int32_t taps, int32_t step,
                    int32_t dilation);

/* The adjoint: (positions, taps) at axis become one axis of length full,
 * overlaps added. */
pdr_node pdr_unwindow(pdr_graph *g, pdr_node x, int axis, int32_t full, int32_t step,
                      int32_t dilation);

/* Join x and y along an axis. */
pdr_node pdr_concat(pdr_graph *g, pdr_node x, pdr_node y, int axis);

/* ---- indexing, selection, contraction --------------------------------------- */

/* Rows of a table: table [b..., n, r...], index i32 [b..., m] -> [b..., m, r...].
 * An index outside 0 .. n-1 gives zeros. */
pdr_node pdr_gather(pdr_graph *g, pdr_node table, pdr_node index);

/* The adjoint: rows [b..., m, r...] added into a zero table with n rows, in
 * ascending order of m.  An index outside the table is skipped. */
pdr_node pdr_scatter(pdr_graph *g, pdr_node rows, pdr_node index, int32_t n);

/* Largest along one axis, and where it is.  The first wins a tie; the gradient
 * goes to it alone.  A NaN is taken only when it comes first. */
pdr_node pdr_max(pdr_graph *g, pdr_node x, int axis);
pdr_node pdr_max_keep(pdr_graph *g, pdr_node x, int axis);
pdr_node pdr_argmax(pdr_graph *g, pdr_node x, int axis); /* as f32 */

/* x y^T over the last axis: [..., M, K] and [..., N, K] -> [..., M, N].  Leading
 * axes must match.  Each output is the first product, then one fused
 * multiply-add a step of k in ascending order: threads, batch and instruction
 * set never change a bit. */
pdr_node pdr_dot(pdr_graph *g, pdr_node x, pdr_node y);

/* ---- transformations --------------------------------------------------------- */

/* Append d(loss)/d(wrt[i]) to the graph as out[i].
 *
 * loss must have rank 0.  The result is ordinary nodes: differentiate them
 * again for second order.  A wrt that the loss does not depend on yields zeros.
 * False, and null nodes in out, on error. */
bool pdr_grad(pdr_graph *g, pdr_node loss, size_t n, const pdr_node wrt[], pdr_node out[]);

/* Append a copy of everything between in[] and out[] that carries one more
 * leading axis of the given size.  in[] are inputs; in_new[i] replaces in[i]: the
 * caller's node of that shape, or, where it is null, a new input.  Nodes that depend
 * on no in[] are shared, not copied. */
bool pdr_vmap(pdr_graph *g, int32_t size, size_t n_in, const pdr_node in[], pdr_node in_new[],
              size_t n_out, const pdr_node out[], pdr_node out_new[]);

#ifdef __cplusplus
}
#endif
#endif
