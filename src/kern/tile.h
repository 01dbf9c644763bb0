/* kern/tile.h -- the inner loop of a product and the layout it reads, for one instruction set.
 *
 * A tile is a few rows by a few vectors of c, held in registers while k runs.  Which tiles
 * there are depends on how many registers there are: KERN(tiles) is their table. */
#ifndef PDI_KERN_TILE_H
#define PDI_KERN_TILE_H

#include "kern/body.h"
#include "kern/vec.h"

/* The largest tile is TILE_ROWS x TILE_VECS.  A block of b, at most BLOCK_K x BLOCK_N, should
 * stay in the second-level cache, and BLOCK_K of TILE_ROWS rows of a in the first. */
#if defined(__AVX512F__)
enum { TILE_ROWS = 14, TILE_VECS = 2, BLOCK_K = 400, BLOCK_N = 512 };
#elif defined(__AVX2__)
enum { TILE_ROWS = 6, TILE_VECS = 2, BLOCK_K = 256, BLOCK_N = 256 };
#elif defined(__ARM_NEON)
enum { TILE_ROWS = 8, TILE_VECS = 3, BLOCK_K = 256, BLOCK_N = 384 };
#else
enum { TILE_ROWS = 4, TILE_VECS = 4, BLOCK_K = 256, BLOCK_N = 256 };
#endif

/* The widest tiles have few rows; with that many vectors there are sums enough to hide the
 * latency of a multiply-add. */
enum { TILE_WIDEST = 8 };

typedef struct pdi_tile {
    int64_t k;
    const float *a; /* row i, term p at i * am + p * ak */
    int64_t am, ak;
    const float *b; /* term p of all columns at p * bk, columns side by side */
    int64_t bk;     /* across: column j at j * bk, terms side by side */
    float *c;
    int64_t ldc;
    bool first;      /* the sums start here: c is not read */
    vec_part last;   /* what a tile that is not whole has of its last vector */
    int64_t columns; /* across: how many */
} pdi_tile;

typedef void (*pdi_tile_fn)(const pdi_tile *t);

/* By vectors, rows, and whether it is whole; NULL where there is none.  Tiles of one row up
 * to TILE_ROWS rows and of one vector up to TILE_VECS are all there; wider ones are whole. */
extern const pdi_tile_fn KERN(tiles)[TILE_WIDEST + 1][TILE_ROWS + 1][2];

/* By vectors and rows: tiles that turn b from rows into columns on the way.  They start their
 * sums and want at least VEC_COLUMNS terms.  One vector goes with any rows; two, which hide
 * the latency of sums that are too few, with one or two rows. */
enum { TILE_ACROSS = 2 };
extern const pdi_tile_fn KERN(tiles_across)[TILE_ACROSS + 1][TILE_ROWS + 1];

/* to[p][i] = x[i * row + p * col] for i < n, p < k; to's rows are `width` apart, which is at
 * least n rounded up to whole vectors: those are written. */
void KERN(pack)(float *to, int64_t width, const float *x, int64_t row, int64_t col, int64_t n,
                int64_t k);

/* c[p][j] = x[j * VEC + p] for j < n, p < k: back from columns; n at most VEC. */
void KERN(turn)(float *c, int64_t ldc, const float *x, int64_t row, int64_t n, int64_t k);

#endif
