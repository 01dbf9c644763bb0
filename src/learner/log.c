/* learner/log.c -- what was learned when: a line a time the state was written.
 *
 * Values of section "log", "%08d" to "SECONDS EXAMPLES CLASSES TASKS SCORE RECENT LOSS KAPPA
 * KAPPA-T WHAT".  The log is not state: it is not hashed, and a rollback leaves it and adds a line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "learner/learner.h"

enum { LOG_LINE = 512 };

/* Put a line at number `next`. */
static pdr_rc log_put(pdr_learner *l, int64_t next, const char *line, pdr_error *err)
{
    char number[16];
    snprintf(number, sizeof number, "%08" PRId64, next % 100000000);
    pdr_rc rc = pdi_store_put_text(l->store, "log", number, line, err);
    return rc ? rc : pdi_store_put_number(l->store, "history", "next", next + 1, err);
}

pdr_rc pdi_log_add(pdr_learner *l, const char *what, const char *name, pdr_error *err)
{
    char line[LOG_LINE];
    int64_t next = 0;
    bool found;
    pdr_score s = pdr_learner_score(l);
    pdr_rc rc = pdi_store_get_number(l->store, "history", "next", &next, &found, err);
    if (rc) return rc;
    snprintf(line, sizeof line, "%lld %" PRIu64 " %d %d %.17g %.17g %.17g %.17g %.17g %s%s%.255s",
             (long long)time(NULL), l->examples, l->form.class.n, l->form.task.n - 1,
             l->form.targets ? s.rmse : s.accuracy, s.recent, s.loss, s.kappa, s.kappa_temporal,
             what, name ? " " : "", name ? name : "");
    return log_put(l, next, line, err);
}

static bool log_parse(const char *line, pdr_log_entry *e)
{
    int used = 0;
    long long at;
    *e = (pdr_log_entry){0};
    if (sscanf(line, "%lld %" SCNu64 " %d %d %lf %lf %lf %lf %lf %n", &at, &e->examples,
               &e->classes, &e->tasks, &e->score, &e->recent, &e->loss, &e->kappa,
               &e->kappa_temporal, &used) < 9)
        return false;
    e->when = at;
    e->what = line + used;
    return true;
}

/* ---- past a rollback ---------------------------------------------------------------------- */

/* Lines that the snapshot does not have. */
typedef struct log_lines {
    const pdr_alloc *alloc;
    int64_t from;
    size_t n, cap;
    char **line;
} log_lines;

static pdr_rc log_collect(void *ctx, const pdi_value *v, pdr_error *err)
{
    log_lines *w = ctx;
    if (!v->is_text || strtoll(v->name, NULL, 10) < w->from) return PDR_OK;
    if (!pdi_grow(w->alloc, (void **)&w->line, w->n, &w->cap, sizeof *w->line))
        return pdi_nomem(err);
    w->line[w->n] = pdi_strdup(w->alloc, v->text);
    return w->line[w->n++] ? PDR_OK : pdi_nomem(err);
}

/* "rollback NAME", with the numbers of the line "snapshot NAME", the last that it has. */
static pdr_rc log_put_back(pdr_learner *l, const log_lines *w, const char *name, const char *last,
                           pdr_error *err)
{
    char line[LOG_LINE];
    pdr_log_entry e;
    pdr_rc rc = PDR_OK;
    int64_t next = w->from;
    for (size_t i = 0; !rc && i < w->n; i++) rc = log_put(l, next++, w->line[i], err);
    if (rc || !log_parse(last, &e)) return rc;
    const char *numbers = strchr(last, ' ');
    snprintf(line, sizeof line, "%lld%.*srollback %.255s", (long long)time(NULL),
             (int)(e.what - numbers), numbers, name);
    return log_put(l, next, line, err);
}

pdr_rc pdi_log_rollback(pdr_learner *l, const char *name, pdr_error *err)
{
    log_lines w = {.alloc = l->alloc};
    char number[16], *last = NULL;
    bool found;
    pdr_rc rc = pdi_store_view(l->store, name, err);
    if (!rc) rc = pdi_store_get_number(l->store, "history", "next", &w.from, &found, err);
    snprintf(number, sizeof number, "%08" PRId64, (w.from - 1) % 100000000);
    if (!rc) rc = pdi_store_get_text(l->store, "log", number, &last, NULL, err);
    if (!rc) rc = pdi_store_view(l->store, NULL, err);
    if (!rc) rc = pdi_store_values(l->store, "log", log_collect, &w, err);
    if (!rc) rc = pdi_store_rollback(l->store, name, err);
    if (!rc) rc = log_put_back(l, &w, name, last, err);
    for (size_t i = 0; i < w.n; i++) pdi_free(l->alloc, w.line[i]);
    pdi_free(l->alloc, w.line);
    pdi_free(l->alloc, last);
    return rc;
}

/* ---- reading -------------------------------------------------------------------------------- */

typedef struct log_walk {
    pdr_log_fn *show;
    void *ctx;
} log_walk;

static pdr_rc log_show(void *ctx, const pdi_value *v, pdr_error *err)
{
    const log_walk *w = ctx;
    pdr_log_entry e;
    (void)err;
    return v->is_text && log_parse(v->text, &e) ? w->show(w->ctx, &e) : PDR_OK;
}

pdr_rc pdr_learner_log(pdr_learner *l, pdr_log_fn *show, void *ctx, pdr_error *err)
{
    log_walk w = {show, ctx};
    pdr_rc rc = pdi_learner_check(l, false, err);
    if (!rc) rc = pdi_store_begin(l->store, PDI_STORE_READ, err);
    if (rc) return rc;
    rc = pdi_store_values(l->store, "log", log_show, &w, err);
    pdi_store_cancel(l->store);
    return rc;
}
