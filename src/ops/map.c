/* ops/map.c -- scalar maps: arithmetic and gradient on one line each. */
#include <math.h>

#include "ops/ops.h"

static const char *map_infer(const pdr_graph *g, pdi_node *nd)
{
    pdr_type type = nd->op == PDI_cast ? PDR_I32 : PDR_F32;
    nd->shape = *pdi_shape_at(g, nd->in[0]);
    for (int k = 0; k < nd->nin; k++) {
        if (!pdr_shape_equal(&nd->shape, pdi_shape_at(g, nd->in[k]))) return "shapes differ";
        if (pdi_node_at(g, nd->in[k])->type != type)
            return type == PDR_F32 ? "operands are reals; cast integers first"
                                   : "casts integers only";
    }
    return NULL;
}

/* In the arithmetic x, y, z are the operands' elements.  In the gradient they
 * are the operands, r the result and g what arrives from above. */
#define MAP(op, arity, arithmetic, ...)                                                            \
    static void op##_eval(const pdr_graph *gr, const pdi_node *nd, double *out,                    \
                          double *const in[])                                                      \
    {                                                                                              \
        (void)gr;                                                                                  \
        for (int64_t i = 0, n = pdr_shape_size(&nd->shape); i < n; i++) {                          \
            double x = in[0][i], y = arity > 1 ? in[1][i] : 0, z = arity > 2 ? in[2][i] : 0;       \
            (void)x, (void)y, (void)z;                                                             \
            out[i] = arithmetic;                                                                   \
        }                                                                                          \
    }                                                                                              \
    static void op##_vjp(pdr_graph *G, pdr_node r, pdr_node g, pdr_node d[])                       \
    {                                                                                              \
        pdr_node x = G->v[r.id].in[0], y = G->v[r.id].in[1], z = G->v[r.id].in[2];                 \
        (void)x, (void)y, (void)z, (void)g, (void)d;                                               \
        __VA_ARGS__                                                                                \
    }                                                                                              \
    const pdi_op pdi_op_##op = {.infer = map_infer, .vjp = op##_vjp, .eval = op##_eval};

#define TWO_OVER_ROOT_PI 1.12837916709551257390

/* clang-format off */
MAP(neg,   1, -x,             d[0] = pdr_neg(G, g);)
MAP(exp,   1, exp(x),         d[0] = pdr_mul(G, g, r);)
MAP(log,   1, log(x),         d[0] = pdr_div(G, g, x);)
MAP(sqrt,  1, sqrt(x),        d[0] = pdr_div(G, g, pdr_add(G, r, r));)
MAP(tanh,  1, tanh(x),        pdr_node one = pdr_like(G, r, 1);
                              d[0] = pdr_mul(G, g, pdr_sub(G, one, pdr_square(G, r)));)
MAP(erf,   1, erf(x),         d[0] = pdr_mul(G, g, pdr_scale(G, TWO_OVER_ROOT_PI,
                                                   pdr_exp(G, pdr_neg(G, pdr_mul(G, x, x)))));)
MAP(sin,   1, sin(x),         d[0] = pdr_mul(G, g, pdr_cos(G, x));)
MAP(cos,   1, cos(x),         d[0] = pdr_neg(G, pdr_mul(G, g, pdr_sin(G, x)));)
MAP(stop,  1, x,              ;)
MAP(cast,  1, x,              ;)
MAP(add,   2, x + y,          d[0] = d[1] = g;)
MAP(sub,   2, x - y,          d[0] = g; d[1] = pdr_neg(G, g);)
MAP(mul,   2, x * y,          d[0] = pdr_mul(G, g, y); d[1] = pdr_mul(G, g, x);)
MAP(div,   2, x / y,          d[0] = pdr_div(G, g, y); d[1] = pdr_neg(G, pdr_mul(G, d[0], r));)
MAP(lt,    2, x < y,          ;)
MAP(eq,    2, x == y,         ;)
MAP(where, 3, x != 0 ? y : z, pdr_node o = pdr_like(G, g, 0);
                              d[1] = pdr_where(G, x, g, o); d[2] = pdr_where(G, x, o, g);)
/* clang-format on */
