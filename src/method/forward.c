/* method/forward.c -- the model as nodes: outputs, features, the recipe's loss. */
#include "method/build.h"

/* ---- applying the model ------------------------------------------------------------------- */

/* A trained network of the method's own: its running statistics become what this
 * application made of them, and the next one goes on from there. */
static void forward_keep_buffers(pdr_build *b, pdr_tensors theta, const pdr_node made[])
{
    for (size_t i = 0; i < pdr_model_buffers(b->t->spec.model); i++) {
        if (pdi_build_tensor_of(b, theta.buffer[i])) {
            pdr_build_set_node(b, theta.buffer[i], made[i]);
        } else {
            for (size_t k = 0; k < b->sets; k++)
                if (b->set[k].node.id == theta.buffer[i].id) b->set[k].node = made[i];
        }
        theta.buffer[i] = made[i];
    }
}

static pdr_node forward_walk(pdr_build *b, pdr_tensors theta, pdr_node x, pdr_apply *a)
{
    bool live = !theta.buffer;
    bool learns = b->run == PDI_RUN_STEP && theta.n &&
                  (live || pdi_build_is_trained(b, theta.v[0]));
    a->param = theta.v;
    a->buffer = live ? b->buffer_now : theta.buffer;
    a->training = learns;
    if (learns && live) a->buffer_new = b->buffer_now;
    if (learns && !live) {
        pdr_tensors made = pdr_build_list(b, pdr_model_buffers(b->t->spec.model));
        a->buffer_new = made.n ? made.v : NULL;
    }
    if (a->training) a->key = pdr_build_key(b);
    pdr_node y = pdr_model_apply(b->t->spec.model, b->g, a, x);
    if (learns && !live && a->buffer_new) forward_keep_buffers(b, theta, a->buffer_new);
    return y;
}

/* One application for one (parameters, examples), so that running statistics move once a
 * batch. */
static pdi_applied forward_apply(pdr_build *b, pdr_tensors theta, pdr_node x)
{
    uint32_t first = theta.n ? theta.v[0].id : 0;
    for (size_t i = 0; i < b->applied; i++)
        if (b->apply[i].theta == first && b->apply[i].x == x.id) return b->apply[i];
    pdr_apply a = {0};
    pdi_applied made = {.theta = first, .x = x.id};
    made.logits = forward_walk(b, theta, x, &a);
    made.features = a.features;
    if (b->applied < PDI_APPLIED) b->apply[b->applied++] = made;
    return made;
}

/* Each query by itself beside the support set, so that where examples are normalised
 * together no query knows of another. */
static pdr_node forward_alone(pdr_build *b, pdr_tensors theta, pdr_batch query)
{
    pdr_node support = pdr_build_episode(b).support.x;
    pdr_shape s = pdr_node_shape(b->g, query.x), row = s, led = pdi_build_lead(&s, s.dim[0]);
    row.dim[0] = led.dim[1] = 1;
    pdr_node one = pdr_input(b->g, PDR_F32, row), rows = pdr_reshape(b->g, query.x, led);
    pdr_node y = forward_apply(b, theta, pdr_concat(b->g, support, one, 0)).logits, all;
    pdr_shape out = pdr_node_shape(b->g, y);
    y = pdr_slice(b->g, y, 0, out.dim[0] - 1, 1, 1);
    pdr_vmap(b->g, s.dim[0], 1, &one, &rows, 1, &y, &all);
    out.dim[0] = s.dim[0];
    return pdr_reshape(b->g, all, out);
}

static bool forward_is_alone(pdr_build *b, pdr_batch batch)
{
    return b->run == PDI_RUN_PREDICT && b->t->spec.episode.queries_alone &&
           batch.x.id == pdr_build_episode(b).query.x.id;
}

/* ---- what methods ask for ------------------------------------------------------------------ */

pdr_node pdr_build_logits(pdr_build *b, pdr_tensors theta, pdr_batch batch)
{
    pdr_node logits = forward_is_alone(b, batch) ? forward_alone(b, theta, batch)
                                                 : forward_apply(b, theta, batch.x).logits;
    return batch.mask.id ? pdr_mask_logits(b->g, logits, batch.mask) : logits;
}

pdr_node pdr_build_features(pdr_build *b, pdr_tensors theta, pdr_batch batch)
{
    return forward_apply(b, theta, batch.x).features;
}

pdr_node pdr_build_visit(pdr_build *b, pdr_tensors theta, pdr_batch batch, pdr_visit_fn *visit,
                         void *ctx)
{
    pdr_apply a = {.visit = visit, .visit_ctx = ctx};
    pdr_node logits = forward_walk(b, theta, batch.x, &a);
    return batch.mask.id ? pdr_mask_logits(b->g, logits, batch.mask) : logits;
}

pdr_node pdr_build_loss_of(pdr_build *b, pdr_node y, pdr_batch batch)
{
    pdr_shape s = pdr_node_shape(b->g, y);
    int32_t outputs = s.rank ? s.dim[s.rank - 1] : 1;
    pdr_node t = batch.target.id ? batch.target : pdr_one_hot(b->g, batch.label, outputs);
    switch (b->t->spec.loss) {
    case PDR_LOSS_MSE: return pdr_mean_all(b->g, pdr_mse(b->g, y, t));
    case PDR_LOSS_BINARY: return pdr_mean_all(b->g, pdr_binary_cross_entropy(b->g, y, t));
    default: return pdr_mean_all(b->g, pdr_soft_cross_entropy(b->g, y, t));
    }
}

pdr_node pdr_build_loss(pdr_build *b, pdr_tensors theta, pdr_batch batch)
{
    return pdr_build_loss_of(b, pdr_build_logits(b, theta, batch), batch);
}
