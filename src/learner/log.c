/* learner/log.c -- what was learned when: a line a time the state was written.
 *
 * Values of section "log", "%08d" to "SECONDS EXAMPLES WHAT".  The log is not state: it is not
 * hashed, and a rollback adds a line to it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "learner/learner.h"

enum { LOG_LINE = 512 };

pdr_rc pdi_log_add(pdr_learner *l, const char *what, const char *name, pdr_error *err)
{
    char number[16], line[LOG_LINE];
    int64_t next = 0;
    bool found;
    pdr_score s = pdr_learner_score(l);
    pdr_rc rc = pdi_store_get_number(l->store, "history", "next", &next, &found, err);
    if (rc) return rc;
    snprintf(number, sizeof number, "%08" PRId64, next % 100000000);
    snprintf(line, sizeof line, "%lld %" PRIu64 " %d %d %.17g %.17g %.17g %s%s%.255s",
             (long long)time(NULL), l->examples, l->form.class.n, l->form.task.n - 1,
             l->form.targets ? s.rmse : s.accuracy, s.recent, s.loss, what, name ? " " : "",
             name ? name : "");
    rc = pdi_store_put_text(l->store, "log", number, line, err);
    return rc ? rc : pdi_store_put_number(l->store, "history", "next", next + 1, err);
}

typedef struct log_walk {
    pdr_log_fn *show;
    void *ctx;
} log_walk;

static pdr_rc log_show(void *ctx, const pdi_value *v, pdr_error *err)
{
    const log_walk *w = ctx;
    pdr_log_entry e = {0};
    int used = 0;
    (void)err;
    long long at;
    if (!v->is_text || sscanf(v->text, "%lld %" SCNu64 " %d %d %lf %lf %lf %n", &at, &e.examples,
                              &e.classes, &e.tasks, &e.score, &e.recent, &e.loss, &used) < 7)
        return PDR_OK; /* of a version to come */
    e.when = at;
    e.what = v->text + used;
    return w->show(w->ctx, &e);
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
