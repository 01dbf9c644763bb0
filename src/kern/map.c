/* kern/map.c -- scalar maps in f32, one line each. */
#include "kern/body.h"
#include "kern/fmath.h"

/* The arithmetic, of one element of each operand. */
#define ARITHMETIC_neg(x, y, z)   (-(x))
#define ARITHMETIC_exp(x, y, z)   pdi_expf(x)
#define ARITHMETIC_log(x, y, z)   pdi_logf(x)
#define ARITHMETIC_sqrt(x, y, z)  sqrtf(x)
#define ARITHMETIC_tanh(x, y, z)  pdi_tanhf(x)
#define ARITHMETIC_erf(x, y, z)   pdi_erff(x)
#define ARITHMETIC_sin(x, y, z)   pdi_sinf(x)
#define ARITHMETIC_cos(x, y, z)   pdi_cosf(x)
#define ARITHMETIC_cast(x, y, z)  ((float)(int32_t)fmath_bits(x))
#define ARITHMETIC_add(x, y, z)   ((x) + (y))
#define ARITHMETIC_sub(x, y, z)   ((x) - (y))
#define ARITHMETIC_mul(x, y, z)   ((x) * (y))
#define ARITHMETIC_div(x, y, z)   ((x) / (y))
#define ARITHMETIC_lt(x, y, z)    ((x) < (y) ? 1.0f : 0.0f)
#define ARITHMETIC_eq(x, y, z)    ((x) == (y) ? 1.0f : 0.0f)
#define ARITHMETIC_where(x, y, z) ((x) != 0 ? (y) : (z))

#define MAP(name, arithmetic)                                                                      \
    static void map_##name(float *out, const float *x, const float *y, const float *z, int64_t n)  \
    {                                                                                              \
        (void)x, (void)y, (void)z;                                                                 \
        KERN_INDEPENDENT                                                                           \
        for (int64_t i = 0; i < n; i++) out[i] = arithmetic;                                       \
    }
#define OF_THREE(name) ARITHMETIC_##name(x[i], y[i], z[i])
MAP(neg, OF_THREE(neg))
MAP(exp, OF_THREE(exp))
MAP(log, OF_THREE(log))
MAP(sqrt, OF_THREE(sqrt))
MAP(tanh, OF_THREE(tanh))
MAP(erf, OF_THREE(erf))
MAP(sin, OF_THREE(sin))
MAP(cos, OF_THREE(cos))
MAP(cast, OF_THREE(cast))
MAP(add, OF_THREE(add))
MAP(sub, OF_THREE(sub))
MAP(mul, OF_THREE(mul))
MAP(div, OF_THREE(div))
MAP(lt, OF_THREE(lt))
MAP(eq, OF_THREE(eq))
MAP(where, OF_THREE(where))

/* Pairs: the other operand of the second is the one after those of the first. */
#define OTHER_1 y[i]
#define OTHER_2 z[i]
#define PAIR(first, nin, second)                                                                   \
    MAP(first##_##second##_left,                                                                   \
        ARITHMETIC_##second(ARITHMETIC_##first(x[i], y[i], 0), OTHER_##nin, 0))                    \
    MAP(first##_##second##_right,                                                                  \
        ARITHMETIC_##second(OTHER_##nin, ARITHMETIC_##first(x[i], y[i], 0), 0))
#include "ops/pair.def"
#undef PAIR

const pdi_map_fn KERN(pairs)[PDI_PAIRS][2] = {
#define PAIR(first, nin, second)                                                                   \
    [PDI_PAIR_##first##_##second] = {map_##first##_##second##_left, map_##first##_##second##_right},
#include "ops/pair.def"
#undef PAIR
};

/* stop is the copy; it moves integers too, so it moves bytes. */
static void map_stop(float *out, const float *x, const float *y, const float *z, int64_t n)
{
    (void)y, (void)z;
    memmove(out, x, sizeof *out * (size_t)n);
}

const pdi_map_fn KERN(maps)[PDI_OPS] = {
#define OP(name, family, nin, adjoint, attrs, help) MAP_ROW_##family(name)
#define MAP_ROW_MAP(name)                           [PDI_##name] = map_##name,
#define MAP_ROW_LEAF(name)
#define MAP_ROW_WALK(name)
#define MAP_ROW_INDEX(name)
#define MAP_ROW_SELECT(name)
#define MAP_ROW_CONTRACT(name)
#define MAP_ROW_RANDOM(name)
#include "ops/op.def"
#undef OP
};
