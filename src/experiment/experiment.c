/* experiment/experiment.c -- a recipe run from start to end: what every run has.
 *
 * Open it all (open.c), say what would go wrong before it does, learn a stream
 * (continual.c) or from episodes (episodes.c), write down what came out. */
#include "experiment/experiment.h"

#include <math.h>
#include <perdure/version.h>
#include <time.h>

#include "learner/store.h"

double pdi_experiment_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
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

/* The part that only streams have. */
static bool experiment_describe_stream(pdi_experiment *x)
{
    pdr_result *r = x->result;
    r->scenario = experiment_scenario_name(x);
    r->is_bound = x->trainer->method->data == PDR_DATA_ALL;
    r->tasks = pdr_stream_tasks(x->stream);
    r->metric = pdi_strdup(x->alloc, x->is_regression ? "r2" : "accuracy");
    r->matrix = pdi_new(x->alloc, (size_t)(r->tasks + 1) * (size_t)r->tasks, sizeof *r->matrix);
    return r->scenario && r->metric && r->matrix && experiment_task_names(x);
}

static pdr_rc experiment_describe(pdi_experiment *x)
{
    pdr_result *r = x->result;
    r->recipe = pdi_strdup(x->alloc, x->recipe->name);
    r->recipe_text = pdr_recipe_write(x->recipe);
    r->method = pdi_strdup(x->alloc, x->recipe->method.kind->name);
    r->method_title = pdi_strdup(x->alloc, x->recipe->method.kind->title);
    r->data = pdi_strdup(x->alloc, x->data.name ? x->data.name : "sinusoid");
    r->version = pdi_strdup(x->alloc, pdr_version());
    r->started = experiment_date(x->alloc);
    r->is_regression = x->is_regression;
    r->seed = x->e->seed;
    r->threads = pdr_pool_threads(x->pool);
    r->parameters = pdi_trainer_parameters(x->trainer);
    bool ok = x->episodes ? pdi_episodes_describe(x) : experiment_describe_stream(x);
    r->loss = pdi_new(x->alloc, pdi_experiment_loss_room(x), sizeof *r->loss);
    ok = ok && r->recipe && r->recipe_text && r->method && r->method_title && r->data &&
         r->version && r->started && r->loss;
    return ok ? PDR_OK : pdi_nomem(x->err);
}

/* ---- progress ------------------------------------------------------------------------- */

size_t pdi_experiment_loss_room(const pdi_experiment *x)
{
    return PDI_LOSS_POINTS * 2 + (size_t)x->result->tasks;
}

bool pdi_experiment_is_over(const pdi_experiment *x)
{
    return x->e->seconds > 0 && pdi_experiment_now() - x->started_at >= x->e->seconds;
}

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

static pdr_rc experiment_all(pdi_experiment *x)
{
    x->started_at = pdi_experiment_now();
    pdr_rc rc = experiment_caution(x);
    if (!rc) rc = x->episodes ? pdi_episodes_learn(x) : pdi_continual_learn(x);
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
    pdr_rc rc = pdi_experiment_open(&x);
    if (!rc) rc = experiment_describe(&x);
    if (!rc) rc = experiment_all(&x);
    if (x.result->complete)
        pdi_keep_remove(&x);
    else
        pdi_store_close(x.store);
    pdi_experiment_close(&x);
    return rc;
}

/* ---- the plan of a step ----------------------------------------------------------------- */

/* Fill the batch, or the episodes, of one step; how many. */
static int32_t experiment_fill(pdi_experiment *x, pdi_order *o, uint64_t i)
{
    if (x->episodes) return pdi_episodes_fill(x, i);
    const pdi_order_item *item;
    uint64_t epoch;
    int32_t n = pdi_order_next(o, &item, &epoch);
    for (int32_t k = 0; k < n; k++) pdi_continual_put(x, PDR_TRAIN, item[k], k);
    return n;
}

static pdr_rc experiment_timed_steps(pdi_experiment *x, pdi_order *o, uint64_t steps, char **text)
{
    pdr_rc rc = PDR_OK;
    pdr_plan *plan = NULL;
    double loss, rate = pdr_optimizer_rate(&x->recipe->optimizer);
    for (uint64_t i = 0; !rc && i <= steps; i++) { /* the first one builds, and is not timed */
        int32_t n = experiment_fill(x, o, i);
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
    pdr_rc rc = pdi_experiment_open(&x);
    pdi_order o = {0};
    if (!rc && x.stream &&
        !pdi_order_open(&o, alloc, x.stream, 0, 0, 0, recipe->training.batch, true, e->seed))
        rc = pdi_nomem(err);
    if (!rc) rc = experiment_timed_steps(&x, &o, steps ? steps : 1, text);
    if (x.stream) pdi_order_close(&o);
    pdi_experiment_close(&x);
    return rc;
}
