/* kern/gemm.c -- matrix product: packed panels and a register tile.
 *
 * The tile is vectorised across outputs; each output is one chain of fused
 * multiply-adds in ascending k.  Blocks of k go through c in order, so blocking
 * does not change the chain. */
#include <string.h>

#include "kern/body.h"
#include "kern/vec.h"

enum { TILE_COLS = VEC * TILE_VECS };

/* a: [k][ROWS], b: [k][TILE_COLS].  first: c is not read. */
typedef void (*gemm_tile_fn)(int64_t k, const float *a, const float *b, float *c, int64_t ldc,
                             bool first);

#define TILE(ROWS)                                                                                 \
    static void gemm_tile_##ROWS(int64_t k, const float *a, const float *b, float *c, int64_t ldc, \
                                 bool first)                                                       \
    {                                                                                              \
        vec t[ROWS][TILE_VECS];                                                                    \
        int64_t p = 0;                                                                             \
        if (first) {                                                                               \
            for (int i = 0; i < ROWS; i++)                                                         \
                for (int j = 0; j < TILE_VECS; j++)                                                \
                    t[i][j] = vec_mul(vec_set(a[i]), vec_load(b + j * VEC));                       \
            p = 1;                                                                                 \
        } else {                                                                                   \
            for (int i = 0; i < ROWS; i++)                                                         \
                for (int j = 0; j < TILE_VECS; j++) t[i][j] = vec_load(c + i * ldc + j * VEC);     \
        }                                                                                          \
        for (; p < k; p++) {                                                                       \
            vec y[TILE_VECS];                                                                      \
            for (int j = 0; j < TILE_VECS; j++) y[j] = vec_load(b + p * TILE_COLS + j * VEC);      \
            for (int i = 0; i < ROWS; i++) {                                                       \
                vec x = vec_set(a[p * ROWS + i]);                                                  \
                for (int j = 0; j < TILE_VECS; j++) t[i][j] = vec_fma(x, y[j], t[i][j]);           \
            }                                                                                      \
        }                                                                                          \
        for (int i = 0; i < ROWS; i++)                                                             \
            for (int j = 0; j < TILE_VECS; j++) vec_store(c + i * ldc + j * VEC, t[i][j]);         \
    }

TILE(1)
TILE(2)
TILE(4)
#if defined(__AVX512F__)
TILE(8)
TILE(14)
static const gemm_tile_fn gemm_tiles[] = {[1] = gemm_tile_1,
                                          [2] = gemm_tile_2,
                                          [4] = gemm_tile_4,
                                          [8] = gemm_tile_8,
                                          [14] = gemm_tile_14};
#elif defined(__AVX2__)
TILE(6)
static const gemm_tile_fn gemm_tiles[] = {
    [1] = gemm_tile_1, [2] = gemm_tile_2, [4] = gemm_tile_4, [6] = gemm_tile_6};
#elif defined(__ARM_NEON)
TILE(8)
static const gemm_tile_fn gemm_tiles[] = {
    [1] = gemm_tile_1, [2] = gemm_tile_2, [4] = gemm_tile_4, [8] = gemm_tile_8};
#else
static const gemm_tile_fn gemm_tiles[] = {[1] = gemm_tile_1, [2] = gemm_tile_2, [4] = gemm_tile_4};
#endif

/* The smallest tile with at least `rows` rows. */
static int gemm_tile_rows(int64_t rows)
{
    for (int r = 1; r < TILE_ROWS; r++)
        if (gemm_tiles[r] && r >= rows) return r;
    return TILE_ROWS;
}

/* to[p][i] = x[i * row + p * col] for i < n, zero for n <= i < width. */
static void gemm_pack_panel(float *to, const float *x, int64_t row, int64_t col, int64_t n,
                            int64_t width, int64_t k)
{
    if (n < width) memset(to, 0, sizeof *to * (size_t)(width * k));
    if (row == 1) {
        for (int64_t p = 0; p < k; p++) memcpy(to + p * width, x + p * col, sizeof *to * (size_t)n);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t p = 0; p < k; p++) to[p * width + i] = x[i * row + p * col];
}

/* A tile at the edge goes through a full-sized copy of its corner of c. */
static void gemm_edge(int rows, int64_t k, const float *a, const float *b, float *c, int64_t ldc,
                      bool first, int64_t m, int64_t n)
{
    float corner[TILE_ROWS * TILE_COLS];
    size_t bytes = sizeof *c * (size_t)n;
    memset(corner, 0, sizeof corner);
    for (int64_t i = 0; i < m && !first; i++) memcpy(corner + i * TILE_COLS, c + i * ldc, bytes);
    gemm_tiles[rows](k, a, b, corner, TILE_COLS, first);
    for (int64_t i = 0; i < m; i++) memcpy(c + i * ldc, corner + i * TILE_COLS, bytes);
}

static int64_t gemm_min(int64_t x, int64_t y) { return x < y ? x : y; }

/* Rows i0 .. i0+mc of c against one packed block of b. */
static void gemm_rows(const pdi_gemm *g, int64_t i0, int64_t mc, int64_t j0, int64_t nc, int64_t p0,
                      int64_t kc, const float *pb, float *pa)
{
    for (int64_t i = 0; i < mc; i += TILE_ROWS) {
        int64_t m = gemm_min(TILE_ROWS, mc - i);
        gemm_pack_panel(pa + i * kc, g->a + (i0 + i) * g->am + p0 * g->ak, g->am, g->ak, m,
                        gemm_tile_rows(m), kc);
    }
    for (int64_t j = 0; j < nc; j += TILE_COLS)
        for (int64_t i = 0; i < mc; i += TILE_ROWS) {
            int64_t m = gemm_min(TILE_ROWS, mc - i), n = gemm_min(TILE_COLS, nc - j);
            int rows = gemm_tile_rows(m);
            float *c = g->c + (i0 + i) * g->ldc + j0 + j;
            if (m == rows && n == TILE_COLS)
                gemm_tiles[rows](kc, pa + i * kc, pb + j * kc, c, g->ldc, p0 == 0);
            else
                gemm_edge(rows, kc, pa + i * kc, pb + j * kc, c, g->ldc, p0 == 0, m, n);
        }
}

void KERN(gemm)(const pdi_gemm *g)
{
    float *pb = g->pack, *pa = g->pack + PDI_KC * (PDI_NC + 32);
    for (int64_t j0 = 0; j0 < g->n; j0 += PDI_NC) {
        int64_t nc = gemm_min(PDI_NC, g->n - j0);
        for (int64_t p0 = 0; p0 < g->k; p0 += PDI_KC) {
            int64_t kc = gemm_min(PDI_KC, g->k - p0);
            for (int64_t j = 0; j < nc; j += TILE_COLS)
                gemm_pack_panel(pb + j * kc, g->b + (j0 + j) * g->bn + p0 * g->bk, g->bn, g->bk,
                                gemm_min(TILE_COLS, nc - j), TILE_COLS, kc);
            for (int64_t i0 = 0; i0 < g->m; i0 += PDI_MC)
                gemm_rows(g, i0, gemm_min(PDI_MC, g->m - i0), j0, nc, p0, kc, pb, pa);
        }
    }
}
