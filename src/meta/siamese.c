/* meta/siamese.c -- Siamese networks: the same, or different?
 *
 * Koch, Zemel & Salakhutdinov, "Siamese neural networks for one-shot image recognition",
 * ICML deep learning workshop 2015, section 3:
 *
 *     s(x, x') = Σ_j α_j |f_j(x) − f_j(x')| + β       p(same) = σ(s)
 *     L(θ)     = half the mean of − log p over pairs of one class
 *              + half the mean of − log (1 − p) over pairs of two
 *
 * The pairs are those of a query and a support example.  In a test the answer is the class
 * whose support examples have the largest mean of s.
 *
 * State: pair.weight and pair.bias, α and β. */
#include "meta/metric.h"

/* s for every query and every support example, [query, support]. */
static pdr_node siamese_score(pdr_build *b, const pdi_embedded *e, pdr_tensors *own)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_node d = pdi_metric_difference(g, e->query, e->support);
    pdr_node far = pdr_maximum(g, d, pdr_neg(g, d));
    return pdr_reshape(g, pdr_build_dense(b, "pair", far, 1, own),
                       PDR_SHAPE(e->episode.query.size, e->episode.support.size));
}

/* The mean of x where `where` is 1; 0 where it never is. */
static pdr_node siamese_mean(pdr_graph *g, pdr_node x, pdr_node where)
{
    pdr_node count = pdr_maximum(g, pdr_sum_all(g, where), pdr_scalar(g, 1));
    return pdr_div(g, pdr_sum_all(g, pdr_mul(g, x, where)), count);
}

static pdr_node siamese_loss(pdr_build *b, const void *self)
{
    (void)self;
    pdr_graph *g = pdr_build_graph(b);
    pdi_embedded e = pdi_metric_embed(b);
    int32_t n = e.episode.support.size, m = e.episode.query.size, way = e.episode.way;
    pdr_tensors own = {0};
    pdr_node s = siamese_score(b, &e, &own);
    pdr_node same = pdr_dot(g, pdr_one_hot(g, e.episode.query.label, way),
                            pdr_one_hot(g, e.episode.support.label, way));
    pdr_node loss = pdr_binary_cross_entropy(g, pdr_reshape(g, s, PDR_SHAPE(m, n, 1)),
                                             pdr_reshape(g, same, PDR_SHAPE(m, n, 1)));
    pdr_node other = pdr_sub(g, pdr_scalar(g, 1), same);
    pdr_build_train(b, pdr_build_params(b));
    pdr_build_train(b, own);
    loss = pdr_add(g, siamese_mean(g, loss, same), siamese_mean(g, loss, other));
    return pdr_build_mean(b, pdr_scale(g, 0.5, loss));
}

static pdr_node siamese_predict(pdr_build *b, const void *self, pdr_batch query)
{
    (void)self, (void)query;
    pdi_embedded e = pdi_metric_embed_apart(b);
    return pdi_metric_class_mean(pdr_build_graph(b), siamese_score(b, &e, NULL), &e.episode);
}

const pdr_method pdi_method_siamese = {
    .kind =
        {
            .name = "siamese",
            .title = "Siamese networks",
            .cite = "Koch, Zemel & Salakhutdinov, Siamese neural networks for one-shot image "
                    "recognition, ICML deep learning workshop 2015",
            .equation = "p(same) = σ(Σ_j α_j |f_j(x) - f_j(x')| + β)",
            .cost = "memory: a weight for each feature; time: plain training on support and query",
            .options = pdi_no_options,
        },
    .data = PDR_DATA_EPISODES,
    .needs = PDR_NEEDS_CLASSES,
    .no_output_layer = true,
    .loss = siamese_loss,
    .predict = siamese_predict,
};
