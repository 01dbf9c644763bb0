/* cli/gauge.c -- the words of progress: pure functions of the numbers.
 *
 * The live line is made of parts.  Each has a rank; as many of the best ranks as fit
 * are shown, in their places, and the bar takes what remains. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/progress.h"

enum { GAUGE_PARTS = 8, GAUGE_PART = 96, GAUGE_BAR_LEAST = 8, GAUGE_BAR_MOST = 40 };

typedef struct gauge_part {
    int rank; /* 1 is kept longest; 0 is the bar, which has no text */
    char s[GAUGE_PART];
} gauge_part;

void pdi_progress_time(double seconds, char text[24])
{
    double whole = seconds >= 0 && seconds < 1e9 ? floor(seconds) : 0;
    unsigned long s = (unsigned long)whole;
    if (s < 3600)
        snprintf(text, 24, "%lu:%02lu", s / 60, s % 60);
    else
        snprintf(text, 24, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
}

void pdi_progress_number(double x, char text[16])
{
    static const char units[] = " kMGT";
    size_t unit = 0;
    while (x >= 999.5 && unit < 4) {
        x /= 1000;
        unit++;
    }
    int decimals = unit == 0 || x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2;
    snprintf(text, 16, unit ? "%.*f%c" : "%.*f", decimals, x < 1e6 ? x : 999999.0, units[unit]);
}

static double gauge_fraction(const pdi_progress *p)
{
    if (p->now.iterations == 0 || p->now.iteration == 0) return 0;
    return p->now.iteration < p->now.iterations
               ? (double)p->now.iteration / (double)p->now.iterations
               : 1;
}

/* Four decimals where they fit, so that the line does not jump. */
static void gauge_loss(const pdi_progress *p, char s[GAUGE_PART])
{
    if (!isfinite(p->now.loss)) return;
    snprintf(s, GAUGE_PART, fabs(p->now.loss) < 10 ? "loss %.4f" : "loss %.4g", p->now.loss);
}

static void gauge_score(const pdi_progress *p, char s[GAUGE_PART])
{
    bool is_percent = p->metric && !strcmp(p->metric, "accuracy");
    if (!p->metric || !isfinite(p->now.average)) return;
    snprintf(s, GAUGE_PART, is_percent ? "%s %.1f%%" : "%s %.3f", p->metric,
             is_percent ? 100 * p->now.average : p->now.average);
}

static void gauge_left(const pdi_progress *p, double elapsed, char s[GAUGE_PART])
{
    double done = gauge_fraction(p);
    char time[24];
    if (done <= 0) return;
    pdi_progress_time(done < 1 ? ceil(elapsed * (1 - done) / done) : 0, time);
    snprintf(s, GAUGE_PART, "%s left", time);
}

static size_t gauge_parts(const pdi_progress *p, double elapsed, gauge_part part[GAUGE_PARTS])
{
    char rate[16];
    memset(part, 0, GAUGE_PARTS * sizeof *part);
    static const int ranks[GAUGE_PARTS] = {7, 1, 0, 2, 6, 5, 4, 3};
    for (size_t i = 0; i < GAUGE_PARTS; i++) part[i].rank = ranks[i];
    if (p->label) snprintf(part[0].s, GAUGE_PART, "%s", p->label);
    if (p->now.tasks > 0)
        snprintf(part[1].s, GAUGE_PART, "task %d/%d", p->now.task + 1, p->now.tasks);
    snprintf(part[3].s, GAUGE_PART, "%3d%%", (int)(100 * gauge_fraction(p)));
    pdi_progress_number(p->rate, rate);
    if (p->rate > 0) snprintf(part[4].s, GAUGE_PART, "%s ex/s", rate);
    gauge_loss(p, part[5].s);
    gauge_score(p, part[6].s);
    gauge_left(p, elapsed, part[7].s);
    return GAUGE_PARTS;
}

/* Characters that the parts up to a rank take, with the gaps between them. */
static size_t gauge_used(size_t n, const gauge_part part[], int rank)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        if (part[i].rank && part[i].rank <= rank && part[i].s[0])
            used += pdi_utf8_length(part[i].s) + 2;
    return used;
}

static void gauge_bar(const pdi_progress *p, size_t cells, pdi_text *out)
{
    size_t full = (size_t)(gauge_fraction(p) * (double)cells);
    const char *on = p->is_unicode ? "\xE2\x96\x88" : "#";  /* full block */
    const char *off = p->is_unicode ? "\xE2\x96\x91" : "-"; /* light shade */
    if (p->is_coloured) pdi_text_add(out, "\033[32m");
    for (size_t i = 0; i < cells; i++) {
        if (p->is_coloured && i == full) pdi_text_add(out, "\033[90m");
        pdi_text_add(out, "%s", i < full ? on : off);
    }
    if (p->is_coloured) pdi_text_add(out, "\033[0m");
}

void pdi_progress_line(const pdi_progress *p, double elapsed, size_t width, pdi_text *out)
{
    gauge_part part[GAUGE_PARTS];
    size_t n = gauge_parts(p, elapsed, part), room = width > 3 ? width - 3 : 1; /* for ^C */
    int rank = GAUGE_PARTS;
    /* No gap stands behind the last part; the two that matter least give way to the bar. */
    while (rank > 1 && gauge_used(n, part, rank) > room + 2) rank--;
    while (rank > 5 && gauge_used(n, part, rank) + GAUGE_BAR_LEAST > room) rank--;
    size_t used = gauge_used(n, part, rank), cells = used < room ? room - used : 0;
    if (cells > GAUGE_BAR_MOST) cells = GAUGE_BAR_MOST;
    if (cells < GAUGE_BAR_LEAST) cells = 0;
    const char *gap = "";
    pdi_text_bytes(out, "", 0); /* a text even when there is nothing to say yet */
    for (size_t i = 0; i < n; i++) {
        bool is_bar = part[i].rank == 0;
        if (is_bar ? !cells : part[i].rank > rank || !part[i].s[0]) continue;
        pdi_text_add(out, "%s%s", gap, part[i].s);
        if (is_bar) gauge_bar(p, cells, out);
        gap = "  ";
    }
}

void pdi_progress_task_line(const pdi_progress *p, const char *task, double seconds, pdi_text *out)
{
    char score[GAUGE_PART] = "", loss[GAUGE_PART] = "";
    gauge_score(p, score);
    gauge_loss(p, loss);
    pdi_text_add(out, "%s: %.1f s", task, seconds);
    if (*loss) pdi_text_add(out, ", %s", loss);
    if (*score) pdi_text_add(out, ", %s", score);
}
