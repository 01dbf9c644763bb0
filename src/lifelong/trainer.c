/* lifelong/trainer.c -- a model being taught: state, steps, the life of a task. */
#include "lifelong/trainer.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "lifelong/build.h"

/* ---- making and freeing --------------------------------------------------------------- */

static bool trainer_batch_column(const pdr_alloc *alloc, void *column, size_t n, size_t each)
{
    void **p = column;
    if (!each) return true;
    void *more = pdi_resize(alloc, *p, n, each);
    if (!more) return false;
    *p = more;
    memset(more, 0, n * each);
    return true;
}

bool pdi_batch_reserve(pdi_trainer *t, pdi_host_batch *h, int32_t n)
{
    const pdi_trainer_spec *s = &t->spec;
    if (n <= h->size) return true;
    size_t m = (size_t)n, width = (size_t)pdr_shape_size(&s->example);
    size_t outputs = s->mask ? (size_t)s->outputs : 0;
    if (!trainer_batch_column(t->alloc, &h->x, m, width * sizeof(float)) ||
        !trainer_batch_column(t->alloc, &h->target, m, (size_t)s->targets * sizeof(float)) ||
        !trainer_batch_column(t->alloc, &h->mask, m, outputs * sizeof(float)) ||
        !trainer_batch_column(t->alloc, &h->label, m, sizeof(int32_t)))
        return false;
    h->size = n;
    return true;
}

static void trainer_batch_close(const pdr_alloc *alloc, pdi_host_batch *h)
{
    pdi_free(alloc, h->x);
    pdi_free(alloc, h->target);
    pdi_free(alloc, h->mask);
    pdi_free(alloc, h->label);
}

static bool trainer_parameters(pdi_trainer *t)
{
    const pdr_model *m = t->spec.model;
    for (size_t i = 0; i < pdr_model_params(m) + pdr_model_buffers(m); i++) {
        bool is_buffer = i >= pdr_model_params(m);
        const pdr_param *p = is_buffer ? pdr_model_buffer(m, i - pdr_model_params(m))
                                       : pdr_model_param(m, i);
        char name[96] = "param/";
        strncat(name, p->name, sizeof name - 7);
        pdi_tensor *v = pdi_state_get(&t->store, name, &p->shape, 0);
        if (!v) return false;
        pdr_param_init(p, t->spec.seed, (uint32_t)i, v->value);
    }
    return true;
}

static bool trainer_memory(pdi_trainer *t)
{
    const pdi_trainer_spec *s = &t->spec;
    pdr_memory_spec spec;
    if (!t->method->memory || !t->method->memory(s->method.self, &spec)) return true;
    return pdi_memory_open(&t->memory, t->alloc, &spec, (size_t)pdr_shape_size(&s->example),
                           (size_t)s->targets, s->tasks, s->classes, s->seed);
}

pdr_rc pdi_trainer_new(const pdr_alloc *alloc, const pdi_trainer_spec *spec, pdr_pool *pool,
                       int32_t batch, pdi_trainer **out, pdr_error *err)
{
    *out = NULL;
    pdi_trainer *t = pdi_new(alloc, 1, sizeof *t);
    if (!t) return pdi_nomem(err);
    t->alloc = t->store.alloc = alloc;
    t->pool = pool;
    t->spec = *spec;
    t->method = (const pdr_method *)(const void *)spec->method.kind;
    t->output = pdi_new(alloc, (size_t)batch * (size_t)spec->outputs, sizeof *t->output);
    if (!t->output || !pdi_batch_reserve(t, &t->batch, batch) || !trainer_parameters(t) ||
        !trainer_memory(t)) {
        pdi_trainer_free(t);
        return pdi_nomem(err);
    }
    *out = t;
    return PDR_OK;
}

static void trainer_drop_programs(pdi_trainer *t)
{
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 2; k++) pdi_program_close(t->alloc, &t->program[i][k]);
}

void pdi_trainer_free(pdi_trainer *t)
{
    if (!t) return;
    trainer_drop_programs(t);
    pdi_state_close(&t->store);
    pdi_memory_close(&t->memory);
    trainer_batch_close(t->alloc, &t->batch);
    trainer_batch_close(t->alloc, &t->drawn);
    pdi_free(t->alloc, t->drawn_index);
    pdi_free(t->alloc, t->output);
    pdi_free(t->alloc, t);
}

/* ---- examples ------------------------------------------------------------------------------ */

static void trainer_batch_put(const pdi_trainer *t, pdi_host_batch *h, int32_t i,
                              const pdi_example *e)
{
    const pdi_trainer_spec *s = &t->spec;
    size_t width = (size_t)pdr_shape_size(&s->example), at = (size_t)i;
    size_t outputs = (size_t)s->outputs, targets = (size_t)s->targets;
    if (e->x != h->x + at * width) memcpy(h->x + at * width, e->x, width * sizeof *h->x);
    h->label[i] = e->label;
    if (targets) memcpy(h->target + at * targets, e->target, targets * sizeof *h->target);
    if (s->mask)
        memcpy(h->mask + at * outputs, s->mask + (size_t)e->task * outputs,
               outputs * sizeof *h->mask);
}

float *pdi_trainer_row(pdi_trainer *t, int32_t i)
{
    return t->batch.x + (size_t)i * (size_t)pdr_shape_size(&t->spec.example);
}

void pdi_trainer_put(pdi_trainer *t, int32_t i, const pdi_example *e)
{
    trainer_batch_put(t, &t->batch, i, e);
}

static pdi_example trainer_memory_example(const pdi_memory *m, size_t i)
{
    return (pdi_example){m->x + i * m->width, m->label[i], m->task[i],
                         m->targets ? m->target + i * m->targets : NULL};
}

static bool trainer_draw(pdi_trainer *t, int32_t n)
{
    pdi_memory *m = &t->memory;
    uint32_t *index = pdi_resize(t->alloc, t->drawn_index, (size_t)n, sizeof *index);
    if (!index) return false;
    t->drawn_index = index;
    t->have = m->held > 0;
    if (!m->held) return true;
    pdi_memory_draw(m, (size_t)n, index);
    for (int32_t i = 0; i < n; i++) {
        pdi_example e = trainer_memory_example(m, index[i]);
        trainer_batch_put(t, &t->drawn, i, &e);
    }
    return true;
}

/* ---- running --------------------------------------------------------------------------------- */

/* The program for n examples: built when it is first asked for. */
static pdr_rc trainer_program(pdi_trainer *t, pdi_phase phase, int32_t n, pdi_program **p,
                              pdr_error *err)
{
    for (int k = 0; k < 2; k++) {
        *p = &t->program[phase][k];
        if ((*p)->plan && (*p)->size == n) return PDR_OK;
    }
    *p = &t->program[phase][t->program[phase][0].plan != NULL];
    return pdi_program_build(t, phase, n, *p, err);
}

/* Random keys of a run: a function of seed, step and use. */
static void trainer_keys(pdi_trainer *t)
{
    for (int k = 0; k < PDI_KEYS; k++) {
        t->key[k][0] = (int32_t)(uint32_t)t->spec.seed;
        t->key[k][1] = (int32_t)(uint32_t)(t->spec.seed >> 32);
        t->key[k][2] = (int32_t)(uint32_t)t->steps;
        t->key[k][3] = PDR_STREAM_STEP | k << 8;
    }
}

static pdr_rc trainer_run(pdi_trainer *t, pdi_phase phase, int32_t n, pdr_error *err)
{
    pdi_program *p;
    pdr_rc rc = trainer_program(t, phase, n, &p, err);
    if (rc) return rc;
    if (p->replay && !trainer_draw(t, p->replay)) return pdi_nomem(err);
    trainer_keys(t);
    pdr_plan_run(p->plan, p->in, p->out);
    return PDR_OK;
}

void pdi_trainer_task(pdi_trainer *t, int32_t task)
{
    t->task = task;
    t->passed = 0;
    trainer_drop_programs(t);
}

pdr_rc pdi_trainer_step(pdi_trainer *t, int32_t n, float rate, double *loss, pdr_error *err)
{
    t->rate = rate;
    pdr_rc rc = trainer_run(t, PDI_PHASE_STEP, n, err);
    if (rc) return rc;
    t->steps++;
    *loss = (double)t->loss;
    if (isfinite(*loss)) return PDR_OK;
    return pdi_fail(err, PDR_DIVERGED,
                    "the loss is not finite at step %llu (task %d); lower optimizer.rate (now %g), "
                    "set training.clip_norm, or weaken the method's penalty",
                    (unsigned long long)t->steps, t->task + 1, (double)rate);
}

pdr_rc pdi_trainer_pass(pdi_trainer *t, int32_t n, pdr_error *err)
{
    if (!t->method->task_pass) return PDR_OK;
    t->passed += (uint64_t)n;
    return trainer_run(t, PDI_PHASE_PASS, n, err);
}

pdr_rc pdi_trainer_task_end(pdi_trainer *t, pdr_error *err)
{
    return t->method->task_end ? trainer_run(t, PDI_PHASE_END, 1, err) : PDR_OK;
}

pdr_rc pdi_trainer_predict(pdi_trainer *t, int32_t n, const float **outputs, pdr_error *err)
{
    *outputs = t->output;
    return trainer_run(t, PDI_PHASE_PREDICT, n, err);
}

/* ---- state -------------------------------------------------------------------------------------
 */

void pdi_trainer_reset_optimizer(pdi_trainer *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->store.n; i++) {
        if (!strncmp(t->store.v[i].name, "optimizer/", 10))
            pdi_free(t->alloc, t->store.v[i].value);
        else
            t->store.v[kept++] = t->store.v[i];
    }
    t->store.n = kept;
    trainer_drop_programs(t);
}

static uint64_t trainer_memory_hash(const pdi_memory *m, uint64_t h)
{
    if (!m->used) return h;
    h = pdi_hash(h, &m->held, sizeof m->held);
    h = pdi_hash(h, &m->rng.counter, sizeof m->rng.counter);
    h = pdi_hash(h, m->offered, (size_t)m->groups * sizeof *m->offered);
    h = pdi_hash(h, m->slot, (size_t)m->groups * (size_t)m->spec.size * sizeof *m->slot);
    h = pdi_hash(h, m->x, m->held * m->width * sizeof *m->x);
    h = pdi_hash(h, m->target, m->held * m->targets * sizeof *m->target);
    h = pdi_hash(h, m->label, m->held * sizeof *m->label);
    return pdi_hash(h, m->task, m->held * sizeof *m->task);
}

uint64_t pdi_trainer_hash(const pdi_trainer *t)
{
    uint64_t h = pdi_hash(0, &t->steps, sizeof t->steps);
    for (size_t i = 0; i < t->store.n; i++) {
        const pdi_tensor *v = &t->store.v[i];
        h = pdi_hash(h, v->name, strlen(v->name));
        h = pdi_hash(h, v->value, (size_t)pdr_shape_size(&v->shape) * sizeof *v->value);
    }
    return trainer_memory_hash(&t->memory, h);
}

uint64_t pdi_trainer_parameters(const pdi_trainer *t)
{
    uint64_t n = 0;
    for (size_t i = 0; i < pdr_model_params(t->spec.model); i++)
        n += (uint64_t)pdr_shape_size(&pdr_model_param(t->spec.model, i)->shape);
    return n;
}
