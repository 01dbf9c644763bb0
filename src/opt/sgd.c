/* opt/sgd.c -- stochastic gradient descent, with momentum.
 *
 * Robbins & Monro, "A stochastic approximation method", 1951; momentum and
 * Nesterov's gradient as in Sutskever et al., "On the importance of
 * initialization and momentum in deep learning", ICML 2013, in the form that
 * keeps the rate outside of the velocity, so that a schedule acts at once:
 *
 *     g <- g + weight_decay theta                    (weights only)
 *     v <- momentum v + g
 *     theta <- theta - rate v                        (plain)
 *     theta <- theta - rate (g + momentum v)         (nesterov)
 *
 * State: v, one tensor a parameter, starting at 0; none when momentum is 0. */
#include "opt/optimizers.h"

typedef struct sgd {
    double rate, momentum;
    bool nesterov;
    double weight_decay;
} sgd;

static const pdr_option sgd_options[] = {
    PDR_OPTION_REAL(sgd, rate, 0.01, 0, 1e3, "learning rate"),
    PDR_OPTION_REAL(sgd, momentum, 0, 0, 1, "how much of the velocity is kept"),
    PDR_OPTION_FLAG(sgd, nesterov, false, "look ahead along the velocity"),
    PDR_OPTION_REAL(sgd, weight_decay, 0, 0, 1e3, "added to the gradient, times the weight"),
    PDR_OPTION_END,
};

static int sgd_slots(const void *self) { return ((const sgd *)self)->momentum > 0 ? 1 : 0; }

static pdr_node sgd_update(pdr_graph *g, const void *self, pdr_update *u)
{
    const sgd *o = self;
    pdr_node d = u->grad;
    if (u->is_weight && o->weight_decay > 0)
        d = pdr_add(g, d, pdr_scale(g, o->weight_decay, u->param));
    if (o->momentum > 0) {
        pdr_node v = pdr_add(g, pdr_scale(g, o->momentum, u->slot[0]), d);
        d = o->nesterov ? pdr_add(g, d, pdr_scale(g, o->momentum, v)) : v;
        u->slot[0] = v;
    }
    return pdr_sub(g, u->param, pdr_mul(g, u->rate, d));
}

const pdr_optimizer_kind pdi_optimizer_sgd = {
    .kind = {.name = "sgd",
             .title = "Stochastic gradient descent",
             .cite = "Sutskever et al., On the importance of initialization and momentum in deep "
                     "learning, ICML 2013",
             .equation = "v <- momentum v + g; theta <- theta - rate v",
             .cost = "no memory; with momentum, one tensor a parameter",
             .self_size = sizeof(sgd),
             .options = sgd_options},
    .slots = sgd_slots,
    .update = sgd_update,
};
