/* learner/exchange.c -- what travels: the tensors of the model, and facts about it. */
#include "learner/exchange.h"

#include <inttypes.h>
#include <perdure/version.h>
#include <stdio.h>
#include <string.h>

#include "report/put.h"

/* ---- tensors --------------------------------------------------------------------------------- */

static pdr_rc exchange_fits(const pdr_learner *l, pdr_error *err)
{
    const pdr_method *m = l->trainer->method;
    if (!m->predict) return PDR_OK;
    return pdi_fail(err, PDR_INPUT,
                    "%s: method %s answers with more than the model's own parameters, which cannot "
                    "travel; those of learners by finetune, er, der++ and all others that answer "
                    "with the model alone can",
                    pdi_store_path(l->store), m->kind.name);
}

static void exchange_normaliser(pdr_learner *l, pdi_exchange *x)
{
    pdr_shape s = l->form.shape;
    if (!l->mean) return;
    x->seen = (double)l->seen;
    x->v[x->n++] = (pdi_exchanged){"normaliser.count", PDR_SCALAR, NULL, &x->seen};
    x->v[x->n++] = (pdi_exchanged){"normaliser.mean", s, NULL, l->mean};
    x->v[x->n++] = (pdi_exchanged){"normaliser.m2", s, NULL, l->m2};
}

pdr_rc pdi_exchange_open(pdr_learner *l, pdi_exchange *x, pdr_error *err)
{
    const pdr_model *m = l->model;
    size_t params = pdr_model_params(m), n = params + pdr_model_buffers(m);
    *x = (pdi_exchange){.alloc = l->alloc};
    pdr_rc rc = exchange_fits(l, err);
    if (rc) return rc;
    x->v = pdi_new(l->alloc, n + 3, sizeof *x->v);
    if (!x->v) return pdi_nomem(err);
    exchange_normaliser(l, x);
    for (size_t i = 0; i < n; i++) {
        const pdr_param *p = i < params ? pdr_model_param(m, i) : pdr_model_buffer(m, i - params);
        char name[96];
        snprintf(name, sizeof name, "param/%s", p->name);
        x->v[x->n++] = (pdi_exchanged){p->name, p->shape,
                                       pdi_state_find(&l->trainer->store, name)->value, NULL};
    }
    return PDR_OK;
}

void pdi_exchange_close(pdi_exchange *x)
{
    if (x->alloc) pdi_free(x->alloc, x->v);
    *x = (pdi_exchange){0};
}

/* ---- facts ----------------------------------------------------------------------------------- */

typedef struct exchange_facts {
    const pdr_alloc *alloc;
    json_t *all;
    bool failed; /* sticks */
} exchange_facts;

static json_t *exchange_text(exchange_facts *f, const char *s)
{
    pdi_text t = {.alloc = f->alloc};
    pdi_text_bytes(&t, "", 0);
    pdi_put_utf8(&t, s);
    json_t *v = t.failed ? NULL : json_stringn(t.s, t.n);
    pdi_text_close(&t);
    return v;
}

static void exchange_fact(exchange_facts *f, const char *key, const char *text)
{
    if (json_object_set_new(f->all, key, exchange_text(f, text))) f->failed = true;
}

static void exchange_count(exchange_facts *f, const char *key, uint64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, n);
    exchange_fact(f, key, text);
}

static int exchange_append(const char *text, size_t n, void *out)
{
    pdi_text_bytes(out, text, n);
    return 0;
}

/* Names as the text of a list, from the one numbered from. */
static void exchange_names(exchange_facts *f, const char *key, const pdi_names *names, int32_t from)
{
    pdi_text t = {.alloc = f->alloc};
    json_t *list = json_array();
    if (names->n <= from) goto done;
    for (int32_t i = from; i < names->n; i++)
        if (json_array_append_new(list, exchange_text(f, names->v[i]))) f->failed = true;
    if (json_dump_callback(list, exchange_append, &t, JSON_COMPACT) || t.failed)
        f->failed = true;
    else
        exchange_fact(f, key, t.s);
done:
    pdi_text_close(&t);
    json_decref(list);
}

json_t *pdi_exchange_facts(const pdr_learner *l)
{
    exchange_facts f = {.alloc = l->alloc, .all = json_object()};
    char text[PDR_SHAPE_TEXT];
    char *recipe = pdr_recipe_write(&l->recipe);
    exchange_fact(&f, "format", "perdure");
    exchange_fact(&f, "perdure_version", pdr_version());
    exchange_fact(&f, "kind", l->form.targets ? "regression" : "classification");
    exchange_fact(&f, "method", l->recipe.method.kind->name);
    exchange_fact(&f, "shape", pdr_shape_text(&l->form.shape, text));
    exchange_count(&f, "examples", l->examples);
    exchange_count(&f, "parameters", pdr_learner_parameters(l));
    snprintf(text, sizeof text, "%016" PRIx64, pdr_learner_state_hash(l));
    exchange_fact(&f, "state_hash", text);
    exchange_names(&f, "features", &l->form.feature, 0);
    exchange_names(&f, "classes", &l->form.class, 0);
    exchange_names(&f, "tasks", &l->form.task, 1);
    exchange_fact(&f, "name", l->recipe.name);
    if (recipe)
        exchange_fact(&f, "recipe", recipe);
    else
        f.failed = true;
    pdi_free(l->recipe.alloc, recipe);
    if (!f.failed) return f.all;
    json_decref(f.all);
    return NULL;
}
