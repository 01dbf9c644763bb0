/* test_layers.c -- every layer keeps every promise of op_row.h, and is its function. */
#include "layers.h"
#include "op_row.h"

/* ---- layers keep every promise ------------------------------------------------------------ */

/* Numbers that are no input of the row: of the size of weights, never 0. */
static pdr_node fixed(pdr_graph *g, pdr_shape shape, size_t k)
{
    pdr_node i = pdr_iota(g, PDR_SHAPE((int32_t)pdr_shape_size(&shape)), 0);
    pdr_node wave = pdr_sin(g, pdr_shift(g, 0.4 + (double)k, pdr_scale(g, 1.7, i)));
    return pdr_reshape(g, pdr_shift(g, 1.25, pdr_scale(g, 0.5, wave)), shape);
}

/* with: the layers.  p[0]: is it training?  p[1]: outputs.  x[0] is what enters;
 * p[2], p[3], p[4]: which tensors (parameters, then buffers) x[1], x[2], x[3] are.
 * The key, where there is one, is the last input. */
static pdr_node make_layers(pdr_graph *g, const op_row *row, const pdr_node x[])
{
    pdr_node tensor[32];
    pdr_apply a = {.param = tensor, .training = row->p[0] != 0};
    pdr_shape input = row->in[0].shape;
    for (int k = 0; k < input.rank; k++) input.dim[k] = k + 1 < input.rank ? input.dim[k + 1] : 0;
    input.rank--;
    pdr_model *m = model(row->with, input, row->p[1]);
    size_t params = pdr_model_params(m), n = params + pdr_model_buffers(m);
    for (size_t i = 0; i < n; i++)
        tensor[i] = fixed(
            g, i < params ? pdr_model_param(m, i)->shape : pdr_model_buffer(m, i - params)->shape,
            i);
    for (int k = 1; k < OP_INPUTS && row->in[k].draw; k++)
        if (row->in[k].draw == OP_KEY)
            a.key = x[k];
        else
            tensor[row->p[k + 1]] = x[k];
    a.buffer = tensor + params;
    pdr_node y = pdr_model_apply(m, g, &a, x[0]);
    pdr_model_free(m);
    return y;
}

#define LAYERS_ROW(layers, ...)                                                                    \
    {                                                                                              \
        .label = layers, .with = layers, .make = make_layers, __VA_ARGS__                          \
    }
enum { TRAIN = 1, EVALUATE = 0 };

static const op_row rows[] = {
    LAYERS_ROW("dense units=4", IN(NORMAL(3, 5), NORMAL(4, 5), NORMAL(4)), .p = {TRAIN, 0, 0, 1}),
    LAYERS_ROW("dense units=4 bias=false", IN(NORMAL(3, 2, 2), NORMAL(4, 4)), .p = {TRAIN}),
    LAYERS_ROW("conv2d filters=3 size=3 stride=2 padding=1",
               IN(NORMAL(2, 2, 5, 5), NORMAL(3, 3, 3, 2), NORMAL(3)), .p = {TRAIN, 0, 0, 1},
               .flags = OP_THIRD),
    LAYERS_ROW("conv2d filters=2 size=1", IN(NORMAL(2, 3, 3, 3), NORMAL(2, 1, 1, 3), NORMAL(2)),
               .p = {TRAIN, 0, 0, 1}, .flags = OP_THIRD),
    LAYERS_ROW("conv2d filters=2 bias=false", IN(NORMAL(1, 2, 4, 4), NORMAL(2, 3, 3, 2)),
               .p = {TRAIN}),
    LAYERS_ROW("max_pool", IN(DISTINCT(2, 2, 4, 4)), .flags = OP_THIRD),
    LAYERS_ROW("max_pool size=3 stride=1", IN(DISTINCT(1, 2, 5, 5)), .flags = OP_THIRD),
    LAYERS_ROW("avg_pool", IN(NORMAL(2, 2, 4, 4)), .flags = OP_THIRD),
    LAYERS_ROW("avg_pool size=3 stride=2", IN(NORMAL(1, 2, 5, 5)), .flags = OP_THIRD),
    LAYERS_ROW("relu", IN(DISTINCT(3, 5))),
    LAYERS_ROW("tanh", IN(NORMAL(3, 5))),
    LAYERS_ROW("sigmoid", IN(NORMAL(3, 5))),
    LAYERS_ROW("gelu", IN(NORMAL(3, 5))),
    LAYERS_ROW("batch_norm", IN(NORMAL(3, 2, 3, 2), NORMAL(2), NORMAL(2)), .p = {TRAIN, 0, 0, 1},
               .flags = OP_THIRD),
    LAYERS_ROW("batch_norm momentum=0.2", IN(NORMAL(6, 4), NORMAL(4), NORMAL(4)),
               .p = {TRAIN, 0, 0, 1}, .flags = OP_THIRD),
    LAYERS_ROW("batch_norm epsilon=0.1", IN(NORMAL(3, 2, 3, 2), NORMAL(2), NORMAL(2), POSITIVE(2)),
               .p = {EVALUATE, 0, 0, 2, 3}, .flags = OP_THIRD),
    LAYERS_ROW("batch_norm running=false", IN(NORMAL(3, 2, 3, 2), NORMAL(2), NORMAL(2)),
               .p = {EVALUATE, 0, 0, 1}, .flags = OP_THIRD),
    LAYERS_ROW("layer_norm", IN(NORMAL(3, 6), NORMAL(6), NORMAL(6)), .p = {TRAIN, 0, 0, 1},
               .flags = OP_THIRD),
    LAYERS_ROW("layer_norm epsilon=0.1", IN(NORMAL(2, 2, 3, 2), NORMAL(2, 3, 2), NORMAL(2, 3, 2)),
               .p = {TRAIN, 0, 0, 1}, .flags = OP_THIRD),
    LAYERS_ROW("dropout rate=0.3", IN(NORMAL(3, 5), KEY(4)), .p = {TRAIN}),
    LAYERS_ROW("dropout", IN(NORMAL(3, 5)), .p = {EVALUATE}),
    LAYERS_ROW("flatten", IN(NORMAL(2, 2, 3))),
    LAYERS_ROW("conv2d filters=3 | batch_norm | gelu | avg_pool | dropout rate=0.2 | "
               "dense units=4 | tanh",
               IN(NORMAL(2, 1, 4, 4), NORMAL(3, 3, 3, 1), NORMAL(4, 12), KEY(4)),
               .p = {TRAIN, 3, 0, 4}),
    LAYERS_ROW("", IN(NORMAL(3, 5), NORMAL(2, 5), NORMAL(2)), .p = {TRAIN, 2, 0, 1}),
};

static void layers_keep_every_promise(void **state)
{
    (void)state;
    OP_ROWS_KEEP(rows);
}

static void every_layer_of_the_list_has_a_row(void **state)
{
    (void)state;
    for (size_t k = 0; pdi_layers[k]; k++) {
        const pdr_kind *kind = &pdi_layers[k]->kind;
        bool found = false;
        assert_non_null(kind->title);
        assert_non_null(kind->options);
        assert_true(!kind->self_size == !kind->options->name);
        for (size_t i = 0; i < COUNT(rows); i++) {
            size_t n = strlen(kind->name);
            if (!strncmp(rows[i].label, kind->name, n) && strchr(" ", rows[i].label[n]))
                found = true;
        }
        if (!found) fail_msg("no row checks layer '%s'", kind->name);
    }
}

/* ---- a layer is its function, node for node (equal nodes are one node)
 * --------------------------- */

/* Filters are kept as [o, kh, kw, c]. */
static pdr_node filters_of(const applied *p)
{
    return pdr_permute(p->s->g, p->param[0], (int32_t[]){0, 3, 1, 2});
}

static pdr_node same_conv(const applied *p)
{
    pdr_graph *g = p->s->g;
    pdr_node y = pdr_conv2d(g, p->x, filters_of(p), 2, 1);
    return pdr_add(g, y, pdr_reshape(g, p->param[1], PDR_SHAPE(3, 1, 1)));
}

static pdr_node same_padding(const applied *p)
{
    return pdr_conv2d(p->s->g, p->x, filters_of(p), 1, 2);
}

static pdr_node same_max_pool(const applied *p) { return pdr_max_pool2d(p->s->g, p->x, 3, 1); }

static pdr_node same_avg_pool(const applied *p) { return pdr_avg_pool2d(p->s->g, p->x, 2, 2); }

static pdr_node same_layer_norm(const applied *p)
{
    pdr_node y = pdr_normalise(p->s->g, p->x, 1u << 1 | 1u << 2 | 1u << 3, 0.01);
    return pdr_add(p->s->g, pdr_mul(p->s->g, y, p->param[0]), p->param[1]);
}

static pdr_node same_batch_norm(const applied *p)
{
    pdr_graph *g = p->s->g;
    pdr_node y = pdr_normalise(g, p->x, 1u << 0 | 1u << 2 | 1u << 3, 0.01);
    y = pdr_mul(g, y, pdr_reshape(g, p->param[0], PDR_SHAPE(2, 1, 1)));
    return pdr_add(g, y, pdr_reshape(g, p->param[1], PDR_SHAPE(2, 1, 1)));
}

static pdr_node same_dropout(const applied *p)
{
    return pdr_dropout(p->s->g, p->x, p->a.key, 0, 0.25);
}

static pdr_node same_flatten(const applied *p)
{
    return pdr_reshape(p->s->g, p->x, PDR_SHAPE(2, 50));
}

static pdr_node same_dense(const applied *p)
{
    return pdr_dense(p->s->g, same_flatten(p), p->param[0], p->param[1]);
}

static void layers_are_their_functions(void **state)
{
    (void)state;
    static const struct {
        const char *layers;
        pdr_node (*same)(const applied *p);
    } layer[] = {
        {"dense units=4", same_dense},
        {"conv2d filters=3 size=3 stride=2 padding=1", same_conv},
        {"conv2d filters=3 size=5 bias=false", same_padding},
        {"max_pool size=3 stride=1", same_max_pool},
        {"avg_pool", same_avg_pool},
        {"layer_norm epsilon=0.01", same_layer_norm},
        {"batch_norm epsilon=0.01 running=false", same_batch_norm},
        {"batch_norm epsilon=0.01", same_batch_norm},
        {"dropout rate=0.25", same_dropout},
        {"flatten", same_flatten},
    };
    for (size_t i = 0; i < COUNT(layer); i++) {
        pdr_model *m = model(layer[i].layers, PDR_SHAPE(2, 5, 5), 0);
        applied p = apply(m, PDR_SHAPE(2, 2, 5, 5), true);
        if (p.y.id != layer[i].same(&p).id) fail_msg("'%s' is not its function", layer[i].layers);
        oracle_free(p.s);
        pdr_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_of_the_list_has_a_row),
        cmocka_unit_test(layers_keep_every_promise),
        cmocka_unit_test(layers_are_their_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
