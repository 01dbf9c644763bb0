/* test_exchange.c -- parameters out and in again, tables, cards: the C API. */
#include <math.h>
#include <perdure/exchange.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learner/learner.h"
#include "learner/safetensors.h"
#include "meter.h"
#include "t.h"
#include "t_data.h"

enum { WIDTH = 3, ROWS = 60 };

static float xs[ROWS][WIDTH];
static const char *labels[ROWS];
static char *features[] = {"r", "g, \"h\"", "b"};

static int enter(void **state)
{
    static const char *const names[] = {"red", "gre|en", " blue"};
    for (int i = 0; i < ROWS; i++) {
        int c = i * i % 7 % 3;
        for (int k = 0; k < WIDTH; k++)
            xs[i][k] = (float)(10 * (k == c)) + (float)(i * 13 % 17) / 7;
        labels[i] = names[c];
    }
    return t_make_folder(state);
}

static const char *const recipe =
    "data: {train: none.csv, label: colour}\n"
    "model: [{layer: dense, units: 4}, {layer: batch_norm}, {layer: relu}]\n"
    "method: {name: er, memory: 12}\noptimizer: {name: sgd, rate: 0.05, momentum: 0.9}\n"
    "training: {batch: 7}\nlearner: {classes: 4, tasks: 2, window: 50, normalise: true}\n";

static pdr_learner *create(const char *path, const char *text, const pdr_alloc *alloc)
{
    pdr_recipe r;
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    pdr_learner_how how = {.alloc = alloc, .threads = 1};
    pdr_dataset like = {.shape = PDR_SHAPE(WIDTH), .feature_name = features};
    if (pdr_recipe_parse(NULL, "colours.yaml", text, strlen(text), 0, NULL, &r, &err))
        fail_msg("%s", err.text);
    remove(path);
    if (pdr_learner_create(path, &r, &like, 7, &how, &l, &err)) fail_msg("%s", err.text);
    pdr_recipe_close(&r);
    return l;
}

static void learn(pdr_learner *l, int from, int to)
{
    pdr_error err = PDR_NO_ERROR;
    for (int i = from; i < to; i++) {
        pdr_example e = {.x = xs[i], .label = labels[i], .task = i % 2 ? "odd" : NULL};
        if (pdr_learner_learn(l, 1, &e, &err)) fail_msg("%s", err.text);
    }
}

static pdr_learner *taught(void)
{
    pdr_learner *l = create(t_path("a.perdure"), recipe, NULL);
    learn(l, 0, ROWS);
    return l;
}

static void close_learner(pdr_learner *l)
{
    pdr_error err = PDR_NO_ERROR;
    if (pdr_learner_close(l, &err)) fail_msg("%s", err.text);
}

static pdr_rc keep_bytes(void *ctx, const void *bytes, size_t n)
{
    pdi_text_bytes(ctx, bytes, n);
    return PDR_OK;
}

static pdi_text export_as(pdr_learner *l, pdr_export_format format)
{
    pdi_text t = {0};
    pdr_error err = PDR_NO_ERROR;
    pdr_export what = {.format = format};
    if (pdr_learner_export(l, &what, keep_bytes, &t, &err)) fail_msg("%s", err.text);
    return t;
}

/* ---- parameters: out and in --------------------------------------------------------------------
 */

/* The file with some of its tensors changed: those numbers that are not the normaliser's become
 * themselves plus 1; all as another type, if they can be. */
static pdi_text changed(const pdi_text *file, double add, pdi_safe_type type)
{
    pdi_safe s;
    pdi_text t = {0};
    pdr_error err = PDR_NO_ERROR;
    static double wide[16][64];
    static uint16_t half[16][64];
    assert_int_equal(pdi_safe_read(NULL, "x", file->s, file->n, &s, &err), PDR_OK);
    assert_true(s.n <= 16);
    for (size_t i = 0; i < s.n; i++) {
        pdi_safe_tensor *v = &s.v[i];
        size_t n = (size_t)((v->to - v->from) / (v->type == PDI_SAFE_F64 ? 8 : 4));
        if (v->type == PDI_SAFE_F64) continue;
        for (size_t k = 0; k < n; k++) {
            float x = (float)(pdi_safe_number(v, k) + add);
            uint32_t bits;
            memcpy(&bits, &x, sizeof bits);
            half[i][k] = (uint16_t)(bits >> 16);
            wide[i][k] = (double)x;
            if (type == PDI_SAFE_F32) memcpy((char *)wide[i] + 4 * k, &x, sizeof x);
        }
        v->bytes = type == PDI_SAFE_BF16 ? (const void *)half[i] : (const void *)wide[i];
        v->type = type;
    }
    assert_int_equal(pdi_safe_write(s.n, s.v, json_object_get(s.header, "__metadata__"), &t, &err),
                     PDR_OK);
    pdi_safe_close(&s);
    return t;
}

static void assert_tensors_equal(const pdi_text *a, const pdi_text *b)
{
    pdi_safe x, y;
    assert_int_equal(pdi_safe_read(NULL, "x", a->s, a->n, &x, NULL), PDR_OK);
    assert_int_equal(pdi_safe_read(NULL, "y", b->s, b->n, &y, NULL), PDR_OK);
    assert_int_equal(x.n, y.n);
    for (size_t i = 0; i < x.n; i++) {
        assert_string_equal(x.v[i].name, y.v[i].name);
        assert_int_equal(x.v[i].type, y.v[i].type);
        assert_memory_equal(x.v[i].bytes, y.v[i].bytes, x.v[i].to - x.v[i].from);
    }
    pdi_safe_close(&x);
    pdi_safe_close(&y);
}

static void the_model_is_in_the_file(void **state)
{
    (void)state;
    static const char *const names[] = {
        "normaliser.count", "normaliser.mean",   "normaliser.m2",        "0.dense.weight",
        "0.dense.bias",     "1.batch_norm.gain", "1.batch_norm.bias",    "output.weight",
        "output.bias",      "1.batch_norm.mean", "1.batch_norm.variance"};
    pdr_learner *l = taught();
    pdi_text t = export_as(l, PDR_EXPORT_SAFETENSORS);
    pdi_safe s;
    char hash[24];
    pdr_error err = PDR_NO_ERROR;
    if (pdi_safe_read(NULL, "x", t.s, t.n, &s, &err)) fail_msg("%s", err.text);
    assert_int_equal(s.n, COUNT(names));
    for (size_t i = 0; i < s.n; i++) assert_string_equal(s.v[i].name, names[i]);
    assert_true(pdi_safe_number(&s.v[0], 0) == ROWS / 7 * 7); /* of those learned */
    assert_int_equal(s.v[3].shape.dim[0], 4);
    assert_int_equal(s.v[3].shape.dim[1], WIDTH);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)pdr_learner_state_hash(l));
    assert_string_equal(pdi_safe_fact(&s, "format"), "perdure");
    assert_string_equal(pdi_safe_fact(&s, "state_hash"), hash);
    assert_string_equal(pdi_safe_fact(&s, "kind"), "classification");
    assert_string_equal(pdi_safe_fact(&s, "features"), "[\"r\",\"g, \\\"h\\\"\",\"b\"]");
    assert_string_equal(pdi_safe_fact(&s, "classes"), "[\"red\",\"gre|en\",\" blue\"]");
    assert_string_equal(pdi_safe_fact(&s, "tasks"), "[\"odd\"]");
    assert_non_null(strstr(pdi_safe_fact(&s, "recipe"), "momentum: 0.9"));
    pdi_safe_close(&s);
    pdi_text_close(&t);
    close_learner(l);
}

static void what_came_in_goes_out_again_to_the_bit(void **state)
{
    (void)state;
    static const pdi_safe_type types[] = {PDI_SAFE_F32, PDI_SAFE_F64};
    for (size_t i = 0; i < COUNT(types); i++) {
        pdr_error err = PDR_NO_ERROR;
        pdr_learner *l = taught();
        pdi_text first = export_as(l, PDR_EXPORT_SAFETENSORS), given = changed(&first, 1, types[i]),
                 want = changed(&first, 1, PDI_SAFE_F32);
        if (pdr_learner_import(l, "b", given.s, given.n, NULL, &err)) fail_msg("%s", err.text);
        uint64_t hash = pdr_learner_state_hash(l);
        pdi_text second = export_as(l, PDR_EXPORT_SAFETENSORS);
        assert_tensors_equal(&second, &want);
        close_learner(l);
        assert_int_equal(pdr_learner_open(t_path("a.perdure"), NULL, &l, &err), PDR_OK);
        assert_int_equal(pdr_learner_state_hash(l), hash);
        pdi_text third = export_as(l, PDR_EXPORT_SAFETENSORS);
        assert_memory_equal(third.s, second.s, second.n);
        close_learner(l);
        pdi_text_close(&first);
        pdi_text_close(&given);
        pdi_text_close(&want);
        pdi_text_close(&second);
        pdi_text_close(&third);
    }
}

/* What answers is all in the file: another learner of the model, that saw less, then answers the
 * same, to the bit. */
static void another_learner_answers_the_same(void **state)
{
    (void)state;
    static float want[ROWS * 4], got[ROWS * 4];
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = taught();
    pdi_text file = export_as(l, PDR_EXPORT_SAFETENSORS);
    assert_int_equal(pdr_learner_predict(l, ROWS, xs[0], NULL, want, &err), PDR_OK);
    close_learner(l);
    l = create(t_path("b.perdure"), recipe, NULL);
    learn(l, 0, 14);
    assert_int_equal(pdr_learner_classes(l), 3);
    if (pdr_learner_import(l, "a", file.s, file.n, NULL, &err)) fail_msg("%s", err.text);
    assert_int_equal(pdr_learner_predict(l, ROWS, xs[0], NULL, got, &err), PDR_OK);
    assert_memory_equal(got, want, sizeof want);
    learn(l, 14, 28); /* and the normaliser goes on from there */
    assert_int_equal(l->seen, ROWS / 7 * 7 + 14);
    pdi_text_close(&file);
    close_learner(l);
}

/* BF16 is the upper half of F32: what comes out is the number, cut. */
static void short_floats_come_in_exactly(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = taught();
    pdi_text first = export_as(l, PDR_EXPORT_SAFETENSORS),
             given = changed(&first, 0, PDI_SAFE_BF16);
    if (pdr_learner_import(l, "b", given.s, given.n, NULL, &err)) fail_msg("%s", err.text);
    for (size_t i = 0; i < l->trainer->store.n; i++) {
        const pdi_tensor *t = &l->trainer->store.v[i];
        uint32_t bits;
        memcpy(&bits, t->value, sizeof bits);
        if (!strncmp(t->name, "param/", 6)) assert_int_equal(bits & 0xffff, 0);
    }
    pdi_text_close(&first);
    pdi_text_close(&given);
    close_learner(l);
}

static size_t count_tensors(pdr_learner *l, const char *prefix)
{
    size_t n = 0;
    for (size_t i = 0; i < l->trainer->store.n; i++)
        n += !strncmp(l->trainer->store.v[i].name, prefix, strlen(prefix));
    return n;
}

static pdr_rc find_entry(void *ctx, const pdr_log_entry *e)
{
    if (!strcmp(e->what, "imported new.safetensors")) ++*(int *)ctx;
    return PDR_OK;
}

/* It changes what answers, and no more: what waits, what is remembered and how good it was
 * stay, the optimiser is new; the log tells, and a snapshot undoes it, to the bit. */
static void an_import_is_one_step_that_can_be_undone(void **state)
{
    (void)state;
    float before[4], after[4], again[4];
    int told = 0;
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = taught();
    uint64_t hash = pdr_learner_state_hash(l);
    pdi_text first = export_as(l, PDR_EXPORT_SAFETENSORS), given = changed(&first, 1, PDI_SAFE_F32),
             memory = export_as(l, PDR_EXPORT_MEMORY);
    const char *path = t_write("new.safetensors", given.s, given.n);
    pdr_score score = pdr_learner_score(l);
    assert_true(count_tensors(l, "optimizer/") > 0);
    assert_int_equal(pdr_learner_predict(l, 1, xs[0], NULL, before, &err), PDR_OK);
    if (pdr_learner_import_file(l, path, "old", &err)) fail_msg("%s", err.text);
    assert_int_equal(pdr_learner_predict(l, 1, xs[0], NULL, after, &err), PDR_OK);
    assert_memory_not_equal(before, after, sizeof before);
    assert_int_equal(count_tensors(l, "optimizer/"), 0);
    assert_int_equal(pdr_learner_waiting(l), ROWS % 7);
    assert_int_equal(pdr_learner_examples(l), ROWS);
    assert_true(pdr_learner_score(l).accuracy == score.accuracy);
    pdi_text kept = export_as(l, PDR_EXPORT_MEMORY);
    assert_string_equal(kept.s, memory.s);
    assert_int_equal(pdr_learner_log(l, find_entry, &told, &err), PDR_OK);
    assert_int_equal(told, 1);
    learn(l, 0, 20); /* and it goes on */
    close_learner(l);
    assert_int_equal(pdr_learner_open(t_path("a.perdure"), NULL, &l, &err), PDR_OK);
    assert_string_equal(pdr_learner_snapshot_at(l, 0, NULL), "old");
    assert_int_equal(pdr_learner_rollback(l, "old", &err), PDR_OK);
    assert_int_equal(pdr_learner_state_hash(l), hash);
    assert_int_equal(pdr_learner_predict(l, 1, xs[0], NULL, again, &err), PDR_OK);
    assert_memory_equal(before, again, sizeof before);
    close_learner(l);
    pdi_text_close(&first);
    pdi_text_close(&given);
    pdi_text_close(&memory);
    pdi_text_close(&kept);
}

/* ---- what does not fit
 * ------------------------------------------------------------------------------ */

typedef void spoil_fn(pdi_safe *s);

static void spoil_name(pdi_safe *s) { s->v[5].name = "1.batch_norm.gian"; }
static void spoil_count(pdi_safe *s) { s->n--; }
static void spoil_shape(pdi_safe *s) { s->v[3].shape = PDR_SHAPE(3, 4); }
static void spoil_type(pdi_safe *s) { s->v[3].type = PDI_SAFE_I32; }

static void spoil_value(pdi_safe *s)
{
    static const float bad[4] = {0, 0, INFINITY, 0};
    s->v[4].bytes = (const void *)bad;
}

static void spoil_size(pdi_safe *s)
{
    static const double bad[4] = {0, 1e39, 0, 0};
    s->v[4].type = PDI_SAFE_F64;
    s->v[4].bytes = (const void *)bad;
}

static void spoil_more(pdi_safe *s)
{
    s->v[s->n] = s->v[s->n - 1];
    s->v[s->n++].name = "another";
}

static void spoil_moment(pdi_safe *s)
{
    static const double bad[3] = {1, -1e-9, 1};
    s->v[2].bytes = (const void *)bad;
}

static void spoil_seen(pdi_safe *s)
{
    static const double bad = 1.5;
    s->v[0].bytes = (const void *)&bad;
}

static void spoil_unseen(pdi_safe *s)
{
    static const double bad = 0;
    s->v[0].bytes = (const void *)&bad;
}

static void what_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        spoil_fn *spoil;
        const char *why;
    } rows[] = {
        {spoil_name, "b: there is no tensor '1.batch_norm.gain', [4]; add it, or take"},
        {spoil_count, "b: there is no tensor '1.batch_norm.variance', [4]"},
        {spoil_shape, "b: tensor '0.dense.weight' is [3,4], and the learner's is [4,3]"},
        {spoil_type, "b: tensor '0.dense.weight' is of type I32; make it F32"},
        {spoil_value, "b: tensor '0.dense.bias': element 2, inf, is not finite"},
        {spoil_size, "b: tensor '0.dense.bias': element 1, 1e+39, is too large for 32 bits"},
        {spoil_more, "b: tensor 'another' is none of the learner's; leave it out"},
        {spoil_moment, "b: tensor 'normaliser.m2': element 1, -1e-09, is no sum of squares"},
        {spoil_seen, "b: tensor 'normaliser.count': element 0, 1.5, is no count of examples"},
        {spoil_unseen, "says that no example was seen, and the moments are not 0"},
    };
    pdr_learner *l = taught();
    uint64_t hash = pdr_learner_state_hash(l);
    pdi_text file = export_as(l, PDR_EXPORT_SAFETENSORS);
    for (size_t i = 0; i < COUNT(rows); i++) {
        pdi_safe s;
        pdi_safe_tensor v[20];
        pdi_text bad = {0};
        pdr_error err = PDR_NO_ERROR;
        assert_int_equal(pdi_safe_read(NULL, "x", file.s, file.n, &s, &err), PDR_OK);
        memcpy(v, s.v, s.n * sizeof *v);
        pdi_safe spoiled = {.v = v, .n = s.n};
        rows[i].spoil(&spoiled);
        assert_int_equal(
            pdi_safe_write(spoiled.n, v, json_object_get(s.header, "__metadata__"), &bad, &err),
            PDR_OK);
        assert_int_equal(pdr_learner_import(l, "b", bad.s, bad.n, "kept", &err), PDR_INPUT);
        t_one_line(&err);
        if (!strstr(err.text, rows[i].why)) fail_msg("%zu: %s", i, err.text);
        assert_int_equal(pdr_learner_state_hash(l), hash);
        assert_null(pdr_learner_snapshot_at(l, 0, NULL));
        pdi_text_close(&bad);
        pdi_safe_close(&s);
    }
    pdi_text_close(&file);
    learn(l, 0, 7);
    close_learner(l);
}

static void some_learners_give_and_take_none(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    pdr_export what = {.format = PDR_EXPORT_SAFETENSORS};
    pdi_text t = {0};
    pdr_learner *l = create(t_path("a.perdure"),
                            "data: {train: none.csv}\nmethod: pnn\n"
                            "model: [{layer: dense, units: 4}]\n",
                            NULL);
    assert_int_equal(pdr_learner_export(l, &what, keep_bytes, &t, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "method pnn answers with more than the model's own"));
    err = (pdr_error)PDR_NO_ERROR;
    assert_int_equal(pdr_learner_import(l, "b", "", 0, NULL, &err), PDR_INPUT);
    err = (pdr_error)PDR_NO_ERROR;
    what.format = PDR_EXPORT_MEMORY;
    assert_int_equal(pdr_learner_export(l, &what, keep_bytes, &t, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "method pnn keeps no examples"));
    assert_int_equal(t.n, 0);
    close_learner(l);
    pdr_learner_how how = {.reads_only = true};
    assert_int_equal(pdr_learner_open(t_path("a.perdure"), &how, &l, NULL), PDR_OK);
    assert_int_equal(pdr_learner_import(l, "b", "", 0, NULL, NULL), PDR_USAGE);
    close_learner(l);
}

static void files_appear_whole_or_not_at_all(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    pdr_export what = {.format = PDR_EXPORT_SAFETENSORS};
    pdr_learner *l = taught();
    const char *path = t_write_text("out.safetensors", "what was there");
    assert_int_equal(pdr_learner_export_file(l, &what, path, &err), PDR_OK);
    pdi_text t = export_as(l, PDR_EXPORT_SAFETENSORS);
    FILE *f = fopen(path, "rb");
    static char bytes[1 << 16];
    assert_non_null(f);
    assert_int_equal(fread(bytes, 1, sizeof bytes, f), t.n);
    fclose(f);
    assert_memory_equal(bytes, t.s, t.n);
    assert_int_equal(pdr_learner_export_file(l, &what, t_path("no/out"), &err), PDR_INPUT);
    err = (pdr_error)PDR_NO_ERROR;
    assert_int_equal(pdr_learner_import_file(l, t_path("none"), NULL, &err), PDR_INPUT);
    assert_non_null(strstr(err.text, "cannot open"));
    pdi_text_close(&t);
    close_learner(l);
}

/* ---- tables and the card
 * ---------------------------------------------------------------------------- */

static void the_memory_is_a_table(void **state)
{
    (void)state;
    pdr_learner *l = taught();
    const pdi_memory *m = &l->trainer->memory;
    pdi_text t = export_as(l, PDR_EXPORT_MEMORY);
    const char *line = strchr(t.s, '\n') + 1;
    assert_memory_equal(t.s, "r,\"g, \"\"h\"\"\",b,colour,task\n", (size_t)(line - t.s));
    assert_int_equal(m->held, 12);
    for (size_t i = 0; i < m->held; i++) {
        char want[200];
        pdi_example e = pdi_memory_example(m, i);
        static const char *const names[] = {"red", "gre|en", "\" blue\""};
        snprintf(want, sizeof want, "%.9g,%.9g,%.9g,%s,%s\n", (double)e.x[0], (double)e.x[1],
                 (double)e.x[2], names[e.label], e.task ? "odd" : "");
        assert_memory_equal(line, want, strlen(want));
        line += strlen(want);
    }
    assert_int_equal(*line, 0);
    pdi_text_close(&t);
    close_learner(l);
}

static void the_log_is_a_table(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = taught();
    assert_int_equal(pdr_learner_snapshot(l, "a, b", &err), PDR_OK);
    pdi_text t = export_as(l, PDR_EXPORT_METRICS);
    assert_memory_equal(t.s, "when,examples,classes,tasks,accuracy,recent,loss,what\n20", 56);
    assert_non_null(strstr(t.s, "Z,0,0,0,,,,created\n"));
    assert_non_null(strstr(t.s, "Z,60,3,1,0."));
    assert_non_null(strstr(t.s, ",\"snapshot a, b\"\n"));
    pdi_text_close(&t);
    close_learner(l);
}

static void the_card_says_what_is_known(void **state)
{
    (void)state;
    char hash[40], score[60];
    pdr_learner *l = taught();
    pdi_text t = export_as(l, PDR_EXPORT_CARD);
    snprintf(hash, sizeof hash, "| state hash | `%016llx` |\n",
             (unsigned long long)pdr_learner_state_hash(l));
    snprintf(score, sizeof score, "\n| accuracy | %.4g |\n", pdr_learner_score(l).accuracy);
    const char *const want[] = {"# colours\n",
                                hash,
                                score,
                                "| model | dense, batch_norm, relu, output layer of 4 |\n",
                                "| method | er: ",
                                "| an example | [3]: r, g, \"h\", b |\n",
                                "60 examples came, 4 of which wait for a whole batch. Made on 20",
                                "| gre\\|en | ",
                                "\n- odd: ",
                                "each of 56 examples was answered before it was learned",
                                " classes more.\n",
                                "The learner file holds 12 examples as they were given",
                                "## Intended use\n",
                                "is not in the file: whoever passes it on adds that here",
                                "```yaml\ndata:\n"};
    for (size_t i = 0; i < COUNT(want); i++)
        if (!strstr(t.s, want[i])) fail_msg("the card does not say %s:\n%s", want[i], t.s);
    pdi_text_close(&t);
    close_learner(l);
    l = create(t_path("a.perdure"), recipe, NULL);
    t = export_as(l, PDR_EXPORT_CARD);
    assert_non_null(strstr(t.s, "Nothing was learned yet, so nothing is known.\n"));
    assert_null(strstr(t.s, "accuracy |"));
    pdi_text_close(&t);
    close_learner(l);
}

/* ---- memory that runs out
 * ------------------------------------------------------------------------------ */

static pdr_rc count_bytes(void *ctx, const void *bytes, size_t n)
{
    (void)bytes;
    *(size_t *)ctx += n;
    return PDR_OK;
}

/* The n-th request is refused, for every n; the same call then succeeds. */
static void exports_survive_refused_memory(void **state)
{
    (void)state;
    meter m;
    meter_start(&m);
    pdr_learner *l = create(t_path("a.perdure"), recipe, &m.alloc);
    learn(l, 0, ROWS);
    for (int format = PDR_EXPORT_SAFETENSORS; format <= PDR_EXPORT_CARD; format++) {
        pdr_rc rc = PDR_NOMEM;
        pdr_export what = {.format = (pdr_export_format)format};
        size_t live = m.live, refused = 0;
        for (size_t n = 1; rc; n++) {
            size_t bytes = 0;
            pdr_error err = PDR_NO_ERROR;
            m.refuse_at = m.requests + n;
            rc = pdr_learner_export(l, &what, count_bytes, &bytes, &err);
            m.refuse_at = 0;
            assert_int_equal(m.live, live);
            assert_true(rc == PDR_OK || rc == PDR_NOMEM);
            assert_true((bytes > 0) == (rc == PDR_OK));
            refused += rc != PDR_OK;
        }
        assert_true(refused > 0);
    }
    close_learner(l);
    assert_null(meter_trouble(&m));
}

/* One import with the n-th request refused, and those after it; the file is as it was. */
static pdr_rc import_starved(const pdi_text *given, size_t n, bool and_later, uint64_t hash)
{
    meter m;
    pdr_learner *l = NULL;
    pdr_error err = PDR_NO_ERROR;
    meter_start(&m);
    pdr_learner_how how = {.alloc = &m.alloc, .threads = 1};
    assert_int_equal(pdr_learner_open(t_path("a.perdure"), &how, &l, &err), PDR_OK);
    assert_int_equal(pdr_learner_state_hash(l), hash);
    m.refuse_at = m.requests + n;
    m.and_later = and_later;
    pdr_rc rc = pdr_learner_import(l, "b", given->s, given->n, "kept", &err);
    m.refuse_at = 0;
    m.and_later = false;
    if (rc) assert_int_equal(rc, PDR_NOMEM);
    if (rc && !l->is_lost) assert_int_equal(pdr_learner_state_hash(l), hash);
    pdr_learner_close(l, NULL);
    assert_null(meter_trouble(&m));
    return rc;
}

/* The first requests one by one, later ones every so often: they are much alike. */
static void imports_survive_refused_memory(void **state)
{
    (void)state;
    for (int and_later = 0; and_later < 2; and_later++) {
        pdr_rc rc = PDR_NOMEM;
        pdr_learner *l = taught();
        uint64_t hash = pdr_learner_state_hash(l);
        pdi_text first = export_as(l, PDR_EXPORT_SAFETENSORS),
                 given = changed(&first, 1, PDI_SAFE_F32);
        close_learner(l);
        size_t n = 1, tried = 0;
        for (; rc; n += 1 + n / 16, tried++) rc = import_starved(&given, n, and_later, hash);
        assert_true(tried > 20);
        pdi_text_close(&first);
        pdi_text_close(&given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_is_in_the_file),
        cmocka_unit_test(what_came_in_goes_out_again_to_the_bit),
        cmocka_unit_test(another_learner_answers_the_same),
        cmocka_unit_test(short_floats_come_in_exactly),
        cmocka_unit_test(an_import_is_one_step_that_can_be_undone),
        cmocka_unit_test(what_does_not_fit_changes_nothing),
        cmocka_unit_test(some_learners_give_and_take_none),
        cmocka_unit_test(files_appear_whole_or_not_at_all),
        cmocka_unit_test(the_memory_is_a_table),
        cmocka_unit_test(the_log_is_a_table),
        cmocka_unit_test(the_card_says_what_is_known),
        cmocka_unit_test(exports_survive_refused_memory),
        cmocka_unit_test(imports_survive_refused_memory),
    };
    return cmocka_run_group_tests(tests, enter, t_remove_folder);
}
