/* sample_result.c -- made-up runs, for the tests of the report and for looking at it. */
#include "sample_result.h"

#include <dirent.h>
#include <math.h>
#include <perdure/rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { SAMPLE_LOSSES = 100 }; /* a task */

static const char *const sample_clothes[] = {
    "T-shirt, Trouser", "Pullover, Dress", "Coat, Sandal", "Shirt, Sneaker", "Bag, Ankle boot",
};

static char *sample_text(const t_sample *s, const pdr_alloc *alloc, const char *text)
{
    return pdi_strdup(alloc, s->hostile ? s->hostile : text ? text : "");
}

static char *sample_recipe(const t_sample *s, const pdr_alloc *alloc)
{
    pdi_text t = {.alloc = alloc};
    if (s->hostile) return pdi_strdup(alloc, s->hostile);
    pdi_text_add(&t,
                 "data:      {name: %s}\nscenario:  {type: %s, split: classes, tasks: %d}\n"
                 "model:\n  - {layer: dense, units: 400}\n  - {layer: relu}\n"
                 "method:    {name: %s}\noptimizer: {name: adam, rate: 0.001}\n"
                 "training:  {batch: 128, iterations: 2000}\nseed: %d\n",
                 s->data, s->scenario, (int)s->tasks, s->method, (int)s->seed);
    return pdi_text_take(&t);
}

static char *sample_task(const t_sample *s, const pdr_alloc *alloc, int32_t j)
{
    pdi_text t = {.alloc = alloc};
    if (s->hostile) return pdi_strdup(alloc, s->hostile);
    pdi_text_add(&t, s->tasks == 5 ? "task %d: %s" : "task %d", (int)j + 1, sample_clothes[j % 5]);
    return pdi_text_take(&t);
}

static bool sample_strings(const t_sample *s, pdr_result *r)
{
    const struct {
        char **to;
        const char *text;
    } rows[] = {
        {&r->recipe, s->recipe},
        {&r->method, s->method},
        {&r->method_title, s->title},
        {&r->scenario, s->scenario},
        {&r->data, s->data},
        {&r->metric, s->is_regression ? "r2" : "accuracy"},
        {&r->version, "0.1.0"},
        {&r->machine, "Intel Xeon (2 cores), Linux 6.1.0 x86_64"},
        {&r->started, "2025-11-21T22:18:05Z"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        if (!(*rows[k].to = sample_text(s, r->alloc, rows[k].text))) return false;
    if (!(r->recipe_text = sample_recipe(s, r->alloc))) return false;
    if (!(r->task_name = pdi_new(r->alloc, (size_t)s->tasks, sizeof *r->task_name))) return false;
    for (int32_t j = 0; j < s->tasks; j++)
        if (!(r->task_name[j] = sample_task(s, r->alloc, j))) return false;
    return true;
}

static double sample_noise(pdr_rng *g, double size)
{
    return size * ((double)pdr_rng_uniform(g) - 0.5);
}

static bool sample_matrix(const t_sample *s, pdr_result *r, pdr_rng *g)
{
    size_t n = (size_t)s->tasks;
    r->matrix = pdi_new(r->alloc, (n + 1) * n, sizeof *r->matrix);
    if (!r->matrix) return false;
    for (int32_t i = -1; i < s->learned; i++)
        for (int32_t j = 0; j < s->tasks; j++) {
            double gain = i < j ? 0 : 0.97 * pow(s->keep, i - j);
            double x = i < 0 ? 0.08 + sample_noise(g, 0.1) : gain + sample_noise(g, 0.03);
            r->matrix[(size_t)(i + 1) * n + (size_t)j] = fmin(fmax(x, 0), 1);
        }
    return true;
}

static bool sample_losses(const t_sample *s, pdr_result *r, pdr_rng *g)
{
    r->losses = (size_t)s->learned * SAMPLE_LOSSES;
    r->loss = pdi_new(r->alloc, r->losses, sizeof *r->loss);
    for (size_t k = 0; r->loss && k < r->losses; k++) {
        double age = (double)(k % SAMPLE_LOSSES);
        r->loss[k] = (pdr_loss_point){
            .task = (int32_t)(k / SAMPLE_LOSSES),
            .iteration = 20 * (k + 1),
            .loss = (2.0 * exp(-age / 6) + 0.12) * (1 + sample_noise(g, 0.5)),
        };
    }
    return r->loss;
}

bool t_sample_run(const pdr_alloc *alloc, const t_sample *s, pdr_result *r)
{
    pdr_rng g = {.seed = s->seed, .stream = PDR_STREAM_TEST, .sub = (uint32_t)(1000 * s->keep)};
    *r = (pdr_result){
        .alloc = pdi_alloc_or_default(alloc),
        .seed = s->seed,
        .threads = 2,
        .examples = 1280000,
        .parameters = 478410,
        .memory = 12345678 + (uint64_t)(1e7 * s->keep),
        .train_seconds = 41.27 + 30 * s->keep + sample_noise(&g, 2),
        .eval_seconds = 1.93 + sample_noise(&g, 0.2),
        .state_hash = 0x0f00ba4c0ffee000u + s->seed,
        .peak_memory = 187654321,
        .complete = s->learned == s->tasks,
        .tasks = s->tasks,
        .learned = s->learned,
        .is_regression = s->is_regression,
        .is_bound = !strcmp(s->method, "joint"),
        .rmse = s->is_regression ? 0.7312 + sample_noise(&g, 0.01) : 0,
        .mae = s->is_regression ? 0.5331 + sample_noise(&g, 0.01) : 0,
    };
    bool ok = sample_strings(s, r) && sample_matrix(s, r, &g) && sample_losses(s, r, &g);
    if (!ok) pdr_result_close(r);
    return ok;
}

/* ---- episodes ---- */

enum { SAMPLE_EPISODES = 100, SAMPLE_POINTS = 30, SAMPLE_STEPS = 16 };

/* What an episode scores after step s: better from the first step on. */
static double sample_episode(const t_sample *s, pdr_rng *g, size_t episode, int32_t step)
{
    double gain = step || !s->tasks ? 1 - 0.3 * pow(1 - s->keep, step) : 0;
    if (!s->is_regression) return fmin(0.2 + 0.75 * gain + sample_noise(g, 0.1), 1);
    if (episode % 50 == 49 && step > 1 && step >= s->tasks - 2) return (double)INFINITY;
    return (4 - 3.8 * gain) * (1 + sample_noise(g, 0.9));
}

static bool sample_episodes(const t_sample *s, pdr_result *r, pdr_rng *g)
{
    double value[SAMPLE_EPISODES * SAMPLE_STEPS];
    size_t each = (size_t)s->tasks + 1;
    for (size_t e = 0; e < SAMPLE_EPISODES; e++)
        for (int32_t step = 0; step <= s->tasks; step++)
            value[e * each + (size_t)step] = sample_episode(s, g, e, step);
    return !pdr_result_set_episodes(r, SAMPLE_EPISODES, s->tasks, s->tasks > 1, (double)INFINITY,
                                    value, NULL);
}

static bool sample_validation(const t_sample *s, pdr_meta_result *m, const pdr_alloc *a, pdr_rng *g)
{
    m->points = SAMPLE_POINTS;
    m->validation = pdi_new(a, m->points, sizeof *m->validation);
    for (size_t k = 0; m->validation && k < m->points; k++) {
        double gain = 1 - exp(-(double)k / 5);
        m->validation[k] = (pdr_validation_point){
            .iteration = 1000 * (k + 1),
            .score = (s->is_regression ? 3 - 2.6 * gain : 0.2 + 0.75 * gain) +
                     sample_noise(g, 0.05),
        };
    }
    return m->validation;
}

static bool sample_meta(const t_sample *s, pdr_result *r, pdr_rng *g)
{
    pdr_meta_result *m = &r->meta;
    pdi_free(r->alloc, r->task_name[0]); /* made for one task */
    pdi_free(r->alloc, r->task_name);
    pdi_free(r->alloc, r->matrix);
    pdi_free(r->alloc, r->metric);
    r->task_name = NULL;
    r->matrix = NULL;
    r->tasks = r->learned = 0;
    r->is_regression = false;
    r->is_meta = true;
    r->complete = s->learned == s->tasks;
    m->planned = 60000;
    m->iterations = r->complete ? 60000 : 20000;
    m->seconds_per_iteration = 0.00123;
    m->train_shot = m->test_shot = s->is_regression ? 10 : 1;
    m->train_way = m->test_way = s->is_regression ? 0 : 5;
    r->metric = sample_text(s, r->alloc, s->is_regression ? "mse" : "accuracy");
    if (!s->is_regression) m->normalisation = sample_text(s, r->alloc, "transductive");
    for (size_t k = 0; k < r->losses; k++) r->loss[k].task = 0;
    return r->metric && (s->is_regression || m->normalisation) && sample_episodes(s, r, g) &&
           sample_validation(s, m, r->alloc, g);
}

bool t_sample_meta(const pdr_alloc *alloc, const t_sample *s, pdr_result *r)
{
    pdr_rng g = {.seed = s->seed, .stream = PDR_STREAM_TEST, .sub = (uint32_t)(1000 * s->keep)};
    t_sample one = *s;
    one.tasks = one.learned = 1;
    if (!t_sample_run(alloc, &one, r)) return false;
    bool ok = s->tasks < SAMPLE_STEPS && sample_meta(s, r, &g);
    if (!ok) pdr_result_close(r);
    return ok;
}

/* ---- a folder to write into ---- */

void t_folder_new(char path[T_PATH_MAX])
{
    const char *home = getenv("TMPDIR");
    snprintf(path, T_PATH_MAX, "%s/perdure-XXXXXX", home ? home : ".");
    if (!mkdtemp(path)) path[0] = 0;
}

const char *t_folder_path(const char *folder, const char *name, char path[T_PATH_MAX])
{
    snprintf(path, T_PATH_MAX, "%s/%s", folder, name);
    return path;
}

/* Visit all entries but "." and ".."; remove them if asked.  How many there were. */
static size_t folder_walk(const char *folder, bool is_end)
{
    char path[T_PATH_MAX];
    size_t n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        t_folder_path(folder, e->d_name, path);
        if (is_end && unlink(path)) (void)rmdir(path);
        n++;
    }
    if (d) (void)closedir(d);
    return n;
}

size_t t_folder_count(const char *folder) { return folder_walk(folder, false); }

void t_folder_remove(const char *path)
{
    (void)folder_walk(path, true);
    (void)rmdir(path);
}

char *t_file_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    long n = f && !fseek(f, 0, SEEK_END) ? ftell(f) : -1;
    char *s = n >= 0 ? calloc(1, (size_t)n + 1) : NULL;
    if (s) {
        rewind(f);
        if (fread(s, 1, (size_t)n, f) != (size_t)n) s[0] = 0;
    }
    if (f) (void)fclose(f);
    return s;
}

/* ---- memory that runs out ---- */

void *t_memory_fn(void *ctx, void *old, size_t size)
{
    t_memory *m = ctx;
    if (!size) {
        m->live -= old != NULL;
        free(old);
        return NULL;
    }
    if (!m->left) {
        if (m->once) m->left = SIZE_MAX;
        return NULL;
    }
    m->left--;
    m->live += !old;
    return realloc(old, size);
}
