/* meta/matching.c -- matching networks, without full context embeddings.
 *
 * Vinyals, Blundell, Lillicrap, Kavukcuoglu & Wierstra, "Matching networks for one shot
 * learning", NeurIPS 2016, equation 1 and section 2.1.1:
 *
 *     a(x, xᵢ)  = softmaxᵢ(scale · cosine(f(x), f(xᵢ)))       over the support examples
 *     p(k | x)  = Σᵢ a(x, xᵢ) [yᵢ = k]
 *     L(θ)      = − log p(y | x), a mean over the query
 *
 * The paper has scale 1.  A cosine lies between −1 and 1, so that at 20 ways no answer can
 * then be surer than e / (e + 19/e), about 0.28, and training stalls; a scale of 10 lets
 * it be sure.  distance euclidean puts −‖f(x) − f(xᵢ)‖² in the cosine's place.
 *
 * State: none but f's parameters. */
#include "meta/metric.h"

typedef struct matching {
    int distance;
    double scale;
} matching;

static const char *const matching_distances[] = {"cosine", "euclidean", NULL};

static const pdr_option matching_options[] = {
    PDR_OPTION_CHOICE(matching, distance, matching_distances, 0, "how embeddings are compared"),
    PDR_OPTION_REAL(matching, scale, 10, 1e-6, 1e6, "how sharp attention is: 1 / temperature"),
    PDR_OPTION_END,
};

/* Rows of length 1; a row of zeros stays one. */
static pdr_node matching_unit(pdr_graph *g, pdr_node x)
{
    pdr_node square = pdr_sum_keep(g, pdr_square(g, x), 1u << 1);
    return pdr_div(g, x, pdr_sqrt(g, pdr_shift(g, 1e-12, square)));
}

static pdr_node matching_similarity(pdr_graph *g, const matching *o, const pdi_embedded *e)
{
    if (o->distance) return pdr_neg(g, pdi_metric_square_distance(g, e->query, e->support));
    return pdr_dot(g, matching_unit(g, e->query), matching_unit(g, e->support));
}

/* log Σ exp s over the support examples of each class, [query, way]: log p but for a number
 * that all classes share. */
static pdr_node matching_answer(pdr_build *b, const void *self, const pdi_embedded *e)
{
    const matching *o = self;
    pdr_graph *g = pdr_build_graph(b);
    int32_t n = e->episode.support.size, m = e->episode.query.size;
    pdr_node s = pdr_scale(g, o->scale, matching_similarity(g, o, e));
    pdr_node of = pdr_swap_last(g, pdr_one_hot(g, e->episode.support.label, e->episode.way));
    s = pdr_mask_logits(g, pdr_reshape(g, s, PDR_SHAPE(m, 1, n)), of); /* [query, way, support] */
    pdr_node top = pdr_stop(g, pdr_max_keep(g, s, 2));
    pdr_node sum = pdr_sum_keep(g, pdr_exp(g, pdr_sub(g, s, top)), 1u << 2);
    return pdr_reshape(g, pdr_add(g, top, pdr_log(g, sum)), PDR_SHAPE(m, e->episode.way));
}

static pdr_node matching_loss(pdr_build *b, const void *self)
{
    return pdi_metric_loss(b, self, matching_answer);
}

static pdr_node matching_predict(pdr_build *b, const void *self, pdr_batch query)
{
    (void)query;
    pdi_embedded e = pdi_metric_embed_apart(b);
    return matching_answer(b, self, &e);
}

const pdr_method pdi_method_matching = {
    .kind =
        {
            .name = "matching",
            .title = "Matching networks",
            .cite = "Vinyals et al., Matching networks for one shot learning, NeurIPS 2016",
            .equation = "a(x,x_i) = softmax_i(scale cosine(f(x), f(x_i)))\n"
                        "p(k|x) = Σ_i a(x,x_i) [y_i = k]",
            .cost = "memory: none; time: plain training on support and query",
            .self_size = sizeof(matching),
            .options = matching_options,
        },
    .data = PDR_DATA_EPISODES,
    .needs = PDR_NEEDS_CLASSES,
    .no_output_layer = true,
    .loss = matching_loss,
    .predict = matching_predict,
};
