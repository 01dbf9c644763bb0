/* bench/rows.c -- the one table of what is timed. */
#include "bench/bench.h"

/* clang-format off */
static const pdi_bench_row rows_table[] = {
    {"gemm/256x256x256", "m n k", pdi_bench_product, {256, 256, 256}, 1},
    {"gemm/1024x1024x1024", "m n k", pdi_bench_product, {1024, 1024, 1024}, 1},
    {"gemm/128x400x400", "m n k", pdi_bench_product, {128, 400, 400}, 1},
    {"gemm/64x256x784", "m n k", pdi_bench_product, {64, 256, 784}, 1},
    {"gemm/3136x64x576", "m n k", pdi_bench_product, {3136, 64, 576}, 1},
    {"gemm/10x40x40x25", "m n k batch", pdi_bench_product, {10, 40, 40, 25}, 1},
    {"gemm/25x40x40x25", "m n k batch", pdi_bench_product, {25, 40, 40, 25}, 1},
    {"sinusoid-maml/exact", "25 tasks, 10+10 points, 1-40-40-1", pdi_bench_sinusoid,
     {25, 10, 40, 1}, 20},
    {"sinusoid-maml/first-order", "25 tasks, 10+10 points, 1-40-40-1", pdi_bench_sinusoid,
     {25, 10, 40, 0}, 20},
    {"mlp/784-400-400-10/128", "batch 128, Adam", pdi_bench_mlp, {128, 784, 400, 400, 10}, 5},
    {"mlp/784-400-400-10/10", "batch 10, Adam", pdi_bench_mlp, {10, 784, 400, 400, 10}, 5},
    {"mlp/6-32-2/1", "batch 1, SGD", pdi_bench_mlp_sgd, {1, 6, 32, 2}, 100},
};
/* clang-format on */

const pdi_bench_row *pdi_bench_at(size_t i)
{
    return i < sizeof rows_table / sizeof rows_table[0] ? &rows_table[i] : NULL;
}
