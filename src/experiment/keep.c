/* experiment/keep.c -- a run in a file, to go on with later, to the bit.
 *
 * The file is a learner file's store: the trainer's state piece by piece, and what the
 * result holds so far.  It is of one recipe, seed and version; of another it is replaced.
 * A stream is kept when a task ends, a run of episodes between any two steps. */
#include <inttypes.h>
#include <perdure/version.h>
#include <stdio.h>
#include <string.h>

#include "experiment/experiment.h"
#include "learner/piece.h"

/* ---- trainer state ------------------------------------------------------------------------ */

typedef struct keep_walk {
    pdi_store *store;
    pdi_experiment *x;
} keep_walk;

static pdr_rc keep_put(void *ctx, const pdi_piece *p)
{
    const keep_walk *w = ctx;
    pdi_item i = pdi_piece_item(p);
    return pdi_store_put(w->store, &i, w->x->err);
}

static pdr_rc keep_get(void *ctx, const pdi_item *i, pdr_error *err)
{
    const keep_walk *w = ctx;
    return pdi_piece_take(w->store, i, w->x->trainer, err);
}

/* ---- what the result holds ------------------------------------------------------------------- */

/* An array of doubles of the result: how many there are is kept with it. */
typedef struct keep_array {
    const char *name;
    double *at;
    size_t most, n;
} keep_array;

enum { KEEP_ARRAYS = 4, KEEP_NUMBERS = 5 };

/* Points of curves are structs; they travel as doubles. */
static bool keep_flatten(const pdi_experiment *x, keep_array a[KEEP_ARRAYS])
{
    const pdr_result *r = x->result;
    const pdr_meta_result *m = &r->meta;
    double seconds[] = {r->train_seconds, r->eval_seconds, x->loss_sum, x->progress.loss,
                        x->progress.average};
    size_t most[] = {5, 3 * r->losses, 2 * m->points, (size_t)(r->tasks + 1) * (size_t)r->tasks};
    static const char *const names[] = {"seconds", "loss", "validation", "matrix"};
    for (size_t k = 0; k < KEEP_ARRAYS; k++) {
        a[k] = (keep_array){.name = names[k], .n = most[k]};
        a[k].at = pdi_new(x->alloc, most[k] + 1, sizeof(double));
        if (!a[k].at) return false;
    }
    memcpy(a[0].at, seconds, sizeof seconds);
    for (size_t i = 0; i < r->losses; i++) {
        a[1].at[3 * i] = r->loss[i].task;
        a[1].at[3 * i + 1] = (double)r->loss[i].iteration;
        a[1].at[3 * i + 2] = r->loss[i].loss;
    }
    for (size_t i = 0; i < m->points; i++) {
        a[2].at[2 * i] = (double)m->validation[i].iteration;
        a[2].at[2 * i + 1] = m->validation[i].score;
    }
    if (r->matrix) memcpy(a[3].at, r->matrix, a[3].n * sizeof(double));
    return true;
}

static void keep_unflatten(pdi_experiment *x, const keep_array a[KEEP_ARRAYS])
{
    pdr_result *r = x->result;
    pdr_meta_result *m = &r->meta;
    r->train_seconds = a[0].at[0];
    r->eval_seconds = a[0].at[1];
    x->loss_sum = a[0].at[2];
    x->progress.loss = a[0].at[3];
    x->progress.average = a[0].at[4];
    r->losses = a[1].n / 3;
    for (size_t i = 0; i < r->losses; i++)
        r->loss[i] = (pdr_loss_point){(int32_t)a[1].at[3 * i], (uint64_t)a[1].at[3 * i + 1],
                                      a[1].at[3 * i + 2]};
    m->points = a[2].n / 2;
    for (size_t i = 0; i < m->points; i++)
        m->validation[i] = (pdr_validation_point){(uint64_t)a[2].at[2 * i], a[2].at[2 * i + 1]};
    if (r->matrix) memcpy(r->matrix, a[3].at, a[3].n * sizeof(double));
}

static void keep_close(const pdi_experiment *x, keep_array a[KEEP_ARRAYS])
{
    for (size_t k = 0; k < KEEP_ARRAYS; k++) pdi_free(x->alloc, a[k].at);
}

/* Whole numbers of the run, by name. */
static void keep_numbers(pdi_experiment *x, const char *name[KEEP_NUMBERS],
                         uint64_t *at[KEEP_NUMBERS])
{
    static const char *const names[] = {"iteration", "examples", "meta.iterations", "loss.count",
                                        "learned"};
    uint64_t *const places[] = {&x->progress.iteration, &x->result->examples,
                                &x->result->meta.iterations, &x->loss_count, &x->kept_learned};
    memcpy(name, names, sizeof names);
    memcpy(at, places, sizeof places);
}

static pdr_rc keep_put_result(pdi_experiment *x, pdi_store *s)
{
    keep_array a[KEEP_ARRAYS] = {0};
    const char *name[KEEP_NUMBERS];
    uint64_t *at[KEEP_NUMBERS];
    pdr_rc rc = keep_flatten(x, a) ? PDR_OK : pdi_nomem(x->err);
    for (size_t k = 0; !rc && k < KEEP_ARRAYS; k++) {
        pdi_item i = {"run", a[k].name, PDI_F64, PDR_SHAPE((int32_t)a[k].n), a[k].at};
        rc = pdi_store_put(s, &i, x->err);
    }
    keep_close(x, a);
    x->kept_learned = (uint64_t)x->result->learned;
    keep_numbers(x, name, at);
    for (size_t k = 0; !rc && k < KEEP_NUMBERS; k++)
        rc = pdi_store_put_number(s, "run", name[k], (int64_t)*at[k], x->err);
    return rc;
}

/* What a curve can hold is less than a damaged or foreign file may claim. */
static bool keep_fits(const pdi_experiment *x, size_t k, size_t n)
{
    const pdr_result *r = x->result;
    size_t most[] = {5, 3 * pdi_experiment_loss_room(x),
                     r->meta.validation ? 2 * PDI_VALIDATIONS : 0,
                     (size_t)(r->tasks + 1) * (size_t)r->tasks};
    return k == 0 || k == 3 ? n == most[k] : n <= most[k];
}

static pdr_rc keep_get_result(pdi_experiment *x, pdi_store *s)
{
    keep_array a[KEEP_ARRAYS] = {0};
    const char *name[KEEP_NUMBERS];
    uint64_t *at[KEEP_NUMBERS];
    pdr_rc rc = keep_flatten(x, a) ? PDR_OK : pdi_nomem(x->err);
    for (size_t k = 0; !rc && k < KEEP_ARRAYS; k++) {
        pdi_item i = {.section = "run", .name = a[k].name};
        pdi_free(x->alloc, a[k].at);
        a[k].at = NULL;
        rc = pdi_store_find(s, &i, NULL, x->err);
        if (rc) break;
        a[k].n = (size_t)pdi_item_size(&i) / sizeof(double);
        if (i.type != PDI_F64 || !keep_fits(x, k, a[k].n))
            rc = pdi_fail(x->err, PDR_INPUT, "%s: run/%s is not this recipe's; delete the file",
                          pdi_store_path(s), a[k].name);
        if (!rc) a[k].at = pdi_new(x->alloc, a[k].n + 1, sizeof(double));
        if (!rc) rc = a[k].at ? pdi_store_get(s, &i, a[k].at, x->err) : pdi_nomem(x->err);
    }
    if (!rc) keep_unflatten(x, a);
    keep_close(x, a);
    keep_numbers(x, name, at);
    for (size_t k = 0; !rc && k < KEEP_NUMBERS; k++) {
        int64_t number = 0;
        rc = pdi_store_get_number(s, "run", name[k], &number, NULL, x->err);
        *at[k] = (uint64_t)number;
    }
    x->result->learned = x->progress.learned = (int32_t)x->kept_learned;
    x->progress.examples = x->result->examples;
    return rc;
}

/* ---- the file
 * -------------------------------------------------------------------------------------- */

/* What the file must have been made of to be this run's. */
static void keep_name(const pdi_experiment *x, char text[64])
{
    snprintf(text, 64, "perdure %s, seed %" PRIu64, pdr_version(), x->e->seed);
}

static bool keep_is_ours(pdi_experiment *x, pdi_store *s)
{
    char run[64], *recipe = NULL, *of = NULL;
    pdr_error none = PDR_NO_ERROR;
    keep_name(x, run);
    bool ours = !pdi_store_get_text(s, "run", "recipe", &recipe, NULL, &none) &&
                !pdi_store_get_text(s, "run", "of", &of, NULL, &none) && !strcmp(of, run) &&
                !strcmp(recipe, x->result->recipe_text);
    pdi_free(x->alloc, recipe);
    pdi_free(x->alloc, of);
    return ours;
}

void pdi_keep_remove(pdi_experiment *x)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal", ".lock", "-lock"};
    char path[4200];
    pdi_store_close(x->store);
    x->store = NULL;
    for (size_t i = 0; x->e->keep && i < sizeof tails / sizeof tails[0]; i++) {
        snprintf(path, sizeof path, "%.4096s%s", x->e->keep, tails[i]);
        remove(path);
    }
}

static pdr_rc keep_create(pdi_experiment *x)
{
    pdi_store_options how = {.alloc = x->alloc};
    char run[64];
    keep_name(x, run);
    pdi_keep_remove(x);
    pdr_rc rc = pdi_store_create(x->e->keep, &how, &x->store, x->err);
    if (!rc) rc = pdi_store_put_text(x->store, "run", "recipe", x->result->recipe_text, x->err);
    if (!rc) rc = pdi_store_put_text(x->store, "run", "of", run, x->err);
    return rc;
}

pdr_rc pdi_keep_save(pdi_experiment *x, bool now)
{
    double at = pdi_experiment_now();
    if (!x->e->keep || (!now && at - x->kept_at < x->e->keep_seconds)) return PDR_OK;
    bool is_new = !x->store;
    pdr_rc rc = is_new ? keep_create(x) : pdi_store_begin(x->store, PDI_STORE_WRITE, x->err);
    keep_walk w = {x->store, x};
    if (!rc) rc = pdi_trainer_each(x->trainer, keep_put, &w);
    if (!rc) rc = keep_put_result(x, x->store);
    if (!rc) rc = pdi_store_commit(x->store, x->err);
    if (rc && x->store) pdi_store_cancel(x->store);
    x->kept_at = pdi_experiment_now();
    return rc;
}

/* Take up the run where the file left it. */
static pdr_rc keep_resume(pdi_experiment *x)
{
    keep_walk w = {x->store, x};
    pdr_rc rc = pdi_store_items(x->store, "counter", keep_get, &w, x->err);
    if (!rc) rc = pdi_store_items(x->store, "memory", keep_get, &w, x->err);
    if (!rc) rc = pdi_store_items(x->store, "tensor", keep_get, &w, x->err);
    if (!rc) rc = keep_get_result(x, x->store);
    pdi_store_cancel(x->store);
    if (!rc && x->e->note) x->e->note(x->e->ctx, "going on where the run was stopped");
    x->kept_at = pdi_experiment_now();
    return rc;
}

pdr_rc pdi_keep_open(pdi_experiment *x)
{
    pdi_store_options how = {.alloc = x->alloc};
    pdr_error none = PDR_NO_ERROR;
    x->kept_at = pdi_experiment_now();
    if (!x->e->keep) return PDR_OK;
    FILE *f = fopen(x->e->keep, "rb");
    if (!f) return PDR_OK;
    fclose(f);
    pdr_rc rc = pdi_store_open(x->e->keep, PDI_STORE_WRITE, &how, &x->store, x->err);
    if (!rc) rc = pdi_store_begin(x->store, PDI_STORE_WRITE, &none);
    if (rc) return rc;
    if (keep_is_ours(x, x->store)) return keep_resume(x);
    pdi_store_cancel(x->store);
    pdi_keep_remove(x);
    return PDR_OK;
}
