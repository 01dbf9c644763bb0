/* report/chart.c -- line charts as inline SVG.
 *
 * Lines are drawn in a nested drawing 1000 units wide, stretched to the page's width with
 * strokes that do not stretch.  Text and dots stand in the outer one, across in per cent
 * and down in px. */
#include "report/chart.h"

#include <math.h>
#include <stdlib.h>

#include "report/put.h"

enum {
    CHART_TOP = 14,    /* px above the plot: half a figure, or a mark's word */
    CHART_BOTTOM = 24, /* px below it: the ticks */
    CHART_GAP = 13,    /* px from name to name */
    CHART_HOOK = 12    /* px from a line's end to its name */
};

/* ---- from the data's units to the paper's ---- */

static double chart_unit(double v, double lo, double hi)
{
    return hi > lo ? fmin(fmax((v - lo) / (hi - lo), 0), 1) : 0.5;
}

static double chart_x(const pdi_axes *a, double x)
{
    return a->x_is_log ? chart_unit(log(x), log(a->x0), log(a->x1)) : chart_unit(x, a->x0, a->x1);
}

static double chart_y(const pdi_axes *a, double y)
{
    return CHART_TOP + a->height * (1 - chart_unit(y, a->y0, a->y1));
}

double pdi_chart_step(double span, int n)
{
    static const double round[] = {1, 2, 2.5, 5, 10};
    if (!(span > 0) || !isfinite(span)) return 1;
    double power = pow(10, floor(log10(span / n)));
    for (size_t k = 0; k < sizeof round / sizeof round[0]; k++)
        if (span / (power * round[k]) <= n + 1e-9) return power * round[k];
    return 10 * power;
}

/* ---- the frame ---- */

static void chart_attribute(pdi_text *t, const char *name, double value, const char *unit)
{
    pdi_put(t, " ");
    pdi_put(t, name);
    pdi_put(t, "=\"");
    pdi_put_xy(t, value);
    pdi_put(t, unit);
    pdi_put(t, "\"");
}

static void chart_svg(pdi_text *t, const pdi_axes *a, const char *class)
{
    pdi_text_add(t, "<svg class=\"%s\" height=\"%d\">", class,
                 CHART_TOP + a->height + CHART_BOTTOM);
}

static void chart_level(pdi_text *t, const pdi_axes *a, double y)
{
    pdi_put(t, "<line class=\"grid\" x1=\"0\" x2=\"100%\"");
    chart_attribute(t, "y1", chart_y(a, y), "");
    chart_attribute(t, "y2", chart_y(a, y), "");
    pdi_put(t, "/>");
}

static void chart_level_name(pdi_text *t, const pdi_axes *a, double y, bool is_top)
{
    pdi_put(t, "<text x=\"100%\" dx=\"-6\" dy=\"4\" text-anchor=\"end\"");
    chart_attribute(t, "y", chart_y(a, y), "");
    pdi_put(t, ">");
    pdi_put_short(t, 4, a->is_percent ? 100 * y : y);
    pdi_put(t, is_top && a->is_percent ? "%</text>" : "</text>");
}

/* Call each for every level of the y axis, from the lowest. */
static void chart_levels(pdi_text *t, const pdi_axes *a, bool is_named)
{
    double step = pdi_chart_step(a->y1 - a->y0, 4), first = ceil(a->y0 / step - 1e-9);
    double last = fmin(floor((a->y1 - first * step) / step + 1e-9),
                       9); /* NaN when y is not finite */
    for (int k = 0; k <= last; k++) {
        double y = (first + k) * step;
        if (is_named)
            chart_level_name(t, a, y, k + 1 > last);
        else
            chart_level(t, a, y);
    }
}

static void chart_tick(pdi_text *t, const pdi_axes *a, double x)
{
    pdi_text_add(t, "<text text-anchor=\"middle\" y=\"%d\"", CHART_TOP + a->height + 17);
    chart_attribute(t, "x", 100 * chart_x(a, x), "%");
    pdi_put(t, ">");
    if (a->put_x)
        a->put_x(t, x);
    else if (x >= 0 && x < 1e15)
        pdi_put_count(t, (uint64_t)(x + 0.5));
    else
        pdi_put_short(t, 4, x);
    pdi_put(t, "</text>");
}

/* The step between named tasks: every one of up to ten, then at most six, at fives, tens,
 * twenties and so on. */
static double chart_task_step(double last)
{
    static const double round[] = {5, 10, 20};
    if (last <= 10) return 1;
    for (double power = 1; power < 1e9; power *= 10)
        for (size_t k = 0; k < sizeof round / sizeof round[0]; k++)
            if (last <= 6 * power * round[k]) return power * round[k];
    return last;
}

/* 1, 2 and 5 times powers of ten; the powers alone where those would be too many. */
static void chart_log_ticks(pdi_text *t, const pdi_axes *a)
{
    static const double lead[] = {1, 2, 5};
    double first = floor(log10(a->x0)), last = log10(a->x1);
    int each = last - first > 2 ? 1 : 3, step = (int)((last - first) / 6) + 1;
    for (int k = 0; k < 64 && first + k * step <= last; k++)
        for (int i = 0; i < each; i++) {
            double x = lead[i] * pow(10, first + k * step);
            if (x >= a->x0 * (1 - 1e-9) && x <= a->x1 * (1 + 1e-9)) chart_tick(t, a, x);
        }
}

/* Multiples of a round step; the first task is always named. */
static void chart_ticks(pdi_text *t, const pdi_axes *a)
{
    if (a->x_is_log) {
        chart_log_ticks(t, a);
        return;
    }
    double step = a->x_is_count ? chart_task_step(a->x1) : pdi_chart_step(a->x1 - a->x0, 5);
    double x = step * ceil(a->x0 / step - 1e-9);
    if (a->x_is_count && x > a->x0) chart_tick(t, a, a->x0);
    for (int k = 0; k < 16 && x <= a->x1 * (1 + 1e-9); k++, x += step) chart_tick(t, a, x);
}

void pdi_chart_open(pdi_text *t, const pdi_axes *a)
{
    pdi_text_add(t, "<div class=\"chart\" style=\"--tags:%dpx\" role=\"img\" aria-label=\"",
                 a->tag_width);
    pdi_put_safe(t, a->title);
    pdi_put(t, "\">");
    chart_svg(t, a, "scale");
    chart_levels(t, a, true);
    pdi_put(t, "</svg>");
    chart_svg(t, a, "plot");
    chart_levels(t, a, false);
    chart_ticks(t, a);
}

/* ---- what is in it ---- */

static void chart_nest(pdi_text *t, const pdi_axes *a)
{
    int h = CHART_TOP + a->height + CHART_BOTTOM;
    pdi_text_add(t,
                 "<svg width=\"100%%\" height=\"%d\" viewBox=\"0 0 1000 %d\" "
                 "preserveAspectRatio=\"none\">",
                 h, h);
}

static void chart_point(pdi_text *t, const pdi_axes *a, char pen, double x, double y)
{
    pdi_text_bytes(t, &pen, 1);
    pdi_put_xy(t, 1000 * chart_x(a, x));
    pdi_put(t, " ");
    pdi_put_xy(t, chart_y(a, y));
}

void pdi_chart_line(pdi_text *t, const pdi_axes *a, size_t n, const double x[], const double y[],
                    const char *class, const char *hint)
{
    bool is_down = false; /* the pen */
    chart_nest(t, a);
    pdi_put(t, "<path class=\"line ");
    pdi_put(t, class);
    pdi_put(t, "\" d=\"");
    for (size_t k = 0; k < n; k++) {
        if (isfinite(y[k])) chart_point(t, a, is_down ? 'L' : 'M', x[k], y[k]);
        is_down = isfinite(y[k]);
    }
    pdi_put(t, "\"><title>");
    pdi_put_safe(t, hint);
    pdi_put(t, "</title></path></svg>");
}

void pdi_chart_band(pdi_text *t, const pdi_axes *a, size_t n, const double x[], const double lo[],
                    const double hi[], const char *class)
{
    bool is_first = true;
    chart_nest(t, a);
    pdi_put(t, "<path class=\"band ");
    pdi_put(t, class);
    pdi_put(t, "\" d=\"");
    for (size_t k = 0; k < 2 * n; k++) { /* out along the top, back along the bottom */
        size_t i = k < n ? k : 2 * n - 1 - k;
        if (!isfinite(lo[i]) || !isfinite(hi[i])) continue;
        chart_point(t, a, is_first ? 'M' : 'L', x[i], k < n ? hi[i] : lo[i]);
        is_first = false;
    }
    pdi_put(t, is_first ? "\"/></svg>" : "Z\"/></svg>");
}

void pdi_chart_dot(pdi_text *t, const pdi_axes *a, double x, double y, const char *class)
{
    if (!isfinite(y)) return;
    pdi_put(t, "<circle r=\"3\" class=\"dot ");
    pdi_put(t, class);
    pdi_put(t, "\"");
    chart_attribute(t, "cx", 100 * chart_x(a, x), "%");
    chart_attribute(t, "cy", chart_y(a, y), "");
    pdi_put(t, "/>");
}

void pdi_chart_reach(pdi_text *t, const pdi_axes *a, double x, double y, const char *class)
{
    if (!isfinite(y)) return;
    pdi_text_add(t, "<line class=\"reach %s\" x2=\"100%%\"", class);
    chart_attribute(t, "x1", 100 * chart_x(a, x), "%");
    chart_attribute(t, "y1", chart_y(a, y), "");
    chart_attribute(t, "y2", chart_y(a, y), "");
    pdi_put(t, "/>");
}

void pdi_chart_mark(pdi_text *t, const pdi_axes *a, double x, const char *word)
{
    pdi_text_add(t, "<line class=\"mark\" y1=\"%d\" y2=\"%d\"", CHART_TOP, CHART_TOP + a->height);
    chart_attribute(t, "x1", 100 * chart_x(a, x), "%");
    chart_attribute(t, "x2", 100 * chart_x(a, x), "%");
    pdi_put(t, "/>");
    if (!*word) return;
    pdi_put(t, "<text class=\"word\" dx=\"4\" y=\"10\"");
    chart_attribute(t, "x", 100 * chart_x(a, x), "%");
    pdi_put(t, ">");
    pdi_put_safe(t, word);
    pdi_put(t, "</text>");
}

/* ---- names at the right ---- */

static int chart_higher(const void *left, const void *right)
{
    const pdi_tag *a = left, *b = right;
    int by_height = (a->y < b->y) - (a->y > b->y);
    return by_height ? by_height : (a->order > b->order) - (a->order < b->order);
}

/* Tags own their text, so they change places and are never copied over one another. */
static void chart_swap(pdi_tag *a, pdi_tag *b)
{
    pdi_tag t = *a;
    *a = *b;
    *b = t;
}

void pdi_chart_spread(size_t n, double y[], double gap, double lo, double hi)
{
    double edge = lo;
    for (size_t k = 0; k < n; k++) { /* down from the top */
        y[k] = fmax(y[k], edge);
        edge = y[k] + gap;
    }
    edge = hi;
    for (size_t k = n; k-- > 0;) { /* and up again from the bottom */
        y[k] = fmin(y[k], edge);
        edge = y[k] - gap;
    }
}

static void chart_tag(pdi_text *t, const pdi_axes *a, const pdi_tag *tag, double y)
{
    pdi_text_add(t, "<path class=\"hook %s\" d=\"M2 ", tag->class);
    pdi_put_xy(t, chart_y(a, tag->y));
    pdi_text_add(t, "L%d ", CHART_HOOK - 2);
    pdi_put_xy(t, y);
    pdi_text_add(t, "\"/><text class=\"tag %s\" dy=\"4\" x=\"%d\"", tag->class, CHART_HOOK + 2);
    chart_attribute(t, "y", y, "");
    pdi_put(t, ">");
    pdi_put(t, tag->text);
    pdi_put(t, "</text>");
}

enum { CHART_TAGS = 40 }; /* more never fit: charts are at most 500 px high */

void pdi_chart_close(pdi_text *t, const pdi_axes *a, size_t n, pdi_tag tags[])
{
    double y[CHART_TAGS];
    size_t room = (size_t)(a->height / CHART_GAP), kept = 0;
    if (room > CHART_TAGS) room = CHART_TAGS;
    for (size_t k = 0; k < n; k++)
        if (isfinite(tags[k].y)) chart_swap(&tags[kept++], &tags[k]);
    size_t skip = kept > room ? (kept + room - 1) / room : 1;
    for (size_t k = 0; k * skip < kept; k++) chart_swap(&tags[k], &tags[k * skip]);
    kept = (kept + skip - 1) / skip;
    if (kept) qsort(tags, kept, sizeof *tags, chart_higher);
    for (size_t k = 0; k < kept; k++) y[k] = chart_y(a, tags[k].y);
    pdi_chart_spread(kept, y, CHART_GAP, CHART_TOP, CHART_TOP + a->height);
    pdi_put(t, "</svg>");
    chart_svg(t, a, "tags");
    for (size_t k = 0; k < kept; k++) chart_tag(t, a, &tags[k], y[k]);
    pdi_put(t, "</svg></div>");
    if (!a->x_name) return;
    pdi_put(t, "<p class=\"axis\">");
    pdi_put(t, a->x_name);
    pdi_put(t, "</p>");
}
