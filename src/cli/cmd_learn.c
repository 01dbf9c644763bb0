/* cli/cmd_learn.c -- `perdure learn`: a stream into a learner. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/intake.h"
#include "cli/stop.h"

const char pdi_about_learn[] =
    "Learns labelled examples in the order in which they come: a table (CSV, TSV), JSON lines, or "
    "IDX images with --labels; a file, or standard input; or a data set by name (fashion-mnist, "
    "fashion-mnist:test). Columns go by name. A label that the "
    "learner has not seen becomes a new class. A row of an id and a label alone is the label of "
    "what predict was asked under that id.\n"
    "Every example is answered before it is learned; a line at 1, 2, 4, 8, ... examples says how "
    "well: loss and accuracy since the last line, and over all; kappa at the end. Examples are on "
    "the disk a block "
    "at a time, before they are learned: what was "
    "acknowledged survives a crash, and the learner goes on from there to the bit. --acknowledge "
    "tells a program that feeds the pipe how far that is.\n";

const pdi_flag pdi_flags_learn[] = {
    {"commit", "N", "examples a commit (default 1000)"},
    {"acknowledge", NULL,
     "after every commit, say on standard output how many examples are on the disk"},
    {"end-task", NULL, "tell the method that a task has ended, afterwards"},
    PDI_INTAKE_FLAGS,
    PDI_FLAG_END,
};

typedef struct learn_watch {
    uint64_t next, n;   /* the next line; examples at the last one */
    double loss, right; /* sums at the last one */
    bool begun;
} learn_watch;

/* As in Vowpal Wabbit: what happened since the last line, and over all. */
static void cmd_learn_line(const pdi_intake *in, learn_watch *w)
{
    pdr_score s = pdr_learner_score(in->l);
    bool real = pdr_learner_is_regression(in->l);
    if (s.n <= w->n) return;
    double since = (double)(s.n - w->n), loss = s.loss * (double)s.n;
    double right = real ? 0 : s.accuracy * (double)s.n;
    if (!w->begun)
        fprintf(stderr, real ? "%12s %11s %11s %11s\n" : "%12s %11s %11s %11s %11s\n", "examples",
                "loss since", "loss", real ? "rmse" : "acc. since", "accuracy");
    fprintf(stderr, "%12" PRIu64 " %11.4f %11.4f", s.n, (loss - w->loss) / since, s.loss);
    if (real)
        fprintf(stderr, " %11.4g\n", s.rmse);
    else
        fprintf(stderr, " %11.4f %11.4f\n", (right - w->right) / since, s.accuracy);
    w->begun = true;
    w->n = s.n;
    w->loss = loss;
    w->right = right;
    while (w->next <= s.n) w->next *= 2;
}

/* What the table does not say; the figures of all that was ever learned. */
static void cmd_learn_end(const pdi_intake *in, const learn_watch *w)
{
    pdr_score s = pdr_learner_score(in->l);
    if (!w->begun || pdr_learner_is_regression(in->l)) return;
    fprintf(stderr, "kappa %.4f, kappa-T %.4f", s.kappa, s.kappa_temporal);
    if (s.window) fprintf(stderr, "; accuracy of the last %" PRId64 ": %.4f", s.window, s.recent);
    fprintf(stderr, "\n");
}

/* A line, at once: whoever feeds the pipe may forget what it sent up to there. */
static pdr_rc cmd_learn_acknowledge(const pdi_intake *in, pdr_error *err)
{
    if (printf("%" PRIu64 "\n", pdr_learner_examples(in->l)) > 0 && !fflush(stdout)) return PDR_OK;
    return pdi_fail(err, PDR_IO, "standard output cannot be written: %s", strerror(errno));
}

/* A block, in parts that end where a line is due. */
static pdr_rc cmd_learn_block(const pdi_intake *in, bool acknowledges, learn_watch *w,
                              pdr_error *err)
{
    uint64_t batch = (uint64_t)pdr_learner_recipe(in->l)->training.batch;
    for (size_t at = 0, n; at < in->n; at += n) {
        uint64_t learned = pdr_learner_examples(in->l);
        n = in->n - at;
        uint64_t part = w->next > learned ? w->next - learned : batch - pdr_learner_waiting(in->l);
        if (part < n && pdr_learner_score(in->l).n < w->next) n = (size_t)part;
        pdr_rc rc = pdr_learner_learn(in->l, n, in->block + at, err);
        if (!rc && acknowledges) rc = cmd_learn_acknowledge(in, err);
        if (rc) return rc;
        if (pdr_learner_score(in->l).n >= w->next) cmd_learn_line(in, w);
    }
    return PDR_OK;
}

static pdr_rc cmd_learn_all(pdi_intake *in, bool acknowledges, pdr_error *err)
{
    pdr_score before = pdr_learner_score(in->l);
    learn_watch w = {.next = 1, .n = before.n};
    if (before.n) w.loss = before.loss * (double)before.n;
    if (before.n && !pdr_learner_is_regression(in->l)) w.right = before.accuracy * (double)before.n;
    while (w.next <= w.n) w.next *= 2;
    for (;;) {
        pdr_rc bad = pdi_intake_next(in, err); /* rows before a bad one are good */
        pdr_error why = PDR_NO_ERROR;
        if (!in->n) break;
        pdr_rc rc = cmd_learn_block(in, acknowledges, &w, bad ? &why : err);
        if (bad) break;
        if (rc) return rc;
        if (pdi_stop_wanted())
            return pdi_fail(err, PDR_STOPPED, "stopped; %" PRIu64 " examples are learned and kept",
                            in->read);
    }
    cmd_learn_line(in, &w);
    cmd_learn_end(in, &w);
    return err->rc;
}

pdr_rc pdi_cmd_learn(const pdi_args *args, pdr_error *err)
{
    pdi_intake in;
    uint64_t commit = 1000;
    pdr_rc rc = pdi_args_count(args, "commit", 1, PDI_INTAKE_MOST, &commit, err);
    if (!rc) rc = pdi_intake_open(args, PDI_INTAKE_LEARNS, (size_t)commit, &in, err);
    if (rc) return rc;
    rc = cmd_learn_all(&in, pdi_args_get(args, "acknowledge") != NULL, err);
    if (!rc && !in.read && !in.strays) fprintf(stderr, "caution: there was nothing to learn\n");
    if (!rc && pdi_args_get(args, "end-task")) rc = pdr_learner_end_task(in.l, err);
    return pdi_intake_close(&in, rc, err);
}
