/* report/read.c -- result.json read back into the result it was written from.
 *
 * Strict about what a key holds, wherever it stands; keys that are not known are skipped,
 * since later versions add some, and those that earlier versions did not write may be
 * missing.  What follows from the matrix is worked out again rather than read.
 *
 * The first thing that is wrong is kept in the reader and makes all further reading
 * do nothing, so that functions need not check after every key. */
#include "report/read.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"

enum {
    READ_BYTES = 64 << 20, /* of a file: a thousand tasks take 20 MB */
    READ_TASKS = 4096,
    READ_PLACE = 160
};

typedef struct read_json {
    const pdr_alloc *alloc;
    const char *path;
    pdr_error *err;
    pdr_rc rc;
} read_json;

/* ---- values; place is the whole path of a key ---- */

static void read_wrong(read_json *rd, const char *place, const char *what)
{
    if (!rd->rc) rd->rc = pdi_fail(rd->err, PDR_INPUT, "%s: %s: %s", rd->path, place, what);
}

static void read_nomem(read_json *rd)
{
    if (!rd->rc) rd->rc = pdi_nomem(rd->err);
}

/* The key of object that place ends in; NULL when it is missing. */
static const json_t *read_find(const json_t *object, const char *place)
{
    const char *dot = strrchr(place, '.');
    return json_object_get(object, dot ? dot + 1 : place);
}

/* Null and missing are NULL. */
static char *read_text(read_json *rd, const json_t *v, const char *place)
{
    char *s = NULL;
    if (rd->rc || !v || json_is_null(v)) return NULL;
    if (!json_is_string(v)) {
        read_wrong(rd, place, "this is no text; give a string or null");
    } else {
        s = pdi_strdup(rd->alloc, json_string_value(v));
        if (!s) read_nomem(rd);
    }
    return s;
}

/* Null is NaN. */
static double read_value(read_json *rd, const json_t *v, const char *place)
{
    if (!rd->rc && !json_is_number(v) && !json_is_null(v))
        read_wrong(rd, place, v ? "this is no number; give a number or null" : "this is missing");
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

/* A number that may be missing: 0. */
static double read_real(read_json *rd, const json_t *object, const char *place)
{
    const json_t *v = read_find(object, place);
    return v ? read_value(rd, v, place) : 0;
}

/* A whole number from 0 to most; missing is 0. */
static uint64_t read_count(read_json *rd, const json_t *v, const char *place, uint64_t most)
{
    char what[96];
    if (rd->rc || !v) return 0;
    json_int_t x = json_is_integer(v) ? json_integer_value(v) : -1;
    if (x >= 0 && (uint64_t)x <= most) return (uint64_t)x;
    snprintf(what, sizeof what, "this is not usable; give a whole number from 0 to %" PRIu64, most);
    read_wrong(rd, place, what);
    return 0;
}

static uint64_t read_big(read_json *rd, const json_t *object, const char *place)
{
    return read_count(rd, read_find(object, place), place, INT64_MAX);
}

static int32_t read_small(read_json *rd, const json_t *object, const char *place)
{
    return (int32_t)read_count(rd, read_find(object, place), place, INT32_MAX);
}

static bool read_flag(read_json *rd, const json_t *object, const char *place)
{
    const json_t *v = read_find(object, place);
    if (v && !json_is_boolean(v)) read_wrong(rd, place, "give true or false");
    return json_is_true(v);
}

/* Digits of a base to the end of the string, nothing else. */
static uint64_t read_digits(read_json *rd, const json_t *v, const char *place, int base)
{
    static const char digits[] = "0123456789abcdef";
    const char *s = json_string_value(v);
    uint64_t x = 0;
    bool is_right = s && *s;
    for (; is_right && *s; s++) {
        const char *d = memchr(digits, *s, (size_t)base);
        uint64_t digit = d ? (uint64_t)(d - digits) : 0;
        is_right = d && x <= (UINT64_MAX - digit) / (uint64_t)base;
        x = x * (uint64_t)base + digit;
    }
    if (is_right) return x;
    read_wrong(rd, place,
               base == 16 ? "give a string of 16 hexadecimal digits"
                          : "give a whole number, or a string of its digits");
    return 0;
}

/* The array at place, with at most `most` elements; NULL when it is missing or wrong. */
static const json_t *read_array(read_json *rd, const json_t *object, const char *place, size_t most)
{
    const json_t *a = read_find(object, place);
    if (!rd->rc && a && !json_is_array(a)) read_wrong(rd, place, "give an array");
    if (!rd->rc && json_array_size(a) > most) read_wrong(rd, place, "this array is too long");
    return rd->rc ? NULL : a;
}

static const json_t *read_object(read_json *rd, const json_t *object, const char *place)
{
    const json_t *o = read_find(object, place);
    if (!rd->rc && !json_is_object(o))
        read_wrong(rd, place, o ? "give an object" : "this is missing");
    return rd->rc ? NULL : o;
}

/* ---- arrays ---- */

static char **read_texts(read_json *rd, const json_t *a, const char *place, bool allows_null)
{
    size_t n = json_array_size(a);
    char **text = n ? pdi_new(rd->alloc, n, sizeof *text) : NULL, at[READ_PLACE];
    if (n && !text) read_nomem(rd);
    for (size_t i = 0; text && i < n; i++) {
        const json_t *v = json_array_get(a, i);
        snprintf(at, sizeof at, "%s[%zu]", place, i);
        text[i] = read_text(rd, v, at);
        if (!text[i] && !allows_null) read_wrong(rd, at, "give a string");
    }
    return text;
}

/* n values into row, which is where the array at place stands in the end. */
static void read_row(read_json *rd, const json_t *a, const char *place, size_t n, double row[])
{
    char at[READ_PLACE];
    if (!rd->rc && (!json_is_array(a) || json_array_size(a) != n)) {
        snprintf(at, sizeof at, "give an array of %zu numbers", n);
        read_wrong(rd, place, at);
    }
    for (size_t j = 0; !rd->rc && j < n; j++) {
        snprintf(at, sizeof at, "%s[%zu]", place, j);
        row[j] = read_value(rd, json_array_get(a, j), at);
    }
}

static double *read_values(read_json *rd, const json_t *object, const char *place, size_t n)
{
    double *x = pdi_new(rd->alloc, n, sizeof *x);
    if (!x) read_nomem(rd);
    if (x) read_row(rd, read_find(object, place), place, n, x);
    return x;
}

/* ---- the parts of a result ---- */

static void read_continual(read_json *rd, const json_t *root, pdr_result *r)
{
    const json_t *c = read_object(rd, root, "continual");
    size_t n = (size_t)r->tasks;
    const json_t *rows = read_array(rd, c, "continual.accuracy_matrix", n);
    char at[READ_PLACE];
    if (!rd->rc && !n) read_wrong(rd, "tasks", "give at least one task, or 'meta'");
    if (rd->rc) return;
    r->matrix = pdi_new(rd->alloc, (n + 1) * n, sizeof *r->matrix);
    if (!r->matrix) {
        read_nomem(rd);
        return;
    }
    read_row(rd, read_find(c, "continual.before"), "continual.before", n, r->matrix);
    r->learned = (int32_t)json_array_size(rows);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        snprintf(at, sizeof at, "continual.accuracy_matrix[%zu]", i);
        read_row(rd, json_array_get(rows, i), at, n, r->matrix + (i + 1) * n);
    }
}

static void read_regression(read_json *rd, const json_t *root, pdr_result *r)
{
    if (!json_object_get(root, "test")) return;
    const json_t *test = read_object(rd, root, "test");
    r->is_regression = true;
    r->rmse = read_real(rd, test, "test.rmse");
    r->mae = read_real(rd, test, "test.mae");
}

static void read_losses(read_json *rd, const json_t *root, pdr_result *r)
{
    const json_t *a = read_array(rd, root, "losses", SIZE_MAX);
    char at[READ_PLACE];
    size_t n = json_array_size(a);
    r->loss = n ? pdi_new(rd->alloc, n, sizeof *r->loss) : NULL;
    if (n && !r->loss) read_nomem(rd);
    for (size_t k = 0; !rd->rc && k < n; k++) {
        const json_t *point = json_array_get(a, k);
        snprintf(at, sizeof at, "losses[%zu]", k);
        if (!json_is_object(point)) read_wrong(rd, at, "give an object");
        snprintf(at, sizeof at, "losses[%zu].task", k);
        r->loss[k].task = read_small(rd, point, at);
        snprintf(at, sizeof at, "losses[%zu].iteration", k);
        r->loss[k].iteration = read_big(rd, point, at);
        snprintf(at, sizeof at, "losses[%zu].loss", k);
        r->loss[k].loss = read_value(rd, read_find(point, at), at);
        r->losses = k + 1;
    }
}

static void read_validation(read_json *rd, const json_t *meta, pdr_meta_result *m)
{
    const json_t *a = read_array(rd, meta, "meta.validation", SIZE_MAX);
    char at[READ_PLACE];
    size_t n = json_array_size(a);
    m->validation = n ? pdi_new(rd->alloc, n, sizeof *m->validation) : NULL;
    if (n && !m->validation) read_nomem(rd);
    for (size_t k = 0; !rd->rc && k < n; k++) {
        const json_t *point = json_array_get(a, k);
        snprintf(at, sizeof at, "meta.validation[%zu]", k);
        if (!json_is_object(point)) read_wrong(rd, at, "give an object");
        snprintf(at, sizeof at, "meta.validation[%zu].iteration", k);
        m->validation[k].iteration = read_big(rd, point, at);
        snprintf(at, sizeof at, "meta.validation[%zu].score", k);
        m->validation[k].score = read_value(rd, read_find(point, at), at);
        m->points = k + 1;
    }
}

/* Arrays by step, a loss under its key, accuracy (NULL) under its own; nothing but empty ones when
 * nothing was tested. */
static void read_steps(read_json *rd, const json_t *test, const char *metric, pdr_meta_result *m)
{
    bool is_loss = metric;
    char score[READ_PLACE], at[READ_PLACE];
    snprintf(score, sizeof score, "meta.test.%s", is_loss ? metric : "accuracy_by_step");
    size_t n = json_array_size(read_array(rd, test, score, INT32_MAX));
    if (rd->rc || !n) return;
    m->steps = (int32_t)(n - 1);
    m->scored = read_small(rd, test, "meta.test.step");
    if (m->scored > m->steps) read_wrong(rd, "meta.test.step", "there are not so many steps");
    m->score = read_values(rd, test, score, n);
    m->ci95 = read_values(rd, test, is_loss ? "meta.test.ci95" : "meta.test.ci95_by_step", n);
    m->median = read_values(rd, test, is_loss ? "meta.test.median" : "meta.test.median_by_step", n);
    m->diverged = pdi_new(rd->alloc, n, sizeof *m->diverged);
    const json_t *diverged = read_array(rd, test, "meta.test.diverged_by_step", n);
    if (!m->diverged) read_nomem(rd);
    if (!rd->rc && json_array_size(diverged) != n)
        read_wrong(rd, "meta.test.diverged_by_step", "give one number for each step");
    for (size_t s = 0; !rd->rc && s < n; s++) {
        snprintf(at, sizeof at, "meta.test.diverged_by_step[%zu]", s);
        m->diverged[s] = read_count(rd, json_array_get(diverged, s), at, m->episodes);
    }
}

static void read_meta(read_json *rd, const json_t *root, pdr_result *r)
{
    pdr_meta_result *m = &r->meta;
    const json_t *meta = read_object(rd, root, "meta");
    const json_t *train = rd->rc ? NULL : read_object(rd, meta, "meta.train");
    const json_t *test = rd->rc ? NULL : read_object(rd, meta, "meta.test");
    bool is_loss = pdr_result_is_loss(r);
    if (!rd->rc && r->tasks) read_wrong(rd, "tasks", "give none beside 'meta'");
    if (rd->rc) return;
    r->is_meta = true;
    m->iterations = read_big(rd, meta, "meta.iterations");
    m->planned = read_big(rd, meta, "meta.planned");
    m->seconds_per_iteration = read_real(rd, meta, "meta.seconds_per_iteration");
    m->normalisation = read_text(rd, read_find(meta, "meta.normalisation"), "meta.normalisation");
    m->train_way = read_small(rd, train, "meta.train.way");
    m->train_shot = read_small(rd, train, "meta.train.shot");
    m->test_way = read_small(rd, test, "meta.test.way");
    m->test_shot = read_small(rd, test, "meta.test.shot");
    m->episodes = read_big(rd, test, is_loss ? "meta.test.tasks" : "meta.test.episodes");
    read_steps(rd, test, is_loss ? pdi_result_loss_key(r) : NULL, m);
    read_validation(rd, meta, m);
}

static void read_strings(read_json *rd, const json_t *root, pdr_result *r)
{
    const struct {
        const char *key;
        char **to;
    } rows[] = {
        {"recipe", &r->recipe},   {"recipe_text", &r->recipe_text},
        {"method", &r->method},   {"method_title", &r->method_title},
        {"metric", &r->metric},   {"scenario", &r->scenario},
        {"data", &r->data},       {"version", &r->version},
        {"machine", &r->machine}, {"started", &r->started},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        *rows[k].to = read_text(rd, json_object_get(root, rows[k].key), rows[k].key);
}

static void read_root(read_json *rd, const json_t *root, pdr_result *r)
{
    const json_t *seed = json_object_get(root, "seed");
    const json_t *tasks = read_array(rd, root, "tasks", READ_TASKS);
    const json_t *notes = read_array(rd, root, "notes", READ_TASKS);
    read_strings(rd, root, r);
    r->seed = json_is_integer(seed) ? read_count(rd, seed, "seed", INT64_MAX)
                                    : read_digits(rd, seed, "seed", 10);
    r->state_hash = read_digits(rd, json_object_get(root, "state_hash"), "state_hash", 16);
    r->threads = read_small(rd, root, "threads");
    r->examples = read_big(rd, root, "examples");
    r->parameters = read_big(rd, root, "parameters");
    r->memory = read_big(rd, root, "memory_bytes");
    r->peak_memory = read_big(rd, root, "peak_memory_bytes");
    r->train_seconds = read_real(rd, root, "train_seconds");
    r->eval_seconds = read_real(rd, root, "eval_seconds");
    r->complete = read_flag(rd, root, "complete");
    r->is_bound = read_flag(rd, root, "is_bound");
    r->task_name = read_texts(rd, tasks, "tasks", true);
    r->tasks = r->task_name ? (int32_t)json_array_size(tasks) : 0;
    r->note = read_texts(rd, notes, "notes", false);
    r->notes = r->note ? json_array_size(notes) : 0;
    if (json_object_get(root, "meta"))
        read_meta(rd, root, r);
    else
        read_continual(rd, root, r);
    read_regression(rd, root, r);
    read_losses(rd, root, r);
}

pdr_rc pdi_result_parse_json(const pdr_alloc *alloc, const char *path, const char *text,
                             size_t size, pdr_result *out, pdr_error *err)
{
    read_json rd = {.alloc = pdi_alloc_or_default(alloc), .path = path, .err = err};
    json_error_t e = {0};
    *out = (pdr_result){.alloc = rd.alloc};
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &e);
    for (char *s = e.text; *s; s++)
        if ((unsigned char)*s < ' ') *s = ' '; /* jansson quotes what it could not read */
    if (!root)
        rd.rc = pdi_fail(err, PDR_INPUT, "%s:%d:%d: this is no JSON: %s", path, e.line, e.column,
                         e.text);
    else if (!json_is_object(root))
        read_wrong(&rd, "result", "give an object");
    else
        read_root(&rd, root, out);
    json_decref(root);
    if (rd.rc) pdr_result_close(out);
    return rd.rc;
}

/* The whole file, as far as a result may be long. */
static pdr_rc read_file(const char *path, pdi_text *text, pdr_error *err)
{
    static const size_t chunk = 1 << 16;
    char *bytes = pdi_new(text->alloc, chunk, 1);
    FILE *file = fopen(path, "rb");
    size_t n = 1;
    pdr_rc rc = PDR_OK;
    if (!bytes) rc = pdi_nomem(err);
    if (!file && !rc)
        rc = pdi_fail(err, PDR_INPUT, "%s: cannot be opened: %s; name a result.json that is there",
                      path, strerror(errno));
    while (!rc && n && text->n <= READ_BYTES) {
        n = fread(bytes, 1, chunk, file);
        pdi_text_bytes(text, bytes, n);
        if (text->failed) rc = pdi_nomem(err);
    }
    if (!rc && ferror(file))
        rc = pdi_fail(err, PDR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (!rc && text->n > READ_BYTES)
        rc = pdi_fail(err, PDR_INPUT, "%s: this is longer than a result can be: more than %d MiB",
                      path, READ_BYTES >> 20);
    if (file) fclose(file);
    pdi_free(text->alloc, bytes);
    return rc;
}

pdr_rc pdr_result_read_json(const pdr_alloc *alloc, const char *path, pdr_result *out,
                            pdr_error *err)
{
    pdi_text text = {.alloc = pdi_alloc_or_default(alloc)};
    *out = (pdr_result){.alloc = text.alloc};
    pdr_rc rc = read_file(path, &text, err);
    if (!rc) rc = pdi_result_parse_json(alloc, path, text.s, text.n, out, err);
    pdi_text_close(&text);
    return rc;
}
