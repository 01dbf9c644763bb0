/* meta/learnedopt.c -- a learned optimiser: an LSTM writes the update.
 *
 * Andrychowicz et al., "Learning to learn by gradient descent by gradient descent", NIPS
 * 2016, equations 2 and 3, section 2.1 and appendix A.  The episode is an optimisation
 * problem: f(θ) is the recipe's loss of its model, on the minibatches of the support set in
 * turn.  One net m with weights φ serves all coordinates, each with a state h of its own:
 *
 *     [gₜ, hₜ₊₁] = m(pre(∇f(θₜ)), hₜ; φ)      two layers of LSTM, and a linear one
 *     θₜ₊₁ = θₜ + scale gₜ                     from a fresh θ₀, and h₀ = 0
 *     L(φ) = mean over problems and t = 1 .. unroll of f(θₜ)
 *     pre(x) = (log|x| / p, sign x)  where |x| ≥ e⁻ᵖ,  else (−1, eᵖ x)
 *
 * With relative, f(θₜ) / f(θ at the stretch's start) takes f's place in L, so that the last
 * stretches, where f is small, count as much as the first.
 *
 * ∇f(θₜ) counts as a constant (the dashed lines of figure 2); exact lets the second
 * derivatives in.  A training step is one stretch of `unroll` steps, from where the last
 * one left its problems; after `length` steps the next episodes are taken up.  With
 * sparse_rows, a row of a parameter (an embedding's) whose gradient is zero keeps its values
 * and its h.
 *
 * predict: the query under a network trained so from fresh values, on the support set.
 *
 * State: lstm, the weights φ.  problem: of each episode in hand its data, θ and h; stretch
 * counts how far they are. */
#include <math.h>
#include <stdio.h>

#include "method/methods.h"

typedef struct learnedopt {
    int64_t length, unroll, batch, hidden;
    double scale, p;
    bool relative, sparse_rows, exact;
} learnedopt;

static const pdr_option learnedopt_options[] = {
    PDR_OPTION_COUNT(learnedopt, length, 100, 1, 1e6, "steps on a problem in training"),
    PDR_OPTION_COUNT(learnedopt, unroll, 20, 1, 200, "steps that a gradient goes back through"),
    PDR_OPTION_COUNT(learnedopt, batch, 0, 0, 1e6, "examples of a step; 0: the support set"),
    PDR_OPTION_COUNT(learnedopt, hidden, 20, 1, 1000, "units of each of the two layers"),
    PDR_OPTION_REAL(learnedopt, scale, 0.1, 1e-9, 1e3, "what the net's output is multiplied by"),
    PDR_OPTION_REAL(learnedopt, p, 10, 1e-3, 80, "gradients below e^-p are small ones"),
    PDR_OPTION_FLAG(learnedopt, relative, false,
                    "count f as a share of what a stretch begins with"),
    PDR_OPTION_FLAG(learnedopt, sparse_rows, false, "rows without gradient stay as they are"),
    PDR_OPTION_FLAG(learnedopt, exact, false, "let second derivatives into the meta-gradient"),
    PDR_OPTION_END,
};

/* A problem on its way: θ [P], and what the net knows of each coordinate, [P, hidden]. */
enum { LEARNEDOPT_THETA, LEARNEDOPT_H, LEARNEDOPT_C = 3, LEARNEDOPT_PARTS = 5 };

typedef struct learnedopt_problem {
    pdr_node v[LEARNEDOPT_PARTS]; /* θ, h of both layers, c of both */
    pdr_batch data;
} learnedopt_problem;

/* ---- parameters side by side -------------------------------------------------------- */

static int32_t learnedopt_size(pdr_graph *g, pdr_node x)
{
    pdr_shape s = pdr_node_shape(g, x);
    return (int32_t)pdr_shape_size(&s);
}

static pdr_node learnedopt_join(pdr_graph *g, pdr_tensors x)
{
    pdr_node all = {0};
    for (size_t i = 0; i < x.n; i++) {
        pdr_node one = pdr_reshape(g, x.v[i], PDR_SHAPE(learnedopt_size(g, x.v[i])));
        all = i ? pdr_concat(g, all, one, 0) : one;
    }
    return all;
}

static pdr_tensors learnedopt_split(pdr_build *b, pdr_node all)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors x = pdr_build_params(b); /* for their shapes */
    int32_t at = 0;
    for (size_t i = 0; i < x.n; i++) {
        int32_t n = learnedopt_size(g, x.v[i]);
        x.v[i] = pdr_reshape(g, pdr_slice(g, all, 0, at, n, 1), pdr_node_shape(g, x.v[i]));
        at += n;
    }
    return x;
}

/* 1 where a coordinate is of a row that has a gradient. */
static pdr_node learnedopt_touched(pdr_build *b, pdr_node slope)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors d = learnedopt_split(b, slope);
    for (size_t i = 0; i < d.n; i++) {
        pdr_shape s = pdr_node_shape(g, d.v[i]);
        int32_t n = learnedopt_size(g, d.v[i]), rows = s.rank ? s.dim[0] : 1;
        pdr_node row = pdr_reshape(g, d.v[i], PDR_SHAPE(rows, rows ? n / rows : 1));
        pdr_node none = pdr_eq(g, row, pdr_scalar(g, 0));
        pdr_node still = pdr_eq(g, pdr_mean_keep(g, none, 2u), pdr_scalar(g, 1));
        d.v[i] = pdr_sub(g, pdr_like(g, row, 1), still);
    }
    return learnedopt_join(g, d);
}

/* ---- the net ---------------------------------------------------------------------------- */

/* Of each layer the weights of what enters, those of h, and biases; then the linear one's. */
static pdr_tensors learnedopt_net(pdr_build *b, const learnedopt *o)
{
    int32_t h = (int32_t)o->hidden;
    const pdr_shape shape[8] = {PDR_SHAPE(4 * h, 2), PDR_SHAPE(4 * h, h), PDR_SHAPE(4 * h),
                                PDR_SHAPE(4 * h, h), PDR_SHAPE(4 * h, h), PDR_SHAPE(4 * h),
                                PDR_SHAPE(1, h),     PDR_SHAPE(1)};
    static const char *const part[3] = {"input", "hidden", "bias"};
    pdr_tensors net = pdr_build_list(b, 8);
    for (int i = 0; i < (int)net.n; i++) {
        char name[32];
        snprintf(name, sizeof name, "lstm/%d.%s", i / 3, part[i == 7 ? 2 : i % 3]);
        net.v[i] = pdr_build_weight(b, name, shape[i], PDR_INIT_FAN_IN_UNIFORM, h, h);
    }
    return net;
}

/* One layer; the gates are input, forget (which begins open), new, output. */
static void learnedopt_cell(pdr_graph *g, const pdr_node w[3], pdr_node x, pdr_node *h, pdr_node *c)
{
    int32_t n = pdr_node_shape(g, *h).rank ? pdr_node_shape(g, *h).dim[1] : 0;
    pdr_node all = pdr_add(g, pdr_dot(g, x, w[0]), pdr_add(g, pdr_dot(g, *h, w[1]), w[2])), gate[4];
    for (int32_t k = 0; k < 4; k++) gate[k] = pdr_slice(g, all, 1, k * n, n, 1);
    pdr_node fresh = pdr_mul(g, pdr_sigmoid(g, gate[0]), pdr_tanh(g, gate[2]));
    *c = pdr_add(g, pdr_mul(g, pdr_sigmoid(g, pdr_shift(g, 1, gate[1])), *c), fresh);
    *h = pdr_mul(g, pdr_sigmoid(g, gate[3]), pdr_tanh(g, *c));
}

/* pre(x), [P] -> [P, 2]: both halves of its definition at once. */
static pdr_node learnedopt_pre(pdr_graph *g, double p, pdr_node x)
{
    pdr_shape column = PDR_SHAPE(learnedopt_size(g, x), 1);
    pdr_node size = pdr_maximum(g, pdr_maximum(g, x, pdr_neg(g, x)), pdr_scalar(g, exp(-p)));
    pdr_node one = pdr_scalar(g, 1), sign = pdr_scale(g, exp(p), x);
    sign = pdr_maximum(g, pdr_minimum(g, sign, one), pdr_neg(g, one));
    return pdr_concat(g, pdr_reshape(g, pdr_scale(g, 1 / p, pdr_log(g, size)), column),
                      pdr_reshape(g, sign, column), 1);
}

/* ---- a step on a problem ------------------------------------------------------------------ */

/* f(θ) on minibatch k. */
static pdr_node learnedopt_f(pdr_build *b, const learnedopt *o, const learnedopt_problem *q,
                             int32_t k)
{
    int32_t batch = o->batch ? (int32_t)o->batch : q->data.size;
    int32_t parts = (q->data.size - 1) / batch + 1;
    return pdr_build_loss(b, learnedopt_split(b, q->v[LEARNEDOPT_THETA]),
                          pdr_build_part(b, q->data, k % parts, parts));
}

static void learnedopt_step(pdr_build *b, const learnedopt *o, pdr_tensors net, pdr_node f,
                            learnedopt_problem *q)
{
    pdr_graph *g = pdr_build_graph(b);
    learnedopt_problem was = *q;
    pdr_node slope, *h = q->v + LEARNEDOPT_H, *c = q->v + LEARNEDOPT_C;
    pdr_grad(g, f, 1, &was.v[LEARNEDOPT_THETA], &slope);
    if (!o->exact) slope = pdr_stop(g, slope);
    learnedopt_cell(g, net.v, learnedopt_pre(g, o->p, slope), &h[0], &c[0]);
    learnedopt_cell(g, net.v + 3, h[0], &h[1], &c[1]);
    pdr_node y = pdr_add(g, pdr_dot(g, h[1], net.v[6]), net.v[7]);
    y = pdr_reshape(g, y, pdr_node_shape(g, slope));
    q->v[LEARNEDOPT_THETA] = pdr_add(g, q->v[LEARNEDOPT_THETA], pdr_scale(g, o->scale, y));
    if (!o->sparse_rows) return;
    pdr_node some = learnedopt_touched(b, pdr_stop(g, slope));
    pdr_node rows = pdr_reshape(g, some, PDR_SHAPE(learnedopt_size(g, some), 1));
    for (int i = 0; i < LEARNEDOPT_PARTS; i++)
        q->v[i] = pdr_where(g, i ? rows : some, q->v[i], was.v[i]);
}

static learnedopt_problem learnedopt_fresh(pdr_build *b, const learnedopt *o)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_fresh(b, pdr_build_episode_key(b));
    learnedopt_problem q = {.data = pdr_build_episode(b).support};
    q.v[LEARNEDOPT_THETA] = learnedopt_join(g, theta);
    int32_t n = learnedopt_size(g, q.v[LEARNEDOPT_THETA]);
    for (int i = 1; i < LEARNEDOPT_PARTS; i++)
        q.v[i] = pdr_fill(g, PDR_SHAPE(n, (int32_t)o->hidden), 0);
    return q;
}

/* ---- training -------------------------------------------------------------------------------- */

/* State of the episodes in hand, like `fresh` of each; `fresh` itself where they begin. */
static pdr_node learnedopt_keep(pdr_build *b, const char *name, pdr_node begins, pdr_node fresh,
                                pdr_node *state)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_shape s = pdr_node_shape(g, fresh), all = {.rank = s.rank + 1};
    all.dim[0] = pdr_build_episodes(b);
    for (int k = 0; k < s.rank; k++) all.dim[k + 1] = s.dim[k];
    *state = fresh.id ? pdr_build_tensor(b, name, all, 0) : fresh;
    return pdr_where(g, begins, fresh, pdr_build_unit(b, *state));
}

/* Count stretches up to `length` steps: 1 where the problems are new. */
static pdr_node learnedopt_begins(pdr_build *b, const learnedopt *o)
{
    pdr_graph *g = pdr_build_graph(b);
    int64_t stretches = (o->length - 1) / o->unroll + 1;
    pdr_node count = pdr_build_tensor(b, "problem/stretch", PDR_SCALAR, 0);
    pdr_node next = pdr_shift(g, 1, count), last = pdr_scalar(g, (double)stretches);
    pdr_build_set_node(b, count, pdr_mul(g, next, pdr_lt(g, next, last)));
    return pdr_eq(g, count, pdr_scalar(g, 0));
}

/* L(φ) of one episode, and the problem as it is afterwards. */
static pdr_node learnedopt_stretch(pdr_build *b, const learnedopt *o, learnedopt_problem *q)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors net = learnedopt_net(b, o);
    pdr_node sum = pdr_scalar(g, 0), f = learnedopt_f(b, o, q, 0);
    pdr_node unit = o->relative ? pdr_shift(g, 1e-12, pdr_stop(g, f)) : pdr_scalar(g, 1);
    pdr_build_train(b, net);
    for (int32_t k = 1; net.n && k <= o->unroll; k++) {
        learnedopt_step(b, o, net, f, q);
        f = learnedopt_f(b, o, q, k);
        sum = pdr_add(g, sum, f);
    }
    return pdr_div(g, pdr_scale(g, 1 / (double)o->unroll, sum), unit);
}

static pdr_node learnedopt_loss(pdr_build *b, const void *self)
{
    enum { X = LEARNEDOPT_PARTS, TARGET, ALL };
    static const char *const names[ALL] = {"problem/theta", "problem/h1", "problem/h2",
                                           "problem/c1",    "problem/c2", "problem/x",
                                           "problem/target"};
    const learnedopt *o = self;
    pdr_node begins = learnedopt_begins(b, o), state[ALL], next[ALL];
    learnedopt_problem q = learnedopt_fresh(b, o);
    pdr_batch *data = &q.data;
    if (data->label.id)
        data->target = pdr_one_hot(pdr_build_graph(b), data->label, pdr_build_outputs(b));
    data->label = (pdr_node){0};
    for (int i = 0; i < LEARNEDOPT_PARTS; i++)
        q.v[i] = learnedopt_keep(b, names[i], begins, q.v[i], &state[i]);
    next[X] = data->x = learnedopt_keep(b, names[X], begins, data->x, &state[X]);
    next[TARGET] = data->target = learnedopt_keep(b, names[TARGET], begins, data->target,
                                                  &state[TARGET]);
    pdr_node loss = learnedopt_stretch(b, o, &q);
    for (int i = 0; i < LEARNEDOPT_PARTS; i++) next[i] = q.v[i];
    pdr_build_map(b, ALL, next, next);
    for (int i = 0; i < ALL; i++) pdr_build_set_node(b, state[i], next[i]);
    return pdr_build_mean(b, loss);
}

static pdr_node learnedopt_predict(pdr_build *b, const void *self, pdr_batch query)
{
    const learnedopt *o = self;
    learnedopt_problem q = learnedopt_fresh(b, o);
    pdr_tensors net = learnedopt_net(b, o);
    int32_t steps = pdr_build_steps(b, o->length);
    for (int32_t k = 0; net.n && k < steps; k++)
        learnedopt_step(b, o, net, learnedopt_f(b, o, &q, k), &q);
    return pdr_build_logits(b, learnedopt_split(b, q.v[LEARNEDOPT_THETA]), query);
}

const pdr_method pdi_method_learnedopt = {
    .kind =
        {
            .name = "learned-optimizer",
            .title = "Learned optimiser",
            .cite = "Andrychowicz et al., Learning to learn by gradient descent by gradient "
                    "descent, NIPS 2016",
            .equation = "[g_t, h_t+1] = m(pre(∇ f(θ_t)), h_t; φ),   θ_t+1 = θ_t + scale g_t\n"
                        "L(φ) = mean of f(θ_t)   over a stretch of training",
            .cost = "memory: four vectors of hidden units for each parameter and episode; time: "
                    "about 5000 multiplications a parameter and step at 20 units",
            .self_size = sizeof(learnedopt),
            .options = learnedopt_options,
        },
    .data = PDR_DATA_EPISODES,
    .loss = learnedopt_loss,
    .predict = learnedopt_predict,
};
