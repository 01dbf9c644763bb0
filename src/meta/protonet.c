/* meta/protonet.c -- prototypical networks.
 *
 * Snell, Swersky & Zemel, "Prototypical networks for few-shot learning", NeurIPS 2017,
 * equations 1 and 2, with the squared Euclidean distance:
 *
 *     c_k        = mean of f(x) over the support examples x of class k
 *     p(k | x)   = softmax_k(−‖f(x) − c_k‖²)
 *     L(θ)       = − log p(y | x), a mean over the query
 *
 * State: none but f's parameters. */
#include "meta/metric.h"

static pdr_node protonet_answer(pdr_build *b, const void *self, const pdi_embedded *e)
{
    (void)self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_node c = pdi_metric_class_mean(g, pdr_swap_last(g, e->support), &e->episode);
    return pdr_neg(g, pdi_metric_square_distance(g, e->query, pdr_swap_last(g, c)));
}

static pdr_node protonet_loss(pdr_build *b, const void *self)
{
    return pdi_metric_loss(b, self, protonet_answer);
}

static pdr_node protonet_predict(pdr_build *b, const void *self, pdr_batch query)
{
    (void)query;
    pdi_embedded e = pdi_metric_embed_apart(b);
    return protonet_answer(b, self, &e);
}

const pdr_method pdi_method_protonet = {
    .kind =
        {
            .name = "protonet",
            .title = "Prototypical networks",
            .cite = "Snell, Swersky & Zemel, Prototypical networks for few-shot learning, "
                    "NeurIPS 2017",
            .equation = "c_k = mean of f(x) over the support of class k\n"
                        "p(k|x) = softmax_k(-|f(x) - c_k|²)",
            .cost = "memory: none; time: plain training on support and query",
            .options = pdi_no_options,
        },
    .data = PDR_DATA_EPISODES,
    .needs = PDR_NEEDS_CLASSES,
    .no_output_layer = true,
    .loss = protonet_loss,
    .predict = protonet_predict,
};
