/* learner_life.c -- the life of a learner in steps, for tests that disturb it. */
#include "learner_life.h"

#include <perdure/exchange.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "learner/learner.h"

enum { LIFE_WIDTH = 3, LIFE_MOST = 8, LIFE_CLASSES = 16 };

static const char life_recipe[] = "data: {train: none.csv}\n"
                                  "model: [{layer: dense, units: 4}, {layer: relu}]\n"
                                  "method: {name: er, memory: 6, batch: 2}\n"
                                  "optimizer: {name: adam, rate: 0.02}\ntraining: {batch: 3}\n"
                                  "learner: {classes: 4, tasks: 2, window: 10, journal: 300,"
                                  " adapt_steps: 4, asked: 4, most_classes: 8}\n";

/* ---- examples --------------------------------------------------------------------------- */

static float life_x[LIFE_MOST][LIFE_WIDTH];

/* Example number i of the stream, in one of three classes. */
static pdr_example life_example(int i, const char *task)
{
    static const char *const labels[] = {"red", "green", "blue"};
    float *x = life_x[i % LIFE_MOST];
    for (int k = 0; k < LIFE_WIDTH; k++)
        x[k] = (float)(5 * (k == i % 3)) + (float)(i * 7 % 11 + k) / 4;
    return (pdr_example){.x = x, .label = labels[i % 3], .task = task};
}

static pdr_rc life_learn(pdr_learner *l, int from, int n, const char *task, pdr_error *err)
{
    pdr_example e[LIFE_MOST];
    for (int i = 0; i < n; i++) e[i] = life_example(from + i, task);
    return pdr_learner_learn(l, (size_t)n, e, err);
}

static pdr_rc life_adapt(pdr_learner *l, pdr_error *err)
{
    pdr_example e[2] = {life_example(50, NULL), life_example(51, NULL)};
    e[0].label = e[1].label = "white";
    return pdr_learner_adapt(l, 2, e, err);
}

static const char *const life_ids[] = {"a", "b", "c"};

static pdr_rc life_ask(pdr_learner *l, pdr_error *err)
{
    float score[3 * LIFE_CLASSES];
    pdr_example e[3] = {life_example(40, NULL), life_example(41, "warm"), life_example(42, NULL)};
    for (int i = 0; i < 3; i++) e[i].id = life_ids[i];
    return pdr_learner_ask(l, 3, e, score, err);
}

/* Labels that come late, one of a class that is new and another, for which there is no room yet. */
static pdr_rc life_tell(pdr_learner *l, pdr_error *err)
{
    pdr_example e[4] = {{.id = "b", .label = "black"},
                        {.id = "a", .label = "red"},
                        life_example(43, NULL),
                        life_example(44, NULL)};
    e[2].label = "grey";
    return pdr_learner_learn(l, 4, e, err);
}

static pdr_rc life_keep(void *ctx, const void *bytes, size_t n)
{
    pdi_text *t = ctx;
    pdi_text_bytes(t, bytes, n);
    return t->failed ? PDR_NOMEM : PDR_OK;
}

/* Its own parameters, the last of them another. */
static pdr_rc life_import(pdr_learner *l, pdr_error *err)
{
    static const float other = 0.25f;
    pdi_text t = {.alloc = l->alloc};
    pdr_export what = {.format = PDR_EXPORT_SAFETENSORS};
    pdr_rc rc = pdr_learner_export(l, &what, life_keep, &t, err);
    if (!rc) memcpy(t.s + t.n - sizeof other, &other, sizeof other);
    if (!rc) rc = pdr_learner_import(l, "life", t.s, t.n, "three", err);
    pdi_text_close(&t);
    return rc;
}

/* ---- steps ------------------------------------------------------------------------------ */

static pdr_rc life_create(const learner_home *home, pdr_learner **l, pdr_error *err)
{
    static char *features[] = {"r", "g", "b"};
    pdr_learner_how how = {.alloc = home->alloc, .threads = 1};
    pdr_dataset like = {.shape = PDR_SHAPE(LIFE_WIDTH), .feature_name = features};
    pdr_recipe r;
    pdr_rc rc = pdr_recipe_parse(home->alloc, "life.yaml", life_recipe, strlen(life_recipe), 0,
                                 NULL, &r, err);
    if (rc) return rc;
    rc = pdi_learner_create(home->path, &r, &like, 7, &how, home->vfs, l, err);
    pdr_recipe_close(&r);
    return rc;
}

pdr_rc learner_open(const learner_home *home, bool reads_only, pdr_learner **l, pdr_error *err)
{
    pdr_learner_how how = {.alloc = home->alloc, .threads = 1, .reads_only = reads_only};
    return pdi_learner_open(home->path, &how, home->vfs, l, err);
}

pdr_rc learner_step(pdr_learner *l, int step, pdr_error *err)
{
    switch (step) {
    case 1: return life_learn(l, 0, 4, NULL, err);
    case 2: return life_learn(l, 4, 1, NULL, err);
    case 3: return pdr_learner_snapshot(l, "one", err);
    case 4: return life_learn(l, 5, 8, "warm", err);
    case 5: return life_learn(l, 13, 4, NULL, err);
    case 6: return pdr_learner_checkpoint(l, err);
    case 7: return life_adapt(l, err);
    case 8: return life_learn(l, 17, 2, "cold", err);
    case 9: return pdr_learner_rollback(l, "one", err);
    case 10: return life_learn(l, 19, 5, NULL, err);
    case 11: return pdr_learner_end_task(l, err);
    case 12: return pdr_learner_compact(l, err);
    case 13: return life_learn(l, 24, 4, "warm", err);
    case 14: return life_ask(l, err);
    case 15: return life_tell(l, err);
    case 16: return pdr_learner_snapshot(l, "two", err);
    case 17: return life_import(l, err);
    default: return life_learn(l, 28, 8, NULL, err);
    }
}

/* Steps after which it is closed, to be opened again. */
static bool life_closes_after(int step) { return step == 0 || step == 4 || step == 8; }

pdr_rc learner_run(const learner_home *home, int from, int to, int *done, pdr_error *err)
{
    pdr_learner *l = NULL;
    pdr_rc rc = PDR_OK;
    *done = 0;
    for (int step = from; !rc && step < to; step++) {
        if (step == 0)
            rc = life_create(home, &l, err);
        else if (!l)
            rc = learner_open(home, false, &l, err);
        if (!rc && step > 0) rc = learner_step(l, step, err);
        *done += !rc;
        if (!rc && life_closes_after(step)) {
            rc = pdr_learner_close(l, err);
            l = NULL;
        }
    }
    pdr_rc closed = pdr_learner_close(l, rc ? NULL : err);
    return rc ? rc : closed;
}

/* ---- what can be seen ---------------------------------------------------------------------- */

pdr_rc learner_print(pdr_learner *l, uint64_t *print, pdr_error *err)
{
    float score[LIFE_CLASSES] = {0};
    uint64_t h = pdr_learner_state_hash(l),
             n[] = {pdr_learner_examples(l), pdr_learner_waiting(l),
                    (uint64_t)pdr_learner_classes(l), (uint64_t)pdr_learner_tasks(l),
                    pdr_learner_asked(l, NULL)};
    pdr_rc rc = PDR_OK;
    h = pdi_hash(h, n, sizeof n);
    for (int i = 0; !rc && i < 4; i++) {
        pdr_example e = life_example(60 + i, NULL);
        rc = pdr_learner_predict(l, 1, e.x, NULL, score, err);
        if (!rc) h = pdi_hash(h, score, sizeof score);
    }
    const char *name;
    for (size_t i = 0; (name = pdr_learner_snapshot_at(l, i, NULL)) != NULL; i++)
        h = pdi_hash(h, name, strlen(name));
    *print = h;
    return rc;
}

pdr_rc learner_print_file(const learner_home *home, bool reads_only, uint64_t *print,
                          pdr_error *err)
{
    pdr_learner *l = NULL;
    pdr_rc rc = learner_open(home, reads_only, &l, err);
    if (!rc) rc = learner_print(l, print, err);
    pdr_rc closed = pdr_learner_close(l, rc ? NULL : err);
    return rc ? rc : closed;
}
