/* kern/map.c -- scalar maps in f32, one line each. */
#include "kern/body.h"
#include "kern/fmath.h"

#define MAP(name, arithmetic)                                                                      \
    static void map_##name(float *out, const float *X, const float *Y, const float *Z, int64_t n)  \
    {                                                                                              \
        (void)X, (void)Y, (void)Z;                                                                 \
        KERN_INDEPENDENT                                                                           \
        for (int64_t i = 0; i < n; i++) out[i] = arithmetic;                                       \
    }

#define x X[i]
#define y Y[i]
#define z Z[i]

/* clang-format off */
MAP(neg,   -x)
MAP(exp,   pdi_expf(x))
MAP(log,   pdi_logf(x))
MAP(sqrt,  sqrtf(x))
MAP(tanh,  pdi_tanhf(x))
MAP(erf,   pdi_erff(x))
MAP(sin,   pdi_sinf(x))
MAP(cos,   pdi_cosf(x))
MAP(cast,  (float)(int32_t)fmath_bits(x))
MAP(add,   x + y)
MAP(sub,   x - y)
MAP(mul,   x * y)
MAP(div,   x / y)
MAP(lt,    x < y ? 1.0f : 0.0f)
MAP(eq,    x == y ? 1.0f : 0.0f)
MAP(where, x != 0 ? y : z)
/* clang-format on */

#undef x
#undef y
#undef z

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
