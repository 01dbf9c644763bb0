/* report/chart.h -- line charts as inline SVG.
 *
 * A chart is three drawings side by side: the figures of the y axis, the plot, and the
 * names of the lines at its right.  Only the plot stretches with the page; text and dots
 * keep their size, so one chart serves a desk and a telephone.
 *
 *     pdi_chart_open(t, &axes);
 *     pdi_chart_ticks(t, &axes);
 *     pdi_chart_line(t, &axes, n, x, y, "c0", "experience replay");
 *     pdi_chart_close(t, &axes, n_tags, tags);
 *
 * Points that are not finite break a line; points outside the axes are drawn at the edge. */
#ifndef PDI_REPORT_CHART_H
#define PDI_REPORT_CHART_H

#include "base/text.h"

typedef struct pdi_axes {
    double x0, x1, y0, y1;                /* the corners, in the data's units */
    int height;                           /* of the plot, px */
    int tag_width;                        /* room for names at the right, px */
    bool is_percent;                      /* y is a fraction, shown in per cent */
    bool x_is_count;                      /* ticks at whole numbers, the first at x0 */
    bool x_is_log;                        /* 0 < x0 < x1; ticks at 1, 2 and 5 times powers of ten */
    void (*put_x)(pdi_text *t, double x); /* what a tick says; NULL: the number */
    const char *title;                    /* for those who cannot see it */
    const char *x_name;                   /* under the axis */
} pdi_axes;

/* The name of a line, wished for at height y (data units). */
typedef struct pdi_tag {
    double y;
    size_t order; /* among equal y, the lower one first */
    char *text;
    char class[16];
} pdi_tag;

void pdi_chart_open(pdi_text *t, const pdi_axes *a);

/* A thin upright line with a word at its top: a task begins at x. */
void pdi_chart_mark(pdi_text *t, const pdi_axes *a, double x, const char *word);

/* class sets --s; hint is shown when a pointer rests on the line. */
void pdi_chart_line(pdi_text *t, const pdi_axes *a, size_t n, const double x[], const double y[],
                    const char *class, const char *hint);
void pdi_chart_band(pdi_text *t, const pdi_axes *a, size_t n, const double x[], const double lo[],
                    const double hi[], const char *class);
void pdi_chart_dot(pdi_text *t, const pdi_axes *a, double x, double y, const char *class);

/* A dotted line from where a line ends early to its name. */
void pdi_chart_reach(pdi_text *t, const pdi_axes *a, double x, double y, const char *class);

/* Close the plot and name the lines, moved apart where they would overlap, and thinned
 * out where there is no room.  Sorts the tags. */
void pdi_chart_close(pdi_text *t, const pdi_axes *a, size_t n, pdi_tag tags[]);

/* A round step (1, 2, 2.5 or 5 times a power of ten) that cuts span into at most n. */
double pdi_chart_step(double span, int n);

/* Move the sorted y apart by at least gap, inside lo..hi, as little as need be.  Their
 * count times gap must fit. */
void pdi_chart_spread(size_t n, double y[], double gap, double lo, double hi);

#endif
