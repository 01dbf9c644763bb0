/* meta/metric.h -- what methods that compare embeddings share.
 *
 * The model has no output layer: what it makes of an example is the embedding f(x), and
 * what stands in for an output layer is made of the support set. */
#ifndef PDI_META_METRIC_H
#define PDI_META_METRIC_H

#include "method/methods.h"

/* An episode, and what the model makes of it: [size, features]. */
typedef struct pdi_embedded {
    pdr_episode episode;
    pdr_node support, query;
} pdi_embedded;

/* In training support and query go through the model as one batch, as in the authors' code of
 * prototypical networks; in a test the query goes by itself, so that the support set's
 * embedding never knows of it. */
pdi_embedded pdi_metric_embed(pdr_build *b);
pdi_embedded pdi_metric_embed_apart(pdr_build *b);

/* Answers for the query, a number a class (the larger, the likelier). */
typedef pdr_node pdi_metric_fn(pdr_build *b, const void *self, const pdi_embedded *e);

/* The mean over the episodes of the recipe's loss of these answers. */
pdr_node pdi_metric_loss(pdr_build *b, const void *self, pdi_metric_fn *answer);

/* x [m, f], y [n, f] -> x - y, [m, n, f]; the sum of its squares over f, [m, n]. */
pdr_node pdi_metric_difference(pdr_graph *g, pdr_node x, pdr_node y);
pdr_node pdi_metric_square_distance(pdr_graph *g, pdr_node x, pdr_node y);

/* The mean over each class's support examples: v [m, support] -> [m, way]. */
pdr_node pdi_metric_class_mean(pdr_graph *g, pdr_node v, const pdr_episode *e);

#endif
