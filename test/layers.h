/* test/layers.h -- models written as text, and applied to inputs with values. */
#ifndef LAYERS_H
#define LAYERS_H

#include <perdure/nn.h>
#include <stdio.h>

#include "nn/layers.h"
#include "oracle.h"

/* ---- writing models down --------------------------------------------------------- */

enum { LAYERS = 8 };

/* Layers as text: "conv2d filters=4 size=3 | relu | dense units=5". */
typedef struct listing {
    size_t n;
    pdr_choice v[LAYERS];
} listing;

static inline const pdr_layer_kind *kind_called(const char *name)
{
    for (size_t i = 0; pdi_layers[i]; i++)
        if (!strcmp(pdi_layers[i]->kind.name, name)) return pdi_layers[i];
    fail_msg("there is no layer '%s'", name);
    return NULL;
}

static inline void listing_word(listing *l, const char *word, bool begins)
{
    pdr_error err = PDR_NO_ERROR;
    if (begins) {
        const pdr_kind *k = &kind_called(word)->kind;
        assert_true(l->n < LAYERS);
        l->v[l->n++] = (pdr_choice){k, k->self_size ? oracle_array(1, k->self_size) : NULL};
        pdr_option_defaults(k->options, l->v[l->n - 1].self);
        return;
    }
    char key[64];
    const char *value = strchr(word, '=');
    assert_non_null(value);
    snprintf(key, sizeof key, "%.*s", (int)(value - word), word);
    const pdr_option *row = pdr_option_find(l->v[l->n - 1].kind->options, key);
    assert_non_null(row);
    if (pdr_option_set(row, l->v[l->n - 1].self, value + 1, &err)) fail_msg("%s", err.text);
}

static inline listing listing_read(const char *text)
{
    listing l = {0};
    bool begins = true;
    for (size_t n; *text; text += n + strspn(text + n, " ")) {
        char word[64];
        n = strcspn(text, " ");
        snprintf(word, sizeof word, "%.*s", (int)n, text);
        if (strcmp(word, "|")) listing_word(&l, word, begins);
        begins = !strcmp(word, "|");
    }
    return l;
}

static inline void listing_close(listing *l)
{
    for (size_t i = 0; i < l->n; i++) free(l->v[i].self);
}

static inline pdr_rc try_model(const char *layers, pdr_shape input, int32_t outputs, pdr_model **m,
                               pdr_error *err)
{
    listing l = listing_read(layers);
    pdr_rc rc = pdr_model_new(NULL, l.n, l.v, input, outputs, m, err);
    listing_close(&l);
    return rc;
}

static inline pdr_model *model(const char *layers, pdr_shape input, int32_t outputs)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_model *m;
    if (try_model(layers, input, outputs, &m, &err)) fail_msg("%s", err.text);
    return m;
}

/* ---- a model at work ------------------------------------------------------------- */

typedef struct applied {
    oracle *s;
    pdr_node x, y, param[32], buffer[8], buffer_new[8];
    size_t first_param, first_buffer; /* where their values are among the inputs */
    pdr_apply a;                      /* its lists are not to be used again */
} applied;

/* x is [batch, input...]; buffers (variances among them) are positive. */
static inline applied apply(const pdr_model *m, pdr_shape x, bool training)
{
    applied p = {.s = oracle_new(1)};
    p.x = oracle_input(p.s, PDR_F32, x, -1.5, 1.5);
    p.first_param = p.s->n;
    for (size_t i = 0; i < pdr_model_params(m); i++)
        p.param[i] = oracle_input(p.s, PDR_F32, pdr_model_param(m, i)->shape, -1, 1);
    p.first_buffer = p.s->n;
    for (size_t i = 0; i < pdr_model_buffers(m); i++)
        p.buffer[i] = oracle_input(p.s, PDR_F32, pdr_model_buffer(m, i)->shape, 0.5, 2);
    p.a = (pdr_apply){.param = p.param,
                      .buffer = p.buffer,
                      .buffer_new = p.buffer_new,
                      .training = training,
                      .key = oracle_input(p.s, PDR_I32, PDR_SHAPE(4), 0, 1 << 20)};
    p.y = pdr_model_apply(m, p.s->g, &p.a, p.x);
    return p;
}

#endif
