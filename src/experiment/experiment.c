/* experiment/experiment.c -- a recipe run from start to end.
 *
 * Open the data, cut it into tasks, and for each task: learn it, let the method
 * conclude, test every task.  What happens inside a step is the trainer's and the
 * method's; here is only the order of things, and it is the same for every method. */
#include <perdure/experiment.h>

#include <math.h>
#include <perdure/version.h>
#include <string.h>
#include <time.h>

#include "experiment/order.h"
#include "lifelong/trainer.h"

enum { EXPERIMENT_TEST_BATCH = 256, EXPERIMENT_LOSS_POINTS = 240 };

typedef struct experiment {
    const pdr_alloc *alloc;
    const pdr_recipe *recipe;
    const pdr_experiment *e;
    pdr_error *err;
    pdr_result *result;
    pdr_data data;
    pdr_stream *stream;
    pdr_model *model;
    pdr_pool *pool;
    pdi_trainer *trainer;
    float *mask;   /* [tasks, outputs], or NULL */
    float *target; /* room for one example's targets */
    pdr_progress progress;
    double loss_sum, shown_sum; /* since the last loss point, since the last progress */
    uint64_t loss_count, shown_count, loss_every;
    double shown_at;
} experiment;

static double experiment_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- setting up ---------------------------------------------------------------------- */

static bool experiment_masks(experiment *x)
{
    size_t tasks = (size_t)pdr_stream_tasks(x->stream),
           outputs = (size_t)pdr_stream_outputs(x->stream);
    x->target = pdi_new(x->alloc, outputs, sizeof *x->target);
    if (!pdr_stream_is_masked(x->stream)) return x->target != NULL;
    x->mask = pdi_new(x->alloc, tasks * outputs, sizeof *x->mask);
    for (size_t t = 0; x->mask && t < tasks; t++)
        pdr_stream_mask(x->stream, (int32_t)t, x->mask + t * outputs);
    return x->target && x->mask;
}

static int experiment_loss(const experiment *x)
{
    int loss = x->recipe->training.loss;
    if (loss != PDR_LOSS_AUTO) return loss;
    return pdr_stream_is_regression(x->stream) ? PDR_LOSS_MSE : PDR_LOSS_CROSS_ENTROPY;
}

static pdr_rc experiment_check(const experiment *x)
{
    int loss = x->recipe->training.loss;
    if (pdr_stream_is_regression(x->stream) && loss != PDR_LOSS_AUTO && loss != PDR_LOSS_MSE)
        return pdi_fail(x->err, PDR_INPUT,
                        "%s: training.loss: the data have real targets; use mse or auto",
                        x->recipe->name);
    return PDR_OK;
}

static pdr_rc experiment_trainer(experiment *x)
{
    const pdr_training *o = &x->recipe->training;
    bool regression = pdr_stream_is_regression(x->stream);
    int32_t outputs = pdr_stream_outputs(x->stream);
    pdi_trainer_spec s = {
        .method = x->recipe->method,
        .optimizer = x->recipe->optimizer,
        .model = x->model,
        .loss = experiment_loss(x),
        .l2 = o->l2,
        .clip_norm = o->clip_norm,
        .clip_value = o->clip_value,
        .example = pdr_stream_shape(x->stream),
        .outputs = outputs,
        .targets = regression ? outputs : 0,
        .classes = regression ? 0 : outputs,
        .tasks = pdr_stream_tasks(x->stream),
        .mask = x->mask,
        .seed = x->e->seed,
    };
    int32_t batch = o->batch > EXPERIMENT_TEST_BATCH ? (int32_t)o->batch : EXPERIMENT_TEST_BATCH;
    return pdi_trainer_new(x->alloc, &s, x->pool, batch, &x->trainer, x->err);
}

/* Put the recipe's name, and the section's where the message has none, before what a room
 * said that knows of no recipe.  Where a file is wrong its own name comes first. */
static pdr_rc experiment_blame(const experiment *x, const char *section, pdr_rc rc)
{
    char text[PDR_ERROR_MAX];
    if ((rc != PDR_INPUT && rc != PDR_USAGE) || !x->err) return rc;
    memcpy(text, x->err->text, sizeof text);
    *x->err = (pdr_error)PDR_NO_ERROR;
    return pdi_fail(x->err, rc, "%s: %s%s", x->recipe->name, section, text);
}

static pdr_rc experiment_open(experiment *x)
{
    const pdr_recipe *r = x->recipe;
    pdr_rc rc = pdr_data_open(x->alloc, &r->data, x->e->seed, &x->data, x->err);
    if (!rc)
        rc = experiment_blame(
            x, "",
            pdr_stream_new(x->alloc, &x->data, &r->scenario, x->e->seed, &x->stream, x->err));
    if (!rc) rc = experiment_check(x);
    if (!rc)
        rc = experiment_blame(x, "model.",
                              pdr_model_new(x->alloc, r->layers, r->layer,
                                            pdr_stream_shape(x->stream),
                                            pdr_stream_outputs(x->stream), &x->model, x->err));
    if (rc) return rc;
    x->pool = pdr_pool_new(x->alloc, x->e->threads);
    if (!x->pool || !experiment_masks(x)) return pdi_nomem(x->err);
    return experiment_trainer(x);
}

static void experiment_close(experiment *x)
{
    pdi_trainer_free(x->trainer);
    pdr_pool_free(x->pool);
    pdr_model_free(x->model);
    pdr_stream_free(x->stream);
    pdr_data_close(&x->data);
    pdi_free(x->alloc, x->mask);
    pdi_free(x->alloc, x->target);
}

/* ---- the result, as far as it is known at the start -------------------------------------- */

static char *experiment_scenario_name(const experiment *x)
{
    char text[PDR_OPTION_TEXT_MAX];
    const pdr_option *row = pdr_option_find(pdr_scenario_option_table, "type");
    pdr_option_get(row, &x->recipe->scenario, text);
    return pdi_strdup(x->alloc, text);
}

static char *experiment_date(const pdr_alloc *alloc)
{
    char text[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return pdi_strdup(alloc, text);
}

static bool experiment_task_names(experiment *x)
{
    pdr_result *r = x->result;
    r->task_name = pdi_new(x->alloc, (size_t)r->tasks, sizeof *r->task_name);
    for (int32_t t = 0; r->task_name && t < r->tasks; t++) {
        char text[200];
        pdr_stream_task_name(x->stream, t, text, sizeof text);
        r->task_name[t] = pdi_strdup(x->alloc, text);
        if (!r->task_name[t]) return false;
    }
    return r->task_name != NULL;
}

static pdr_rc experiment_describe(experiment *x)
{
    pdr_result *r = x->result;
    r->recipe = pdi_strdup(x->alloc, x->recipe->name);
    r->recipe_text = pdr_recipe_write(x->recipe);
    r->method = pdi_strdup(x->alloc, x->recipe->method.kind->name);
    r->method_title = pdi_strdup(x->alloc, x->recipe->method.kind->title);
    r->scenario = experiment_scenario_name(x);
    r->data = pdi_strdup(x->alloc, x->data.name);
    r->is_regression = pdr_stream_is_regression(x->stream);
    r->is_bound = x->trainer->method->data == PDR_DATA_ALL;
    r->metric = pdi_strdup(x->alloc, r->is_regression ? "r2" : "accuracy");
    r->version = pdi_strdup(x->alloc, pdr_version());
    r->started = experiment_date(x->alloc);
    r->seed = x->e->seed;
    r->threads = pdr_pool_threads(x->pool);
    r->parameters = pdi_trainer_parameters(x->trainer);
    r->tasks = pdr_stream_tasks(x->stream);
    r->matrix = pdi_new(x->alloc, (size_t)(r->tasks + 1) * (size_t)r->tasks, sizeof *r->matrix);
    r->loss = pdi_new(x->alloc, EXPERIMENT_LOSS_POINTS * 2 + (size_t)r->tasks, sizeof *r->loss);
    bool ok = r->recipe && r->recipe_text && r->method && r->method_title && r->scenario &&
              r->data && r->metric && r->version && r->started && r->matrix && r->loss &&
              experiment_task_names(x);
    return ok ? PDR_OK : pdi_nomem(x->err);
}

/* ---- examples -------------------------------------------------------------------------------- */

static pdi_example experiment_read(experiment *x, pdr_part part, pdi_item item, int32_t to)
{
    float *row = pdi_trainer_row(x->trainer, to);
    pdi_example e = {.x = row, .task = item.task, .target = x->target};
    pdr_stream_read(x->stream, part, item.task, item.index, row, &e.label, x->target);
    return e;
}

static void experiment_put(experiment *x, pdr_part part, pdi_item item, int32_t to)
{
    pdi_example e = experiment_read(x, part, item, to);
    pdi_trainer_put(x->trainer, to, &e);
}

/* ---- testing -----------------------------------------------------------------------------------
 */

/* What a test adds up. */
typedef struct experiment_score {
    double right, n;                         /* classification */
    double error2, error1, sum, sum2, count; /* regression: of residuals and targets */
} experiment_score;

static void experiment_score_classes(experiment_score *s, const float *y, int32_t outputs,
                                     int32_t label)
{
    int32_t best = 0;
    for (int32_t c = 1; c < outputs; c++)
        if (y[c] > y[best]) best = c;
    s->right += best == label;
    s->n++;
}

static void experiment_score_targets(experiment_score *s, const float *y, int32_t outputs,
                                     const float *target)
{
    for (int32_t c = 0; c < outputs; c++) {
        double t = (double)target[c], d = (double)y[c] - t;
        s->error2 += d * d;
        s->error1 += fabs(d);
        s->sum += t;
        s->sum2 += t * t;
        s->count++;
    }
}

static pdr_rc experiment_test_batch(experiment *x, int32_t task, size_t from, int32_t n,
                                    experiment_score *s)
{
    const float *y;
    int32_t outputs = pdr_stream_outputs(x->stream);
    for (int32_t i = 0; i < n; i++)
        experiment_put(x, PDR_TEST, (pdi_item){task, (uint32_t)from + (uint32_t)i}, i);
    /* Always a whole batch: rows past n are left over and ignored. */
    pdr_rc rc = pdi_trainer_predict(x->trainer, EXPERIMENT_TEST_BATCH, &y, x->err);
    for (int32_t i = 0; !rc && i < n; i++, y += outputs) {
        if (x->result->is_regression)
            experiment_score_targets(s, y, outputs,
                                     x->trainer->batch.target + (int64_t)i * outputs);
        else
            experiment_score_classes(s, y, outputs, x->trainer->batch.label[i]);
    }
    return rc;
}

static double experiment_metric(const experiment *x, const experiment_score *s)
{
    if (!x->result->is_regression) return s->right / s->n;
    double variance = s->sum2 - s->sum * s->sum / s->count;
    return variance > 0 ? 1 - s->error2 / variance : 0;
}

/* Fill row `row` of the matrix: every task's test. */
static pdr_rc experiment_test(experiment *x, int32_t row)
{
    double start = experiment_now(), unit = pdr_stream_target_unit(x->stream);
    experiment_score all = {0};
    pdr_result *r = x->result;
    for (int32_t t = 0; t < r->tasks; t++) {
        experiment_score s = {0};
        size_t n = pdr_stream_size(x->stream, PDR_TEST, t);
        for (size_t i = 0; i < n; i += EXPERIMENT_TEST_BATCH) {
            size_t m = n - i < EXPERIMENT_TEST_BATCH ? n - i : EXPERIMENT_TEST_BATCH;
            pdr_rc rc = experiment_test_batch(x, t, i, (int32_t)m, &s);
            if (rc) return rc;
        }
        r->matrix[row * r->tasks + t] = experiment_metric(x, &s);
        all.error2 += s.error2;
        all.error1 += s.error1;
        all.count += s.count;
    }
    if (r->is_regression) {
        r->rmse = unit * sqrt(all.error2 / all.count);
        r->mae = unit * all.error1 / all.count;
    }
    r->eval_seconds += experiment_now() - start;
    return PDR_OK;
}

/* ---- progress
 * ------------------------------------------------------------------------------------ */

static pdr_rc experiment_show(experiment *x, bool now)
{
    double at = experiment_now();
    if (!x->e->progress || (!now && at - x->shown_at < 0.05)) return PDR_OK;
    x->shown_at = at;
    if (x->shown_count) x->progress.loss = x->shown_sum / (double)x->shown_count;
    x->shown_sum = 0;
    x->shown_count = 0;
    if (x->e->progress(x->e->ctx, &x->progress)) return PDR_OK;
    return pdi_fail(x->err, PDR_STOPPED, "stopped");
}

static void experiment_note_loss(experiment *x, double loss, bool last)
{
    pdr_result *r = x->result;
    x->shown_sum += loss;
    x->shown_count++;
    x->loss_sum += loss;
    x->loss_count++;
    if (x->loss_count < x->loss_every && !last) return;
    r->loss[r->losses++] = (pdr_loss_point){x->progress.task, x->progress.iteration,
                                            x->loss_sum / (double)x->loss_count};
    x->loss_sum = 0;
    x->loss_count = 0;
}

/* ---- learning
 * ---------------------------------------------------------------------------------------- */

static pdr_rc experiment_offer(experiment *x, pdi_item item, int32_t at)
{
    pdi_example e = experiment_read(x, PDR_TRAIN, item, at);
    return pdi_memory_offer(&x->trainer->memory, &e) ? PDR_OK : pdi_nomem(x->err);
}

/* What the memory is offered while learning: each example once, when first learned. */
static pdr_rc experiment_remember(experiment *x, const pdi_item *item, int32_t n, uint64_t epoch)
{
    const pdi_memory *m = &x->trainer->memory;
    pdr_rc rc = PDR_OK;
    if (!m->used || !m->spec.while_learning || epoch > 0) return PDR_OK;
    for (int32_t i = 0; !rc && i < n; i++) rc = experiment_offer(x, item[i], i);
    return rc;
}

static pdr_rc experiment_step(experiment *x, const pdi_item *item, int32_t n, uint64_t epoch,
                              float rate, bool last)
{
    double loss;
    for (int32_t i = 0; i < n; i++) experiment_put(x, PDR_TRAIN, item[i], i);
    pdr_rc rc = pdi_trainer_step(x->trainer, n, rate, &loss, x->err);
    if (rc) return rc;
    x->progress.iteration++;
    x->progress.examples += (uint64_t)n;
    x->result->examples += (uint64_t)n;
    experiment_note_loss(x, loss, last);
    rc = experiment_remember(x, item, n, epoch);
    return rc ? rc : experiment_show(x, false);
}

static uint64_t experiment_iterations(const experiment *x, const pdi_order *o)
{
    const pdr_training *t = &x->recipe->training;
    uint64_t batch = pdi_order_batch(o);
    if (t->iterations) return (uint64_t)t->iterations;
    return (uint64_t)t->epochs * ((o->n + batch - 1) / batch);
}

static pdr_rc experiment_steps(experiment *x, pdi_order *o)
{
    const pdr_training *t = &x->recipe->training;
    uint64_t total = experiment_iterations(x, o);
    double base = pdr_optimizer_rate(&x->recipe->optimizer);
    pdr_schedule schedule = {t->schedule, t->warmup, t->decay, t->decay_every};
    pdr_rc rc = PDR_OK;
    if (t->reset_optimizer) pdi_trainer_reset_optimizer(x->trainer);
    for (uint64_t i = 0; !rc && i < total; i++) {
        double rate = base * pdr_schedule_factor(&schedule, (int64_t)i, (int64_t)total);
        const pdi_item *item;
        uint64_t epoch;
        int32_t n = pdi_order_next(o, &item, &epoch);
        rc = experiment_step(x, item, n, epoch, (float)rate, i + 1 == total);
    }
    return rc;
}

/* The method's pass over the task's examples, and the memory's. */
static pdr_rc experiment_conclude(experiment *x, int32_t task)
{
    pdi_trainer *t = x->trainer;
    size_t n = pdr_stream_size(x->stream, PDR_TRAIN, task),
           batch = (size_t)x->recipe->training.batch;
    int64_t most = t->method->pass_examples ? t->method->pass_examples(t->spec.method.self) : 0;
    size_t passed = most > 0 && (size_t)most < n ? (size_t)most : n;
    pdr_rc rc = PDR_OK;
    for (size_t i = 0; !rc && t->method->task_pass && i < passed; i += batch) {
        int32_t m = (int32_t)(passed - i < batch ? passed - i : batch);
        for (int32_t k = 0; k < m; k++)
            experiment_put(x, PDR_TRAIN, (pdi_item){task, (uint32_t)i + (uint32_t)k}, k);
        rc = pdi_trainer_pass(t, m, x->err);
        if (!rc) rc = experiment_show(x, false);
    }
    if (!rc) rc = pdi_trainer_task_end(t, x->err);
    for (size_t i = 0; !rc && t->memory.used && !t->memory.spec.while_learning && i < n; i++)
        rc = experiment_offer(x, (pdi_item){task, (uint32_t)i}, 0);
    return rc;
}

static pdr_rc experiment_task(experiment *x, int32_t task)
{
    pdi_order o;
    double start = experiment_now();
    bool all = x->trainer->method->data == PDR_DATA_ALL;
    pdi_trainer_task(x->trainer, task);
    x->progress.task = task;
    x->progress.task_name = x->result->task_name[task];
    bool whole = x->recipe->training.iterations > 0;
    if (!pdi_order_open(&o, x->alloc, x->stream, all ? -1 : task, task, x->recipe->training.batch,
                        whole, x->e->seed))
        return pdi_nomem(x->err);
    pdr_rc rc = experiment_steps(x, &o);
    pdi_order_close(&o);
    if (!rc) rc = experiment_conclude(x, task);
    x->result->train_seconds += experiment_now() - start;
    if (!rc) rc = experiment_test(x, task + 1);
    if (rc) return rc;
    /* Shown at a task's end is what does not depend on how often something was shown. */
    x->progress.loss = x->result->loss[x->result->losses - 1].loss;
    x->shown_count = 0;
    x->shown_sum = 0;
    x->result->learned = x->progress.learned = task + 1;
    x->progress.average = pdr_result_average(x->result);
    return experiment_show(x, true);
}

/* ---- the whole
 * ------------------------------------------------------------------------------------------ */

/* Steps of the whole run, to say how far it is. */
static void experiment_plan_progress(experiment *x)
{
    const pdr_training *t = &x->recipe->training;
    uint64_t total = 0, batch = (uint64_t)t->batch, everything = 0;
    for (int32_t k = 0; k < x->result->tasks; k++)
        everything += pdr_stream_size(x->stream, PDR_TRAIN, k);
    for (int32_t k = 0; k < x->result->tasks; k++) {
        bool all = x->trainer->method->data == PDR_DATA_ALL;
        uint64_t n = all ? everything : pdr_stream_size(x->stream, PDR_TRAIN, k);
        total += t->iterations ? (uint64_t)t->iterations
                               : (uint64_t)t->epochs * ((n + batch - 1) / batch);
    }
    x->progress = (pdr_progress){.tasks = x->result->tasks,
                                 .iterations = total,
                                 .loss = NAN,
                                 .average = NAN,
                                 .metric = x->result->metric};
    x->loss_every = total / EXPERIMENT_LOSS_POINTS + 1;
}

static pdr_rc experiment_all(experiment *x)
{
    experiment_plan_progress(x);
    pdr_rc rc = experiment_test(x, 0);
    for (int32_t t = 0; !rc && t < x->result->tasks; t++) rc = experiment_task(x, t);
    x->result->complete = !rc;
    x->result->state_hash = pdi_trainer_hash(x->trainer);
    return rc;
}

pdr_rc pdr_experiment_run(const pdr_alloc *alloc, const pdr_recipe *recipe, const pdr_experiment *e,
                          pdr_result *result, pdr_error *err)
{
    alloc = pdi_alloc_or_default(alloc);
    experiment x = {.alloc = alloc, .recipe = recipe, .e = e, .err = err, .result = result};
    *result = (pdr_result){.alloc = alloc};
    pdr_rc rc = experiment_open(&x);
    if (!rc) rc = experiment_describe(&x);
    if (!rc) rc = experiment_all(&x);
    experiment_close(&x);
    return rc;
}

/* ---- the plan of a step ----------------------------------------------------------------- */

static pdr_rc experiment_timed_steps(experiment *x, pdi_order *o, uint64_t steps, char **text)
{
    pdr_rc rc = PDR_OK;
    pdr_plan *plan = NULL;
    double loss, rate = pdr_optimizer_rate(&x->recipe->optimizer);
    for (uint64_t i = 0; !rc && i <= steps; i++) { /* the first one builds, and is not timed */
        const pdi_item *item;
        uint64_t epoch;
        int32_t n = pdi_order_next(o, &item, &epoch);
        for (int32_t k = 0; k < n; k++) experiment_put(x, PDR_TRAIN, item[k], k);
        rc = pdi_trainer_step(x->trainer, n, (float)rate, &loss, x->err);
        plan = x->trainer->program[PDI_PHASE_STEP][0].plan;
        if (!rc && i == 0) pdr_plan_time(plan, true);
    }
    if (rc) return rc;
    *text = pdr_plan_print(plan);
    return *text ? PDR_OK : pdi_nomem(x->err);
}

pdr_rc pdr_experiment_plan(const pdr_alloc *alloc, const pdr_recipe *recipe,
                           const pdr_experiment *e, uint64_t steps, char **text, pdr_error *err)
{
    alloc = pdi_alloc_or_default(alloc);
    pdr_result result = {.alloc = alloc};
    experiment x = {.alloc = alloc, .recipe = recipe, .e = e, .err = err, .result = &result};
    pdr_rc rc = experiment_open(&x);
    pdi_order o;
    if (!rc && !pdi_order_open(&o, alloc, x.stream, 0, 0, recipe->training.batch, true, e->seed)) {
        rc = pdi_nomem(err);
    } else if (!rc) {
        rc = experiment_timed_steps(&x, &o, steps ? steps : 1, text);
        pdi_order_close(&o);
    }
    experiment_close(&x);
    return rc;
}
