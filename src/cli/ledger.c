/* cli/ledger.c -- published figures beside ours: rows of a table in a Markdown page. */
#include "cli/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/progress.h"
#include "report/replace.h"

const char pdi_ledger_head[] = "| recipe | source | published | asked | ours | seeds | time a run "
                               "| verdict | version, date |";

enum { LEDGER_PAGE = 1 << 20, LEDGER_NUMBER = 48, LEDGER_SEEDS = 20 };

/* ---- a row ---------------------------------------------------------------------------- */

char *pdi_ledger_key(const pdr_alloc *alloc, const char *path)
{
    static const char folder[] = "recipes/";
    const char *start = strncmp(path, "./", 2) ? path : path + 2;
    for (const char *s = path; (s = strstr(s, folder)) != NULL; s++)
        if (s == path || s[-1] == '/') start = s + strlen(folder);
    char *key = pdi_strdup(alloc, start);
    size_t n = key ? strlen(key) : 0;
    if (n > 5 && !strcmp(key + n - 5, ".yaml")) key[n - 5] = 0;
    return key;
}

/* Text in a cell: a bar would end it, a line's end the row. */
static void ledger_text(pdi_text *out, const char *s)
{
    for (; s && *s; s++)
        if (*s == '|')
            pdi_text_add(out, "\\|");
        else
            pdi_text_add(out, "%c", *s == '\n' || *s == '\r' ? ' ' : *s);
}

static double ledger_unit(const pdi_group *g) { return g->is_percent ? 100 : 1; }

static void ledger_asked(const pdr_published *p, const pdi_group *g, pdi_text *out)
{
    const char *unit = g->is_percent ? " %" : "";
    if (p->least > 0 && p->most > 0)
        pdi_text_add(out, "%g to %g%s", p->least, p->most, unit);
    else if (p->least > 0)
        pdi_text_add(out, "\xE2\x89\xA5 %g%s", p->least, unit);
    else if (p->most > 0)
        pdi_text_add(out, "\xE2\x89\xA4 %g%s", p->most, unit);
}

/* "89.36 ± 0.26 %", "R² 0.639 ± 0.004", "MSE 0.671 ± 0.012 after 1 step, median 0.680" */
static void ledger_ours(const pdi_group *g, pdi_text *out)
{
    int digits = g->is_percent ? 2 : 3;
    double unit = ledger_unit(g);
    if (!isfinite(g->acc.mean)) {
        pdi_text_add(out, "not a number");
        return;
    }
    if (!g->is_percent) pdi_text_add(out, "%s ", pdi_group_metric(g));
    pdi_text_add(out, "%.*f", digits, unit * g->acc.mean);
    if (pdi_group_has_spread(g) && isfinite(g->acc.se))
        pdi_text_add(out, " \xC2\xB1 %.*f", digits, unit * g->acc.se);
    if (g->is_percent) pdi_text_add(out, " %%");
    if (g->is_meta && g->steps > 0)
        pdi_text_add(out, " after %" PRId32 " step%s", g->scored, g->scored == 1 ? "" : "s");
    if (g->is_loss && !g->is_empty && isfinite(g->step[g->scored].median))
        pdi_text_add(out, ", median %.*f", digits, g->step[g->scored].median);
    if (g->is_meta && !g->is_empty && g->step[g->scored].diverged)
        pdi_text_add(out, ", %" PRIu64 " diverged", g->step[g->scored].diverged);
}

/* "1 to 5", "2, 7" */
static void ledger_seeds(const pdi_group *g, pdi_text *out)
{
    bool is_range = g->counted > 2;
    for (size_t k = 1; k < g->counted; k++)
        if (g->run[k]->seed != g->run[k - 1]->seed + 1) is_range = false;
    if (is_range)
        pdi_text_add(out, "%" PRIu64 " to %" PRIu64, g->run[0]->seed, g->run[g->counted - 1]->seed);
    else if (g->counted > LEDGER_SEEDS)
        pdi_text_add(out, "%zu seeds", g->counted);
    else
        for (size_t k = 0; k < g->counted; k++)
            pdi_text_add(out, k ? ", %" PRIu64 : "%" PRIu64, g->run[k]->seed);
}

static void ledger_time(double seconds, pdi_text *out)
{
    char text[24];
    pdi_progress_time(seconds, text);
    if (seconds < 100)
        pdi_text_add(out, "%.1f s", seconds);
    else
        pdi_text_add(out, "%s", text);
}

static void ledger_verdict(const pdr_published *p, const pdi_group *g, pdi_text *out)
{
    double x = ledger_unit(g) * g->acc.mean;
    bool is_asked = p->least > 0 || p->most > 0;
    bool holds = isfinite(x) && (!(p->least > 0) || x >= p->least) &&
                 (!(p->most > 0) || x <= p->most);
    if (is_asked) pdi_text_add(out, holds ? "holds" : "**missed**");
    if (holds && is_asked) return;
    if (is_asked && p->why) pdi_text_add(out, ": ");
    ledger_text(out, p->why);
}

void pdi_ledger_row(const char *key, const pdr_published *published, const pdi_group *g,
                    pdi_text *out)
{
    const pdr_result *last = g->run[g->counted - 1];
    pdi_text_add(out, "| `");
    ledger_text(out, key);
    pdi_text_add(out, "` | ");
    ledger_text(out, published->source);
    pdi_text_add(out, " | ");
    ledger_text(out, published->figure ? published->figure : "none");
    pdi_text_add(out, " | ");
    ledger_asked(published, g, out);
    pdi_text_add(out, " | ");
    ledger_ours(g, out);
    pdi_text_add(out, " | ");
    ledger_seeds(g, out);
    pdi_text_add(out, " | ");
    ledger_time(g->seconds.mean, out);
    pdi_text_add(out, " | ");
    ledger_verdict(published, g, out);
    pdi_text_add(out, " | %s, %.7s |\n", last->version ? last->version : "",
                 last->started ? last->started : "");
}

/* ---- the page ------------------------------------------------------------------------------ */

static pdr_rc ledger_read(const char *path, pdi_text *page, pdr_error *err)
{
    char bytes[4096];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f)
        return pdi_fail(err, PDR_INPUT, "%s: cannot be opened: %s; name a page that is there", path,
                        strerror(errno));
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0 && page->n < LEDGER_PAGE)
        pdi_text_bytes(page, bytes, n);
    bool is_read = !ferror(f) && feof(f);
    fclose(f);
    pdi_text_bytes(page, "", 0);
    if (page->failed) return pdi_nomem(err);
    return is_read ? PDR_OK
                   : pdi_fail(err, PDR_INPUT, "%s: cannot be read, or is over 1 MiB", path);
}

static const char *ledger_next(const char *line)
{
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}

/* How many bytes of two keys, up to and with a slash, are the same: those of their folder. */
static size_t ledger_folder(const char *row, const char *key)
{
    const char *slash = strrchr(key, '/');
    size_t n = slash ? (size_t)(slash - key) + 1 : 0;
    return !strncmp(row, key, n) && !memchr(row + n, '/', strcspn(row + n, "`")) ? n + 1 : 0;
}

/* Where the row belongs in the table at `table`: at *start, in place of what is before *end. */
static void ledger_place(const char *table, const char *key, const char **start, const char **end)
{
    const char *line = ledger_next(ledger_next(table)); /* the head, and what rules it off */
    const char *below = NULL;
    size_t n = strlen(key);
    for (; *line == '|'; line = ledger_next(line)) {
        if (strncmp(line, "| `", 3) != 0) continue;
        *start = line;
        *end = ledger_next(line);
        if (!strncmp(line + 3, key, n) && line[3 + n] == '`') return;
        if (ledger_folder(line + 3, key)) below = *end;
    }
    *start = *end = below ? below : line;
}

pdr_rc pdi_ledger_put(const pdr_alloc *alloc, const char *path, const char *key, const char *row,
                      pdr_error *err)
{
    pdi_text page = {.alloc = alloc}, out = {.alloc = alloc};
    pdr_rc rc = ledger_read(path, &page, err);
    const char *table = rc ? NULL : strstr(page.s, pdi_ledger_head), *start, *end;
    if (!rc && !table)
        rc = pdi_fail(err, PDR_INPUT, "%s: there is no table that begins with '%s'", path,
                      pdi_ledger_head);
    if (!rc) {
        ledger_place(table, key, &start, &end);
        pdi_text_bytes(&out, page.s, (size_t)(start - page.s));
        pdi_text_add(&out, "%s%s", start > page.s && start[-1] != '\n' ? "\n" : "", row);
        pdi_text_add(&out, "%s", end);
        rc = out.failed ? pdi_nomem(err) : pdi_file_replace(alloc, path, &out, err);
    }
    pdi_text_close(&page);
    pdi_text_close(&out);
    return rc;
}
