/* test/meta.h -- a trainer on episodes with numbers of a test's own, and its step in double. */
#ifndef META_H
#define META_H

#include "layers.h"
#include "method/build.h"
#include "method/methods.h"
#include "opt/optimizers.h"

/* What is to be taught, how. */
typedef struct meta_case {
    const char *method, *set; /* "steps=3 alpha=0.5" */
    const char *layers;       /* as in layers.h */
    pdr_shape example;
    int32_t way, shot, query;                /* examples of each class; way 0: regression */
    int32_t test_way, test_shot, test_query; /* 0: the same */
    int32_t episodes, test_steps;
    bool alone; /* queries_alone */
    int threads;
    const pdr_alloc *alloc;
    uint64_t seed; /* of the numbers */
} meta_case;

typedef struct meta {
    pdr_model *model;
    pdr_pool *pool;
    pdi_trainer *t;
    double options[32], sgd[8];
} meta;

static inline const pdr_method *meta_method(const char *name)
{
    for (size_t i = 0; pdi_methods[i]; i++)
        if (!strcmp(pdi_methods[i]->kind.name, name)) return pdi_methods[i];
    fail_msg("there is no method '%s'", name);
    return NULL;
}

/* Defaults, then the words of set: "key=value key=value". */
static inline void meta_options(const pdr_kind *k, const char *set, double *self, size_t room)
{
    pdr_error err = PDR_NO_ERROR;
    char text[256], *rest = text;
    assert_true(k->self_size <= room);
    pdr_option_defaults(k->options, self);
    snprintf(text, sizeof text, "%s", set ? set : "");
    for (char *word; (word = strtok_r(rest, " ", &rest));) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = 0;
        if (pdr_option_set(pdr_option_find(k->options, word), self, value, &err))
            fail_msg("%s", err.text);
    }
}

static inline int32_t meta_or(int32_t x, int32_t y) { return x ? x : y; }

static inline pdi_trainer_spec meta_spec(meta *f, const meta_case *c)
{
    int32_t way = meta_or(c->way, 1), test_way = meta_or(c->test_way, way);
    return (pdi_trainer_spec){.method = {&meta_method(c->method)->kind, f->options},
                              .optimizer = {&pdi_optimizer_sgd.kind, f->sgd},
                              .model = f->model,
                              .loss = c->way ? PDR_LOSS_CROSS_ENTROPY : PDR_LOSS_MSE,
                              .example = c->example,
                              .outputs = test_way,
                              .targets = c->way ? 0 : 1,
                              .setting = {.tasks = 1,
                                          .outputs = way,
                                          .classes = c->way,
                                          .way = way,
                                          .shot = c->shot,
                                          .iterations = 10},
                              .episode = {.support = way * c->shot,
                                          .query = way * c->query,
                                          .test_support = test_way * meta_or(c->test_shot, c->shot),
                                          .test_query = test_way * meta_or(c->test_query, c->query),
                                          .at_once = c->episodes,
                                          .test_at_once = c->episodes,
                                          .test_steps = c->test_steps,
                                          .queries_alone = c->alone},
                              .seed = 5};
}

/* PDR_OK or PDR_NOMEM. */
static inline pdr_rc meta_try(meta *f, const meta_case *c)
{
    pdr_error err = PDR_NO_ERROR;
    memset(f, 0, sizeof *f);
    const pdr_method *m = meta_method(c->method);
    meta_options(&m->kind, c->set, f->options, sizeof f->options);
    meta_options(&pdi_optimizer_sgd.kind, NULL, f->sgd, sizeof f->sgd);
    f->pool = pdr_pool_new(NULL, meta_or(c->threads, 1));
    f->model = model(c->layers, c->example, m->no_output_layer ? 0 : meta_or(c->way, 1));
    pdi_trainer_spec s = meta_spec(f, c);
    return pdi_trainer_new(c->alloc ? c->alloc : &pdi_malloc, &s, f->pool, 1, &f->t, &err);
}

static inline void meta_close(meta *f)
{
    pdi_trainer_free(f->t);
    pdr_model_free(f->model);
    pdr_pool_free(f->pool);
}

/* Numbers that differ, on [-1, 1); labels by class, or targets. */
static inline void meta_rows(const pdi_trainer *t, pdi_host_batch *h, int32_t way, int32_t rows,
                             int32_t each, pdr_rng *rng)
{
    int64_t width = pdr_shape_size(&t->spec.example);
    for (int64_t i = 0; i < rows * width; i++) h->x[i] = 2 * pdr_rng_uniform(rng) - 1;
    for (int32_t i = 0; i < rows; i++) {
        h->label[i] = i % each / (each / way);
        if (t->spec.targets) h->target[i] = 2 * pdr_rng_uniform(rng) - 1;
    }
}

/* Fill support and query: of training, or of a test. */
static inline void meta_fill(meta *f, bool tests, uint64_t seed)
{
    pdi_trainer *t = f->t;
    const pdi_episode_sizes *s = &t->spec.episode;
    pdr_rng rng = {.seed = seed, .stream = PDR_STREAM_TEST};
    int32_t way = tests ? t->spec.outputs : t->spec.setting.way;
    int32_t support = tests ? s->test_support : s->support,
            query = tests ? s->test_query : s->query;
    meta_rows(t, &t->support, way, s->at_once * support, support, &rng);
    meta_rows(t, &t->query, way, s->at_once * query, query, &rng);
}

static inline void meta_open(meta *f, const meta_case *c)
{
    assert_int_equal(meta_try(f, c), PDR_OK);
    meta_fill(f, false, c->seed);
}

static inline double meta_step(meta *f, float rate)
{
    double loss = NAN;
    pdr_error err = PDR_NO_ERROR;
    if (pdi_trainer_step(f->t, f->t->spec.episode.at_once, rate, &loss, &err))
        fail_msg("%s", err.text);
    return loss;
}

/* [episodes, test_steps + 1, query, outputs] */
static inline const float *meta_predict(meta *f)
{
    const float *y;
    pdr_error err = PDR_NO_ERROR;
    if (pdi_trainer_predict(f->t, f->t->spec.episode.test_at_once, -1, &y, &err))
        fail_msg("%s", err.text);
    return y;
}

static inline pdi_tensor *meta_tensor(const meta *f, const char *name)
{
    pdi_tensor *t = pdi_state_find(&f->t->store, name);
    if (!t) fail_msg("there is no state called %s", name);
    return t;
}

/* cmocka's own compares floats; ours are doubles. */
static inline void assert_near(double x, double want, double tolerance)
{
    if (!(fabs(x - want) <= tolerance)) fail_msg("%.9g is not %.9g", x, want);
}

/* ---- the step's nodes, evaluated in double ------------------------------------------- */

typedef struct meta_nodes {
    pdr_build *b;
    pdr_node *in;
    double **value; /* of the inputs */
} meta_nodes;

static inline double *meta_widen(const pdr_graph *g, pdr_node x, const void *host)
{
    pdr_shape s = pdr_node_shape(g, x);
    int64_t n = pdr_shape_size(&s);
    double *v = oracle_array(n, sizeof *v);
    for (int64_t i = 0; i < n; i++)
        v[i] = pdr_node_type(g, x) == PDR_F32 ? (double)((const float *)host)[i]
                                              : (double)((const int32_t *)host)[i];
    return v;
}

/* The values of x; the caller frees them. */
static inline double *meta_eval(const meta_nodes *n, pdr_node x)
{
    const pdr_graph *g = n->b->g;
    pdr_shape s = pdr_node_shape(g, x);
    double *y = oracle_array(pdr_shape_size(&s), sizeof *y);
    double **v = pdi_eval(g, n->b->ties, n->in, n->value, 1, &x);
    assert_non_null(v);
    memcpy(y, v[x.id], (size_t)pdr_shape_size(&s) * sizeof *y);
    pdi_eval_free(g, v);
    return y;
}

static inline double meta_eval_one(const meta_nodes *n, pdr_node x)
{
    double *v = meta_eval(n, x), y = *v;
    free(v);
    return y;
}

/* What goes to a place; the input that comes from it (ties: none does). */
static inline pdr_node meta_goes_to(const meta_nodes *n, const void *host)
{
    for (size_t i = 0; i < n->b->sets; i++)
        if (n->b->set[i].host == host) return n->b->set[i].node;
    return (pdr_node){0};
}

static inline size_t meta_comes_from(const meta_nodes *n, const void *host)
{
    size_t i = 0;
    while (i < n->b->ties && n->b->tie[i].host != host) i++;
    return i;
}

typedef void meta_look_fn(const meta_nodes *n, void *ctx);

typedef struct meta_looked {
    meta_look_fn *look;
    void *ctx;
} meta_looked;

static inline pdr_rc meta_use(pdr_build *b, void *ctx, pdr_error *err)
{
    (void)err;
    const meta_looked *l = ctx;
    if (pdr_graph_error(b->g)) fail_msg("%s", pdr_graph_error(b->g));
    meta_nodes n = {.b = b,
                    .in = oracle_array((int64_t)b->ties, sizeof *n.in),
                    .value = oracle_array((int64_t)b->ties, sizeof *n.value)};
    for (size_t i = 0; i < b->ties; i++) {
        n.in[i] = b->tie[i].node;
        n.value[i] = meta_widen(b->g, b->tie[i].node, b->tie[i].host);
    }
    l->look(&n, l->ctx);
    for (size_t i = 0; i < b->ties; i++) free(n.value[i]);
    free(n.value);
    free(n.in);
    return PDR_OK;
}

/* Look at the nodes of a training step whose optimiser is sgd of rate 1, so that what a
 * parameter becomes is itself less its gradient. */
static inline void meta_look(meta *f, meta_look_fn *look, void *ctx)
{
    pdi_program p = {0};
    pdr_error err = PDR_NO_ERROR;
    meta_looked l = {look, ctx};
    f->t->rate = 1;
    assert_int_equal(
        pdi_build_nodes(f->t, PDI_RUN_STEP, f->t->spec.episode.at_once, -1, &p, meta_use, &l, &err),
        PDR_OK);
    pdi_program_close(f->t->alloc, &p);
}

/* ---- what counts as a constant ------------------------------------------------------------ */

/* The values of all nodes up to x, where each stop keeps the value it has in `still` (NULL:
 * stops nothing). */
static inline double **meta_eval_still(const meta_nodes *n, double *const *still, pdr_node x)
{
    const pdr_graph *g = n->b->g;
    unsigned char *need = oracle_array((int64_t)g->n, 1);
    double **v = oracle_array((int64_t)g->n, sizeof *v);
    pdi_mark_needed(g, 1, &x, need);
    for (uint32_t i = 1; i <= x.id; i++) {
        const pdi_node *nd = &g->v[i];
        int64_t size = pdr_shape_size(&nd->shape);
        double *arg[PDI_MAX_IN] = {0};
        if (!need[i]) continue;
        v[i] = oracle_array(size, sizeof **v);
        for (int k = 0; k < nd->nin; k++) arg[k] = v[nd->in[k].id];
        size_t tie = 0;
        while (nd->op == PDI_input && n->in[tie].id != i) tie++;
        if (nd->op == PDI_input)
            memcpy(v[i], n->value[tie], (size_t)size * sizeof **v);
        else if (nd->op == PDI_stop && still)
            memcpy(v[i], still[i], (size_t)size * sizeof **v);
        else
            pdi_op_rules[nd->op]->eval(g, nd, v[i], arg);
    }
    free(need);
    return v;
}

static inline double meta_still_one(const meta_nodes *n, double *const *still, pdr_node x)
{
    double **v = meta_eval_still(n, still, x), y = v[x.id][0];
    for (size_t i = 0; i < n->b->g->n; i++) free(v[i]);
    free(v);
    return y;
}

/* ---- slopes ------------------------------------------------------------------------------ */

/* The largest difference between the step's gradient of any trained number and the
 * central difference of the loss; the largest gradient; how many numbers. */
typedef struct meta_slopes {
    double off, most;
    size_t numbers;
    bool still; /* what stands under a stop is a constant for the difference too */
} meta_slopes;

static inline double meta_central(const meta_nodes *n, double *const *still, double *at,
                                  pdr_node loss)
{
    const double h = 1e-5, x = *at;
    *at = x + h;
    double up = meta_still_one(n, still, loss);
    *at = x - h;
    double down = meta_still_one(n, still, loss);
    *at = x;
    return (up - down) / (2 * h);
}

static inline void meta_slope(const meta_nodes *n, void *ctx)
{
    meta_slopes *s = ctx;
    pdi_trainer *t = n->b->t;
    pdr_node loss = meta_goes_to(n, &t->loss);
    double **still = s->still ? meta_eval_still(n, NULL, loss) : NULL;
    for (size_t k = 0; k < t->store.n; k++) {
        const pdi_tensor *v = &t->store.v[k];
        size_t tie = meta_comes_from(n, v->value);
        if (tie == n->b->ties || !pdi_build_is_trained(n->b, n->in[tie])) continue;
        double *at = n->value[tie], *to = meta_eval(n, meta_goes_to(n, v->value));
        for (int64_t i = 0; i < pdr_shape_size(&v->shape); i++) {
            double slope = at[i] - to[i];
            s->off = fmax(s->off, fabs(slope - meta_central(n, still, &at[i], loss)));
            s->most = fmax(s->most, fabs(slope));
            s->numbers++;
        }
        free(to);
    }
    for (size_t i = 0; still && i < n->b->g->n; i++) free(still[i]);
    free(still);
}

static inline meta_slopes meta_slopes_of(meta *f)
{
    meta_slopes s = {0};
    meta_look(f, meta_slope, &s);
    assert_true(s.numbers > 0);
    return s;
}

static inline meta_slopes meta_slopes_stopped(meta *f)
{
    meta_slopes s = {.still = true};
    meta_look(f, meta_slope, &s);
    assert_true(s.numbers > 0);
    return s;
}

#endif
