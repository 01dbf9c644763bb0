/* kern/gemm.c -- matrix product: which part of c when, and what is copied first.
 *
 * Columns go by panels, rows by tiles, k by blocks.  Blocks of k are taken in order, so each
 * element of c stays one chain of multiply-adds (tile.c).  b is copied into panels when its
 * columns do not lie side by side, and when so many rows use it that reading it with long
 * steps would cost more. */
#include "kern/odometer.h"
#include "kern/tile.h"

enum {
    GEMM_MANY = 12,     /* tiles of rows over which copying b costs nothing */
    GEMM_FAR = 1 << 18, /* floats of b, and more are too many pages to go through at a stride */
    GEMM_TURN = 64,     /* rows of c that are made lying, then turned */
    GEMM_WIDTH = TILE_VECS * VEC,
    GEMM_FEW = 8 * TILE_ROWS, /* columns of c, when few rows are */
};

_Static_assert((int)PDI_PACK >= BLOCK_N * BLOCK_K, "scratch holds a block of b");

typedef struct gemm_way {
    int vecs;       /* of a panel */
    int64_t nc, kc; /* of a block of b */
    bool packs_b;
} gemm_way;

static int64_t gemm_min(int64_t x, int64_t y) { return x < y ? x : y; }

/* x / y, rounded up. */
static int64_t gemm_up(int64_t x, int64_t y) { return (x + y - 1) / y; }

/* The largest part when x is cut evenly into as few parts as may be, each at most `most`. */
static int64_t gemm_even(int64_t x, int64_t most)
{
    return x <= most ? x : gemm_up(x, gemm_up(x, most));
}

/* The widest panel that there are tiles of m rows for. */
static int gemm_vecs(int64_t m)
{
    if (m > TILE_ROWS) return TILE_VECS;
    for (int v = TILE_WIDEST; v > TILE_VECS; v--)
        if (KERN(tiles)[v][m][1]) return v;
    return TILE_VECS;
}

static bool gemm_packs_b(const pdi_gemm *g)
{
    if (g->bn != 1) return g->n > 1;
    if (pdi_dot_copies(g->bn, g->bk, g->k) && g->m > 2 * TILE_ROWS) return true;
    return g->m > GEMM_MANY * TILE_ROWS && g->k * g->n > GEMM_FAR;
}

static gemm_way gemm_choose(const pdi_gemm *g)
{
    gemm_way w = {.vecs = gemm_vecs(g->m), .nc = g->n};
    w.packs_b = !g->is_packed && gemm_packs_b(g);
    if (w.packs_b || g->is_packed) w.vecs = TILE_VECS;
    int64_t width = w.vecs * VEC;
    if (g->n > BLOCK_N) w.nc = gemm_up(gemm_even(g->n, BLOCK_N), width) * width;
    w.kc = gemm_even(g->k, BLOCK_K);
    return w;
}

/* Vectors of a tile for the last n columns of a panel. */
static int gemm_narrow(int vecs, int rows, int64_t n)
{
    if (n < TILE_VECS * VEC) return (int)gemm_up(n, VEC);
    while (vecs * VEC > n || !KERN(tiles)[vecs][rows][1]) vecs--;
    return vecs;
}

/* Some rows of c by n columns.  panel: from one panel of b to the next. */
static void gemm_rows(pdi_tile *t, int vecs, int rows, int64_t n, int64_t panel)
{
    pdi_tile_fn whole = KERN(tiles)[vecs][rows][1];
    for (; n >= vecs * VEC; n -= vecs * VEC) {
        whole(t);
        t->b += panel;
        t->c += vecs * VEC;
    }
    while (n > 0) {
        int v = gemm_narrow(vecs, rows, n);
        t->last = vec_first(v * VEC > n ? n - (v - 1) * VEC : VEC);
        KERN(tiles)[v][rows][v * VEC <= n](t);
        t->b += v * VEC;
        t->c += v * VEC;
        n -= v * VEC;
    }
}

/* Columns j .. j+n of c get terms p .. p+k of their sums. */
static void gemm_block(const pdi_gemm *g, const gemm_way *w, int64_t j, int64_t n, int64_t p,
                       int64_t k)
{
    int64_t width = w->vecs * VEC, panel = width, tiles = gemm_up(g->m, TILE_ROWS);
    const float *b = g->b + j * g->bn + p * g->bk;
    pdi_tile t = {.k = k, .am = g->am, .ak = g->ak, .bk = g->bk, .ldc = g->ldc, .first = p == 0};
    if (w->packs_b) {
        for (int64_t i = 0; i < n; i += width) KERN(pack)
        (g->pack + i * k, width, b + i * g->bn, g->bn, g->bk, gemm_min(width, n - i), k);
        b = g->pack;
        t.bk = width;
        panel = width * k;
    }
    if (g->is_packed) {
        b = g->b + j * g->k + p * width;
        t.bk = width;
        panel = width * g->k;
    }
    for (int64_t i = 0; i < g->m; tiles--) {
        int64_t rows = tiles == 1 ? g->m - i : gemm_up(g->m - i, tiles);
        t.a = g->a + i * g->am + p * g->ak;
        t.b = b;
        t.c = g->c + i * g->ldc + j;
        gemm_rows(&t, w->vecs, (int)rows, n, panel);
        i += rows;
    }
}

static void gemm_blocks(const pdi_gemm *g)
{
    gemm_way w = gemm_choose(g);
    for (int64_t j = 0; j < g->n; j += w.nc)
        for (int64_t p = 0; p < g->k; p += w.kc)
            gemm_block(g, &w, j, gemm_min(w.nc, g->n - j), p, gemm_min(w.kc, g->k - p));
}

/* So few rows that copying b would take as long as the rest: tiles turn it themselves. */
static void gemm_across(const pdi_gemm *g)
{
    pdi_tile t = {
        .k = g->k, .am = g->am, .ak = g->ak, .a = g->a, .bk = g->bn, .ldc = g->ldc, .first = true};
    for (int64_t j = 0; j < g->n; j += t.columns) {
        int vecs = g->m <= 2 && g->n - j > VEC ? 2 : 1;
        t.columns = gemm_min(vecs * VEC, g->n - j);
        t.last = vec_first(t.columns - (vecs - 1) * VEC);
        t.b = g->b + j * g->bn;
        t.c = g->c + j;
        KERN(tiles_across)[vecs][g->m](&t);
    }
}

/* Any product, c standing. */
static void gemm_standing(const pdi_gemm *g)
{
    if (g->m <= TILE_ROWS && g->n > 1 && g->bn != 1 && g->bk == 1 && g->k >= VEC_COLUMNS)
        gemm_across(g);
    else
        gemm_blocks(g);
}

/* ---- few columns ---------------------------------------------------------------------- */

/* The same product with the operands' places changed makes c lying on its side. */
static pdi_gemm gemm_lying(const pdi_gemm *g)
{
    pdi_gemm s = *g;
    s.m = g->n;
    s.n = g->m;
    s.a = g->b;
    s.am = g->bn;
    s.ak = g->bk;
    s.b = g->a;
    s.bn = g->am;
    s.bk = g->ak;
    return s;
}

/* One column: c lying is c. */
static void gemm_column(const pdi_gemm *g)
{
    pdi_gemm s = gemm_lying(g);
    s.ldc = g->m;
    gemm_standing(&s);
}

static void gemm_turned(const pdi_gemm *g)
{
    float out[VEC * GEMM_TURN], *c = g->c;
    pdi_gemm s = gemm_lying(g);
    s.c = out;
    s.ldc = GEMM_TURN;
    for (int64_t i = 0; i < g->m; i += GEMM_TURN) {
        s.n = gemm_min(GEMM_TURN, g->m - i);
        gemm_standing(&s);
        KERN(turn)(c, g->ldc, out, GEMM_TURN, g->n, s.n);
        s.b += GEMM_TURN * g->am;
        c += GEMM_TURN * g->ldc;
    }
}

/* Do c's columns fill vectors so badly that its rows do better, turning included? */
static bool gemm_turns(const pdi_gemm *g)
{
    return g->n <= VEC * 3 / 4 && g->am == 1 && g->m >= VEC && g->k >= 8;
}

/* ---- few rows -------------------------------------------------------------------------- */

/* More rows than tiles turn b for, and so few that copying b, which would have to be, takes
 * longer than copying them and turning c. */
static bool gemm_is_few(const pdi_gemm *g)
{
    bool few = g->m > TILE_ROWS && g->m <= 2 * TILE_ROWS && g->m <= GEMM_WIDTH;
    return few && g->n > 2 * g->m && g->bn != 1 && g->bk == 1 && g->k * GEMM_WIDTH <= PDI_PACK;
}

static void gemm_few(const pdi_gemm *g)
{
    float out[GEMM_FEW * GEMM_WIDTH];
    pdi_gemm s = gemm_lying(g);
    KERN(pack)(g->pack, GEMM_WIDTH, g->a, g->am, g->ak, g->m, g->k);
    s.b = g->pack;
    s.is_packed = true;
    s.c = out;
    s.ldc = GEMM_WIDTH;
    for (int64_t j = 0; j < g->n; j += GEMM_FEW) {
        s.m = gemm_min(GEMM_FEW, g->n - j);
        gemm_blocks(&s);
        for (int64_t i = 0; i < s.m; i += VEC) KERN(turn)
        (g->c + j + i, g->ldc, out + i * GEMM_WIDTH, GEMM_WIDTH, gemm_min(VEC, s.m - i), g->m);
        s.a += GEMM_FEW * g->bn;
    }
}

/* ---- operands in runs ------------------------------------------------------------------ */

static int64_t gemm_at(const pdi_axes *a, int64_t i) { return odometer_start(a, a->n, i).at; }

/* How far the run that element i lies in goes on, at most `most`. */
static int64_t gemm_run(const pdi_axes *a, int64_t i, int64_t most)
{
    int64_t run = a->dim[a->n - 1];
    return gemm_min(run - i % run, most);
}

static int64_t gemm_step(const pdi_axes *a) { return a->stride[a->n - 1]; }

/* Columns j .. j+n of b, of one run, terms p .. p+k, to panels. */
static void gemm_pack_runs(const pdi_gemm *g, int64_t width, int64_t j, int64_t n, int64_t p,
                           int64_t k)
{
    const pdi_axes *terms = &g->runs->b_terms;
    int64_t step = gemm_step(&g->runs->columns), length = terms->dim[terms->n - 1];
    const float *b = g->b + gemm_at(&g->runs->columns, g->column + j);
    odometer outer = odometer_start(terms, terms->n - 1, p / length);
    for (int64_t q = 0, run; q < k; q += run) {
        const float *from = b + outer.at + (p + q) % length * gemm_step(terms);
        run = gemm_run(terms, p + q, k - q);
        for (int64_t i = 0; i < n; i += width) KERN(pack)
        (g->pack + i * k + q * width, width, from + i * step, step, gemm_step(terms),
         gemm_min(width, n - i), run);
        odometer_next(&outer, terms->n - 1);
    }
}

/* All rows of what has been packed; terms p .. p+k are of one run of a's. */
static void gemm_row_runs(const pdi_gemm *g, int vecs, int64_t j, int64_t n, int64_t p, int64_t k)
{
    const pdi_gemm_runs *r = g->runs;
    int64_t width = vecs * VEC, rows;
    const float *a = g->a + gemm_at(&r->a_terms, p);
    const float *b = g->is_packed ? g->b + j * g->k + p * width : g->pack;
    pdi_tile t = {.k = k, .bk = width, .ldc = g->ldc, .first = p == 0};
    t.am = gemm_step(&r->rows);
    t.ak = gemm_step(&r->a_terms);
    for (int64_t i = 0; i < g->m; i += rows) {
        int64_t run = gemm_run(&r->rows, g->row + i, g->m - i);
        rows = gemm_even(run, TILE_ROWS);
        t.a = a + gemm_at(&r->rows, g->row + i);
        t.b = b;
        t.c = g->c + i * g->ldc + j;
        gemm_rows(&t, vecs, (int)rows, n, width * (g->is_packed ? g->k : k));
    }
}

static void gemm_runs(const pdi_gemm *g)
{
    const pdi_gemm_runs *r = g->runs;
    int vecs = gemm_vecs(gemm_even(gemm_min(r->rows.dim[r->rows.n - 1], g->m), TILE_ROWS));
    int64_t n, k;
    if (g->is_packed) vecs = TILE_VECS;
    int64_t most = (BLOCK_N - TILE_WIDEST * VEC) / (vecs * VEC) * vecs * VEC;
    for (int64_t j = 0; j < g->n; j += n) {
        n = gemm_run(&r->columns, g->column + j, gemm_min(g->n - j, most));
        for (int64_t p = 0; p < g->k; p += k) {
            k = gemm_run(&r->a_terms, p, gemm_min(g->k - p, BLOCK_K));
            if (!g->is_packed) gemm_pack_runs(g, vecs * VEC, j, n, p, k);
            gemm_row_runs(g, vecs, j, n, p, k);
        }
    }
}

void KERN(gemm)(const pdi_gemm *g)
{
    if (g->runs)
        gemm_runs(g);
    else if (g->is_packed)
        gemm_blocks(g);
    else if (g->n == 1 && g->ldc == 1 && g->m > 1 && (g->am == 1 || g->m >= 4))
        gemm_column(g);
    else if (gemm_turns(g))
        gemm_turned(g);
    else if (gemm_is_few(g))
        gemm_few(g);
    else
        gemm_standing(g);
}
