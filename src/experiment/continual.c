/* experiment/continual.c -- a stream learned from start to end.
 *
 * For each task: learn it, let the method conclude, test every task.  What happens inside
 * a step is the trainer's and the method's; here is only the order of things, and it is
 * the same for every method. */
#include <math.h>

#include "experiment/experiment.h"

/* ---- examples -------------------------------------------------------------------------------- */

/* An example where row `to` of the batch is: the stream's, or what the memory holds. */
static pdi_example continual_read(pdi_experiment *x, pdr_part part, pdi_order_item item, int32_t to)
{
    if (item.task < 0) return pdi_memory_example(&x->trainer->memory, item.index);
    float *row = pdi_trainer_row(x->trainer, to);
    int32_t told = x->setting.has_boundaries ? item.task : 0;
    pdi_example e = {.x = row, .task = told, .target = x->target};
    pdr_stream_read(x->stream, part, item.task, item.index, row, &e.label, x->target);
    return e;
}

void pdi_continual_put(pdi_experiment *x, pdr_part part, pdi_order_item item, int32_t to)
{
    pdi_example e = continual_read(x, part, item, to);
    pdi_trainer_put(x->trainer, to, &e);
}

/* ---- testing -----------------------------------------------------------------------------------
 */

/* What a test adds up. */
typedef struct continual_score {
    double right, n;                         /* classification */
    double error2, error1, sum, sum2, count; /* regression: of residuals and targets */
} continual_score;

static void continual_score_classes(continual_score *s, const float *y, int32_t outputs,
                                    int32_t label)
{
    int32_t best = 0;
    for (int32_t c = 1; c < outputs; c++)
        if (y[c] > y[best]) best = c;
    s->right += best == label;
    s->n++;
}

static void continual_score_targets(continual_score *s, const float *y, int32_t outputs,
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

static pdr_rc continual_test_batch(pdi_experiment *x, int32_t task, size_t from, int32_t n,
                                   continual_score *s)
{
    const float *y;
    int32_t outputs = pdr_stream_outputs(x->stream), known = x->mask ? task : -1;
    for (int32_t i = 0; i < n; i++)
        pdi_continual_put(x, PDR_TEST, (pdi_order_item){task, (uint32_t)from + (uint32_t)i}, i);
    /* Always a whole batch: rows past n are left over and ignored. */
    pdr_rc rc = pdi_trainer_predict(x->trainer, PDI_TEST_BATCH, known, &y, x->err);
    for (int32_t i = 0; !rc && i < n; i++, y += outputs) {
        if (x->result->is_regression)
            continual_score_targets(s, y, outputs, x->trainer->batch.target + (int64_t)i * outputs);
        else
            continual_score_classes(s, y, outputs, x->trainer->batch.label[i]);
    }
    return rc;
}

static double continual_metric(const pdi_experiment *x, const continual_score *s)
{
    if (!x->result->is_regression) return s->right / s->n;
    double variance = s->sum2 - s->sum * s->sum / s->count;
    return variance > 0 ? 1 - s->error2 / variance : 0;
}

/* Fill row `row` of the matrix: every task's test. */
static pdr_rc continual_test(pdi_experiment *x, int32_t row)
{
    double start = pdi_experiment_now(), unit = pdr_stream_target_unit(x->stream);
    continual_score all = {0};
    pdr_result *r = x->result;
    for (int32_t t = 0; t < r->tasks; t++) {
        continual_score s = {0};
        size_t n = pdr_stream_size(x->stream, PDR_TEST, t);
        for (size_t i = 0; i < n; i += PDI_TEST_BATCH) {
            size_t m = n - i < PDI_TEST_BATCH ? n - i : PDI_TEST_BATCH;
            pdr_rc rc = continual_test_batch(x, t, i, (int32_t)m, &s);
            if (rc) return rc;
        }
        r->matrix[row * r->tasks + t] = continual_metric(x, &s);
        all.error2 += s.error2;
        all.error1 += s.error1;
        all.count += s.count;
    }
    if (r->is_regression) {
        r->rmse = unit * sqrt(all.error2 / all.count);
        r->mae = unit * all.error1 / all.count;
    }
    r->eval_seconds += pdi_experiment_now() - start;
    return PDR_OK;
}

/* ---- learning ----------------------------------------------------------------------------- */

/* What the memory is offered while learning: each example once, when first learned. */
static pdr_rc continual_remember(pdi_experiment *x, const pdi_order *o, const pdi_order_item *item,
                                 int32_t n)
{
    const pdi_memory *m = &x->trainer->memory;
    pdr_rc rc = PDR_OK;
    if (!m->used || !m->spec.while_learning || x->trainer->phase > 0) return PDR_OK;
    for (int32_t i = 0; !rc && i < n; i++) {
        if (item[i].task < 0 || !pdi_order_is_first(o, i)) continue;
        pdi_example e = continual_read(x, PDR_TRAIN, item[i], i);
        rc = pdi_trainer_offer(x->trainer, i, &e, x->err);
    }
    return rc;
}

static pdr_rc continual_step(pdi_experiment *x, const pdi_order_item *item, int32_t n, float rate,
                             bool last)
{
    double loss;
    for (int32_t i = 0; i < n; i++) pdi_continual_put(x, PDR_TRAIN, item[i], i);
    pdr_rc rc = pdi_trainer_step(x->trainer, n, rate, &loss, x->err);
    if (rc) return rc;
    x->progress.iteration++;
    x->progress.examples += (uint64_t)n;
    x->result->examples += (uint64_t)n;
    pdi_experiment_note_loss(x, loss, last);
    return pdi_experiment_show(x, false);
}

/* Steps on each batch before the next. */
static uint64_t continual_glances(const pdi_experiment *x)
{
    return (uint64_t)x->recipe->training.glances;
}

static uint64_t continual_batches(const pdi_experiment *x, size_t examples, size_t batch,
                                  double share)
{
    const pdr_training *t = &x->recipe->training;
    uint64_t epoch = (examples + batch - 1) / batch;
    uint64_t all = t->iterations ? (uint64_t)t->iterations : (uint64_t)t->epochs * epoch;
    return (uint64_t)((double)all * share + 0.5);
}

/* Phase k of a task, in units of the recipe's iterations; 0 past the last. */
static double continual_phase_share(const pdi_experiment *x, int32_t k)
{
    const pdr_method *m = x->trainer->method;
    if (!m->phase) return k == 0;
    return m->phase(x->trainer->spec.method.self, &x->trainer->spec.setting, k);
}

static pdr_rc continual_steps(pdi_experiment *x, pdi_order *o, double share, bool last_phase)
{
    const pdr_training *t = &x->recipe->training;
    uint64_t batches = continual_batches(x, o->n, pdi_order_batch(o), share);
    uint64_t glances = continual_glances(x), total = batches * glances;
    double base = pdr_optimizer_rate(&x->recipe->optimizer);
    pdr_schedule schedule = {t->schedule, t->warmup, t->decay, t->decay_every};
    pdr_rc rc = PDR_OK;
    for (uint64_t i = 0; !rc && i < total; i += glances) {
        const pdi_order_item *item;
        uint64_t epoch;
        int32_t n = pdi_order_next(o, &item, &epoch);
        for (uint64_t k = 0; !rc && k < glances; k++) {
            double factor = pdr_schedule_factor(&schedule, (int64_t)(i + k), (int64_t)total);
            bool last = last_phase && i + k + 1 == total;
            rc = continual_step(x, item, n, (float)(base * factor), last);
        }
        if (!rc) rc = continual_remember(x, o, item, n);
    }
    return rc;
}

/* Whether the method is told of this phase: of a stream that hides its boundaries, of the
 * first alone. */
static bool continual_is_told(const pdi_experiment *x, int32_t task)
{
    return x->setting.has_boundaries || task == 0;
}

static pdr_rc continual_phase(pdi_experiment *x, int32_t task, int32_t phase)
{
    pdi_order o;
    pdi_trainer *t = x->trainer;
    const pdr_training *r = &x->recipe->training;
    bool all = t->method->data == PDR_DATA_ALL, last = continual_phase_share(x, phase + 1) <= 0;
    size_t held = t->method->data == PDR_DATA_CURRENT_AND_MEMORY ? t->memory.held : 0;
    if (continual_is_told(x, task)) {
        pdi_trainer_task(t, task, phase);
        if (r->reset_optimizer) pdi_trainer_reset_optimizer(t);
    }
    if (!pdi_order_open(&o, x->alloc, x->stream, all ? -1 : task, held,
                        task + phase * x->result->tasks, r->batch, r->iterations > 0, x->e->seed))
        return pdi_nomem(x->err);
    bool blurred = all || pdi_order_blur(&o, x->stream, task, (uint64_t)r->iterations,
                                         (uint64_t)r->epochs);
    pdr_rc rc = blurred ? continual_steps(x, &o, continual_phase_share(x, phase), last)
                        : pdi_nomem(x->err);
    pdi_order_close(&o);
    return rc ? rc : pdi_trainer_phase_end(t, x->err);
}

/* ---- the end of a task ------------------------------------------------------------------------
 */

/* The method's pass over the task's examples. */
static pdr_rc continual_pass(pdi_experiment *x, int32_t task)
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
            pdi_continual_put(x, PDR_TRAIN, (pdi_order_item){task, (uint32_t)i + (uint32_t)k}, k);
        rc = pdi_trainer_pass(t, m, x->err);
        if (!rc) rc = pdi_experiment_show(x, false);
    }
    return rc;
}

static pdr_rc continual_offer(pdi_experiment *x, int32_t task, size_t i)
{
    pdi_example e = continual_read(x, PDR_TRAIN, (pdi_order_item){task, (uint32_t)i}, 0);
    return pdi_trainer_offer_passed(x->trainer, i, &e, x->err);
}

/* Of each class of the task those that the method selects, best first. */
static pdr_rc continual_select(pdi_experiment *x, int32_t task, uint32_t *index, uint32_t *chosen)
{
    size_t n = pdr_stream_size(x->stream, PDR_TRAIN, task), kept;
    int32_t classes = x->trainer->spec.setting.classes;
    pdr_rc rc = PDR_OK;
    for (int32_t c = 0; !rc && c < classes; c++) {
        size_t of_class = 0;
        for (size_t i = 0; i < n; i++)
            if (continual_read(x, PDR_TRAIN, (pdi_order_item){task, (uint32_t)i}, 0).label == c)
                index[of_class++] = (uint32_t)i;
        if (!of_class) continue;
        rc = pdi_trainer_select(x->trainer, of_class, index, chosen, &kept, x->err);
        for (size_t k = 0; !rc && k < kept; k++) rc = continual_offer(x, task, index[chosen[k]]);
    }
    return rc;
}

/* What the memory is offered when a task ends. */
static pdr_rc continual_store(pdi_experiment *x, int32_t task)
{
    pdi_trainer *t = x->trainer;
    size_t n = pdr_stream_size(x->stream, PDR_TRAIN, task);
    pdr_rc rc = PDR_OK;
    if (!t->memory.used || t->memory.spec.while_learning) return PDR_OK;
    if (!pdi_trainer_selects(t)) {
        for (size_t i = 0; !rc && i < n; i++) rc = continual_offer(x, task, i);
        return rc;
    }
    uint32_t *index = pdi_new(x->alloc, 2 * n, sizeof *index);
    rc = index ? continual_select(x, task, index, index + n) : pdi_nomem(x->err);
    pdi_free(x->alloc, index);
    return rc;
}

static pdr_rc continual_conclude(pdi_experiment *x, int32_t task)
{
    if (!x->setting.has_boundaries) return PDR_OK; /* nobody is told */
    pdr_rc rc = continual_pass(x, task);
    if (!rc) rc = continual_store(x, task);
    return rc ? rc : pdi_trainer_task_end(x->trainer, x->err);
}

static pdr_rc continual_task(pdi_experiment *x, int32_t task)
{
    double start = pdi_experiment_now();
    pdr_rc rc = PDR_OK;
    x->progress.task = task;
    x->progress.task_name = x->result->task_name[task];
    for (int32_t k = 0; !rc && continual_phase_share(x, k) > 0; k++)
        rc = continual_phase(x, task, k);
    if (!rc) rc = continual_conclude(x, task);
    x->result->train_seconds += pdi_experiment_now() - start;
    if (!rc) rc = continual_test(x, task + 1);
    if (rc) return rc;
    /* Shown at a task's end is what does not depend on how often something was shown. */
    x->progress.loss = x->result->loss[x->result->losses - 1].loss;
    x->shown_count = 0;
    x->shown_sum = 0;
    x->result->learned = x->progress.learned = task + 1;
    x->progress.average = pdr_result_average(x->result);
    return pdi_experiment_show(x, true);
}

/* ---- the whole
 * ----------------------------------------------------------------------------------- */

/* Steps of the whole run, to say how far it is. */
static void continual_plan_progress(pdi_experiment *x)
{
    size_t batch = (size_t)x->recipe->training.batch, everything = 0;
    uint64_t total = 0;
    for (int32_t k = 0; k < x->result->tasks; k++)
        everything += pdr_stream_size(x->stream, PDR_TRAIN, k);
    for (int32_t k = 0; k < x->result->tasks; k++) {
        bool all = x->trainer->method->data == PDR_DATA_ALL;
        size_t n = all ? everything : pdr_stream_size(x->stream, PDR_TRAIN, k);
        for (int32_t phase = 0; continual_phase_share(x, phase) > 0; phase++)
            total += continual_batches(x, n, batch, continual_phase_share(x, phase)) *
                     continual_glances(x);
    }
    x->progress = (pdr_progress){.tasks = x->result->tasks,
                                 .iterations = total,
                                 .loss = NAN,
                                 .average = NAN,
                                 .metric = x->result->metric};
    x->loss_every = total / PDI_LOSS_POINTS + 1;
}

pdr_rc pdi_continual_learn(pdi_experiment *x)
{
    pdr_result *r = x->result;
    continual_plan_progress(x);
    pdr_rc rc = pdi_keep_open(x);
    if (!rc && !r->learned) rc = continual_test(x, 0);
    while (!rc && r->learned < r->tasks && !(r->learned && pdi_experiment_is_over(x))) {
        rc = continual_task(x, r->learned);
        if (!rc && r->learned < r->tasks) rc = pdi_keep_save(x, true);
    }
    r->complete = !rc && r->learned == r->tasks;
    return rc;
}
