/* bound.h -- how far f32 may be from f64: a running error bound for any graph.
 *
 * Every node gets, element by element, a number that the difference between the
 * exact value and its f32 computation cannot exceed: each operator hands on its
 * operands' errors through its own slope and adds its own rounding, scaled by
 * the magnitude of what it adds up.  So no test has to choose a tolerance.
 *
 * A comparison whose outcome the errors could change has no useful bound; what
 * depends on it is INFINITY, and the caller decides what to make of that. */
#ifndef BOUND_H
#define BOUND_H

#include "graph/graph.h"

/* Bounds for the nodes whose values pdi_eval() gave; the others stay NULL.
 * Inputs are exact.  Free with pdi_eval_free().  NULL when out of memory. */
double **bound_of(const pdr_graph *g, double *const *value);

#endif
