/* lifelong/program.c -- one phase of a method, from graph to plan.
 *
 *   step     loss, gradient, clipping, the optimiser's update: one program
 *   pass     whatever the method gathers over the task's examples
 *   end      whatever the method concludes when the task ends
 *   predict  the model's outputs */
#include <stdio.h>
#include <string.h>

#include "lifelong/build.h"

/* ---- what each phase computes ------------------------------------------------------- */

static pdr_node program_loss(pdr_build *b, const pdr_tensors *theta)
{
    const pdi_trainer_spec *s = &b->t->spec;
    const pdr_method *m = b->t->method;
    pdr_node loss = m->loss ? m->loss(b, s->method.self)
                            : pdr_build_loss(b, *theta, pdr_build_batch(b));
    if (s->l2 <= 0) return loss;
    pdr_node *weight = pdi_build_room(b, theta->n, sizeof *weight);
    size_t n = 0;
    for (size_t i = 0; weight && i < theta->n; i++)
        if (pdr_model_param(s->model, i)->is_weight) weight[n++] = theta->v[i];
    pdr_node norm = pdr_half_square_norm(b->g, n, weight);
    return pdr_add(b->g, loss, pdr_scale(b->g, s->l2, norm));
}

/* The optimiser's state tensors, as inputs. */
static pdr_node *program_optimizer_state(pdr_build *b, size_t n, size_t *count)
{
    const pdi_trainer_spec *s = &b->t->spec;
    pdr_shape *shape = pdi_build_room(b, n, sizeof *shape);
    *count = pdr_optimizer_states(&s->optimizer, n);
    pdr_node *state = pdi_build_room(b, *count, sizeof *state);
    for (size_t i = 0; shape && i < n; i++) shape[i] = pdr_model_param(s->model, i)->shape;
    for (size_t i = 0; shape && state && i < *count; i++) {
        char name[96];
        float start;
        pdr_shape of = pdr_optimizer_state(&s->optimizer, n, shape, i, &start);
        snprintf(name, sizeof name, "optimizer/%zu", i);
        pdi_tensor *t = pdi_state_get(&b->t->store, name, &of, start);
        if (!t) b->failed = true;
        if (t) state[i] = pdi_build_input(b, PDR_F32, of, t->value);
    }
    return state;
}

static void program_set(pdr_build *b, size_t n, const pdr_node state[], const pdr_node next[])
{
    pdr_build_set(b, (pdr_tensors){.n = n, .v = (pdr_node *)(uintptr_t)state},
                  (pdr_tensors){.n = n, .v = (pdr_node *)(uintptr_t)next});
}

static void program_step(pdr_build *b)
{
    const pdi_trainer_spec *s = &b->t->spec;
    pdr_tensors theta = pdr_build_params(b), grad = pdr_build_tensors(b),
                next = pdr_build_tensors(b);
    size_t n = theta.n, states;
    bool *is_weight = pdi_build_room(b, n, sizeof *is_weight);
    pdr_node *state = program_optimizer_state(b, n, &states);
    pdr_node *state_next = pdi_build_room(b, states, sizeof *state_next);
    if (b->failed) return;
    pdr_node loss = program_loss(b, &theta);
    for (size_t i = 0; i < n; i++) is_weight[i] = pdr_model_param(s->model, i)->is_weight;
    pdr_grad(b->g, loss, n, theta.v, grad.v);
    if (s->clip_value > 0) pdr_clip_value(b->g, n, grad.v, s->clip_value);
    if (s->clip_norm > 0) pdr_clip_norm(b->g, n, grad.v, s->clip_norm);
    pdr_node rate = pdi_build_input(b, PDR_F32, PDR_SCALAR, &b->t->rate);
    pdr_optimizer_update(&s->optimizer, b->g, n, theta.v, grad.v, is_weight, rate, state, next.v,
                         state_next);
    program_set(b, n, theta.v, next.v);
    program_set(b, states, state, state_next);
    program_set(b, pdr_model_buffers(s->model), b->buffer, b->buffer_now);
    pdi_build_output(b, loss, &b->t->loss);
}

static void program_predict(pdr_build *b)
{
    pdr_tensors theta = pdr_build_params(b);
    if (!b->failed)
        pdi_build_output(b, pdr_build_logits(b, theta, pdr_build_batch(b)), b->t->output);
}

/* ---- from build to plan ----------------------------------------------------------------- */

/* An output that goes where an input comes from replaces it. */
static int32_t program_over(const pdr_build *b, const void *host)
{
    for (size_t i = 0; i < b->ties; i++)
        if (b->tie[i].host == host) return (int32_t)i;
    return -1;
}

static pdr_rc program_plan(pdr_build *b, pdi_program *p, pdr_error *err)
{
    const pdr_alloc *alloc = b->t->alloc;
    pdr_node *in = pdi_build_room(b, b->ties, sizeof *in),
             *out = pdi_build_room(b, b->sets, sizeof *out);
    int32_t *over = pdi_build_room(b, b->sets, sizeof *over);
    p->in = pdi_new(alloc, b->ties, sizeof *p->in);
    p->out = pdi_new(alloc, b->sets, sizeof *p->out);
    if (b->failed || !p->in || !p->out) return pdi_nomem(err);
    for (size_t i = 0; i < b->ties; i++) {
        in[i] = b->tie[i].node;
        p->in[i] = b->tie[i].host;
    }
    for (size_t i = 0; i < b->sets; i++) {
        out[i] = b->set[i].node;
        p->out[i] = b->set[i].host;
        over[i] = program_over(b, b->set[i].host);
    }
    p->n_in = b->ties;
    p->n_out = b->sets;
    p->size = b->size;
    p->replay = b->replay;
    return pdr_plan_new(b->g, b->t->pool, b->ties, in, b->sets, out, over, &p->plan, err);
}

static void program_compute(pdr_build *b)
{
    const pdr_method *m = b->t->method;
    void *self = b->t->spec.method.self;
    switch (b->phase) {
    case PDI_PHASE_STEP: program_step(b); break;
    case PDI_PHASE_PASS: m->task_pass(b, self); break;
    case PDI_PHASE_END: m->task_end(b, self); break;
    case PDI_PHASE_PREDICT: program_predict(b); break;
    }
}

/* The model's buffers: inputs, and what they become. */
static void program_buffers(pdr_build *b)
{
    size_t n = pdr_model_buffers(b->t->spec.model), params = pdr_model_params(b->t->spec.model);
    b->spare = pdi_build_room(b, n > params ? n : params, sizeof *b->spare);
    if (!b->spare) return;
    pdr_tensors all = pdr_build_copy(b, "param");
    b->buffer = all.buffer;
    b->buffer_now = pdi_build_room(b, n, sizeof *b->buffer_now);
    for (size_t i = 0; !b->failed && i < n; i++) b->buffer_now[i] = b->buffer[i];
}

static void program_build_close(pdr_build *b)
{
    const pdr_alloc *alloc = b->t->alloc;
    for (size_t i = 0; i < b->rooms; i++) pdi_free(alloc, b->room[i]);
    pdi_free(alloc, b->room);
    pdi_free(alloc, b->tie);
    pdi_free(alloc, b->set);
    pdr_graph_free(b->g);
}

pdr_rc pdi_program_build(pdi_trainer *t, pdi_phase phase, int32_t n, pdi_program *p, pdr_error *err)
{
    pdr_build b = {.t = t, .g = pdr_graph_new(t->alloc), .phase = phase, .size = n};
    pdr_rc rc = PDR_NOMEM;
    pdi_program_close(t->alloc, p);
    if (b.g) {
        program_buffers(&b);
        if (!b.failed) program_compute(&b);
        rc = b.failed ? pdi_nomem(err) : program_plan(&b, p, err);
    } else {
        pdi_nomem(err);
    }
    if (rc) pdi_program_close(t->alloc, p);
    program_build_close(&b);
    return rc;
}

void pdi_program_close(const pdr_alloc *alloc, pdi_program *p)
{
    pdr_plan_free(p->plan);
    pdi_free(alloc, p->in);
    pdi_free(alloc, p->out);
    *p = (pdi_program){0};
}
