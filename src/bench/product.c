/* bench/product.c -- matrix products: x y^T, one or a batch of them. */
#include "bench/bench.h"

void pdi_bench_product(pdi_work *w, const int32_t dim[])
{
    int32_t m = dim[0], n = dim[1], k = dim[2], batch = dim[3];
    pdr_shape xs = batch ? PDR_SHAPE(batch, m, k) : PDR_SHAPE(m, k);
    pdr_shape ys = batch ? PDR_SHAPE(batch, n, k) : PDR_SHAPE(n, k);
    pdr_node x = pdi_work_value(w, xs, pdi_fill_normal, 0, 1);
    pdr_node y = pdi_work_value(w, ys, pdi_fill_normal, 0, 1);
    pdi_work_output(w, pdr_dot(w->g, x, y), -1);
    w->flops = 2.0 * m * n * k * (batch ? batch : 1);
}
