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
    {"conv4-maml/5w1s", "32 tasks, 5+5 images", pdi_bench_conv_maml, {32, 5, 64, 28}, 1},
    {"lstm/128", "batch 32, length 20, input 128", pdi_bench_lstm, {32, 20, 128, 128}, 3},
    {"attention/2x128", "batch 32, length 20, 4 heads", pdi_bench_attention,
     {32, 20, 128, 4, 2}, 3},
    {"map/add/16384", "2 -> 1", pdi_bench_map, {0, 16384}, 1},
    {"map/mul/16384", "2 -> 1", pdi_bench_map, {1, 16384}, 1},
    {"map/div/16384", "2 -> 1", pdi_bench_map, {2, 16384}, 1},
    {"map/sqrt/16384", "1 -> 1", pdi_bench_map, {3, 16384}, 1},
    {"map/exp/16384", "1 -> 1", pdi_bench_map, {4, 16384}, 1},
    {"map/log/16384", "1 -> 1", pdi_bench_map, {5, 16384}, 1},
    {"map/tanh/16384", "1 -> 1", pdi_bench_map, {6, 16384}, 1},
    {"map/erf/16384", "1 -> 1", pdi_bench_map, {7, 16384}, 1},
    {"map/sin/16384", "1 -> 1", pdi_bench_map, {8, 16384}, 1},
    {"map/add/4194304", "2 -> 1", pdi_bench_map, {0, 4194304}, 1},
    {"sum/rows/1024x1024", "-> 1024", pdi_bench_sum, {1024, 1024, 1 << 1}, 1},
    {"sum/columns/1024x1024", "-> 1024", pdi_bench_sum, {1024, 1024, 1 << 0}, 1},
    {"sum/all/1024x1024", "-> 1", pdi_bench_sum, {1024, 1024, 1 << 0 | 1 << 1}, 1},
    {"plan/conv4-maml/5w1s", "build and plan", pdi_bench_conv_maml, {32, 5, 64, 28}, 0},
    {"plan/lstm/128", "build and plan", pdi_bench_lstm, {32, 20, 128, 128}, 0},
    {"plan/attention/2x128", "build and plan", pdi_bench_attention, {32, 20, 128, 4, 2}, 0},
};
/* clang-format on */

const pdi_bench_row *pdi_bench_at(size_t i)
{
    return i < sizeof rows_table / sizeof rows_table[0] ? &rows_table[i] : NULL;
}
