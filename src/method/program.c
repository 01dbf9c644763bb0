/* method/program.c -- one run of a method, from graph to plan.
 *
 *   step       loss, gradient, clipping, the optimiser's update: one program
 *   phase end  what the method concludes between phases of a task
 *   pass       whatever the method gathers over the task's examples
 *   task end   whatever the method concludes when the task ends
 *   predict    outputs */
#include <stdio.h>
#include <string.h>

#include "method/build.h"

/* ---- a step ------------------------------------------------------------------------- */

static pdr_node program_loss(pdr_build *b)
{
    const pdi_trainer_spec *s = &b->t->spec;
    const pdr_method *m = b->t->method;
    pdr_node loss = m->loss ? m->loss(b, s->method.self)
                            : pdr_build_loss(b, pdr_build_params(b), pdr_build_batch(b));
    if (!b->trained.n) pdr_build_train(b, pdr_build_params(b));
    if (s->l2 <= 0) return loss;
    pdr_tensors weight = pdr_build_list(b, b->trained.n);
    size_t n = 0;
    for (size_t i = 0; i < weight.n; i++) {
        const pdi_tensor *t = pdi_build_tensor_of(b, b->trained.v[i]);
        if (t && t->is_weight) weight.v[n++] = b->trained.v[i];
    }
    pdr_node norm = pdr_half_square_norm(b->g, n, weight.v);
    return pdr_add(b->g, loss, pdr_scale(b->g, s->l2, norm));
}

/* What is trained, with the optimiser's state: its shared numbers, then slot by slot a
 * tensor for each that is trained, named after it. */
typedef struct program_trained {
    pdr_tensors theta, grad, next, state, state_next;
    bool *is_weight;
} program_trained;

static pdr_node program_optimizer_state(pdr_build *b, const program_trained *p,
                                        const pdr_shape shape[], size_t i, size_t scalars)
{
    char name[160];
    float start;
    bool is_new;
    pdr_shape of = pdr_optimizer_state(&b->t->spec.optimizer, p->theta.n, shape, i, &start);
    const pdi_tensor *from = i < scalars
                                 ? NULL
                                 : pdi_build_tensor_of(b, p->theta.v[(i - scalars) % p->theta.n]);
    size_t slot = i < scalars ? i : (i - scalars) / p->theta.n;
    snprintf(name, sizeof name, "optimizer/%s%s%zu", from ? from->name : "", from ? "/" : "", slot);
    pdi_tensor *t = pdi_state_get(&b->t->store, name, &of, start, &is_new);
    if (!t) b->failed = true;
    if (t && !pdr_shape_equal(&t->shape, &of))
        return pdr_graph_fail(b->g, "the optimizer's state has another shape than what it is of");
    return t ? pdi_build_input(b, PDR_F32, of, t->value) : (pdr_node){0};
}

static void program_open_trained(pdr_build *b, program_trained *p)
{
    const pdr_choice *o = &b->t->spec.optimizer;
    size_t n = b->trained.n, states = pdr_optimizer_states(o, n),
           scalars = pdr_optimizer_states(o, 0);
    pdr_shape *shape = pdi_build_room(b, n + 1, sizeof *shape);
    *p = (program_trained){.theta = b->trained,
                           .grad = pdr_build_list(b, n),
                           .next = pdr_build_list(b, n),
                           .state = pdr_build_list(b, states),
                           .state_next = pdr_build_list(b, states),
                           .is_weight = pdi_build_room(b, n + 1, sizeof(bool))};
    for (size_t i = 0; !b->failed && i < n; i++) {
        const pdi_tensor *t = pdi_build_tensor_of(b, b->trained.v[i]);
        if (!t) {
            pdr_graph_fail(b->g, "what is trained is not a tensor of state");
            return;
        }
        shape[i] = t->shape;
        p->is_weight[i] = t->is_weight;
    }
    for (size_t i = 0; !b->failed && i < states; i++)
        p->state.v[i] = program_optimizer_state(b, p, shape, i, scalars);
}

/* The model's running statistics; over episodes, their mean. */
static void program_set_buffers(pdr_build *b)
{
    for (size_t i = 0; i < pdr_model_buffers(b->t->spec.model); i++) {
        pdr_node now = b->buffer_now[i];
        if (now.id == b->buffer[i].id) continue;
        if (pdi_build_has_episodes(b)) now = pdr_build_mean(b, now);
        pdr_build_set_node(b, b->buffer[i], now);
    }
}

static void program_step(pdr_build *b)
{
    const pdi_trainer_spec *s = &b->t->spec;
    const pdr_method *m = b->t->method;
    program_trained p;
    pdr_node loss = program_loss(b);
    program_open_trained(b, &p);
    if (b->failed || pdr_graph_rc(b->g)) return;
    pdr_grad(b->g, loss, p.theta.n, p.theta.v, p.grad.v);
    if (m->gradient) m->gradient(b, s->method.self, p.theta, p.grad);
    if (s->clip_value > 0) pdr_clip_value(b->g, p.theta.n, p.grad.v, s->clip_value);
    if (s->clip_norm > 0) pdr_clip_norm(b->g, p.theta.n, p.grad.v, s->clip_norm);
    pdr_node rate = pdi_build_input(b, PDR_F32, PDR_SCALAR, &b->t->rate);
    pdr_optimizer_update(&s->optimizer, b->g, p.theta.n, p.theta.v, p.grad.v, p.is_weight, rate,
                         p.state.v, p.next.v, p.state_next.v);
    if (m->update) m->update(b, s->method.self, p.theta, p.grad, p.next);
    pdr_build_set(b, p.theta, p.next);
    pdr_build_set(b, p.state, p.state_next);
    program_set_buffers(b);
    pdi_build_output(b, loss, &b->t->loss);
}

/* ---- predictions ------------------------------------------------------------------------ */

static pdr_node program_outputs(pdr_build *b, pdr_batch batch)
{
    const pdr_method *m = b->t->method;
    return m->predict ? m->predict(b, b->t->spec.method.self, batch)
                      : pdr_build_logits(b, pdr_build_params(b), batch);
}

/* Outputs for the query after 0, 1, ... steps: what these share is built once. */
static pdr_node program_after_steps(pdr_build *b)
{
    pdr_node all = {0};
    pdr_batch query = pdr_build_episode(b).query;
    int32_t most = b->t->spec.episode.test_steps;
    for (b->steps = 0; b->steps <= most; b->steps++) {
        pdr_node y = program_outputs(b, query);
        pdr_shape s = pdr_node_shape(b->g, y);
        y = pdr_reshape(b->g, y, pdi_build_lead(&s, 1));
        all = all.id ? pdr_concat(b->g, all, y, 0) : y;
    }
    pdr_node mapped = {0};
    pdr_build_map(b, 1, &all, &mapped);
    return mapped;
}

static void program_predict(pdr_build *b)
{
    pdr_node y = pdi_build_has_episodes(b) ? program_after_steps(b)
                                           : program_outputs(b, pdr_build_batch(b));
    pdi_build_output(b, y, b->t->output);
}

/* ---- from build to plan ----------------------------------------------------------------- */

/* An output that goes where an input comes from replaces it. */
static int32_t program_over(const pdr_build *b, const void *host)
{
    for (size_t i = 0; i < b->ties; i++)
        if (b->tie[i].host == host) return (int32_t)i;
    return -1;
}

static pdr_rc program_plan(pdr_build *b, void *ctx, pdr_error *err)
{
    const pdr_alloc *alloc = b->t->alloc;
    pdi_program *p = ctx;
    pdr_node *in = pdi_build_room(b, b->ties + 1, sizeof *in),
             *out = pdi_build_room(b, b->sets + 1, sizeof *out);
    int32_t *over = pdi_build_room(b, b->sets + 1, sizeof *over);
    p->in = pdi_new(alloc, b->ties + 1, sizeof *p->in);
    p->out = pdi_new(alloc, b->sets + 1, sizeof *p->out);
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
    p->run = b->run;
    p->size = b->size;
    p->task = b->task;
    p->keys = b->keys;
    return pdr_plan_new(b->g, b->t->pool, b->ties, in, b->sets, out, over, &p->plan, err);
}

static void program_compute(pdr_build *b)
{
    const pdr_method *m = b->t->method;
    void *self = b->t->spec.method.self;
    switch (b->run) {
    case PDI_RUN_STEP: program_step(b); break;
    case PDI_RUN_PHASE_END: m->phase_end(b, self); break;
    case PDI_RUN_PASS: m->task_pass(b, self); break;
    case PDI_RUN_TASK_END: m->task_end(b, self); break;
    case PDI_RUN_PREDICT: program_predict(b); break;
    }
}

/* The model's buffers: inputs, and what they become. */
static void program_buffers(pdr_build *b)
{
    size_t n = pdr_model_buffers(b->t->spec.model), params = pdr_model_params(b->t->spec.model);
    b->spare = pdi_build_room(b, (n > params ? n : params) + 1, sizeof *b->spare);
    if (!b->spare) return;
    pdr_tensors all = pdr_build_copy(b, "param");
    b->buffer = all.buffer;
    b->buffer_now = pdi_build_room(b, n + 1, sizeof *b->buffer_now);
    for (size_t i = 0; !b->failed && i < n; i++) b->buffer_now[i] = b->buffer[i];
}

static void program_build_close(pdr_build *b)
{
    const pdr_alloc *alloc = b->t->alloc;
    for (size_t i = 0; i < b->rooms; i++) pdi_free(alloc, b->room[i]);
    pdi_free(alloc, b->room);
    pdi_free(alloc, b->unit);
    pdi_free(alloc, b->apply);
    pdi_free(alloc, b->tie);
    pdi_free(alloc, b->set);
    pdr_graph_free(b->g);
}

pdr_rc pdi_build_nodes(pdi_trainer *t, pdi_run run, int32_t n, int32_t task, pdi_program *p,
                       pdi_build_fn *use, void *ctx, pdr_error *err)
{
    pdr_build b = {.t = t,
                   .g = pdr_graph_new(t->alloc),
                   .program = p,
                   .run = run,
                   .size = n,
                   .task = task,
                   .steps = -1};
    pdr_rc rc = PDR_NOMEM;
    if (b.g) {
        program_buffers(&b);
        if (!b.failed) program_compute(&b);
        rc = b.failed ? pdi_nomem(err) : use(&b, ctx, err);
    } else {
        pdi_nomem(err);
    }
    program_build_close(&b);
    return rc;
}

pdr_rc pdi_program_build(pdi_trainer *t, pdi_run run, int32_t n, int32_t task, pdi_program *p,
                         pdr_error *err)
{
    pdi_program_close(t->alloc, p);
    pdr_rc rc = pdi_build_nodes(t, run, n, task, p, program_plan, p, err);
    if (rc) pdi_program_close(t->alloc, p);
    return rc;
}

void pdi_program_close(const pdr_alloc *alloc, pdi_program *p)
{
    pdr_plan_free(p->plan);
    pdi_free(alloc, p->in);
    pdi_free(alloc, p->out);
    for (size_t i = 0; i < p->draws; i++) {
        pdi_free(alloc, p->draw[i].index);
        pdi_batch_close(alloc, &p->draw[i].batch);
    }
    pdi_free(alloc, p->draw);
    *p = (pdi_program){0};
}
