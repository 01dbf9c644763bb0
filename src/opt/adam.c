/* opt/adam.c -- Adam, and AdamW.
 *
 * Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015,
 * algorithm 1; Loshchilov & Hutter, "Decoupled weight decay regularization",
 * ICLR 2019, algorithm 2, with the decay scaled by the whole learning rate:
 *
 *     g <- g + weight_decay theta                    (adam; weights only)
 *     m <- beta1 m + (1 - beta1) g
 *     v <- beta2 v + (1 - beta2) g^2
 *     a  = rate sqrt(1 - beta2^t) / (1 - beta1^t)
 *     e  = epsilon sqrt(1 - beta2^t)
 *     theta <- theta - rate weight_decay theta       (adamw; weights only)
 *     theta <- theta - a m / (sqrt(v) + e)
 *
 * This is the algorithm as stated, rearranged as at the end of the paper's
 * section 2, so that the bias correction is two numbers a step and not two
 * divisions an element.
 *
 * State: m and v, two tensors a parameter, starting at 0; beta1^t and beta2^t,
 * starting at 1. */
#include "opt/optimizers.h"

typedef struct adam {
    double rate, beta1, beta2, epsilon, weight_decay;
} adam;

#define ADAM_OPTIONS                                                                               \
    PDR_OPTION_REAL(adam, rate, 0.001, 0, 1e3, "learning rate"),                                   \
        PDR_OPTION_REAL(adam, beta1, 0.9, 0, 0.999999, "how much of the mean is kept"),            \
        PDR_OPTION_REAL(adam, beta2, 0.999, 0, 0.999999, "how much of the square is kept"),        \
        PDR_OPTION_REAL(adam, epsilon, 1e-8, 1e-20, 1, "keeps the division finite")

static const pdr_option adam_options[] = {
    ADAM_OPTIONS,
    PDR_OPTION_REAL(adam, weight_decay, 0, 0, 1e3, "added to the gradient, times the weight"),
    PDR_OPTION_END,
};

static const pdr_option adam_w_options[] = {
    ADAM_OPTIONS,
    PDR_OPTION_REAL(adam, weight_decay, 0.01, 0, 1e3,
                    "part of a weight removed a step, times the learning rate"),
    PDR_OPTION_END,
};

static int adam_slots(const void *self)
{
    (void)self;
    return 2;
}

static void adam_advance(pdr_graph *g, const void *self, const pdr_node scalar[], pdr_node next[])
{
    const adam *o = self;
    next[0] = pdr_scale(g, o->beta1, scalar[0]);
    next[1] = pdr_scale(g, o->beta2, scalar[1]);
}

static pdr_node adam_one_minus(pdr_graph *g, pdr_node x) { return pdr_sub(g, pdr_scalar(g, 1), x); }

/* keep m + (1 - keep) x */
static pdr_node adam_blend(pdr_graph *g, double keep, pdr_node m, pdr_node x)
{
    return pdr_add(g, pdr_scale(g, keep, m), pdr_scale(g, 1 - keep, x));
}

/* a m / (sqrt(v) + e) */
static pdr_node adam_step(pdr_graph *g, const adam *o, pdr_update *u, pdr_node d)
{
    pdr_node correct1 = adam_one_minus(g, u->scalar[0]);
    pdr_node correct2 = pdr_sqrt(g, adam_one_minus(g, u->scalar[1]));
    pdr_node a = pdr_div(g, pdr_mul(g, u->rate, correct2), correct1);
    pdr_node e = pdr_scale(g, o->epsilon, correct2);
    u->slot[0] = adam_blend(g, o->beta1, u->slot[0], d);
    u->slot[1] = adam_blend(g, o->beta2, u->slot[1], pdr_square(g, d));
    pdr_node under = pdr_add(g, pdr_sqrt(g, u->slot[1]), e);
    return pdr_div(g, pdr_mul(g, a, u->slot[0]), under);
}

static pdr_node adam_update(pdr_graph *g, const void *self, pdr_update *u)
{
    const adam *o = self;
    pdr_node d = u->grad;
    if (u->is_weight && o->weight_decay > 0)
        d = pdr_add(g, d, pdr_scale(g, o->weight_decay, u->param));
    return pdr_sub(g, u->param, adam_step(g, o, u, d));
}

static pdr_node adam_w_update(pdr_graph *g, const void *self, pdr_update *u)
{
    const adam *o = self;
    pdr_node theta = u->param;
    if (u->is_weight && o->weight_decay > 0) {
        pdr_node keep = adam_one_minus(g, pdr_scale(g, o->weight_decay, u->rate));
        theta = pdr_mul(g, keep, theta);
    }
    return pdr_sub(g, theta, adam_step(g, o, u, u->grad));
}

const pdr_optimizer_kind pdi_optimizer_adam = {
    .kind = {.name = "adam",
             .title = "Adam",
             .cite = "Kingma & Ba, Adam: a method for stochastic optimization, ICLR 2015",
             .equation = "m <- b1 m + (1 - b1) g; v <- b2 v + (1 - b2) g^2; "
                         "theta <- theta - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)",
             .cost = "two tensors a parameter",
             .self_size = sizeof(adam),
             .options = adam_options},
    .slots = adam_slots,
    .scalars = 2,
    .advance = adam_advance,
    .update = adam_update,
};

const pdr_optimizer_kind pdi_optimizer_adamw = {
    .kind = {.name = "adamw",
             .title = "Adam with decoupled weight decay",
             .cite = "Loshchilov & Hutter, Decoupled weight decay regularization, ICLR 2019",
             .equation = "theta <- (1 - rate weight_decay) theta, then Adam's step without decay",
             .cost = "two tensors a parameter",
             .self_size = sizeof(adam),
             .options = adam_w_options},
    .slots = adam_slots,
    .scalars = 2,
    .advance = adam_advance,
    .update = adam_w_update,
};
