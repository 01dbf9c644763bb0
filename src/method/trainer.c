/* method/trainer.c -- a model being taught: steps, the life of a task. */
#include "method/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- making and freeing --------------------------------------------------------------- */

static bool trainer_parameters(pdi_trainer *t)
{
    const pdr_model *m = t->spec.model;
    for (size_t i = 0; i < pdr_model_params(m) + pdr_model_buffers(m); i++) {
        bool is_buffer = i >= pdr_model_params(m), is_new;
        const pdr_param *p = is_buffer ? pdr_model_buffer(m, i - pdr_model_params(m))
                                       : pdr_model_param(m, i);
        char name[96];
        snprintf(name, sizeof name, "param/%s", p->name);
        pdi_tensor *v = pdi_state_get(&t->store, name, &p->shape, 0, &is_new);
        if (!v) return false;
        v->is_weight = p->is_weight;
        pdr_param_init(p, t->spec.seed, (uint32_t)i, v->value);
    }
    return true;
}

/* What a feature is centred and scaled by: whoever owns the trainer changes the numbers. */
static bool trainer_normaliser(pdi_trainer *t)
{
    static const char *const names[] = {"normaliser/centre", "normaliser/scale"};
    float **at[] = {&t->centre, &t->scale};
    for (int k = 0; t->spec.normalises && k < 2; k++) {
        bool is_new;
        pdi_tensor *v = pdi_state_get(&t->store, names[k], &t->spec.example, 0, &is_new);
        if (!v) return false;
        *at[k] = v->value;
    }
    return true;
}

static bool trainer_memory(pdi_trainer *t)
{
    const pdi_trainer_spec *s = &t->spec;
    pdr_memory_spec spec = {0};
    if (!t->method->memory || !t->method->memory(s->method.self, &s->setting, &spec)) return true;
    return pdi_memory_open(&t->memory, t->alloc, &spec, (size_t)pdr_shape_size(&s->example),
                           (size_t)s->targets, s->setting.tasks, s->setting.classes, s->seed);
}

static int32_t trainer_most(int32_t a, int32_t b) { return a > b ? a : b; }

/* Room for what a run sees, and for what it predicts. */
static bool trainer_batches(pdi_trainer *t, int32_t batch)
{
    const pdi_episode_sizes *e = &t->spec.episode;
    size_t rows = (size_t)batch;
    if (e->support) {
        rows = (size_t)e->test_at_once * (size_t)(e->test_steps + 1) * (size_t)e->test_query;
        int32_t support = trainer_most(e->at_once * e->support, e->test_at_once * e->test_support);
        int32_t query = trainer_most(e->at_once * e->query, e->test_at_once * e->test_query);
        if (!pdi_batch_open(t, &t->support, support) || !pdi_batch_open(t, &t->query, query))
            return false;
        size_t most = (size_t)trainer_most(e->at_once, e->test_at_once);
        t->episode_key = pdi_new(t->alloc, most, sizeof *t->episode_key);
        if (!t->episode_key) return false;
    } else if (!pdi_batch_open(t, &t->batch, batch)) {
        return false;
    }
    t->output = pdi_new(t->alloc, rows * (size_t)t->spec.outputs, sizeof *t->output);
    return t->output != NULL;
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
    t->spec.setting.features = pdr_model_features(spec->model);
    t->method = (const pdr_method *)(const void *)spec->method.kind;
    if (!trainer_memory(t) || !trainer_batches(t, batch) || !trainer_parameters(t) ||
        !trainer_normaliser(t)) {
        pdi_trainer_free(t);
        return pdi_nomem(err);
    }
    *out = t;
    return PDR_OK;
}

static void trainer_drop_programs(pdi_trainer *t)
{
    for (size_t i = 0; i < t->programs; i++) pdi_program_close(t->alloc, &t->program[i]);
    t->programs = t->oldest = 0;
}

static void trainer_drop_passed(pdi_trainer *t)
{
    for (size_t k = 0; k < PDR_COLUMNS; k++) {
        pdi_free(t->alloc, t->passed_column[k]);
        t->passed_column[k] = NULL;
    }
    t->passed = 0;
}

void pdi_trainer_free(pdi_trainer *t)
{
    if (!t) return;
    trainer_drop_programs(t);
    trainer_drop_passed(t);
    pdi_state_close(&t->store);
    pdi_memory_close(&t->memory);
    pdi_batch_close(t->alloc, &t->batch);
    pdi_batch_close(t->alloc, &t->support);
    pdi_batch_close(t->alloc, &t->query);
    pdi_free(t->alloc, t->episode_key);
    pdi_free(t->alloc, t->output);
    pdi_free(t->alloc, t);
}

float *pdi_trainer_row(pdi_trainer *t, int32_t i)
{
    return t->batch.x + (size_t)i * (size_t)pdr_shape_size(&t->spec.example);
}

void pdi_trainer_put(pdi_trainer *t, int32_t i, const pdi_example *e)
{
    pdi_batch_put(t, &t->batch, i, e);
}

/* ---- running --------------------------------------------------------------------------------- */

/* What a program takes from memory.  What does not change is taken once. */
static void trainer_draw(pdi_trainer *t, pdi_draw *d)
{
    pdi_memory *m = &t->memory;
    size_t n = (size_t)d->batch.size;
    if (!m->held || (!d->is_random && d->changes == m->changes)) return;
    if (d->is_random)
        pdi_memory_draw(m, n, d->index);
    else
        pdi_memory_of_task(m, d->task, n, d->index);
    d->changes = m->changes;
    for (size_t i = 0; i < n; i++) {
        pdi_example e = pdi_memory_example(m, d->index[i]);
        pdi_batch_put(t, &d->batch, (int32_t)i, &e);
    }
}

/* The program for n examples: built when it is first asked for. */
static pdr_rc trainer_program(pdi_trainer *t, pdi_run run, int32_t n, int32_t task, pdi_program **p,
                              pdr_error *err)
{
    for (size_t k = 0; k < t->programs; k++) {
        *p = &t->program[k];
        if ((*p)->plan && (*p)->run == run && (*p)->size == n && (*p)->task == task) return PDR_OK;
    }
    if (t->programs < PDI_PROGRAMS) {
        *p = &t->program[t->programs++];
    } else {
        *p = &t->program[t->oldest];
        t->oldest = (t->oldest + 1) % PDI_PROGRAMS;
    }
    return pdi_program_build(t, run, n, task, *p, err);
}

static void trainer_key(const pdi_trainer *t, uint64_t number, uint32_t use, int32_t key[4])
{
    key[0] = (int32_t)(uint32_t)t->spec.seed;
    key[1] = (int32_t)(uint32_t)(t->spec.seed >> 32);
    key[2] = (int32_t)(uint32_t)number;
    key[3] = (int32_t)(PDR_STREAM_STEP | use << 8);
}

/* Random keys of a run: a function of seed, step and use; of its episodes: of seed, number
 * and use. */
static void trainer_keys(pdi_trainer *t, const pdi_program *p)
{
    uint32_t tests = p->run == PDI_RUN_PREDICT;
    for (size_t k = 0; k < p->keys; k++) trainer_key(t, t->steps, (uint32_t)k, t->key[k]);
    for (int32_t k = 0; t->episode_key && k < p->size; k++)
        trainer_key(t, t->first + (uint64_t)k, PDI_KEYS + tests, t->episode_key[k]);
}

static pdr_rc trainer_run(pdi_trainer *t, pdi_run run, int32_t n, int32_t task, pdr_error *err)
{
    pdi_program *p;
    pdr_rc rc = trainer_program(t, run, n, task, &p, err);
    if (rc) return rc;
    t->have = t->memory.held > 0;
    for (size_t i = 0; i < p->draws; i++) trainer_draw(t, &p->draw[i]);
    trainer_keys(t, p);
    pdr_plan_run(p->plan, p->in, p->out);
    return PDR_OK;
}

void pdi_trainer_task(pdi_trainer *t, int32_t task, int32_t phase)
{
    t->task = task;
    t->phase = phase;
    trainer_drop_passed(t);
    trainer_drop_programs(t);
}

pdr_rc pdi_trainer_step(pdi_trainer *t, int32_t n, float rate, double *loss, pdr_error *err)
{
    t->rate = rate;
    pdr_rc rc = trainer_run(t, PDI_RUN_STEP, n, -1, err);
    if (rc) return rc;
    t->steps++;
    *loss = (double)t->loss;
    if (isfinite(*loss)) return PDR_OK;
    return pdi_fail(
        err, PDR_DIVERGED,
        "the loss is not finite at step %llu (task %d); lower optimizer.rate (now %g) or "
        "the method's own rate, set training.clip_norm, or weaken the method's penalty",
        (unsigned long long)t->steps, t->task + 1, (double)rate);
}

/* ---- memory -------------------------------------------------------------------------------------
 */

static pdr_rc trainer_offer(pdi_trainer *t, const pdi_example *e, float *const column[], size_t row,
                            pdr_error *err)
{
    pdi_example with = *e;
    for (size_t k = 0; k < t->memory.spec.columns; k++)
        if (column[k]) with.column[k] = column[k] + row * (size_t)t->memory.spec.column[k].width;
    return pdi_memory_offer(&t->memory, &with) ? PDR_OK : pdi_nomem(err);
}

pdr_rc pdi_trainer_offer(pdi_trainer *t, int32_t i, const pdi_example *e, pdr_error *err)
{
    return trainer_offer(t, e, t->batch.column, (size_t)i, err);
}

pdr_rc pdi_trainer_offer_passed(pdi_trainer *t, size_t i, const pdi_example *e, pdr_error *err)
{
    return trainer_offer(t, e, t->passed_column, i, err);
}

bool pdi_trainer_selects(const pdi_trainer *t)
{
    return t->memory.used && t->memory.spec.policy == PDR_MEMORY_SELECTED;
}

static bool trainer_gather(const pdi_trainer *t, size_t k, size_t n, const uint32_t index[],
                           float **out)
{
    size_t width = (size_t)t->memory.spec.column[k].width;
    float *rows = pdi_new(t->alloc, n * width, sizeof *rows);
    for (size_t i = 0; rows && t->passed_column[k] && i < n; i++)
        memcpy(rows + i * width, t->passed_column[k] + index[i] * width, width * sizeof *rows);
    *out = rows;
    return rows != NULL;
}

pdr_rc pdi_trainer_select(pdi_trainer *t, size_t n, const uint32_t index[], uint32_t chosen[],
                          size_t *kept, pdr_error *err)
{
    float *column[PDR_COLUMNS] = {0};
    size_t most = (size_t)t->memory.spec.size, widest = 0;
    pdr_selection s = {.n = n, .most = n < most ? n : most, .chosen = chosen};
    bool ok = true;
    for (size_t k = 0; ok && k < t->memory.spec.columns; k++) {
        ok = trainer_gather(t, k, n, index, &column[k]);
        s.column[k] = column[k];
        s.width[k] = (size_t)t->memory.spec.column[k].width;
        if (s.width[k] > widest) widest = s.width[k];
    }
    s.room = ok ? pdi_new(t->alloc, n + 2 * widest, sizeof *s.room) : NULL;
    ok = ok && s.room;
    *kept = ok ? t->method->select(t->spec.method.self, &s) : 0;
    pdi_free(t->alloc, s.room);
    for (size_t k = 0; k < PDR_COLUMNS; k++) pdi_free(t->alloc, column[k]);
    return ok ? PDR_OK : pdi_nomem(err);
}

/* ---- ends
 * ------------------------------------------------------------------------------------------ */

pdr_rc pdi_trainer_phase_end(pdi_trainer *t, pdr_error *err)
{
    return t->method->phase_end ? trainer_run(t, PDI_RUN_PHASE_END, 1, -1, err) : PDR_OK;
}

/* Append what the pass kept of n examples. */
static bool trainer_keep_passed(pdi_trainer *t, size_t n)
{
    for (size_t k = 0; t->memory.used && k < t->memory.spec.columns; k++) {
        size_t width = (size_t)t->memory.spec.column[k].width;
        float *more = pdi_resize(t->alloc, t->passed_column[k], (t->passed + n) * width,
                                 sizeof *more);
        if (!more) return false;
        t->passed_column[k] = more;
        memcpy(more + t->passed * width, t->batch.column[k], n * width * sizeof *more);
    }
    return true;
}

pdr_rc pdi_trainer_pass(pdi_trainer *t, int32_t n, pdr_error *err)
{
    if (!t->method->task_pass) return PDR_OK;
    pdr_rc rc = trainer_run(t, PDI_RUN_PASS, n, -1, err);
    if (!rc && !trainer_keep_passed(t, (size_t)n)) rc = pdi_nomem(err);
    t->passed += (uint64_t)n;
    return rc;
}

pdr_rc pdi_trainer_task_end(pdi_trainer *t, pdr_error *err)
{
    pdr_rc rc = t->method->task_end ? trainer_run(t, PDI_RUN_TASK_END, 1, -1, err) : PDR_OK;
    if (!rc) t->learned = t->task + 1;
    trainer_drop_passed(t);
    trainer_drop_programs(t);
    return rc;
}

pdr_rc pdi_trainer_predict(pdi_trainer *t, int32_t n, int32_t task, const float **outputs,
                           pdr_error *err)
{
    *outputs = t->output;
    return trainer_run(t, PDI_RUN_PREDICT, n, t->method->predict ? task : -1, err);
}

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
