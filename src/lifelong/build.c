/* lifelong/build.c -- building a program: what a method's nodes stand on.
 *
 * Every input of the graph is tied to a place in the trainer as it is made, every
 * output to the place it goes; what remains is to plan. */
#include "lifelong/build.h"

#include <stdio.h>
#include <string.h>

/* ---- memory of the build ------------------------------------------------------------ */

void *pdi_build_room(pdr_build *b, size_t count, size_t size)
{
    void *p = pdi_new(b->t->alloc, count, size);
    if (p && pdi_grow(b->t->alloc, (void **)&b->room, b->rooms, &b->room_cap, sizeof *b->room)) {
        b->room[b->rooms++] = p;
        return p;
    }
    pdi_free(b->t->alloc, p);
    b->failed = true;
    return NULL;
}

pdr_node pdi_build_input(pdr_build *b, pdr_type type, pdr_shape shape, const void *host)
{
    for (size_t i = 0; i < b->ties; i++)
        if (b->tie[i].host == host) return b->tie[i].node;
    pdr_node x = pdr_input(b->g, type, shape);
    pdi_build_tie(b, x, host);
    return x;
}

void pdi_build_tie(pdr_build *b, pdr_node input, const void *host)
{
    if (!pdi_grow(b->t->alloc, (void **)&b->tie, b->ties, &b->tie_cap, sizeof *b->tie)) {
        b->failed = true;
        return;
    }
    b->tie[b->ties++] = (pdi_tie){input, host};
}

void pdi_build_output(pdr_build *b, pdr_node x, void *host)
{
    for (size_t i = 0; i < b->sets; i++)
        if (b->set[i].host == host) { /* set twice: the last one holds */
            b->set[i].node = x;
            return;
        }
    if (!pdi_grow(b->t->alloc, (void **)&b->set, b->sets, &b->set_cap, sizeof *b->set)) {
        b->failed = true;
        return;
    }
    b->set[b->sets++] = (pdi_set){x, host};
}

static pdr_node build_state(pdr_build *b, const char *group, const pdr_param *p)
{
    char name[96];
    snprintf(name, sizeof name, "%s/%s", group, p->name);
    pdi_tensor *t = pdi_state_get(&b->t->store, name, &p->shape, 0);
    if (!t) b->failed = true;
    return t ? pdi_build_input(b, PDR_F32, t->shape, t->value) : (pdr_node){0};
}

/* ---- facts ------------------------------------------------------------------------------ */

pdr_graph *pdr_build_graph(pdr_build *b) { return b->g; }

int32_t pdr_build_task(const pdr_build *b) { return b->t->task; }

int32_t pdr_build_outputs(const pdr_build *b) { return b->t->spec.outputs; }

uint64_t pdr_build_passed(const pdr_build *b) { return b->t->passed; }

bool pdr_build_is_masked(const pdr_build *b) { return b->t->spec.mask != NULL; }

pdr_node pdr_build_task_mask(pdr_build *b, int32_t task)
{
    const float *mask = b->t->spec.mask + (size_t)task * (size_t)b->t->spec.outputs;
    return pdi_build_input(b, PDR_F32, PDR_SHAPE(b->t->spec.outputs), mask);
}

bool pdr_build_allows(const pdr_build *b, int32_t y)
{
    const pdi_trainer_spec *s = &b->t->spec;
    return !s->mask || s->mask[(size_t)b->t->task * (size_t)s->outputs + (size_t)y] > 0;
}

pdr_node pdr_build_key(pdr_build *b)
{
    int32_t *key = b->t->key[b->keys < PDI_KEYS ? b->keys : PDI_KEYS - 1];
    b->keys++;
    return pdi_build_input(b, PDR_I32, PDR_SHAPE(4), key);
}

/* ---- tensors ------------------------------------------------------------------------------- */

/* n null nodes; where memory fails, those set aside for that: a method may write to
 * them and need not look. */
static pdr_node *build_nodes(pdr_build *b, size_t n)
{
    pdr_node *v = pdi_build_room(b, n, sizeof *v);
    return v ? v : b->spare;
}

pdr_tensors pdr_build_tensors(pdr_build *b)
{
    size_t n = pdr_model_params(b->t->spec.model);
    return (pdr_tensors){.n = n, .v = build_nodes(b, n)};
}

pdr_tensors pdr_build_state(pdr_build *b, const char *name)
{
    pdr_tensors s = pdr_build_tensors(b);
    for (size_t i = 0; i < s.n; i++)
        s.v[i] = build_state(b, name, pdr_model_param(b->t->spec.model, i));
    return s;
}

pdr_tensors pdr_build_params(pdr_build *b) { return pdr_build_state(b, "param"); }

pdr_tensors pdr_build_copy(pdr_build *b, const char *name)
{
    pdr_tensors s = pdr_build_state(b, name);
    size_t n = pdr_model_buffers(b->t->spec.model);
    s.buffer = build_nodes(b, n);
    for (size_t i = 0; i < n; i++)
        s.buffer[i] = build_state(b, name, pdr_model_buffer(b->t->spec.model, i));
    return s;
}

/* The place behind an input, to write to. */
static void build_set_node(pdr_build *b, pdr_node state, pdr_node value)
{
    for (size_t i = 0; i < b->ties; i++)
        if (b->tie[i].node.id == state.id)
            pdi_build_output(b, value, (void *)(uintptr_t)b->tie[i].host);
}

void pdr_build_set(pdr_build *b, pdr_tensors state, pdr_tensors value)
{
    for (size_t i = 0; i < state.n && i < value.n; i++) build_set_node(b, state.v[i], value.v[i]);
}

void pdr_build_set_copy(pdr_build *b, pdr_tensors copy)
{
    pdr_build_set(b, copy, pdr_build_params(b));
    for (size_t i = 0; i < pdr_model_buffers(b->t->spec.model); i++)
        build_set_node(b, copy.buffer[i], b->buffer[i]);
}

/* ---- batches ----------------------------------------------------------------------------------
 */

static pdr_shape build_lead(const pdr_shape *s, int32_t size)
{
    pdr_shape led = {.rank = s->rank + 1, .dim = {size}};
    for (int k = 0; k < s->rank; k++) led.dim[k + 1] = s->dim[k];
    return led;
}

static pdr_batch build_batch(pdr_build *b, const pdi_host_batch *h, int32_t size)
{
    const pdi_trainer_spec *s = &b->t->spec;
    pdr_batch batch = {.size = size};
    batch.x = pdi_build_input(b, PDR_F32, build_lead(&s->example, size), h->x);
    if (s->targets)
        batch.target = pdi_build_input(b, PDR_F32, PDR_SHAPE(size, s->targets), h->target);
    else
        batch.label = pdi_build_input(b, PDR_I32, PDR_SHAPE(size), h->label);
    if (s->mask) batch.mask = pdi_build_input(b, PDR_F32, PDR_SHAPE(size, s->outputs), h->mask);
    return batch;
}

pdr_batch pdr_build_batch(pdr_build *b) { return build_batch(b, &b->t->batch, b->size); }

bool pdr_build_replay(pdr_build *b, int32_t size, pdr_batch *out, pdr_node *have)
{
    pdi_memory *m = &b->t->memory;
    if (!m->used || (!m->held && !m->spec.while_learning)) return false;
    if (!pdi_batch_reserve(b->t, &b->t->drawn, size)) {
        b->failed = true;
        return false;
    }
    *out = build_batch(b, &b->t->drawn, size);
    *have = pdi_build_input(b, PDR_F32, PDR_SCALAR, &b->t->have);
    b->replay = size;
    return true;
}

pdr_batch pdr_build_example(pdr_build *b)
{
    if (!b->one.size) {
        const pdi_trainer_spec *s = &b->t->spec;
        b->one.size = 1;
        b->one.x = pdr_input(b->g, PDR_F32, build_lead(&s->example, 1));
        if (s->targets)
            b->one.target = pdr_input(b->g, PDR_F32, PDR_SHAPE(1, s->targets));
        else
            b->one.label = pdr_input(b->g, PDR_I32, PDR_SHAPE(1));
        if (s->mask) b->one.mask = pdr_input(b->g, PDR_F32, PDR_SHAPE(1, s->outputs));
    }
    return b->one;
}

/* [n, 1, ...] and [n, ...] are the same numbers in memory, so the mapped inputs
 * are tied to the batch.  They are made once: what several calls share (the
 * forward pass) is computed once. */
static pdr_node build_example_input(pdr_build *b, size_t i, pdr_type type, pdr_shape shape,
                                    const void *host)
{
    if (!b->mapped[i].id) {
        b->mapped[i] = pdr_input(b->g, type, shape);
        pdi_build_tie(b, b->mapped[i], host);
    }
    return b->mapped[i];
}

void pdr_build_map_examples(pdr_build *b, size_t n, const pdr_node each[], pdr_node out[])
{
    const pdi_host_batch *h = &b->t->batch;
    const struct {
        pdr_node node;
        const void *host;
    } all[] = {{b->one.x, h->x},
               {b->one.label, h->label},
               {b->one.target, h->target},
               {b->one.mask, h->mask}};
    pdr_node in[4], mapped[4];
    size_t k = 0;
    for (size_t i = 0; i < 4; i++) {
        if (!all[i].node.id) continue;
        pdr_shape led = pdr_node_shape(b->g, all[i].node);
        led = build_lead(&led, b->size);
        in[k] = all[i].node;
        mapped[k++] = build_example_input(b, i, pdr_node_type(b->g, all[i].node), led, all[i].host);
    }
    pdr_vmap(b->g, b->size, k, in, mapped, n, each, out);
}

/* ---- the model
 * ------------------------------------------------------------------------------------ */

/* Unmasked outputs; one application for one (parameters, examples), so that
 * running statistics move once a batch. */
static pdr_node build_apply(pdr_build *b, pdr_tensors theta, pdr_node x)
{
    uint32_t first = theta.n ? theta.v[0].id : 0;
    for (size_t i = 0; i < b->applied; i++)
        if (b->apply[i].theta == first && b->apply[i].x == x.id) return b->apply[i].logits;
    bool live = !theta.buffer;
    pdr_apply a = {.param = theta.v,
                   .buffer = live ? b->buffer_now : theta.buffer,
                   .buffer_new = live ? b->buffer_now : NULL,
                   .training = live && b->phase == PDI_PHASE_STEP};
    if (a.training) a.key = pdr_build_key(b);
    pdr_node logits = pdr_model_apply(b->t->spec.model, b->g, &a, x);
    if (b->applied < PDI_APPLIED)
        b->apply[b->applied++] = (pdi_applied){.theta = first, .x = x.id, .logits = logits};
    return logits;
}

pdr_node pdr_build_logits(pdr_build *b, pdr_tensors theta, pdr_batch batch)
{
    pdr_node logits = build_apply(b, theta, batch.x);
    return batch.mask.id ? pdr_mask_logits(b->g, logits, batch.mask) : logits;
}

pdr_node pdr_build_loss(pdr_build *b, pdr_tensors theta, pdr_batch batch)
{
    pdr_node y = pdr_build_logits(b, theta, batch);
    switch (b->t->spec.loss) {
    case PDR_LOSS_MSE:
        if (!batch.target.id) batch.target = pdr_one_hot(b->g, batch.label, b->t->spec.outputs);
        return pdr_mean_all(b->g, pdr_mse(b->g, y, batch.target));
    case PDR_LOSS_BINARY: {
        pdr_node t = pdr_one_hot(b->g, batch.label, b->t->spec.outputs);
        return pdr_mean_all(b->g, pdr_binary_cross_entropy(b->g, y, t));
    }
    default: return pdr_mean_all(b->g, pdr_cross_entropy(b->g, y, batch.label));
    }
}
