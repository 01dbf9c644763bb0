/* teach.c -- a small model taught by a method, for the tests of methods. */
#include "teach.h"

#include <math.h>
#include <perdure/rng.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"
#include "t.h"

void teach_near(double x, double want, double tolerance)
{
    if (!(fabs(x - want) <= tolerance)) fail_msg("%.9g is not %.9g", x, want);
}

/* ---- making it ------------------------------------------------------------------------ */

static pdr_choice teach_choose(pdr_kind_group group, const teach_choice *c, void **options)
{
    pdr_error err = PDR_NO_ERROR;
    const pdr_kind *k = pdr_kind_find(group, c->name);
    if (!k) fail_msg("there is no %s", c->name);
    *options = test_calloc(1, k->self_size ? k->self_size : 1);
    pdr_option_defaults(k->options, *options);
    for (size_t i = 0; c->set[i]; i += 2) {
        const pdr_option *o = pdr_option_find(k->options, c->set[i]);
        assert_non_null(o);
        assert_int_equal(pdr_option_set(o, *options, c->set[i + 1], &err), PDR_OK);
    }
    return (pdr_choice){k, *options};
}

static void teach_outputs(teach *f)
{
    const teach_how *h = f->how;
    int32_t each = h->outputs / h->tasks;
    f->first_task = test_calloc((size_t)h->outputs, sizeof *f->first_task);
    if (h->masked || h->class_incremental)
        for (int32_t y = 0; y < h->outputs; y++) f->first_task[y] = y / each;
    if (!h->masked) return;
    f->mask = test_calloc((size_t)(h->tasks * h->outputs), sizeof *f->mask);
    for (int32_t t = 0; t < h->tasks; t++)
        for (int32_t y = 0; y < each; y++) f->mask[t * h->outputs + t * each + y] = 1;
}

pdr_rc teach_again(teach *f, const pdr_alloc *alloc)
{
    const teach_how *h = f->how;
    pdr_error err = PDR_NO_ERROR;
    pdi_trainer_spec s = {
        .method = {pdr_kind_find(PDR_KIND_METHOD, h->method.name), f->option[0]},
        .optimizer = {pdr_kind_find(PDR_KIND_OPTIMIZER, h->optimizer.name), f->option[1]},
        .model = f->model,
        .loss = PDR_LOSS_CROSS_ENTROPY,
        .l2 = h->l2,
        .clip_norm = h->clip_norm,
        .example = h->example,
        .outputs = h->outputs,
        .setting = {.tasks = h->tasks,
                    .outputs = h->outputs,
                    .classes = h->outputs,
                    .has_boundaries = true,
                    .has_masks = h->masked,
                    .is_class_incremental = h->class_incremental},
        .mask = f->mask,
        .first_task = f->first_task,
        .seed = h->seed,
    };
    pdi_trainer_free(f->t);
    return pdi_trainer_new(alloc ? alloc : &pdi_malloc, &s, f->pool, TEACH_BATCH, &f->t, &err);
}

void teach_open(teach *f, const teach_how *how, int threads)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_choice layer[TEACH_LAYERS];
    size_t n = 0;
    *f = (teach){.how = how};
    teach_choose(PDR_KIND_METHOD, &how->method, &f->option[0]);
    teach_choose(PDR_KIND_OPTIMIZER, &how->optimizer, &f->option[1]);
    for (; n < TEACH_LAYERS && how->layer[n].name; n++)
        layer[n] = teach_choose(PDR_KIND_LAYER, &how->layer[n], &f->option[2 + n]);
    assert_int_equal(pdr_model_new(NULL, n, layer, how->example, how->outputs, &f->model, &err),
                     PDR_OK);
    f->pool = pdr_pool_new(NULL, threads);
    teach_outputs(f);
    assert_int_equal(teach_again(f, NULL), PDR_OK);
}

void teach_close(teach *f)
{
    pdi_trainer_free(f->t);
    pdr_model_free(f->model);
    pdr_pool_free(f->pool);
    for (size_t i = 0; i < COUNT(f->option); i++)
        if (f->option[i]) test_free(f->option[i]);
    if (f->mask) test_free(f->mask);
    test_free(f->first_task);
}

/* ---- examples and state ------------------------------------------------------------------- */

void teach_example(const teach_how *how, int32_t task, int32_t i, float x[], int32_t *label)
{
    int32_t each = how->outputs / how->tasks;
    bool shared = !how->masked && !how->class_incremental;
    pdr_rng r = {.seed = 77, .stream = PDR_STREAM_TEST, .sub = (uint32_t)(1000 * task + i)};
    *label = shared ? i % how->outputs : task * each + i % each;
    for (int64_t k = 0; k < pdr_shape_size(&how->example); k++) x[k] = pdr_rng_uniform(&r);
    x[*label % pdr_shape_size(&how->example)] = 1; /* something to learn by */
}

void teach_put(teach *f, int32_t task, int32_t first, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        float *x = pdi_trainer_row(f->t, i);
        pdi_example e = {.x = x, .task = task};
        teach_example(f->how, task, first + i, x, &e.label);
        pdi_trainer_put(f->t, i, &e);
    }
}

double teach_step(teach *f, int32_t n, float rate)
{
    double loss = NAN;
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(pdi_trainer_step(f->t, n, rate, &loss, &err), PDR_OK);
    return loss;
}

const pdi_tensor *teach_tensor(const teach *f, const char *name)
{
    return state_tensor(f->t, name);
}

float teach_value(const teach *f, const char *name, size_t i)
{
    return teach_tensor(f, name)->value[i];
}

/* ---- a life ------------------------------------------------------------------------------------
 */

/* As the stream's loop does it: the class's examples, those chosen, offered best first. */
static pdr_rc teach_select(teach *f, int32_t task, int32_t n, pdr_error *err)
{
    uint32_t index[256], chosen[256];
    size_t kept;
    float x[64];
    pdr_rc rc = PDR_OK;
    for (int32_t y = 0; !rc && y < f->how->outputs; y++) {
        size_t m = 0;
        for (int32_t i = 0, label; i < n; i++) {
            teach_example(f->how, task, i, x, &label);
            if (label == y) index[m++] = (uint32_t)i;
        }
        if (!m) continue;
        rc = pdi_trainer_select(f->t, m, index, chosen, &kept, err);
        for (size_t k = 0; !rc && k < kept; k++) {
            pdi_example e = {.x = x, .task = task};
            teach_example(f->how, task, (int32_t)index[chosen[k]], x, &e.label);
            rc = pdi_trainer_offer_passed(f->t, index[chosen[k]], &e, err);
        }
    }
    return rc;
}

static pdr_rc teach_store(teach *f, int32_t task, int32_t n, pdr_error *err)
{
    float x[64];
    pdr_rc rc = PDR_OK;
    if (!f->t->memory.used || f->t->memory.spec.while_learning) return rc;
    if (pdi_trainer_selects(f->t)) return teach_select(f, task, n, err);
    for (int32_t i = 0; !rc && i < n; i++) {
        pdi_example e = {.x = x, .task = task};
        teach_example(f->how, task, i, x, &e.label);
        rc = pdi_trainer_offer_passed(f->t, (size_t)i, &e, err);
    }
    return rc;
}

/* What the memory is offered while learning. */
static pdr_rc teach_remember(teach *f, int32_t task, int32_t first, int32_t n, pdr_error *err)
{
    float x[64];
    pdr_rc rc = PDR_OK;
    for (int32_t i = 0; !rc && i < n; i++) {
        pdi_example e = {.x = x, .task = task};
        teach_example(f->how, task, first + i, x, &e.label);
        rc = pdi_trainer_offer(f->t, i, &e, err);
    }
    return rc;
}

/* Ten examples, two of them from memory where the method learns those with its own. */
static pdr_rc teach_some(teach *f, int32_t task, int32_t step, pdr_error *err)
{
    double loss;
    const pdi_memory *m = &f->t->memory;
    teach_put(f, task, 3 * step, 10);
    for (int32_t i = 0; i < 2 && f->t->method->data == PDR_DATA_CURRENT_AND_MEMORY; i++) {
        if (!m->held) break;
        pdi_example e = pdi_memory_example(m, ((size_t)step + (size_t)i) % m->held);
        pdi_trainer_put(f->t, 8 + i, &e);
    }
    pdr_rc rc = pdi_trainer_step(f->t, 10, 0.02f, &loss, err);
    if (rc || !m->used || !m->spec.while_learning) return rc;
    return teach_remember(f, task, 3 * step, 10, err);
}

static double teach_phase(const teach *f, int32_t k)
{
    const pdr_method *m = f->t->method;
    return m->phase ? m->phase(f->option[0], &f->t->spec.setting, k) : k == 0;
}

pdr_rc teach_task(teach *f, int32_t task, int32_t n, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    for (int32_t k = 0; !rc && teach_phase(f, k) > 0; k++) {
        pdi_trainer_task(f->t, task, k);
        for (int32_t i = 0; !rc && i < 4; i++) rc = teach_some(f, task, i, err);
        if (!rc) rc = pdi_trainer_phase_end(f->t, err);
    }
    for (int32_t i = 0; !rc && i < n; i += 8) {
        int32_t m = n - i < 8 ? n - i : 8;
        teach_put(f, task, i, m);
        rc = pdi_trainer_pass(f->t, m, err);
    }
    if (!rc) rc = teach_store(f, task, n, err);
    return rc ? rc : pdi_trainer_task_end(f->t, err);
}

static pdr_rc teach_test(teach *f, pdr_error *err)
{
    const float *y;
    pdr_rc rc = PDR_OK;
    for (int32_t t = 0; !rc && t < f->how->tasks; t++) {
        teach_put(f, t, 100, 5);
        rc = pdi_trainer_predict(f->t, 5, f->how->masked ? t : -1, &y, err);
        for (int32_t i = 0; !rc && i < 5 * f->how->outputs; i++)
            if (isnan(y[i])) fail_msg("an answer is not a number");
    }
    return rc;
}

/* Pieces as they were shown, their names and bytes kept. */
typedef struct teach_saved {
    size_t n;
    pdi_piece piece[400];
} teach_saved;

static pdr_rc teach_save(void *ctx, const pdi_piece *p)
{
    teach_saved *s = ctx;
    assert_true(s->n < COUNT(s->piece));
    pdi_piece *to = &s->piece[s->n++];
    *to = *p;
    to->data = p->bytes ? memcpy(test_malloc(p->bytes), p->data, p->bytes) : NULL;
    to->name = memcpy(test_malloc(strlen(p->name) + 1), p->name, strlen(p->name) + 1);
    return PDR_OK;
}

static void teach_stop(teach *f)
{
    pdr_error err = PDR_NO_ERROR;
    teach_saved *s = test_calloc(1, sizeof *s);
    uint64_t before = pdi_trainer_hash(f->t);
    pdi_trainer_each(f->t, teach_save, s);
    assert_int_equal(teach_again(f, NULL), PDR_OK);
    for (size_t i = 0; i < s->n; i++) {
        assert_int_equal(pdi_trainer_restore(f->t, &s->piece[i], &err), PDR_OK);
        if (s->piece[i].data) test_free(s->piece[i].data);
        test_free((void *)(uintptr_t)s->piece[i].name);
    }
    assert_true(pdi_trainer_hash(f->t) == before);
    test_free(s);
}

uint64_t teach_life(const teach_how *how, int threads, bool tests, int32_t stop)
{
    teach f;
    pdr_error err = PDR_NO_ERROR;
    teach_open(&f, how, threads);
    if (tests) assert_int_equal(teach_test(&f, &err), PDR_OK);
    for (int32_t task = 0; task < how->tasks; task++) {
        if (teach_task(&f, task, 12, &err)) fail_msg("%s", err.text);
        if (tests) assert_int_equal(teach_test(&f, &err), PDR_OK);
        if (task == stop) teach_stop(&f);
    }
    uint64_t hash = pdi_trainer_hash(f.t);
    teach_close(&f);
    return hash;
}

/* ---- promises
 * ------------------------------------------------------------------------------------ */

typedef struct teach_budget {
    long left; /* allocations served before all are refused */
    long live;
} teach_budget;

static void *teach_budget_fn(void *ctx, void *old, size_t size)
{
    teach_budget *b = ctx;
    if (!size) {
        b->live -= old != NULL;
        free(old);
        return NULL;
    }
    if (b->left-- <= 0) return NULL;
    void *p = realloc(old, size);
    b->live += p && !old;
    return p;
}

/* Two tasks, with the n-th and later allocations refused. */
static pdr_rc teach_within(teach *f, long n)
{
    teach_budget b = {.left = n};
    pdr_alloc alloc = {teach_budget_fn, &b};
    pdr_error err = PDR_NO_ERROR;
    pdr_rc rc = teach_again(f, &alloc);
    for (int32_t task = 0; !rc && task < 2; task++) {
        rc = teach_task(f, task, 12, &err);
        if (!rc) rc = teach_test(f, &err);
    }
    pdi_trainer_free(f->t);
    f->t = NULL;
    assert_int_equal(b.live, 0);
    return rc;
}

/* The first refusals one by one, then every so often: what is refused late is refused in
 * the same places. */
static void teach_starve(const teach_how *how)
{
    teach f;
    pdr_rc rc = PDR_NOMEM;
    teach_open(&f, how, 1);
    for (long n = 0; rc; n += 1 + n / 40) {
        rc = teach_within(&f, n);
        assert_true(rc == PDR_OK || rc == PDR_NOMEM);
        assert_true(n < 200000);
    }
    teach_close(&f);
}

void teach_promises(const teach_how *how)
{
    uint64_t want = teach_life(how, 1, false, -1);
    assert_true(teach_life(how, 2, false, -1) == want);
    assert_true(teach_life(how, 3, true, -1) == want);
    for (int32_t stop = 0; stop < how->tasks; stop++)
        assert_true(teach_life(how, 1, stop == 1, stop) == want);
    teach_starve(how);
}
