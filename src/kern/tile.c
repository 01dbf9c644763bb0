/* kern/tile.c -- the inner loop of a product: a tile of c in registers while k runs.
 *
 * Vectors run across columns of c; each element is one chain of fused multiply-adds in
 * ascending k, whatever the tile.  b is read a vector at a time, a one number at a time, in
 * place and through its strides: copying a first was never faster when k runs along it. */
#include "kern/tile.h"

#define TILE_EXPAND __attribute__((always_inline))

/* Where tile_run() is expanded these are constants: loops over them disappear and arrays
 * are registers. */
typedef struct tile_size {
    int rows, vecs;
    bool whole;
} tile_size;

/* Vector j of a row at p; the last one may be a part. */
static inline TILE_EXPAND vec tile_load(const pdi_tile *t, tile_size z, const float *p, int j)
{
    return z.whole || j < z.vecs - 1 ? vec_load(p + j * VEC) : vec_load_part(p + j * VEC, t->last);
}

/* A sum starts at -0, which changes nothing that is added to it, a zero's sign included. */
static inline TILE_EXPAND void tile_start(const pdi_tile *t, tile_size z, vec sum[][TILE_WIDEST])
{
    VEC_UNROLL
    for (int i = 0; i < z.rows; i++) {
        VEC_UNROLL
        for (int j = 0; j < z.vecs; j++)
            sum[i][j] = t->first ? vec_set(-0.0f) : tile_load(t, z, t->c + i * t->ldc, j);
    }
}

/* Pointers to every third row of a: one row on and two are distances that an address can be
 * made of, and there are not pointers enough for all. */
typedef const float *tile_rows[TILE_ROWS / 3 + 1];

static inline TILE_EXPAND void tile_open(const pdi_tile *t, tile_size z, tile_rows a)
{
    VEC_UNROLL
    for (int i = 0; i < z.rows; i += 3) a[i / 3] = t->a + i * t->am;
}

/* The next term of every sum: a's numbers times y. */
static inline TILE_EXPAND void tile_term(tile_size z, tile_rows a, int64_t am, int64_t ak,
                                         const vec *y, vec sum[][TILE_WIDEST])
{
    VEC_UNROLL
    for (int i = 0; i < z.rows; i++) {
        vec x = vec_set(a[i / 3][i % 3 * am]);
        VEC_UNROLL
        for (int j = 0; j < z.vecs; j++) sum[i][j] = vec_fma(x, y[j], sum[i][j]);
    }
    VEC_UNROLL
    for (int i = 0; i < z.rows; i += 3) a[i / 3] += ak;
}

static inline TILE_EXPAND void tile_store(const pdi_tile *t, tile_size z, vec sum[][TILE_WIDEST])
{
    float *c = t->c;
    const int64_t ldc = t->ldc;
    const vec_part last = t->last;
    VEC_UNROLL
    for (int i = 0; i < z.rows; i++, c += ldc) {
        VEC_UNROLL
        for (int j = 0; j < z.vecs; j++)
            if (z.whole || j < z.vecs - 1)
                vec_store(c + j * VEC, sum[i][j]);
            else
                vec_store_part(c + j * VEC, last, sum[i][j]);
    }
}

static inline TILE_EXPAND void tile_run(const pdi_tile *t, tile_size z)
{
    vec sum[TILE_ROWS][TILE_WIDEST], y[TILE_WIDEST];
    tile_rows a;
    const float *b = t->b;
    const int64_t am = t->am, ak = t->ak, bk = t->bk;
    tile_open(t, z, a);
    tile_start(t, z, sum);
    for (int64_t p = t->k; p > 0; p--, b += bk) {
        VEC_UNROLL
        for (int j = 0; j < z.vecs; j++) y[j] = tile_load(t, z, b, j);
        tile_term(z, a, am, ak, y, sum);
    }
    tile_store(t, z, sum);
}

/* VEC_COLUMNS terms of all columns, from the rows that b lies in. */
static inline TILE_EXPAND void tile_turn(tile_size z, const float *(*b)[VEC], int64_t p,
                                         vec y[VEC_COLUMNS][TILE_ACROSS])
{
    vec t[VEC_COLUMNS];
    VEC_UNROLL
    for (int j = 0; j < z.vecs; j++) {
        vec_load_columns(t, b[j], p);
        VEC_UNROLL
        for (int q = 0; q < VEC_COLUMNS; q++) y[q][j] = t[q];
    }
}

/* The last few terms are read together with some that were there already. */
static inline TILE_EXPAND void tile_run_across(const pdi_tile *t, tile_size z)
{
    vec sum[TILE_ROWS][TILE_WIDEST], y[VEC_COLUMNS][TILE_ACROSS];
    tile_rows a;
    const float *b[TILE_ACROSS][VEC];
    const int64_t am = t->am, ak = t->ak, k = t->k;
    int64_t p = 0;
    VEC_UNROLL
    for (int j = 0; j < z.vecs; j++)
        vec_rows(b[j], t->b + j * VEC * t->bk, t->bk, t->columns - j * VEC);
    tile_open(t, z, a);
    tile_start(t, z, sum);
    for (; p <= k - VEC_COLUMNS; p += VEC_COLUMNS) {
        tile_turn(z, b, p, y);
        VEC_UNROLL
        for (int q = 0; q < VEC_COLUMNS; q++) tile_term(z, a, am, ak, y[q], sum);
    }
    if (p < k) {
        tile_turn(z, b, k - VEC_COLUMNS, y);
        VEC_UNROLL
        for (int q = 1; q < VEC_COLUMNS; q++)
            if (q >= VEC_COLUMNS - (k - p)) tile_term(z, a, am, ak, y[q], sum);
    }
    tile_store(t, z, sum);
}

/* One line a tile: DO(rows, vecs). */
#define ROWS_2(DO, V)  DO(1, V) DO(2, V)
#define ROWS_4(DO, V)  ROWS_2(DO, V) DO(3, V) DO(4, V)
#define ROWS_6(DO, V)  ROWS_4(DO, V) DO(5, V) DO(6, V)
#define ROWS_8(DO, V)  ROWS_6(DO, V) DO(7, V) DO(8, V)
#define ROWS_14(DO, V) ROWS_8(DO, V) DO(9, V) DO(10, V) DO(11, V) DO(12, V) DO(13, V) DO(14, V)

/* Registers: rows * vecs sums, vecs of b and one of a. */
#if defined(__AVX512F__) /* 32 */
#define TILES_ONE(DO)  ROWS_14(DO, 1)
#define TILES_ANY(DO)  TILES_ONE(DO) ROWS_14(DO, 2)
#define TILES_WIDE(DO) ROWS_4(DO, 4) ROWS_2(DO, 8)
#elif defined(__AVX2__) /* 16 */
#define TILES_ONE(DO)  ROWS_6(DO, 1)
#define TILES_ANY(DO)  TILES_ONE(DO) ROWS_6(DO, 2)
#define TILES_WIDE(DO) ROWS_2(DO, 4) DO(1, 8)
#elif defined(__ARM_NEON) /* 32 */
#define TILES_ONE(DO)  ROWS_8(DO, 1)
#define TILES_ANY(DO)  TILES_ONE(DO) ROWS_8(DO, 2) ROWS_8(DO, 3)
#define TILES_WIDE(DO) ROWS_2(DO, 8)
#else
#define TILES_ONE(DO) ROWS_4(DO, 1)
#define TILES_ANY(DO) TILES_ONE(DO) ROWS_4(DO, 2) ROWS_4(DO, 3) ROWS_4(DO, 4)
#define TILES_WIDE(DO)
#endif

#define TILE_WHOLE(ROWS, VECS)                                                                     \
    static void tile_whole_##ROWS##_##VECS(const pdi_tile *t)                                      \
    {                                                                                              \
        tile_run(t, (tile_size){ROWS, VECS, true});                                                \
    }
#define TILE_PART(ROWS, VECS)                                                                      \
    static void tile_part_##ROWS##_##VECS(const pdi_tile *t)                                       \
    {                                                                                              \
        tile_run(t, (tile_size){ROWS, VECS, false});                                               \
    }
#define TILE_TURNS(ROWS, VECS)                                                                     \
    static void tile_turns_##ROWS##_##VECS(const pdi_tile *t)                                      \
    {                                                                                              \
        tile_run_across(t, (tile_size){ROWS, VECS, false});                                        \
    }
#define TILE_BOTH(ROWS, VECS)                                                                      \
    {                                                                                              \
        tile_part_##ROWS##_##VECS, tile_whole_##ROWS##_##VECS                                      \
    }
#define TILE_ANY(ROWS, VECS)  [VECS][ROWS] = TILE_BOTH(ROWS, VECS),
#define TILE_WIDE(ROWS, VECS) [VECS][ROWS] = {NULL, tile_whole_##ROWS##_##VECS},
#define TILE_TURN(ROWS, VECS) [VECS][ROWS] = tile_turns_##ROWS##_##VECS,

TILES_ANY(TILE_WHOLE)
TILES_ANY(TILE_PART)
TILES_WIDE(TILE_WHOLE)
TILES_ONE(TILE_TURNS)
ROWS_2(TILE_TURNS, 2)

const pdi_tile_fn KERN(tiles)[TILE_WIDEST + 1][TILE_ROWS + 1][2] = {TILES_ANY(TILE_ANY)
                                                                        TILES_WIDE(TILE_WIDE)};

const pdi_tile_fn KERN(tiles_across)[TILE_ACROSS + 1][TILE_ROWS + 1] = {TILES_ONE(TILE_TURN)
                                                                            ROWS_2(TILE_TURN, 2)};
