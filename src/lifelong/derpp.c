/* lifelong/derpp.c -- dark experience replay: match what was answered at the time.
 *
 * Buzzega, Boschini, Porrello, Abati & Calderara, "Dark experience for general continual
 * learning: a strong, simple baseline", NeurIPS 2020, equations 5 (DER) and 6 (DER++).
 *
 *     L(θ) = L_batch(θ) + α E |z' − h_θ(x')|² / outputs + β E ℓ(y'', f_θ(x''))
 *
 * (x', z') and (x'', y'') are two draws from the memory; z' are the logits that the model
 * answered when x' was learned, before the step.  β = 0 is plain DER.  Logits are those of
 * all outputs, those of other tasks' heads too.
 *
 * State: the memory, a reservoir over the stream, with the column logits. */
#include "method/methods.h"

typedef struct derpp {
    int64_t memory, batch;
    double alpha, beta;
} derpp;

static const pdr_option derpp_options[] = {
    PDR_OPTION_COUNT(derpp, memory, 200, 1, 1e8, "examples kept, a reservoir over the stream"),
    PDR_OPTION_COUNT(derpp, batch, 0, 0, 1e6, "examples of each draw; 0: as many as new ones"),
    PDR_OPTION_REAL(derpp, alpha, 0.2, 0.0, 1e6, "weight of the distance to stored logits"),
    PDR_OPTION_REAL(derpp, beta, 0.5, 0.0, 1e6, "weight of the loss on stored labels; 0: DER"),
    PDR_OPTION_END,
};

static bool derpp_memory(const void *self, const pdr_setting *setting, pdr_memory_spec *spec)
{
    const derpp *o = self;
    spec->policy = PDR_MEMORY_RESERVOIR;
    spec->size = o->memory;
    spec->while_learning = true;
    spec->columns = 1;
    spec->column[0] = (pdr_column){.name = "logits", .width = setting->outputs};
    return true;
}

/* h(x), of every output. */
static pdr_node derpp_logits(pdr_build *b, pdr_batch batch)
{
    batch.mask = (pdr_node){0};
    return pdr_build_logits(b, pdr_build_params(b), batch);
}

static pdr_node derpp_loss(pdr_build *b, const void *self)
{
    const derpp *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_params(b);
    pdr_batch now = pdr_build_batch(b), then;
    pdr_node loss = pdr_build_loss(b, theta, now), have;
    int32_t size = o->batch ? (int32_t)o->batch : now.size;

    pdr_build_keep(b, 0, derpp_logits(b, now));
    if (o->alpha > 0 && pdr_build_replay(b, size, &then, &have)) {
        pdr_node far = pdr_mean_all(g, pdr_mse(g, derpp_logits(b, then), then.column[0]));
        loss = pdr_add(g, loss, pdr_mul(g, pdr_scale(g, o->alpha, have), far));
    }
    if (o->beta > 0 && pdr_build_replay(b, size, &then, &have)) {
        pdr_node replay = pdr_build_loss(b, theta, then);
        loss = pdr_add(g, loss, pdr_mul(g, pdr_scale(g, o->beta, have), replay));
    }
    return loss;
}

const pdr_method pdi_method_derpp = {
    .kind =
        {
            .name = "der++",
            .title = "Dark experience replay",
            .cite = "Buzzega et al., Dark experience for general continual learning, NeurIPS 2020",
            .equation = "L(θ) = L_batch(θ) + α E |z' - h_θ(x')|² / outputs + β E l(y'', f_θ(x''))",
            .cost = "memory: the examples kept and their logits; time: three times plain training",
            .self_size = sizeof(derpp),
            .options = derpp_options,
        },
    .memory = derpp_memory,
    .loss = derpp_loss,
};
