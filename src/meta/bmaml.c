/* meta/bmaml.c -- Bayesian model-agnostic meta-learning, and the ensemble beside it.
 *
 * Yoon, Kim, Dia, Kim, Bengio & Ahn, "Bayesian model-agnostic meta-learning", NeurIPS
 * 2018, algorithms 2 and 3; densities and constants as in the authors' code.
 *
 *     Θ = {θ₁ … θ_M}                                   initial particles, meta-learned
 *     Θ_f = SVGD(Θ;  D_support, steps, rate)           the follower, or chaser
 *     Θ_l = SVGD(Θ_f; D_support ∪ D_query, leader_steps, leader_rate)
 *     L(Θ) = mean over episodes of Σ_m |θ_f,m − stop(θ_l,m)|²
 *     log p(θ|D) = n/2 (ln γ − γ L_D(θ)) − λ/2 |θ|² + const
 *
 * L_D is the recipe's loss, a mean over the n numbers of D.  With learned, ln γ and ln λ
 * belong to each particle, move with it by SVGD, have Gamma(2, 0.2) and Gamma(2, 2) priors,
 * and are no part of the distance.
 *
 * ensemble (EMAML): every particle takes plain steps, θ ← θ − rate ∇L_support(θ), and L(Θ)
 * is the mean over episodes of Σ_m L_query(θ_m).  With one particle that is MAML.
 *
 * predict: the mean of the particles' outputs; for classes, the log of their mean
 * probability.  So a reported error is that of the mean answer, not the mean of errors.
 *
 * State: particle, M networks (and particle.precision, particle.prior). */
#include <math.h>

#include "meta/svgd.h"
#include "method/methods.h"

typedef struct bmaml {
    int64_t particles, steps, leader_steps;
    double rate, leader_rate, precision, prior, bandwidth;
    bool learned, ensemble, first_order;
} bmaml;

static const pdr_option bmaml_options[] = {
    PDR_OPTION_COUNT(bmaml, particles, 10, 1, 32, "M: networks that share in the answer"),
    PDR_OPTION_COUNT(bmaml, steps, 1, 0, 100, "steps of the follower, on the support set"),
    PDR_OPTION_REAL(bmaml, rate, 0.001, 0, 1e3, "size of such a step"),
    PDR_OPTION_COUNT(bmaml, leader_steps, 1, 1, 100, "further steps, on support and query set"),
    PDR_OPTION_REAL(bmaml, leader_rate, 0, 0, 1e3, "size of such a step; 0: as rate"),
    PDR_OPTION_REAL(bmaml, precision, 100, 1e-9, 1e9,
                    "γ: the likelihood's precision; where it is learned, at the start"),
    PDR_OPTION_REAL(bmaml, prior, 1, 1e-9, 1e9, "λ: the prior's precision, likewise"),
    PDR_OPTION_FLAG(bmaml, learned, true, "γ and λ are part of each particle"),
    PDR_OPTION_REAL(bmaml, bandwidth, 0, 0, 1e12, "h of the kernel; 0: the median heuristic"),
    PDR_OPTION_FLAG(bmaml, ensemble, false, "EMAML: no kernel, the query's loss; one: MAML"),
    PDR_OPTION_FLAG(bmaml, first_order, false, "inner gradients count as constants"),
    PDR_OPTION_END,
};

static pdr_tensors bmaml_particles(pdr_build *b, const bmaml *o)
{
    int32_t m = (int32_t)o->particles;
    pdr_tensors net = pdr_build_nets(b, "particle", m), own = pdr_build_list(b, 2);
    if (pdr_build_buffers(b))
        pdr_graph_fail(pdr_build_graph(b), "bmaml: particles keep no running statistics; give "
                                           "batch_norm 'running: false', or use layer_norm");
    if (!o->learned || o->ensemble || !own.n) return net;
    own.v[0] = pdr_build_tensor(b, "particle.precision", PDR_SHAPE(m), log(o->precision));
    own.v[1] = pdr_build_tensor(b, "particle.prior", PDR_SHAPE(m), log(o->prior));
    return pdr_build_join(b, net, own);
}

/* One of them, as inputs for pdr_vmap. */
static pdr_tensors bmaml_one(pdr_build *b, pdr_tensors all)
{
    pdr_tensors one = pdr_build_list(b, all.n);
    for (size_t i = 0; i < one.n; i++) {
        pdr_shape s = pdr_node_shape(pdr_build_graph(b), all.v[i]), each = {.rank = s.rank - 1};
        for (int k = 0; k < each.rank; k++) each.dim[k] = s.dim[k + 1];
        if (all.v[i].id) one.v[i] = pdr_input(pdr_build_graph(b), PDR_F32, each);
    }
    return one;
}

/* out[] of one particle, for all. */
static void bmaml_map(pdr_build *b, pdr_tensors one, pdr_tensors all, size_t n, pdr_node out[])
{
    pdr_tensors in = pdr_build_join(b, all, (pdr_tensors){0});
    pdr_graph *g = pdr_build_graph(b);
    if (in.n) pdr_vmap(g, pdr_node_shape(g, in.v[0]).dim[0], one.n, one.v, in.v, n, out, out);
}

/* n/2 (ln γ − γ L): the likelihood of a batch, up to a constant. */
static pdr_node bmaml_likelihood(pdr_build *b, pdr_tensors theta, pdr_batch batch, pdr_node log_y)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_shape s = pdr_node_shape(g, batch.target);
    double n = batch.target.id ? (double)pdr_shape_size(&s) : batch.size;
    pdr_node error = pdr_mul(g, pdr_exp(g, log_y), pdr_build_loss(b, theta, batch));
    return pdr_scale(g, n / 2, pdr_sub(g, log_y, error));
}

/* ln of the density Gamma(a, rate) of eᵘ, as one of u, up to a constant. */
static pdr_node bmaml_gamma(pdr_graph *g, double a, double rate, pdr_node u)
{
    return pdr_sub(g, pdr_scale(g, a, u), pdr_scale(g, rate, pdr_exp(g, u)));
}

/* How many of the tensors are the networks'. */
static size_t bmaml_weights(const bmaml *o, pdr_tensors theta)
{
    return theta.n && o->learned && !o->ensemble ? theta.n - 2 : theta.n;
}

static pdr_node bmaml_posterior(pdr_build *b, const bmaml *o, pdr_tensors theta, size_t batches,
                                const pdr_batch batch[])
{
    pdr_graph *g = pdr_build_graph(b);
    size_t n = bmaml_weights(o, theta), size = 0;
    pdr_node log_y = o->learned ? theta.v[n] : pdr_scalar(g, log(o->precision));
    pdr_node log_l = o->learned ? theta.v[n + 1] : pdr_scalar(g, log(o->prior));
    for (size_t i = 0; i < n; i++) {
        pdr_shape s = pdr_node_shape(g, theta.v[i]);
        size += (size_t)pdr_shape_size(&s);
    }
    pdr_node norm = pdr_mul(g, pdr_exp(g, log_l), pdr_half_square_norm(g, n, theta.v));
    pdr_node p = pdr_sub(g, pdr_scale(g, 0.5 * (double)size, log_l), norm);
    for (size_t k = 0; k < batches; k++)
        p = pdr_add(g, p, bmaml_likelihood(b, theta, batch[k], log_y));
    if (!o->learned) return p;
    return pdr_add(g, p, pdr_add(g, bmaml_gamma(g, 2, 0.2, log_y), bmaml_gamma(g, 2, 2, log_l)));
}

/* One step of all particles: SVGD, or each for itself. */
static pdr_tensors bmaml_step(pdr_build *b, const bmaml *o, pdr_tensors all, double rate,
                              size_t batches, const pdr_batch batch[])
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors one = bmaml_one(b, all), up = pdr_build_list(b, all.n),
                next = pdr_build_list(b, all.n);
    if (!one.n || !up.n || !next.n) return all;
    pdr_node climbed = o->ensemble ? pdr_neg(g, pdr_build_loss(b, one, batch[0]))
                                   : bmaml_posterior(b, o, one, batches, batch);
    pdr_grad(g, climbed, one.n, one.v, up.v);
    bmaml_map(b, one, all, up.n, up.v);
    for (size_t i = 0; o->first_order && i < up.n; i++) up.v[i] = pdr_stop(g, up.v[i]);
    if (!o->ensemble) pdi_svgd_direction(g, o->bandwidth, all.n, all.v, up.v, up.v);
    for (size_t i = 0; i < next.n; i++)
        next.v[i] = pdr_add(g, all.v[i], pdr_scale(g, rate, up.v[i]));
    return next;
}

static pdr_tensors bmaml_follow(pdr_build *b, const bmaml *o, pdr_tensors all, pdr_episode e)
{
    int32_t steps = pdr_build_steps(b, o->steps);
    for (int32_t k = 0; k < steps; k++) all = bmaml_step(b, o, all, o->rate, 1, &e.support);
    return all;
}

/* Σ_m |θ_f,m − stop(θ_l,m)|². */
static pdr_node bmaml_chase(pdr_build *b, const bmaml *o, pdr_tensors follower, pdr_episode e)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors leader = follower;
    double rate = o->leader_rate > 0 ? o->leader_rate : o->rate;
    for (int64_t k = 0; k < o->leader_steps; k++)
        leader = bmaml_step(b, o, leader, rate, 2, (pdr_batch[]){e.support, e.query});
    pdr_node distance = pdr_scalar(g, 0);
    for (size_t i = 0; i < bmaml_weights(o, follower); i++) {
        pdr_node d = pdr_sub(g, follower.v[i], pdr_stop(g, leader.v[i]));
        distance = pdr_add(g, distance, pdr_sum_all(g, pdr_square(g, d)));
    }
    return distance;
}

static pdr_node bmaml_loss(pdr_build *b, const void *self)
{
    const bmaml *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_episode e = pdr_build_episode(b);
    pdr_tensors start = bmaml_particles(b, o), all = bmaml_follow(b, o, start, e);
    pdr_build_train(b, start);
    if (!o->ensemble) return pdr_build_mean(b, bmaml_chase(b, o, all, e));
    pdr_tensors one = bmaml_one(b, all);
    if (!one.n) return (pdr_node){0};
    pdr_node loss = pdr_build_loss(b, one, e.query);
    bmaml_map(b, one, all, 1, &loss);
    return pdr_build_mean(b, pdr_sum_all(g, loss));
}

static pdr_node bmaml_predict(pdr_build *b, const void *self, pdr_batch query)
{
    const bmaml *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors all = bmaml_follow(b, o, bmaml_particles(b, o), pdr_build_episode(b));
    pdr_tensors one = bmaml_one(b, all);
    if (!one.n) return (pdr_node){0};
    pdr_node y = pdr_build_logits(b, one, query);
    if (query.label.id) y = pdr_softmax(g, y);
    bmaml_map(b, one, all, 1, &y);
    y = pdr_mean(g, y, 1u);
    return query.label.id ? pdr_log(g, pdr_shift(g, 1e-30, y)) : y;
}

const pdr_method pdi_method_bmaml = {
    .kind =
        {
            .name = "bmaml",
            .title = "Bayesian model-agnostic meta-learning",
            .cite = "Yoon et al., Bayesian model-agnostic meta-learning, NeurIPS 2018",
            .equation = "Θ_f = SVGD(Θ; support), Θ_l = SVGD(Θ_f; support and query)\n"
                        "L(Θ) = Σ_m |θ_f,m - stop(θ_l,m)|²",
            .cost = "memory: M networks; time: about M times maml, and a kernel of M² distances",
            .self_size = sizeof(bmaml),
            .options = bmaml_options,
        },
    .data = PDR_DATA_EPISODES,
    .loss = bmaml_loss,
    .predict = bmaml_predict,
};
