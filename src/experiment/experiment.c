/* experiment/experiment.c -- a recipe run from start to end: what every run has.
 *
 * Open the data, make the model and its trainer, say what would go wrong before it does,
 * learn (continual.c), write down what came out. */
#include "experiment/experiment.h"

#include <math.h>
#include <perdure/version.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "method/methods.h"

double pdi_experiment_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Put the recipe's name, and the section's where the message has none, before what a room
 * said that knows of no recipe.  Where a file is wrong its own name comes first. */
pdr_rc pdi_experiment_blame(const pdi_experiment *x, const char *section, pdr_rc rc)
{
    char text[PDR_ERROR_MAX];
    if ((rc != PDR_INPUT && rc != PDR_USAGE) || !x->err) return rc;
    memcpy(text, x->err->text, sizeof text);
    *x->err = (pdr_error)PDR_NO_ERROR;
    return pdi_fail(x->err, rc, "%s: %s%s", x->recipe->name, section, text);
}

/* ---- does the method fit the run? ---------------------------------------------------------- */

static const pdr_method *experiment_method(const pdi_experiment *x)
{
    return (const pdr_method *)(const void *)x->recipe->method.kind;
}

/* What a stream gives a method. */
static pdr_setting experiment_setting(const pdi_experiment *x)
{
    bool regression = pdr_stream_is_regression(x->stream);
    const pdr_scenario *s = &x->recipe->scenario;
    int32_t outputs = pdr_stream_outputs(x->stream), tasks = pdr_stream_tasks(x->stream);
    return (pdr_setting){.tasks = tasks,
                         .outputs = outputs,
                         .classes = regression ? 0 : outputs,
                         .has_boundaries = true,
                         .has_masks = pdr_stream_is_masked(x->stream),
                         .is_class_incremental = s->type == PDR_CLASS_IL && tasks > 1,
                         .iterations = x->recipe->training.iterations};
}

static unsigned experiment_lacks(const pdr_setting *s)
{
    return (s->has_boundaries ? 0u : PDR_NEEDS_BOUNDARIES) |
           (s->has_masks || s->tasks == 1 ? 0u : PDR_NEEDS_TASK) |
           (s->classes ? 0u : PDR_NEEDS_CLASSES);
}

/* "er, lwf": the methods of the same kind of data that can do without. */
static void experiment_others(unsigned lacks, pdi_text *text)
{
    for (size_t i = 0; pdi_methods[i]; i++) {
        const pdr_method *m = pdi_methods[i];
        if (m->needs & lacks || m->data == PDR_DATA_EPISODES) continue;
        pdi_text_add(text, "%s%s", text->n ? ", " : "", m->kind.name);
    }
}

static pdr_rc experiment_needs(const pdi_experiment *x, const pdr_setting *s)
{
    static const struct {
        unsigned need;
        const char *what;
    } needs[] = {
        {PDR_NEEDS_BOUNDARIES,
         "needs to be told when a task ends; set scenario.boundaries: visible"},
        {PDR_NEEDS_TASK, "needs to know at test time which task an example is of; set "
                         "scenario.type: task-incremental"},
        {PDR_NEEDS_CLASSES, "needs classes, and these data have real targets"},
    };
    const pdr_method *m = experiment_method(x);
    unsigned lacks = experiment_lacks(s) & m->needs;
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        if (!(lacks & needs[i].need)) continue;
        pdi_text others = {.alloc = x->alloc};
        experiment_others(needs[i].need, &others);
        pdr_rc rc = pdi_fail(x->err, PDR_INPUT, "%s: method: %s %s, or take one of %s",
                             x->recipe->name, m->kind.name, needs[i].what,
                             others.s ? others.s : "the others");
        pdi_text_close(&others);
        return rc;
    }
    return PDR_OK;
}

/* What the method has to say about the run, before it starts. */
static pdr_rc experiment_caution(pdi_experiment *x)
{
    const pdi_trainer_spec *s = &x->trainer->spec;
    const pdr_method *m = x->trainer->method;
    const char *text = m->caution ? m->caution(s->method.self, &s->setting) : NULL;
    if (!text) return PDR_OK;
    if (x->e->note) x->e->note(x->e->ctx, text);
    return pdr_result_add_note(x->result, text, x->err);
}

/* ---- setting up ---------------------------------------------------------------------- */

/* Which outputs each task has, and when each first appears. */
static bool experiment_outputs(pdi_experiment *x)
{
    size_t tasks = (size_t)pdr_stream_tasks(x->stream),
           outputs = (size_t)pdr_stream_outputs(x->stream);
    x->target = pdi_new(x->alloc, outputs, sizeof *x->target);
    x->first_task = pdi_new(x->alloc, outputs, sizeof *x->first_task);
    if (!x->target || !x->first_task) return false;
    pdr_stream_first_task(x->stream, x->first_task);
    if (!pdr_stream_is_masked(x->stream)) return true;
    x->mask = pdi_new(x->alloc, tasks * outputs, sizeof *x->mask);
    for (size_t t = 0; x->mask && t < tasks; t++)
        pdr_stream_mask(x->stream, (int32_t)t, x->mask + t * outputs);
    return x->mask != NULL;
}

static int experiment_loss(const pdi_experiment *x)
{
    int loss = x->recipe->training.loss;
    if (loss != PDR_LOSS_AUTO) return loss;
    return pdr_stream_is_regression(x->stream) ? PDR_LOSS_MSE : PDR_LOSS_CROSS_ENTROPY;
}

static pdr_rc experiment_check(const pdi_experiment *x)
{
    int loss = x->recipe->training.loss;
    if (pdr_stream_is_regression(x->stream) && loss != PDR_LOSS_AUTO && loss != PDR_LOSS_MSE)
        return pdi_fail(x->err, PDR_INPUT,
                        "%s: training.loss: the data have real targets; use mse or auto",
                        x->recipe->name);
    return PDR_OK;
}

static pdr_rc experiment_trainer(pdi_experiment *x)
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
        .setting = experiment_setting(x),
        .mask = x->mask,
        .first_task = x->first_task,
        .seed = x->e->seed,
    };
    int32_t batch = o->batch > PDI_TEST_BATCH ? (int32_t)o->batch : PDI_TEST_BATCH;
    return pdi_trainer_new(x->alloc, &s, x->pool, batch, &x->trainer, x->err);
}

static pdr_rc experiment_open(pdi_experiment *x)
{
    const pdr_recipe *r = x->recipe;
    pdr_rc rc = pdr_data_open(x->alloc, &r->data, x->e->seed, &x->data, x->err);
    if (!rc)
        rc = pdi_experiment_blame(
            x, "",
            pdr_stream_new(x->alloc, &x->data, &r->scenario, x->e->seed, &x->stream, x->err));
    if (!rc) rc = experiment_check(x);
    if (!rc) {
        pdr_setting setting = experiment_setting(x);
        rc = experiment_needs(x, &setting);
    }
    if (!rc)
        rc = pdi_experiment_blame(x, "model.",
                                  pdr_model_new(x->alloc, r->layers, r->layer,
                                                pdr_stream_shape(x->stream),
                                                pdr_stream_outputs(x->stream), &x->model, x->err));
    if (rc) return rc;
    x->pool = pdr_pool_new(x->alloc, x->e->threads);
    if (!x->pool || !experiment_outputs(x)) return pdi_nomem(x->err);
    return experiment_trainer(x);
}

static void experiment_close(pdi_experiment *x)
{
    pdi_trainer_free(x->trainer);
    pdr_pool_free(x->pool);
    pdr_model_free(x->model);
    pdr_stream_free(x->stream);
    pdr_data_close(&x->data);
    pdi_free(x->alloc, x->mask);
    pdi_free(x->alloc, x->first_task);
    pdi_free(x->alloc, x->target);
}

/* ---- the result, as far as it is known at the start -------------------------------------- */

static char *experiment_scenario_name(const pdi_experiment *x)
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

static bool experiment_task_names(pdi_experiment *x)
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

static pdr_rc experiment_describe(pdi_experiment *x)
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
    r->loss = pdi_new(x->alloc, PDI_LOSS_POINTS * 2 + (size_t)r->tasks, sizeof *r->loss);
    bool ok = r->recipe && r->recipe_text && r->method && r->method_title && r->scenario &&
              r->data && r->metric && r->version && r->started && r->matrix && r->loss &&
              experiment_task_names(x);
    return ok ? PDR_OK : pdi_nomem(x->err);
}

/* ---- progress ------------------------------------------------------------------------- */

pdr_rc pdi_experiment_show(pdi_experiment *x, bool now)
{
    double at = pdi_experiment_now();
    if (!x->e->progress || (!now && at - x->shown_at < 0.05)) return PDR_OK;
    x->shown_at = at;
    if (x->shown_count) x->progress.loss = x->shown_sum / (double)x->shown_count;
    x->shown_sum = 0;
    x->shown_count = 0;
    if (x->e->progress(x->e->ctx, &x->progress)) return PDR_OK;
    return pdi_fail(x->err, PDR_STOPPED, "stopped");
}

void pdi_experiment_note_loss(pdi_experiment *x, double loss, bool last)
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

/* ---- the whole -------------------------------------------------------------------------- */

static pdr_rc experiment_all(pdi_experiment *x)
{
    pdr_rc rc = experiment_caution(x);
    if (!rc) rc = pdi_continual_learn(x);
    x->result->memory = pdi_trainer_bytes(x->trainer);
    x->result->state_hash = pdi_trainer_hash(x->trainer);
    return rc;
}

pdr_rc pdr_experiment_run(const pdr_alloc *alloc, const pdr_recipe *recipe, const pdr_experiment *e,
                          pdr_result *result, pdr_error *err)
{
    alloc = pdi_alloc_or_default(alloc);
    pdi_experiment x = {.alloc = alloc, .recipe = recipe, .e = e, .err = err, .result = result};
    *result = (pdr_result){.alloc = alloc};
    pdr_rc rc = experiment_open(&x);
    if (!rc) rc = experiment_describe(&x);
    if (!rc) rc = experiment_all(&x);
    experiment_close(&x);
    return rc;
}

/* ---- the plan of a step ----------------------------------------------------------------- */

static pdr_rc experiment_timed_steps(pdi_experiment *x, pdi_order *o, uint64_t steps, char **text)
{
    pdr_rc rc = PDR_OK;
    pdr_plan *plan = NULL;
    double loss, rate = pdr_optimizer_rate(&x->recipe->optimizer);
    for (uint64_t i = 0; !rc && i <= steps; i++) { /* the first one builds, and is not timed */
        const pdi_item *item;
        uint64_t epoch;
        int32_t n = pdi_order_next(o, &item, &epoch);
        for (int32_t k = 0; k < n; k++) pdi_continual_put(x, PDR_TRAIN, item[k], k);
        rc = pdi_trainer_step(x->trainer, n, (float)rate, &loss, x->err);
        plan = x->trainer->program[0].plan;
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
    pdi_experiment x = {.alloc = alloc, .recipe = recipe, .e = e, .err = err, .result = &result};
    pdr_rc rc = experiment_open(&x);
    pdi_order o;
    if (!rc &&
        !pdi_order_open(&o, alloc, x.stream, 0, 0, 0, recipe->training.batch, true, e->seed)) {
        rc = pdi_nomem(err);
    } else if (!rc) {
        rc = experiment_timed_steps(&x, &o, steps ? steps : 1, text);
        pdi_order_close(&o);
    }
    experiment_close(&x);
    return rc;
}
