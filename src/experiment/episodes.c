/* experiment/episodes.c -- learning from episodes, and the test on new ones.
 *
 * An iteration is one step on a few training episodes.  The test adapts to each test
 * episode on its own, always from the state that training ended in, and nothing that a
 * test does is kept. */
#include <math.h>

#include "experiment/experiment.h"

enum {
    EPISODES_POINTS = PDI_VALIDATIONS - 1, /* of the validation curve */
    EPISODES_VALIDATION = 100              /* episodes for each */
};

/* ---- drawing ----------------------------------------------------------------------------- */

/* Episode i of a part as number `at` of the run. */
static void episodes_put(pdi_experiment *x, pdr_part part, uint64_t i, int32_t at)
{
    pdi_trainer *t = x->trainer;
    const pdi_episode_sizes *s = &t->spec.episode;
    size_t width = (size_t)pdr_shape_size(&t->spec.example), k = (size_t)at;
    size_t support = k * (size_t)(part == PDR_TRAIN ? s->support : s->test_support);
    size_t query = k * (size_t)(part == PDR_TRAIN ? s->query : s->test_query);
    size_t targets = (size_t)t->spec.targets;
    pdr_episode_room room = {.support_x = t->support.x + support * width,
                             .query_x = t->query.x + query * width};
    if (targets) {
        room.support_target = t->support.target + support * targets;
        room.query_target = t->query.target + query * targets;
    } else {
        room.support_label = t->support.label + support;
        room.query_label = t->query.label + query;
    }
    t->first = i - (uint64_t)at;
    pdr_episodes_draw(x->episodes, part, i, &room);
}

/* ---- testing ----------------------------------------------------------------------------- */

/* The share of queries answered rightly, or the mean squared error, of answers y. */
static double episodes_score(const pdi_experiment *x, int32_t at, const float *y)
{
    const pdi_trainer *t = x->trainer;
    size_t n = (size_t)t->spec.episode.test_query, outputs = (size_t)t->spec.outputs;
    const int32_t *label = t->query.label + (size_t)at * n;
    const float *target = t->query.target + (size_t)at * n * outputs;
    double sum = 0;
    for (size_t i = 0; i < n; i++, y += outputs) {
        size_t best = 0;
        for (size_t c = 0; c < outputs; c++) {
            double d = t->spec.targets ? (double)y[c] - (double)target[i * outputs + c] : 0;
            sum += d * d / (double)outputs;
            if (y[c] > y[best]) best = c;
        }
        if (!t->spec.targets) sum += (int32_t)best == label[i];
    }
    return sum / (double)n;
}

/* value[episode][steps + 1] for n episodes of a part. */
static pdr_rc episodes_test(pdi_experiment *x, pdr_part part, size_t n, double value[])
{
    pdi_trainer *t = x->trainer;
    const pdi_episode_sizes *s = &t->spec.episode;
    size_t most = (size_t)s->test_at_once, steps = (size_t)s->test_steps + 1;
    size_t each = (size_t)s->test_query * (size_t)t->spec.outputs;
    for (size_t from = 0; from < n; from += most) {
        const float *y;
        for (size_t k = 0; k < most; k++) episodes_put(x, part, from + k, (int32_t)k);
        pdr_rc rc = pdi_trainer_predict(t, (int32_t)most, -1, &y, x->err);
        if (!rc) rc = pdi_experiment_show(x, false);
        if (rc) return rc;
        for (size_t k = 0; k < most && from + k < n; k++)
            for (size_t j = 0; j < steps; j++)
                value[(from + k) * steps + j] = episodes_score(x, (int32_t)k,
                                                               y + (k * steps + j) * each);
    }
    return PDR_OK;
}

static double episodes_mean(size_t n, size_t steps, const double value[], size_t at)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += value[i * steps + at];
    return sum / (double)n;
}

/* One point of the validation curve. */
static pdr_rc episodes_validate(pdi_experiment *x)
{
    pdr_meta_result *m = &x->result->meta;
    double start = pdi_experiment_now();
    size_t steps = (size_t)x->trainer->spec.episode.test_steps + 1;
    double *value = pdi_new(x->alloc, EPISODES_VALIDATION * steps, sizeof *value);
    pdr_rc rc = value ? episodes_test(x, PDR_VALIDATION, EPISODES_VALIDATION, value)
                      : pdi_nomem(x->err);
    if (!rc) {
        double mean = episodes_mean(EPISODES_VALIDATION, steps, value, (size_t)m->scored);
        m->validation[m->points++] = (pdr_validation_point){x->progress.iteration, mean};
        x->progress.average = mean;
    }
    pdi_free(x->alloc, value);
    x->result->eval_seconds += pdi_experiment_now() - start;
    return rc;
}

static pdr_rc episodes_conclude(pdi_experiment *x)
{
    double start = pdi_experiment_now();
    const pdr_episode_options *o = &x->recipe->episodes;
    pdr_meta_result *m = &x->result->meta;
    size_t n = (size_t)o->test_episodes, steps = (size_t)m->steps + 1;
    double *value = pdi_new(x->alloc, n * steps, sizeof *value);
    pdr_rc rc = value ? episodes_test(x, PDR_TEST, n, value) : pdi_nomem(x->err);
    double limit = x->trainer->spec.targets && o->diverged > 0 ? o->diverged : INFINITY;
    if (!rc) rc = pdr_result_set_episodes(x->result, n, m->steps, m->scored, limit, value, x->err);
    pdi_free(x->alloc, value);
    x->result->eval_seconds += pdi_experiment_now() - start;
    if (rc) return rc;
    x->progress.average = pdr_result_score(x->result);
    return pdi_experiment_show(x, true);
}

/* ---- learning ---------------------------------------------------------------------------- */

static bool episodes_have_validation(const pdi_experiment *x)
{
    return pdr_episodes_is_regression(x->episodes) ||
           pdr_episodes_classes(x->episodes, PDR_VALIDATION) >=
               pdr_episodes_way(x->episodes, PDR_TEST);
}

int32_t pdi_episodes_fill(pdi_experiment *x, uint64_t i)
{
    int32_t n = x->trainer->spec.episode.at_once;
    for (int32_t k = 0; k < n; k++) episodes_put(x, PDR_TRAIN, i * (uint64_t)n + (uint64_t)k, k);
    return n;
}

static pdr_rc episodes_step(pdi_experiment *x, uint64_t i, uint64_t total, float rate)
{
    double loss, start = pdi_experiment_now();
    int32_t n = pdi_episodes_fill(x, i);
    pdr_rc rc = pdi_trainer_step(x->trainer, n, rate, &loss, x->err);
    x->result->train_seconds += pdi_experiment_now() - start;
    if (rc) return rc;
    x->progress.iteration++;
    x->result->meta.iterations++;
    uint64_t seen = (uint64_t)n *
                    (uint64_t)(x->trainer->spec.episode.support + x->trainer->spec.episode.query);
    x->progress.examples += seen;
    x->result->examples += seen;
    pdi_experiment_note_loss(x, loss, i + 1 == total);
    return PDR_OK;
}

static pdr_rc episodes_learn(pdi_experiment *x)
{
    const pdr_training *r = &x->recipe->training;
    uint64_t total = x->result->meta.planned, every = total / EPISODES_POINTS + 1;
    double base = pdr_optimizer_rate(&x->recipe->optimizer);
    pdr_schedule schedule = {r->schedule, r->warmup, r->decay, r->decay_every};
    bool validates = episodes_have_validation(x);
    pdr_rc rc = PDR_OK;
    for (uint64_t i = x->result->meta.iterations; !rc && i < total; i++) {
        if (pdi_experiment_is_over(x)) return pdi_keep_save(x, true);
        double factor = pdr_schedule_factor(&schedule, (int64_t)i, (int64_t)total);
        rc = episodes_step(x, i, total, (float)(base * factor));
        if (!rc && validates && (i + 1) % every == 0) rc = episodes_validate(x);
        if (!rc) rc = pdi_keep_save(x, false);
        if (!rc) rc = pdi_experiment_show(x, false);
        if (rc == PDR_STOPPED) pdi_keep_save(x, true);
    }
    return rc;
}

pdr_rc pdi_episodes_learn(pdi_experiment *x)
{
    pdr_meta_result *m = &x->result->meta;
    x->progress = (pdr_progress){
        .iterations = m->planned, .loss = NAN, .average = NAN, .metric = x->result->metric};
    x->loss_every = m->planned / PDI_LOSS_POINTS + 1;
    pdi_trainer_task(x->trainer, 0, 0);
    pdr_rc rc = pdi_keep_open(x);
    if (!rc) rc = episodes_learn(x);
    if (m->iterations) m->seconds_per_iteration = x->result->train_seconds / (double)m->iterations;
    if (!rc) rc = episodes_conclude(x);
    x->result->complete = !rc && m->iterations == m->planned;
    return rc;
}

/* ---- what the trainer and the result are told --------------------------------------------- */

pdi_episode_sizes pdi_episodes_sizes(const pdi_experiment *x)
{
    const pdr_episode_options *o = &x->recipe->episodes;
    int64_t at_once = o->tasks < 4 ? 4 : o->tasks > 32 ? 32 : o->tasks;
    return (pdi_episode_sizes){
        .support = pdr_episodes_support(x->episodes, PDR_TRAIN),
        .query = pdr_episodes_query(x->episodes, PDR_TRAIN),
        .test_support = pdr_episodes_support(x->episodes, PDR_TEST),
        .test_query = pdr_episodes_query(x->episodes, PDR_TEST),
        .at_once = (int32_t)o->tasks,
        .test_at_once = (int32_t)at_once,
        .test_steps = (int32_t)o->test_steps,
        .queries_alone = o->normalisation == PDR_NORMALISATION_INDUCTIVE,
    };
}

bool pdi_episodes_describe(pdi_experiment *x)
{
    pdr_result *r = x->result;
    pdr_meta_result *m = &r->meta;
    const pdr_episode_options *o = &x->recipe->episodes;
    bool inductive = o->normalisation == PDR_NORMALISATION_INDUCTIVE;
    r->is_meta = true;
    r->metric = pdi_strdup(x->alloc, x->is_regression ? "mse" : "accuracy");
    r->scenario = pdi_strdup(x->alloc, "episodes");
    m->planned = (uint64_t)x->recipe->training.iterations;
    m->train_way = x->is_regression ? 0 : pdr_episodes_way(x->episodes, PDR_TRAIN);
    m->test_way = x->is_regression ? 0 : pdr_episodes_way(x->episodes, PDR_TEST);
    m->train_shot = (int32_t)(o->train_shot ? o->train_shot : o->shot);
    m->test_shot = (int32_t)o->shot;
    m->steps = (int32_t)o->test_steps;
    m->scored = (int32_t)(o->scored_step < 0 ? o->test_steps : o->scored_step);
    m->normalisation = pdi_strdup(x->alloc, inductive ? "inductive" : "transductive");
    m->validation = pdi_new(x->alloc, PDI_VALIDATIONS, sizeof *m->validation);
    return r->metric && r->scenario && m->normalisation && m->validation;
}
