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

/* Pointers to VEC rows of x; past the last row, to the last one: what is read there ends in
 * lanes that nobody stores, but a number it should be, for strange ones are slow to add. */
static void pack_from(const float *from[VEC], const float *x, int64_t row, int64_t n)
{
    for (int64_t i = 0; i < VEC; i++) from[i] = x + pack_least(i, n - 1) * row;
}

/* Fewer terms than a vector has lanes: by way of rows that are as long. */
static void pack_short(float *to, int64_t width, const float *from[VEC], int64_t k)
{
    float rows[VEC * VEC];
    vec t[VEC];
    vec_part part = vec_first(k);
    for (int64_t i = 0; i < VEC; i++) {
        vec_store(rows + i * VEC, vec_load_part(from[i], part));
        from[i] = rows + i * VEC;
    }
    vec_load_columns(t, from, 0);
    for (int64_t p = 0; p < k; p++) vec_store(to + p * width, t[p]);
}

/* Terms lie side by side: n <= VEC rows of k become k rows of VEC.  The last VEC terms are
 * taken together even when some of them are there already. */
static void pack_columns(float *to, int64_t width, const float *x, int64_t row, int64_t n,
                         int64_t k)
{
    const float *from[VEC];
    pack_from(from, x, row, n);
    if (k < VEC) {
        pack_short(to, width, from, k);
        return;
    }
    for (int64_t p = 0; p < k; p += VEC) {
        int64_t at = pack_least(p, k - VEC);
        vec t[VEC];
        vec_load_columns(t, from, at);
        VEC_UNROLL
        for (int i = 0; i < VEC; i++) vec_store(to + (at + i) * width, t[i]);
    }
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
        if (col == 1)
            pack_columns(to + i, width, x + i * row, row, some, k);
        else
            pack_scattered(to + i, width, x + i * row, row, col, some, k);
    }
}

void KERN(turn)(float *c, int64_t ldc, const float *x, int64_t row, int64_t n, int64_t k)
{
    const float *from[VEC];
    vec t[VEC];
    vec_part part = vec_first(n);
    pack_from(from, x, row, n);
    for (int64_t p = 0; p < k; p += VEC) {
        int64_t count = pack_least(VEC, k - p);
        vec_load_columns(t, from, p);
        for (int64_t i = 0; i < count; i++) vec_store_part(c + (p + i) * ldc, part, t[i]);
    }
}
