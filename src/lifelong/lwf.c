/* lifelong/lwf.c -- learning without forgetting.
 *
 * Li & Hoiem, "Learning without forgetting", ECCV 2016, equations 2 to 4; the
 * weighting is that of van de Ven, Tuytelaars & Tolias, "Three types of incremental
 * learning", Nature Machine Intelligence 4, 2022.
 *
 *     L(θ) = 1/k L_task(θ) + (1 − 1/k) T² H(softmax(f_old(x)/T), softmax(f_θ(x)/T))
 *
 * while learning task k, where f_old is the model as it was when task k − 1 ended and
 * x are the new examples.  With a head a task, the second term is the mean over the
 * heads of earlier tasks.
 *
 * State: old, a copy of the model. */
#include "method/methods.h"

typedef struct lwf {
    double temperature, strength;
} lwf;

static const pdr_option lwf_options[] = {
    PDR_OPTION_REAL(lwf, temperature, 2.0, 0.01, 1000.0, "T: softness of the old model's answers"),
    PDR_OPTION_REAL(lwf, strength, 1.0, 0.0, 1e9, "factor on the distillation term"),
    PDR_OPTION_END,
};

/* T² times the cross-entropy between the old and the new answers at temperature T. */
static pdr_node lwf_distil(pdr_graph *g, double T, pdr_node old, pdr_node now)
{
    pdr_node p = pdr_softmax(g, pdr_scale(g, 1 / T, pdr_stop(g, old)));
    return pdr_scale(g, T * T,
                     pdr_mean_all(g, pdr_soft_cross_entropy(g, pdr_scale(g, 1 / T, now), p)));
}

static pdr_node lwf_loss(pdr_build *b, const void *self)
{
    const lwf *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_params(b), old = pdr_build_copy(b, "old");
    pdr_batch batch = pdr_build_batch(b), bare = batch;
    pdr_node loss = pdr_build_loss(b, theta, batch), distil = pdr_scalar(g, 0);
    int32_t k = pdr_build_task(b) + 1, heads = pdr_build_is_masked(b) ? k - 1 : 1;

    if (k == 1) return loss;
    bare.mask = (pdr_node){0};
    pdr_node before = pdr_build_logits(b, old, bare), now = pdr_build_logits(b, theta, bare);
    for (int32_t h = 0; h < heads; h++) {
        bool masked = pdr_build_is_masked(b);
        pdr_node mask = masked ? pdr_build_task_mask(b, h) : (pdr_node){0};
        pdr_node x = masked ? pdr_mask_logits(g, before, mask) : before;
        pdr_node y = masked ? pdr_mask_logits(g, now, mask) : now;
        distil = pdr_add(g, distil, lwf_distil(g, o->temperature, x, y));
    }
    return pdr_add(g, pdr_scale(g, 1.0 / k, loss),
                   pdr_scale(g, o->strength * (1 - 1.0 / k) / heads, distil));
}

static void lwf_task_end(pdr_build *b, const void *self)
{
    (void)self;
    pdr_build_set_copy(b, pdr_build_copy(b, "old"));
}

static const char *lwf_caution(const void *self, const pdr_setting *s)
{
    (void)self;
    return s->is_class_incremental
               ? "lwf's old answers say nothing about new classes: in class-incremental learning "
                 "of few classes it hardly remembers; er replays examples"
               : NULL;
}

const pdr_method pdi_method_lwf = {
    .kind =
        {
            .name = "lwf",
            .title = "Learning without forgetting",
            .cite = "Li & Hoiem, Learning without forgetting, ECCV 2016",
            .equation =
                "L(θ) = 1/k L_task(θ) + (1 - 1/k) T² H(softmax(f_old(x)/T), softmax(f_θ(x)/T))",
            .cost = "memory: a copy of the model; time: one more forward pass a step",
            .self_size = sizeof(lwf),
            .options = lwf_options,
        },
    .needs = PDR_NEEDS_BOUNDARIES | PDR_NEEDS_CLASSES,
    .caution = lwf_caution,
    .loss = lwf_loss,
    .task_end = lwf_task_end,
};
