/* learner/export_card.c -- a model card: what a learner is, for people, in Markdown.
 *
 * After Mitchell et al., "Model cards for model reporting", FAT* 2019, as far as a file can know:
 * every sentence follows from what the learner holds.  What only people know (who is to use it,
 * what for) is not made up; the card says that it is missing. */
#include <inttypes.h>
#include <math.h>
#include <perdure/version.h>
#include <string.h>
#include <time.h>

#include "learner/exchange.h"
#include "report/put.h"

enum { CARD_NAMES = 100 };

/* ---- words ----------------------------------------------------------------------------------- */

/* A name as text of a page or a table, whatever is in it. */
static void export_card_name(pdi_text *out, const char *s)
{
    pdi_text clean = {.alloc = out->alloc};
    pdi_text_bytes(&clean, "", 0);
    pdi_put_utf8(&clean, s);
    if (clean.failed) out->failed = true;
    for (size_t i = 0; i < clean.n; i++) {
        unsigned char c = (unsigned char)clean.s[i];
        if (c < ' ') {
            pdi_text_add(out, " ");
        } else {
            if (strchr("\\`*_[]<>|#", c)) pdi_text_add(out, "\\");
            pdi_text_bytes(out, clean.s + i, 1);
        }
    }
    pdi_text_close(&clean);
}

static void export_card_names(pdi_text *out, const pdi_names *names, int32_t from)
{
    for (int32_t i = from; i < names->n && i < from + CARD_NAMES; i++) {
        if (i > from) pdi_text_add(out, ", ");
        export_card_name(out, names->v[i]);
    }
    if (names->n > from + CARD_NAMES)
        pdi_text_add(out, " and %d more", names->n - from - CARD_NAMES);
}

static void export_card_number(pdi_text *out, const char *what, double x)
{
    if (isfinite(x)) pdi_text_add(out, "| %s | %.4g |\n", what, x);
}

static void export_card_section(pdi_text *out, const char *heading)
{
    pdi_text_add(out, "\n## %s\n\n", heading);
}

/* ---- sections -----------------------------------------------------------------------------------
 */

static void export_card_model(const pdr_learner *l, pdi_text *out)
{
    const pdr_recipe *r = &l->recipe;
    char shape[PDR_SHAPE_TEXT];
    pdi_text_add(out, "| | |\n|---|---|\n| model | ");
    for (size_t i = 0; i < r->layers; i++) pdi_text_add(out, "%s, ", r->layer[i].kind->name);
    pdi_text_add(out, "output layer of %d |\n| parameters | %" PRIu64 " |\n", l->form.outputs,
                 pdr_learner_parameters(l));
    pdi_text_add(out, "| method | %s: %s%s%s |\n", r->method.kind->name, r->method.kind->title,
                 r->method.kind->cite ? "; " : "",
                 r->method.kind->cite ? r->method.kind->cite : "");
    pdi_text_add(out, "| optimizer | %s |\n| an example | %s", r->optimizer.kind->name,
                 pdr_shape_text(&l->form.shape, shape));
    if (l->form.feature.n) pdi_text_add(out, ": ");
    export_card_names(out, &l->form.feature, 0);
    pdi_text_add(out, " |\n| features | %s |\n| an answer | ",
                 l->mean ? "centred and scaled by the running mean and variance of all so far"
                         : "as they come");
    if (l->form.targets)
        pdi_text_add(out, "%d real %s |\n", l->form.targets,
                     l->form.targets == 1 ? "number" : "numbers");
    else
        pdi_text_add(out, "one of %d classes, and the probability of each |\n", l->form.class.n);
    pdi_text_add(out, "| state hash | `%016" PRIx64 "` |\n| made with | perdure %s |\n",
                 pdr_learner_state_hash(l), pdr_version());
}

/* The first and the last line of the log. */
typedef struct card_times {
    int64_t first, last;
} card_times;

static pdr_rc export_card_time(void *ctx, const pdr_log_entry *e)
{
    card_times *t = ctx;
    if (!t->first) t->first = e->when;
    t->last = e->when;
    return PDR_OK;
}

static void export_card_day(pdi_text *out, int64_t at)
{
    struct tm utc;
    time_t when = (time_t)at;
    char text[32];
    if (gmtime_r(&when, &utc) && strftime(text, sizeof text, "%Y-%m-%d", &utc))
        pdi_text_add(out, "%s", text);
}

static void export_card_source(const pdr_learner *l, pdi_text *out)
{
    const char *name = l->recipe.data.name;
    const pdr_registry_row *row = NULL;
    for (size_t i = 0; name && *name && (row = pdr_registry_at(i)) != NULL; i++)
        if (!strcmp(row->name, name)) break;
    if (!row) return;
    pdi_text_add(out, "The recipe names the set %s: ", row->name);
    export_card_name(out, row->title);
    pdi_text_add(out, "; from %s, licence: ", row->home);
    export_card_name(out, row->licence);
    pdi_text_add(out, ". Where the examples that were learned came from is not recorded.\n\n");
}

static pdr_rc export_card_data(pdr_learner *l, pdi_text *out, pdr_error *err)
{
    const pdi_tally *t = &l->tally;
    card_times times = {0, 0};
    pdr_rc rc = pdr_learner_log(l, export_card_time, &times, err);
    if (rc) return rc;
    export_card_source(l, out);
    pdi_text_add(out, "%" PRIu64 " examples came, %d of which wait for a whole batch. Made on ",
                 l->examples, l->waiting);
    export_card_day(out, times.first);
    pdi_text_add(out, ", last written on ");
    export_card_day(out, times.last);
    pdi_text_add(out, " (UTC).\n");
    if (l->form.targets || !l->form.class.n) return PDR_OK;
    pdi_text_add(out, "\n| class | examples learned | answered so before |\n|---|---:|---:|\n");
    for (int32_t c = 0; c < l->form.class.n && c < CARD_NAMES; c++) {
        pdi_text_add(out, "| ");
        export_card_name(out, l->form.class.v[c]);
        pdi_text_add(out, " | %" PRIu64 " | %" PRIu64 " |\n", t->label[c], t->answer[c]);
    }
    if (l->form.class.n > CARD_NAMES)
        pdi_text_add(out, "\nand %d classes more.\n", l->form.class.n - CARD_NAMES);
    return PDR_OK;
}

static void export_card_tasks(const pdr_learner *l, pdi_text *out)
{
    if (l->form.task.n < 2) return;
    export_card_section(out, "Tasks");
    for (int32_t t = 1; t < l->form.task.n && t <= CARD_NAMES; t++) {
        bool any = false;
        pdi_text_add(out, "- ");
        export_card_name(out, l->form.task.v[t]);
        for (int32_t c = 0; c < l->form.class.n; c++) {
            if (l->mask[(int64_t)t * l->form.outputs + c] <= 0) continue;
            pdi_text_add(out, any ? ", " : ": ");
            export_card_name(out, l->form.class.v[c]);
            any = true;
        }
        pdi_text_add(out, "\n");
    }
    if (!l->form.targets)
        pdi_text_add(out, "\nWhere the task is known, its classes are the only answers.\n");
}

static void export_card_score(const pdr_learner *l, pdi_text *out)
{
    pdr_score s = pdr_learner_score(l);
    export_card_section(out, "How good it is");
    if (!s.n) {
        pdi_text_add(out, "Nothing was learned yet, so nothing is known.\n");
        return;
    }
    pdi_text_add(out,
                 "Test, then train: each of %" PRIu64 " examples was answered before it was "
                 "learned, in the order in which they came.\n\n| | |\n|---|---:|\n",
                 s.n);
    export_card_number(out, "accuracy", s.accuracy);
    if (isfinite(s.recent))
        pdi_text_add(out, "| accuracy of the last %" PRId64 " | %.4g |\n",
                     s.n < (uint64_t)s.window ? (int64_t)s.n : s.window, s.recent);
    export_card_number(out, "kappa, against chance", s.kappa);
    export_card_number(out, "kappa-T, against the answer \"as the last one\"", s.kappa_temporal);
    export_card_number(out, "root of the mean squared error", s.rmse);
    export_card_number(out, "mean absolute error", s.mae);
    export_card_number(out, l->form.targets ? "mean squared error" : "mean of -log p of the label",
                       s.loss);
}

static void export_card_use(const pdr_learner *l, pdi_text *out)
{
    export_card_section(out, "Intended use");
    pdi_text_add(out,
                 "To answer examples of the kind it learned from, with the features and %s "
                 "above, and to go on learning from them. ",
                 l->form.targets ? "targets" : "classes");
    pdi_text_add(out, "Who is to use it, for what, and for what not, is not in the file: whoever "
                      "passes it on adds that here.\n");
}

/* Classes of which nothing was learned. */
static void export_card_unseen(const pdr_learner *l, pdi_text *out)
{
    bool any = false;
    for (int32_t c = 0; !l->form.targets && c < l->form.class.n && c < CARD_NAMES; c++) {
        if (l->tally.label[c]) continue;
        pdi_text_add(out, any ? ", " : "- No example was learned of: ");
        export_card_name(out, l->form.class.v[c]);
        any = true;
    }
    if (any) pdi_text_add(out, ".\n");
}

static void export_card_answers(const pdr_learner *l, pdi_text *out)
{
    int64_t most = l->recipe.learner.most_classes;
    if (l->form.targets) return;
    if (most < l->form.class.most) most = l->form.class.most;
    pdi_text_add(out,
                 "- It answers with a class that it knows, whatever it is shown; \"none of these\" "
                 "is no answer of its. There is room for %" PRId64 " classes more.\n"
                 "- Probabilities are a softmax of the network's outputs; they are not "
                 "calibrated.\n",
                 most - l->form.class.n);
}

static void export_card_limits(const pdr_learner *l, pdi_text *out)
{
    pdr_score s = pdr_learner_score(l);
    const pdi_memory *m = &l->trainer->memory;
    export_card_section(out, "Limits");
    export_card_answers(l, out);
    export_card_unseen(l, out);
    if (s.n && s.kappa_temporal <= 0)
        pdi_text_add(out, "- It did no better than the answer \"as the last one\".\n");
    pdi_text_add(out, "- The figures above are of the stream itself. None of examples held back, "
                      "and none by groups of people or things, are in the file.\n");
    if (l->mean)
        pdi_text_add(out, "- Features are scaled by what came so far: examples of another range "
                          "move that scale, and answers with it.\n");
    if (m->used && m->held)
        pdi_text_add(out,
                     "- The learner file holds %zu examples as they were given (the method's "
                     "memory): what is private about them is private about the file.\n",
                     m->held);
}

static void export_card_recipe(const pdr_learner *l, pdi_text *out)
{
    char *text = pdr_recipe_write(&l->recipe);
    export_card_section(out, "Recipe");
    if (text)
        pdi_text_add(out, "```yaml\n%s```\n", text);
    else
        out->failed = true;
    pdi_free(l->recipe.alloc, text);
}

pdr_rc pdi_export_card(pdr_learner *l, pdi_text *out, pdr_error *err)
{
    pdi_text_add(out, "# ");
    export_card_name(out, l->recipe.name);
    pdi_text_add(out, "\n\nA model that goes on learning, by perdure: %s.\n\n",
                 l->form.targets ? "regression" : "classification");
    export_card_model(l, out);
    export_card_section(out, "Data seen");
    pdr_rc rc = export_card_data(l, out, err);
    if (rc) return rc;
    export_card_tasks(l, out);
    export_card_score(l, out);
    export_card_use(l, out);
    export_card_limits(l, out);
    export_card_recipe(l, out);
    return out->failed ? pdi_nomem(err) : PDR_OK;
}
