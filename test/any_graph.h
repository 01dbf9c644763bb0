/* any_graph.h -- random graphs over all operators, with values for their inputs.
 *
 * Sizes are small, values stay tame (what multiplies or adds up is scaled down), and
 * every operator of op.def is drawn.  Gradients and batches are added now and then. */
#ifndef ANY_GRAPH_H
#define ANY_GRAPH_H

#include <perdure/graph.h>
#include <perdure/rng.h>

enum { ANY_INPUTS = 12, ANY_NODES = 96, ANY_OUTPUTS = 8 };

typedef struct any_graph {
    pdr_graph *g;
    pdr_rng rng;
    size_t n_in, n_out, reals, wholes;
    pdr_node in[ANY_INPUTS], out[ANY_OUTPUTS];
    double *value[ANY_INPUTS];
    int32_t over[ANY_OUTPUTS];                  /* inputs that outputs may replace, or -1 */
    pdr_node real[ANY_NODES], whole[ANY_NODES]; /* what later nodes are built on */
} any_graph;

/* A graph that is a function of the seed.  alloc as for pdr_graph_new(); when memory
 * is refused, g is NULL or has an error. */
void any_graph_open(any_graph *a, const pdr_alloc *alloc, uint64_t seed);
void any_graph_close(any_graph *a);

#endif
