/* bench/element.c -- scalar maps and sums by themselves. */
#include "bench/bench.h"

enum { ELEMENT_ARITHMETIC = 4 }; /* maps before this one count as one flop an element */

static pdr_node element_map(pdr_graph *g, int32_t map, pdr_node x, pdr_node y)
{
    switch (map) {
    case 0: return pdr_add(g, x, y);
    case 1: return pdr_mul(g, x, y);
    case 2: return pdr_div(g, x, y);
    case 3: return pdr_sqrt(g, x);
    case 4: return pdr_exp(g, x);
    case 5: return pdr_log(g, x);
    case 6: return pdr_tanh(g, x);
    case 7: return pdr_erf(g, x);
    default: return pdr_sin(g, x);
    }
}

void pdi_bench_map(pdi_work *w, const int32_t dim[])
{
    pdr_node x = pdi_work_value(w, PDR_SHAPE(dim[1]), pdi_fill_uniform, 0.1, 4), y = x;
    if (dim[0] < 3) y = pdi_work_value(w, PDR_SHAPE(dim[1]), pdi_fill_uniform, 0.1, 4);
    pdi_work_output(w, element_map(w->g, dim[0], x, y), -1);
    w->flops = dim[0] < ELEMENT_ARITHMETIC ? dim[1] : 0;
}

void pdi_bench_sum(pdi_work *w, const int32_t dim[])
{
    pdr_node x = pdi_work_value(w, PDR_SHAPE(dim[0], dim[1]), pdi_fill_normal, 0, 1);
    pdi_work_output(w, pdr_sum(w->g, x, (uint32_t)dim[2]), -1);
    w->flops = (double)dim[0] * dim[1];
}
