/* experiment/open.c -- from a recipe to a trainer: data, setting, model; what does not fit
 * is refused before anything is learned. */
#include <string.h>

#include "base/text.h"
#include "experiment/experiment.h"
#include "method/methods.h"

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

static const pdr_method *open_method(const pdi_experiment *x)
{
    return (const pdr_method *)(const void *)x->recipe->method.kind;
}

static bool open_is_meta(const pdi_experiment *x)
{
    return open_method(x)->data == PDR_DATA_EPISODES;
}

/* What a stream gives a method. */
static void open_stream_setting(pdi_experiment *x)
{
    int32_t outputs = pdr_stream_outputs(x->stream), tasks = pdr_stream_tasks(x->stream);
    x->is_regression = pdr_stream_is_regression(x->stream);
    x->example = pdr_stream_shape(x->stream);
    x->setting = (pdr_setting){.tasks = tasks,
                               .outputs = outputs,
                               .classes = x->is_regression ? 0 : outputs,
                               .has_boundaries = pdr_stream_has_boundaries(x->stream),
                               .has_masks = pdr_stream_is_masked(x->stream),
                               .is_class_incremental = x->recipe->scenario.type == PDR_CLASS_IL &&
                                                       tasks > 1,
                               .iterations = x->recipe->training.iterations};
}

/* What episodes give one. */
static void open_episodes_setting(pdi_experiment *x)
{
    const pdr_episode_options *o = &x->recipe->episodes;
    int32_t way = pdr_episodes_way(x->episodes, PDR_TRAIN);
    x->is_regression = pdr_episodes_is_regression(x->episodes);
    x->example = pdr_episodes_shape(x->episodes);
    x->setting = (pdr_setting){.tasks = 1,
                               .outputs = way,
                               .classes = x->is_regression ? 0 : way,
                               .has_boundaries = true,
                               .way = way,
                               .shot = (int32_t)(o->train_shot ? o->train_shot : o->shot),
                               .iterations = x->recipe->training.iterations};
}

static unsigned open_lacks(const pdr_setting *s)
{
    return (s->has_boundaries ? 0u : PDR_NEEDS_BOUNDARIES) |
           (s->has_masks || s->tasks == 1 ? 0u : PDR_NEEDS_TASK) |
           (s->classes ? 0u : PDR_NEEDS_CLASSES);
}

/* "er, lwf": the methods of the same kind of data that can do without. */
static void open_others(const pdi_experiment *x, unsigned lacks, pdi_text *text)
{
    for (size_t i = 0; pdi_methods[i]; i++) {
        const pdr_method *m = pdi_methods[i];
        if ((m->needs | (m->task_end || m->task_pass ? PDR_NEEDS_BOUNDARIES : 0u)) & lacks ||
            (m->data == PDR_DATA_EPISODES) != open_is_meta(x))
            continue;
        pdi_text_add(text, "%s%s", text->n ? ", " : "", m->kind.name);
    }
}

/* What the method says it needs, and what its hooks and its memory mean it does: to be told
 * when a task ends. */
static unsigned open_wants(const pdi_experiment *x)
{
    const pdr_method *m = open_method(x);
    pdr_memory_spec spec = {.while_learning = true};
    if (m->memory) m->memory(x->recipe->method.self, &x->setting, &spec);
    bool ends = m->task_pass || m->task_end || m->phase || m->phase_end || !spec.while_learning;
    return m->needs | (ends ? PDR_NEEDS_BOUNDARIES : 0u);
}

static pdr_rc open_needs(const pdi_experiment *x)
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
    const pdr_method *m = open_method(x);
    unsigned lacks = open_lacks(&x->setting) & open_wants(x);
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        if (!(lacks & needs[i].need)) continue;
        pdi_text others = {.alloc = x->alloc};
        open_others(x, needs[i].need, &others);
        pdr_rc rc = pdi_fail(x->err, PDR_INPUT, "%s: method: %s %s, or take one of %s",
                             x->recipe->name, m->kind.name, needs[i].what,
                             others.s ? others.s : "the others");
        pdi_text_close(&others);
        return rc;
    }
    return PDR_OK;
}

/* ---- setting up ---------------------------------------------------------------------- */

/* Which outputs each task has, and when each first appears. */
static bool open_outputs(pdi_experiment *x)
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

static int open_loss(const pdi_experiment *x)
{
    int loss = x->recipe->training.loss;
    if (loss != PDR_LOSS_AUTO) return loss;
    return x->is_regression ? PDR_LOSS_MSE : PDR_LOSS_CROSS_ENTROPY;
}

static pdr_rc open_check_episodes(const pdi_experiment *x)
{
    const pdr_method *m = open_method(x);
    const pdr_episode_options *o = &x->recipe->episodes;
    if (x->recipe->training.iterations < 1)
        return pdi_fail(x->err, PDR_INPUT,
                        "%s: training.iterations: is 0; give the number of steps on episodes",
                        x->recipe->name);
    if (!m->no_output_layer &&
        pdr_episodes_way(x->episodes, PDR_TRAIN) != pdr_episodes_way(x->episodes, PDR_TEST))
        return pdi_fail(x->err, PDR_INPUT,
                        "%s: episodes.train_way: %s has an output for each class, and so needs as "
                        "many in training as in a test (%lld)",
                        x->recipe->name, m->kind.name, (long long)o->way);
    if (o->scored_step > o->test_steps)
        return pdi_fail(x->err, PDR_INPUT,
                        "%s: episodes.scored_step: %lld is past test_steps; give -1 to %lld",
                        x->recipe->name, (long long)o->scored_step, (long long)o->test_steps);
    return PDR_OK;
}

static pdr_rc open_check(const pdi_experiment *x)
{
    int loss = x->recipe->training.loss;
    if (x->is_regression && loss != PDR_LOSS_AUTO && loss != PDR_LOSS_MSE)
        return pdi_fail(x->err, PDR_INPUT,
                        "%s: training.loss: the data have real targets; use mse or auto",
                        x->recipe->name);
    pdr_rc rc = open_is_meta(x) ? open_check_episodes(x) : PDR_OK;
    if (!rc) rc = open_needs(x);
    return rc ? rc : pdi_memory_check(&x->recipe->method, &x->setting, x->recipe->name, x->err);
}

static pdr_rc open_trainer(pdi_experiment *x)
{
    const pdr_training *o = &x->recipe->training;
    pdi_trainer_spec s = {
        .method = x->recipe->method,
        .optimizer = x->recipe->optimizer,
        .model = x->model,
        .loss = open_loss(x),
        .l2 = o->l2,
        .clip_norm = o->clip_norm,
        .clip_value = o->clip_value,
        .example = x->example,
        .outputs = x->setting.outputs,
        .targets = x->is_regression ? x->setting.outputs : 0,
        .setting = x->setting,
        .mask = x->mask,
        .first_task = x->first_task,
        .seed = x->e->seed,
    };
    if (x->episodes) {
        s.episode = pdi_episodes_sizes(x);
        s.outputs = pdr_episodes_way(x->episodes, PDR_TEST);
    }
    int32_t batch = o->batch > PDI_TEST_BATCH ? (int32_t)o->batch : PDI_TEST_BATCH;
    return pdi_trainer_new(x->alloc, &s, x->pool, batch, &x->trainer, x->err);
}

/* The data as a stream of tasks, or as a source of episodes. */
static pdr_rc open_source(pdi_experiment *x)
{
    const pdr_recipe *r = x->recipe;
    const pdr_data *data = r->data.name || r->data.train ? &x->data : NULL;
    bool meta = open_is_meta(x);
    if (meta != r->has_episodes)
        return pdi_fail(x->err, PDR_INPUT,
                        meta ? "%s: episodes: method %s learns from episodes; describe them here"
                             : "%s: episodes: method %s learns a stream; leave this section out",
                        r->name, r->method.kind->name);
    pdr_rc rc = data ? pdr_data_open(x->alloc, &r->data, x->e->seed, &x->data, x->err) : PDR_OK;
    if (rc) return rc;
    rc = meta ? pdr_episodes_new(x->alloc, data, &r->episodes, x->e->seed, &x->episodes, x->err)
              : pdr_stream_new(x->alloc, &x->data, &r->scenario, x->e->seed, &x->stream, x->err);
    if (rc) return pdi_experiment_blame(x, "", rc);
    if (meta)
        open_episodes_setting(x);
    else
        open_stream_setting(x);
    return PDR_OK;
}

pdr_rc pdi_experiment_open(pdi_experiment *x)
{
    const pdr_recipe *r = x->recipe;
    pdr_rc rc = open_source(x);
    if (!rc) rc = open_check(x);
    if (rc) return rc;
    int32_t outputs = open_method(x)->no_output_layer ? 0 : x->setting.outputs;
    rc = pdr_model_new(x->alloc, r->layers, r->layer, x->example, outputs, &x->model, x->err);
    if (rc) return pdi_experiment_blame(x, "model.", rc);
    x->pool = pdr_pool_new(x->alloc, x->e->threads);
    if (!x->pool || (x->stream && !open_outputs(x))) return pdi_nomem(x->err);
    return open_trainer(x);
}

void pdi_experiment_close(pdi_experiment *x)
{
    pdi_trainer_free(x->trainer);
    pdr_pool_free(x->pool);
    pdr_model_free(x->model);
    pdr_stream_free(x->stream);
    pdr_episodes_free(x->episodes);
    pdr_data_close(&x->data);
    pdi_free(x->alloc, x->mask);
    pdi_free(x->alloc, x->first_task);
    pdi_free(x->alloc, x->target);
}
