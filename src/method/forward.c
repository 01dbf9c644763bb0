/* method/forward.c -- the model as nodes: outputs, features, the recipe's loss. */
#include <string.h>

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

/* (x - centre) scale, where features are normalised as they come. */
static pdr_node forward_normalise(pdr_build *b, pdr_node x)
{
    const pdi_trainer *t = b->t;
    if (!t->centre) return x;
    pdr_node centre = pdi_build_input(b, PDR_F32, t->spec.example, t->centre);
    pdr_node scale = pdi_build_input(b, PDR_F32, t->spec.example, t->scale);
    return pdr_mul(b->g, pdr_sub(b->g, x, centre), scale);
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
    pdr_node y = pdr_model_apply(b->t->spec.model, b->g, a, forward_normalise(b, x));
    if (learns && !live && a->buffer_new) forward_keep_buffers(b, theta, a->buffer_new);
    return y;
}

/* The parameters of an application, kept: a method may go on to change its list. */
static const pdr_node *forward_theta(pdr_build *b, pdr_tensors theta)
{
    pdr_node *v = pdi_build_room(b, theta.n + 1, sizeof *v);
    if (v && theta.n) memcpy(v, theta.v, theta.n * sizeof *v);
    return v;
}

static bool forward_is(const pdi_applied *a, pdr_tensors theta, pdr_node x)
{
    bool same = a->x == x.id && a->n == theta.n;
    for (size_t i = 0; same && i < theta.n; i++) same = a->theta[i].id == theta.v[i].id;
    return same;
}

/* One application for one (parameters, examples), so that running statistics move once a
 * batch. */
static pdi_applied forward_once(pdr_build *b, pdr_tensors theta, pdr_node x)
{
    for (size_t i = 0; i < b->applied; i++)
        if (forward_is(&b->apply[i], theta, x)) return b->apply[i];
    pdr_apply a = {0};
    pdi_applied made = {.theta = forward_theta(b, theta), .n = theta.n, .x = x.id};
    made.logits = forward_walk(b, theta, x, &a);
    made.features = a.features;
    if (pdi_grow(b->t->alloc, (void **)&b->apply, b->applied, &b->apply_cap, sizeof *b->apply) &&
        made.theta)
        b->apply[b->applied++] = made;
    else
        b->failed = true;
    return made;
}

/* The last row of y [n, ...] for each of `rows`, as [count, ...]. */
static pdr_node forward_last(pdr_build *b, pdr_node y, pdr_node one, pdr_node rows)
{
    pdr_shape s = pdr_node_shape(b->g, y), all = pdr_node_shape(b->g, rows);
    if (!y.id || !rows.id) return (pdr_node){0};
    y = pdr_slice(b->g, y, 0, s.dim[0] - 1, 1, 1);
    pdr_vmap(b->g, all.dim[0], 1, &one, &rows, 1, &y, &y);
    s.dim[0] = all.dim[0];
    return pdr_reshape(b->g, y, s);
}

/* Each query by itself beside the support set, so that where examples are normalised
 * together no query knows of another. */
static pdi_applied forward_alone(pdr_build *b, pdr_tensors theta, pdr_node query)
{
    pdr_shape row = pdr_node_shape(b->g, query), led = pdi_build_lead(&row, row.dim[0]);
    row.dim[0] = led.dim[1] = 1;
    pdr_node one = pdr_input(b->g, PDR_F32, row), rows = pdr_reshape(b->g, query, led);
    pdr_node beside = pdr_concat(b->g, pdr_build_episode(b).support.x, one, 0);
    pdi_applied a = forward_once(b, theta, beside);
    return (pdi_applied){.logits = forward_last(b, a.logits, one, rows),
                         .features = forward_last(b, a.features, one, rows)};
}

static bool forward_is_query(pdr_build *b, pdr_node x)
{
    return b->run == PDI_RUN_PREDICT && b->t->spec.episode.queries_alone &&
           pdr_model_mixes(b->t->spec.model) && x.id == pdr_build_episode(b).query.x.id;
}

static pdi_applied forward_apply(pdr_build *b, pdr_tensors theta, pdr_node x)
{
    return forward_is_query(b, x) ? forward_alone(b, theta, x) : forward_once(b, theta, x);
}

/* ---- what methods ask for ------------------------------------------------------------------ */

pdr_node pdr_build_logits(pdr_build *b, pdr_tensors theta, pdr_batch batch)
{
    pdr_node logits = forward_apply(b, theta, batch.x).logits;
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
