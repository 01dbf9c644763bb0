/* ops/leaf.c -- nodes without operands, and random draws. */
#include "base/philox.h"
#include "ops/ops.h"

static const char *leaf_infer(const pdr_graph *g, pdi_node *nd)
{
    (void)g;
    nd->shape = nd->attr.shape;
    return NULL;
}

static const char *leaf_iota_infer(const pdr_graph *g, pdi_node *nd)
{
    if (nd->attr.axis < 0 || nd->attr.axis >= nd->attr.shape.rank) return "no such axis";
    if (nd->attr.shape.dim[nd->attr.axis] > 1 << 24) return "an axis over 2^24 is not exact in f32";
    return leaf_infer(g, nd);
}

static void leaf_fill_eval(const pdr_graph *g, const pdi_node *nd, double *out, double *const in[])
{
    (void)g, (void)in;
    for (int64_t i = 0, n = pdr_shape_size(&nd->shape); i < n; i++) out[i] = nd->attr.value;
}

static void leaf_iota_eval(const pdr_graph *g, const pdi_node *nd, double *out, double *const in[])
{
    (void)g, (void)in;
    pdi_along a = pdi_along_axis(&nd->shape, nd->attr.axis);
    for (int64_t i = 0, n = a.outer * a.n * a.inner; i < n; i++)
        out[i] = (double)(i / a.inner % a.n);
}

/* ---- rand: key i32[batch..., 4] -> f32[batch..., shape...] ----------------- */

static const char *leaf_rand_infer(const pdr_graph *g, pdi_node *nd)
{
    const pdi_node *key = pdi_node_at(g, nd->in[0]);
    if (key->type != PDR_I32) return "a key holds integers";
    if (key->shape.rank < 1 || key->shape.dim[key->shape.rank - 1] != 4)
        return "a key has four words along its last axis";
    if (key->shape.rank - 1 != nd->attr.batch) return "the key's batch axes do not match";
    int64_t keys = 1;
    for (int k = 0; k < nd->attr.batch; keys *= key->shape.dim[k++])
        if (key->shape.dim[k] != nd->attr.shape.dim[k]) return "the key's batch axes do not match";
    if (pdr_shape_size(&nd->attr.shape) / keys > (int64_t)1 << 34)
        return "a key has 2^34 draws a stream";
    return leaf_infer(g, nd);
}

/* Draw i of a key {k0, k1, c2, c3}: word i mod 4 of the block whose counter is
 * {i / 4, stream, c2, c3}, of which the top 24 bits are the number. */
static void leaf_rand_eval(const pdr_graph *g, const pdi_node *nd, double *out, double *const in[])
{
    (void)g;
    int64_t keys = 1, each = pdr_shape_size(&nd->shape);
    for (int k = 0; k < nd->attr.batch; k++) keys *= nd->shape.dim[k];
    each /= keys;
    for (int64_t b = 0; b < keys; b++)
        for (int64_t i = 0; i < each; i++) {
            uint32_t w[4], block[4];
            for (int k = 0; k < 4; k++) w[k] = (uint32_t)(int32_t)in[0][b * 4 + k];
            pdi_philox(w, (uint32_t[]){(uint32_t)(i / 4), nd->attr.stream, w[2], w[3]}, block);
            out[b * each + i] = (block[i % 4] >> 8) * 0x1p-24;
        }
}

const pdi_op pdi_op_error = {.infer = leaf_infer};
const pdi_op pdi_op_input = {.infer = leaf_infer};
const pdi_op pdi_op_fill = {.infer = leaf_infer, .eval = leaf_fill_eval};
const pdi_op pdi_op_iota = {.infer = leaf_iota_infer, .eval = leaf_iota_eval};
const pdi_op pdi_op_rand = {.infer = leaf_rand_infer, .eval = leaf_rand_eval};
