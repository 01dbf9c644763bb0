/* report/json.c -- result.json, the contract that other programs read.
 *
 * The tree is jansson's; the layout is ours, because a matrix with a row a line is one
 * that people can read: an array or object whose elements are all scalars, and that is
 * itself an element of an array, takes one line.
 *
 * A double is written with the fewest of 15 to 17 digits that read back as the same
 * double.  JSON has no word for what is not finite: that is null, and "null_because"
 * says why. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <perdure/result.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/put.h"
#include "report/read.h"
#include "report/replace.h"

typedef struct json_writer {
    const pdr_result *r;
    const pdr_alloc *alloc;
    json_t *why; /* key -> reason, for every null */
    bool failed; /* sticks: memory ran out */
} json_writer;

/* ---- building the tree; every function takes over the value it is given ---- */

static void json_set(json_writer *w, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value)) w->failed = true;
}

static void json_add(json_writer *w, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value)) w->failed = true;
}

static json_t *json_text(json_writer *w, const char *s)
{
    pdi_text t = {.alloc = w->alloc};
    if (!s) return json_null();
    pdi_text_bytes(&t, "", 0);
    pdi_put_utf8(&t, s);
    json_t *v = t.failed ? NULL : json_stringn(t.s, t.n);
    pdi_text_close(&t);
    return v;
}

static json_t *json_count(json_writer *w, uint64_t n)
{
    char digits[32];
    if (n <= INT64_MAX) return json_integer((json_int_t)n);
    snprintf(digits, sizeof digits, "%" PRIu64, n);
    return json_text(w, digits);
}

static json_t *json_value(double x) { return isfinite(x) ? json_real(x) : json_null(); }

static const char *json_oddity(double x)
{
    return isnan(x) ? "not a number" : x > 0 ? "infinite" : "minus infinity";
}

/* Where the matrix stops being finite, in words; false when nowhere. */
static bool json_blame_matrix(const pdr_result *r, char text[], size_t size)
{
    for (int32_t i = -1; i < r->learned; i++)
        for (int32_t j = 0; j < r->tasks; j++) {
            double x = pdr_result_at(r, i, j);
            if (isfinite(x)) continue;
            if (i < 0)
                snprintf(text, size, "before learning, task %" PRId32 " is %s", j, json_oddity(x));
            else
                snprintf(text, size, "after learning task %" PRId32 ", task %" PRId32 " is %s", i,
                         j, json_oddity(x));
            return true;
        }
    return false;
}

static void json_blame(json_writer *w, const char *key, const char *reason)
{
    json_set(w, w->why, key, json_string(reason));
}

/* A figure of the run itself, such as train_seconds. */
static void json_plain(json_writer *w, json_t *object, const char *key, const char *full, double x)
{
    json_set(w, object, key, json_value(x));
    if (!isfinite(x)) json_blame(w, full, json_oddity(x));
}

/* A figure that follows from the matrix. */
static void json_metric(json_writer *w, json_t *object, const char *key, const char *full, double x)
{
    char reason[160];
    json_set(w, object, key, json_value(x));
    if (isfinite(x)) return;
    if (w->r->learned < 1)
        json_blame(w, full, "no task was learned");
    else
        json_blame(w, full,
                   json_blame_matrix(w->r, reason, sizeof reason) ? reason : json_oddity(x));
}

static json_t *json_row(json_writer *w, int32_t i)
{
    json_t *row = json_array();
    for (int32_t j = 0; j < w->r->tasks; j++)
        json_add(w, row, json_value(pdr_result_at(w->r, i, j)));
    return row;
}

static json_t *json_continual(json_writer *w)
{
    const pdr_result *r = w->r;
    char reason[160];
    json_t *c = json_object(), *matrix = json_array();
    json_set(w, c, "metric", json_text(w, r->metric));
    json_set(w, c, "before", json_row(w, -1));
    for (int32_t i = 0; i < r->learned; i++) json_add(w, matrix, json_row(w, i));
    json_set(w, c, "accuracy_matrix", matrix);
    if (json_blame_matrix(r, reason, sizeof reason))
        json_blame(w, "continual.accuracy_matrix", reason);
    json_metric(w, c, "average_accuracy", "continual.average_accuracy", pdr_result_average(r));
    json_metric(w, c, "forgetting", "continual.forgetting", pdr_result_forgetting(r));
    json_metric(w, c, "bwt", "continual.bwt", pdr_result_bwt(r));
    json_metric(w, c, "fwt", "continual.fwt", pdr_result_fwt(r));
    return c;
}

/* ---- episodes ---- */

/* A value for each number of steps; which of them is not finite, and why, is blamed. */
static void json_steps(json_writer *w, json_t *object, const char *key, const double x[])
{
    const pdr_meta_result *m = &w->r->meta;
    char full[96], reason[96];
    bool is_whole = true;
    json_t *a = json_array();
    snprintf(full, sizeof full, "meta.test.%.64s", key);
    for (int32_t s = 0; x && s <= m->steps; s++) {
        json_add(w, a, json_value(x[s]));
        snprintf(reason, sizeof reason, "after step %" PRId32 " it is %s", s, json_oddity(x[s]));
        if (!isfinite(x[s]) && is_whole) json_blame(w, full, reason);
        is_whole = is_whole && isfinite(x[s]);
    }
    json_set(w, object, key, a);
}

static void json_diverged(json_writer *w, json_t *test)
{
    const pdr_meta_result *m = &w->r->meta;
    json_t *by_step = json_array();
    for (int32_t s = 0; m->diverged && s <= m->steps; s++)
        json_add(w, by_step, json_count(w, m->diverged[s]));
    json_set(w, test, "diverged", json_count(w, m->diverged ? m->diverged[m->steps] : 0));
    json_set(w, test, "diverged_by_step", by_step);
}

const char *pdi_result_loss_key(const pdr_result *r)
{
    return r->metric && !strcmp(r->metric, "mse") ? "mse" : "loss";
}

/* Accuracy: the scored step's as a number, and all of them; a loss: all of them. */
static json_t *json_meta_test(json_writer *w)
{
    const pdr_meta_result *m = &w->r->meta;
    json_t *test = json_object();
    bool is_tested = m->ci95 && m->scored >= 0 && m->scored <= m->steps;
    if (m->test_way) json_set(w, test, "way", json_integer(m->test_way));
    json_set(w, test, "shot", json_integer(m->test_shot));
    json_set(w, test, "step", json_integer(m->scored));
    if (pdr_result_is_loss(w->r)) {
        json_set(w, test, "tasks", json_count(w, m->episodes));
        json_steps(w, test, pdi_result_loss_key(w->r), m->score);
        json_steps(w, test, "ci95", m->ci95);
        json_steps(w, test, "median", m->median);
    } else {
        double nan = (double)NAN;
        json_set(w, test, "episodes", json_count(w, m->episodes));
        json_plain(w, test, "accuracy", "meta.test.accuracy", pdr_result_score(w->r));
        json_plain(w, test, "ci95", "meta.test.ci95", is_tested ? m->ci95[m->scored] : nan);
        json_steps(w, test, "accuracy_by_step", m->score);
        json_steps(w, test, "ci95_by_step", m->ci95);
        json_steps(w, test, "median_by_step", m->median);
    }
    json_diverged(w, test);
    return test;
}

static json_t *json_validation(json_writer *w)
{
    const pdr_meta_result *m = &w->r->meta;
    json_t *points = json_array();
    bool is_whole = true;
    for (size_t k = 0; k < m->points; k++) {
        json_t *point = json_object();
        json_set(w, point, "iteration", json_count(w, m->validation[k].iteration));
        json_set(w, point, "score", json_value(m->validation[k].score));
        json_add(w, points, point);
        if (is_whole && !isfinite(m->validation[k].score))
            json_blame(w, "meta.validation", json_oddity(m->validation[k].score));
        is_whole = is_whole && isfinite(m->validation[k].score);
    }
    return points;
}

static json_t *json_meta(json_writer *w)
{
    const pdr_meta_result *m = &w->r->meta;
    json_t *meta = json_object(), *train = json_object();
    json_set(w, meta, "metric", json_text(w, w->r->metric));
    json_set(w, meta, "iterations", json_count(w, m->iterations));
    json_set(w, meta, "planned", json_count(w, m->planned));
    json_plain(w, meta, "seconds_per_iteration", "meta.seconds_per_iteration",
               m->seconds_per_iteration);
    json_set(w, meta, "normalisation", json_text(w, m->normalisation));
    if (m->train_way) json_set(w, train, "way", json_integer(m->train_way));
    json_set(w, train, "shot", json_integer(m->train_shot));
    json_set(w, meta, "train", train);
    json_set(w, meta, "test", json_meta_test(w));
    json_set(w, meta, "validation", json_validation(w));
    return meta;
}

static json_t *json_test(json_writer *w)
{
    json_t *test = json_object();
    json_plain(w, test, "rmse", "test.rmse", w->r->rmse);
    json_plain(w, test, "mae", "test.mae", w->r->mae);
    json_metric(w, test, "r2", "test.r2", pdr_result_average(w->r));
    return test;
}

static json_t *json_losses(json_writer *w)
{
    char reason[160];
    json_t *losses = json_array();
    size_t odd = 0;
    for (size_t k = 0; k < w->r->losses; k++) {
        const pdr_loss_point *p = &w->r->loss[k];
        json_t *point = json_object();
        json_set(w, point, "task", json_integer(p->task));
        json_set(w, point, "iteration", json_count(w, p->iteration));
        json_set(w, point, "loss", json_value(p->loss));
        json_add(w, losses, point);
        if (!isfinite(p->loss) && !odd++)
            snprintf(reason, sizeof reason, "at iteration %" PRIu64 " the loss is %s", p->iteration,
                     json_oddity(p->loss));
    }
    if (odd) json_blame(w, "losses", reason);
    return losses;
}

static json_t *json_texts(json_writer *w, size_t n, char *const text[])
{
    json_t *a = json_array();
    for (size_t j = 0; j < n; j++) json_add(w, a, json_text(w, text ? text[j] : NULL));
    return a;
}

static void json_fill(json_writer *w, json_t *root)
{
    const pdr_result *r = w->r;
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, r->state_hash);
    json_set(w, root, "recipe", json_text(w, r->recipe));
    json_set(w, root, "method", json_text(w, r->method));
    json_set(w, root, "method_title", json_text(w, r->method_title));
    json_set(w, root, "scenario", json_text(w, r->scenario));
    json_set(w, root, "data", json_text(w, r->data));
    json_set(w, root, "metric", json_text(w, r->metric));
    json_set(w, root, "seed", json_count(w, r->seed));
    json_set(w, root, "threads", json_integer(r->threads));
    json_set(w, root, "examples", json_count(w, r->examples));
    json_set(w, root, "parameters", json_count(w, r->parameters));
    json_set(w, root, "memory_bytes", json_count(w, r->memory));
    json_plain(w, root, "train_seconds", "train_seconds", r->train_seconds);
    json_plain(w, root, "eval_seconds", "eval_seconds", r->eval_seconds);
    json_set(w, root, "state_hash", json_string(hash));
    json_set(w, root, "peak_memory_bytes", json_count(w, r->peak_memory));
    json_set(w, root, "version", json_text(w, r->version));
    json_set(w, root, "machine", json_text(w, r->machine));
    json_set(w, root, "started", json_text(w, r->started));
    json_set(w, root, "complete", json_boolean(r->complete));
    json_set(w, root, "is_bound", json_boolean(r->is_bound));
    json_set(w, root, "tasks", json_texts(w, (size_t)r->tasks, r->task_name));
    json_set(w, root, "notes", json_texts(w, r->notes, r->note));
    if (r->is_meta)
        json_set(w, root, "meta", json_meta(w));
    else
        json_set(w, root, "continual", json_continual(w));
    if (r->is_regression) json_set(w, root, "test", json_test(w));
    json_set(w, root, "losses", json_losses(w));
    json_set(w, root, "recipe_text", json_text(w, r->recipe_text));
    if (json_object_size(w->why)) json_set(w, root, "null_because", json_incref(w->why));
}

/* ---- laying it out ---- */

static int json_append(const char *bytes, size_t n, void *text)
{
    pdi_text_bytes(text, bytes, n);
    return 0;
}

/* The fewest digits that give x back: 17 always do. */
static size_t json_digits(double x)
{
    char s[64];
    for (int digits = 15; digits < 17; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, x);
        if (!(strtod(s, NULL) < x) && !(strtod(s, NULL) > x)) return (size_t)digits;
    }
    return 17;
}

/* jansson prints a scalar: it escapes, and does not depend on the locale. */
static void json_put_scalar(pdi_text *t, const json_t *v)
{
    size_t flags = JSON_ENCODE_ANY;
    if (json_is_real(v)) flags |= JSON_REAL_PRECISION(json_digits(json_real_value(v)));
    if (json_dump_callback(v, json_append, t, flags)) t->failed = true;
}

static void json_newline(pdi_text *t, int depth) { pdi_text_add(t, "\n%*s", 2 * depth, ""); }

static void json_put(pdi_text *t, json_t *v, int depth, bool in_array);

static void json_put_array(pdi_text *t, json_t *v, int depth, bool is_flat)
{
    size_t i;
    json_t *element;
    pdi_put(t, "[");
    json_array_foreach(v, i, element)
    {
        if (i) pdi_put(t, is_flat ? ", " : ",");
        if (!is_flat) json_newline(t, depth + 1);
        json_put(t, element, depth + 1, true);
    }
    if (!is_flat && json_array_size(v)) json_newline(t, depth);
    pdi_put(t, "]");
}

static void json_put_object(pdi_text *t, json_t *v, int depth, bool is_flat)
{
    const char *key;
    json_t *value;
    size_t n = 0;
    pdi_put(t, "{");
    json_object_foreach(v, key, value)
    {
        if (n++) pdi_put(t, is_flat ? ", " : ",");
        if (!is_flat) json_newline(t, depth + 1);
        pdi_text_add(t, "\"%s\": ", key); /* keys are ours: nothing to escape */
        json_put(t, value, depth + 1, false);
    }
    if (!is_flat && n) json_newline(t, depth);
    pdi_put(t, "}");
}

static void json_put(pdi_text *t, json_t *v, int depth, bool in_array)
{
    bool holds_scalars = !json_is_array(v) || (!json_is_array(json_array_get(v, 0)) &&
                                               !json_is_object(json_array_get(v, 0)));
    if (json_is_array(v))
        json_put_array(t, v, depth, holds_scalars);
    else if (json_is_object(v))
        json_put_object(t, v, depth, in_array);
    else
        json_put_scalar(t, v);
}

pdr_rc pdi_result_put_json(const pdr_result *r, pdi_text *text, pdr_error *err)
{
    json_writer w = {.r = r, .alloc = text->alloc, .why = json_object()};
    json_t *root = json_object();
    json_fill(&w, root);
    if (!w.failed) json_put(text, root, 0, false);
    pdi_put(text, "\n");
    json_decref(root);
    json_decref(w.why);
    return w.failed || text->failed ? pdi_nomem(err) : PDR_OK;
}

pdr_rc pdr_result_write_json(const pdr_result *r, const char *path, pdr_error *err)
{
    pdi_text t = {.alloc = pdi_alloc_or_default(r->alloc)};
    pdr_rc rc = pdi_result_put_json(r, &t, err);
    if (!rc) rc = pdi_file_replace(t.alloc, path, &t, err);
    pdi_text_close(&t);
    return rc;
}
