/* kern/pack.c -- copying a matrix into the order in which a product reads it. */
#include "kern/tile.h"

static int64_t pack_least(int64_t x, int64_t y) { return x < y ? x : y; }

/* Columns lie side by side: copy rows of n. */
static void pack_rows(float *to, int64_t width, const float *x, int64_t col, int64_t n, int64_t k)
{
    int64_t whole = n / VEC * VEC;
    vec_part rest = vec_first(whole < n ? n - whole : VEC);
    for (int64_t p = 0; p < k; p++, to += width, x += col) {
        for (int64_t i = 0; i < whole; i += VEC) vec_store(to + i, vec_load(x + i));
        if (whole < n) vec_store(to + whole, vec_load_part(x + whole, rest));
    }
}

/* The next VEC_COLUMNS terms of VEC rows. */
static inline void pack_terms(float *to, int64_t width, const float *const from[VEC], int64_t p)
{
    vec t[VEC_COLUMNS];
    vec_load_columns(t, from, p);
    VEC_UNROLL
    for (int i = 0; i < VEC_COLUMNS; i++) vec_store(to + i * width, t[i]);
}

/* Terms lie side by side: n <= VEC rows of k become k rows of VEC.  The last few terms are
 * taken together even when some of them are there already. */
static void pack_columns(float *to, int64_t width, const float *x, int64_t row, int64_t n,
                         int64_t k)
{
    const float *from[VEC];
    vec_rows(from, x, row, n);
    int64_t p = 0;
    for (; p <= k - VEC_COLUMNS; p += VEC_COLUMNS) pack_terms(to + p * width, width, from, p);
    if (p < k) pack_terms(to + (k - VEC_COLUMNS) * width, width, from, k - VEC_COLUMNS);
}

/* Neither: number by number. */
static void pack_scattered(float *to, int64_t width, const float *x, int64_t row, int64_t col,
                           int64_t n, int64_t k)
{
    for (int64_t p = 0; p < k; p++)
        for (int64_t i = 0; i < VEC; i++)
            to[p * width + i] = x[pack_least(i, n - 1) * row + p * col];
}

void KERN(pack)(float *to, int64_t width, const float *x, int64_t row, int64_t col, int64_t n,
                int64_t k)
{
    if (row == 1) {
        pack_rows(to, width, x, col, n, k);
        return;
    }
    for (int64_t i = 0; i < n; i += VEC) {
        int64_t some = pack_least(VEC, n - i);
        if (col == 1 && k >= VEC_COLUMNS)
            pack_columns(to + i, width, x + i * row, row, some, k);
        else
            pack_scattered(to + i, width, x + i * row, row, col, some, k);
    }
}

void KERN(turn)(float *c, int64_t ldc, const float *x, int64_t row, int64_t n, int64_t k)
{
    const float *from[VEC];
    vec t[VEC_COLUMNS];
    vec_part part = vec_first(n);
    vec_rows(from, x, row, n);
    for (int64_t p = 0; p < k; p += VEC_COLUMNS) {
        int64_t count = pack_least(VEC_COLUMNS, k - p);
        vec_load_columns(t, from, p);
        for (int64_t i = 0; i < count; i++) vec_store_part(c + (p + i) * ldc, part, t[i]);
    }
}
