/* meta/metric.c -- embeddings of an episode, distances, means of classes. */
#include "meta/metric.h"

/* What the model makes of a batch, [size, features]. */
static pdr_node metric_features(pdr_build *b, pdr_batch batch)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_node f = pdr_build_features(b, pdr_build_params(b), batch);
    pdr_shape s = pdr_node_shape(g, f);
    if (!f.id || s.rank < 2) return f;
    return pdr_reshape(g, f, PDR_SHAPE(s.dim[0], (int32_t)(pdr_shape_size(&s) / s.dim[0])));
}

pdi_embedded pdi_metric_embed(pdr_build *b)
{
    pdr_graph *g = pdr_build_graph(b);
    pdi_embedded e = {.episode = pdr_build_episode(b)};
    int32_t n = e.episode.support.size, m = e.episode.query.size;
    pdr_batch both = {.size = n + m};
    both.x = pdr_concat(g, e.episode.support.x, e.episode.query.x, 0);
    pdr_node f = metric_features(b, both);
    e.support = pdr_slice(g, f, 0, 0, n, 1);
    e.query = pdr_slice(g, f, 0, n, m, 1);
    return e;
}

pdi_embedded pdi_metric_embed_apart(pdr_build *b)
{
    pdi_embedded e = {.episode = pdr_build_episode(b)};
    e.support = metric_features(b, e.episode.support);
    e.query = metric_features(b, e.episode.query);
    return e;
}

pdr_node pdi_metric_loss(pdr_build *b, const void *self, pdi_metric_fn *answer)
{
    pdi_embedded e = pdi_metric_embed(b);
    return pdr_build_mean(b, pdr_build_loss_of(b, answer(b, self, &e), e.episode.query));
}

pdr_node pdi_metric_difference(pdr_graph *g, pdr_node x, pdr_node y)
{
    pdr_shape s = pdr_node_shape(g, x);
    if (!x.id || s.rank != 2) return (pdr_node){0};
    return pdr_sub(g, pdr_reshape(g, x, PDR_SHAPE(s.dim[0], 1, s.dim[1])), y);
}

pdr_node pdi_metric_square_distance(pdr_graph *g, pdr_node x, pdr_node y)
{
    return pdr_sum(g, pdr_square(g, pdi_metric_difference(g, x, y)), 1u << 2);
}

pdr_node pdi_metric_class_mean(pdr_graph *g, pdr_node v, const pdr_episode *e)
{
    pdr_node of = pdr_swap_last(g, pdr_one_hot(g, e->support.label, e->way)); /* [way, support] */
    return pdr_div(g, pdr_dot(g, v, of), pdr_sum(g, of, 1u << 1));
}
