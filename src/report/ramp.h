/* report/ramp.h -- colours that stand for numbers. */
#ifndef PDI_REPORT_RAMP_H
#define PDI_REPORT_RAMP_H

#include "base/text.h"

enum { PDI_RAMP_STEPS = 25 };

/* Cells are painted with the heat ramp: what is low fades into the paper, what is high
 * stands out of it.  Lines are drawn with the line ramp, which keeps its distance from
 * the paper all along. */
typedef enum pdi_ramp { PDI_RAMP_HEAT, PDI_RAMP_LINE } pdi_ramp;

typedef struct pdi_colour {
    unsigned char r, g, b;
} pdi_colour;

/* Step k of a ramp, 0 .. PDI_RAMP_STEPS-1, on light or on dark paper. */
pdi_colour pdi_ramp_colour(pdi_ramp ramp, bool is_dark, int k);

/* Relative luminance and contrast ratio as WCAG 2.1 defines them. */
double pdi_luminance(pdi_colour c);
double pdi_contrast(pdi_colour a, pdi_colour b);

/* White where that has a contrast of at least 4.5 on c, else black (which then has). */
pdi_colour pdi_ramp_text(pdi_colour c);

/* The step for x in lo .. hi; ends are kept, NaN is -1. */
int pdi_ramp_step(double x, double lo, double hi);

/* Style rules for both ramps, both themes: .h0 .. .h24 set --f (fill) and --t (text),
 * .k0 .. .k24 set --s (stroke). */
void pdi_ramp_style(pdi_text *t);

#endif
