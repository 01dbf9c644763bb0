/* xform/eval.h -- the oracle: a graph evaluated node by node, in double.
 *
 * Slow, simple, keeps every value.  Tests compare kernels and derivatives with
 * it.  Integers (indices, keys) are passed and stored as exact doubles. */
#ifndef PDI_XFORM_EVAL_H
#define PDI_XFORM_EVAL_H

#include "graph/graph.h"

/* Values of every node that out[] needs; the others stay NULL.  val[i] holds
 * input in[i].  NULL when out of memory or when an input is missing. */
double **pdi_eval(const pdr_graph *g, size_t n_in, const pdr_node in[], double *const val[],
                  size_t n_out, const pdr_node out[]);
void pdi_eval_free(const pdr_graph *g, double **values);

#endif
