/* nn/init.c -- initial numbers: a function of the seed and the parameter's index alone.
 *
 * Each scheme keeps the variance of what passes through a layer near 1: He et
 * al., "Delving deep into rectifiers", ICCV 2015 (for relu); Glorot & Bengio,
 * "Understanding the difficulty of training deep feedforward neural networks",
 * AISTATS 2010 (for tanh, both directions); LeCun et al., "Efficient backprop",
 * 1998 (for linear units).  A uniform law on [-b, b] has variance b^2 / 3. */
#include <math.h>
#include <perdure/rng.h>

#include "nn/layer.h"

/* clang-format off */
const char *const pdi_init_names[] = {
    [PDR_INIT_ZERO] = "zero",
    [PDR_INIT_ONE] = "one",
    [PDR_INIT_HE_NORMAL] = "he-normal",
    [PDR_INIT_HE_UNIFORM] = "he-uniform",
    [PDR_INIT_GLOROT_NORMAL] = "glorot-normal",
    [PDR_INIT_GLOROT_UNIFORM] = "glorot-uniform",
    [PDR_INIT_LECUN_NORMAL] = "lecun-normal",
    [PDR_INIT_LECUN_UNIFORM] = "lecun-uniform",
    [PDR_INIT_FAN_IN_UNIFORM] = "fan-in-uniform",
    [PDR_INIT_SMALL_NORMAL] = "small-normal",
    NULL,
};
/* clang-format on */

int pdi_bias_init(int init)
{
    return init == PDR_INIT_FAN_IN_UNIFORM ? PDR_INIT_FAN_IN_UNIFORM : PDR_INIT_ZERO;
}

/* The variance that the scheme asks for; of a constant, 0. */
static double init_variance(const pdr_param *p)
{
    switch (p->init) {
    case PDR_INIT_HE_NORMAL:
    case PDR_INIT_HE_UNIFORM: return 2 / p->fan_in;
    case PDR_INIT_GLOROT_NORMAL:
    case PDR_INIT_GLOROT_UNIFORM: return 2 / (p->fan_in + p->fan_out);
    case PDR_INIT_LECUN_NORMAL:
    case PDR_INIT_LECUN_UNIFORM: return 1 / p->fan_in;
    case PDR_INIT_FAN_IN_UNIFORM: return 1 / (3 * p->fan_in);
    case PDR_INIT_SMALL_NORMAL: return 0.01 * 0.01;
    case PDR_INIT_ZERO:
    case PDR_INIT_ONE: break;
    }
    return 0;
}

static bool init_is_normal(pdr_init init)
{
    return init == PDR_INIT_HE_NORMAL || init == PDR_INIT_GLOROT_NORMAL ||
           init == PDR_INIT_LECUN_NORMAL || init == PDR_INIT_SMALL_NORMAL;
}

pdr_node pdr_param_draw(pdr_graph *g, const pdr_param *p, pdr_node key, uint32_t stream)
{
    double variance = init_variance(p), bound = sqrt(3 * variance);
    if (variance == 0) return pdr_fill(g, p->shape, p->init == PDR_INIT_ONE);
    if (init_is_normal(p->init))
        return pdr_scale(g, sqrt(variance), pdr_randn(g, key, stream, p->shape));
    return pdr_shift(g, -bound, pdr_scale(g, 2 * bound, pdr_rand(g, key, stream, p->shape)));
}

void pdr_param_init(const pdr_param *p, uint64_t seed, uint32_t index, float value[])
{
    pdr_rng r = {.seed = seed, .stream = PDR_STREAM_INIT, .sub = index};
    int64_t n = pdr_shape_size(&p->shape);
    double variance = init_variance(p), deviation = sqrt(variance), bound = sqrt(3 * variance);
    for (int64_t i = 0; i < n; i++)
        if (variance == 0)
            value[i] = p->init == PDR_INIT_ONE ? 1 : 0;
        else if (init_is_normal(p->init))
            value[i] = (float)(deviation * pdr_rng_normal(&r));
        else
            value[i] = (float)(bound * (2.0 * pdr_rng_uniform(&r) - 1));
}
