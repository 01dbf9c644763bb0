/* data/drawing.h -- Omniglot as its home serves it: drawings in zip archives. */
#ifndef PDI_DATA_DRAWING_H
#define PDI_DATA_DRAWING_H

#include <perdure/data.h>

enum { PDI_DRAWN = 105, PDI_DRAWING = 28 };

/* The dark pixels of a PNG image of 105x105 one-bit grey pixels: ink[k] is 1, or 0.  False
 * when it is something else, or damaged. */
bool pdi_drawing_ink(const uint8_t *png, size_t n, uint8_t ink[PDI_DRAWN * PDI_DRAWN]);

/* 28x28 from 105x105: the mean of three or four pixels each way, along rows first, each
 * time rounded to a byte; ink becomes 255. */
void pdi_drawing_shrink(const uint8_t ink[PDI_DRAWN * PDI_DRAWN],
                        uint8_t out[PDI_DRAWING * PDI_DRAWING]);

/* Archives of PART/GROUP/CHARACTER/DRAWING.png, the first to learn from, the second to test
 * on, as classes in order of name. */
pdr_rc pdi_drawing_open(const pdr_alloc *alloc, const char *const zip[2], pdr_dataset *out,
                        pdr_error *err);

#endif
