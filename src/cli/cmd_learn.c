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
    "IDX images with --labels; a file, or standard input. Columns go by name. A label that the "
    "learner has not seen becomes a new class.\n"
    "Every example is answered before it is learned; a line at 1, 2, 4, 8, ... examples says how "
    "well. Examples are on the disk a block at a time, before they are learned: what was "
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
    uint64_t next, n; /* the next line; examples at the last one */
    double right;     /* accuracy or loss times n at the last one */
} learn_watch;

static void cmd_learn_line(const pdi_intake *in, learn_watch *w)
{
    pdr_score s = pdr_learner_score(in->l);
    bool real = pdr_learner_is_regression(in->l);
    double all = real ? s.loss : s.accuracy, sum = all * (double)s.n;
    if (s.n <= w->n) return;
    double since = (sum - w->right) / (double)(s.n - w->n);
    if (!w->n)
        fprintf(stderr, "%12s  %10s  %10s\n", "examples", real ? "loss since" : "acc. since",
                real ? "loss" : "accuracy");
    fprintf(stderr, "%12" PRIu64 "  %10.4f  %10.4f\n", s.n, since, all);
    w->n = s.n;
    w->right = sum;
    while (w->next <= s.n) w->next *= 2;
}

/* A line, at once: whoever feeds the pipe may forget what it sent up to there. */
static pdr_rc cmd_learn_acknowledge(const pdi_intake *in, pdr_error *err)
{
    if (printf("%" PRIu64 "\n", pdr_learner_examples(in->l)) > 0 && !fflush(stdout)) return PDR_OK;
    return pdi_fail(err, PDR_IO, "standard output cannot be written: %s", strerror(errno));
}

static pdr_rc cmd_learn_all(pdi_intake *in, bool acknowledges, pdr_error *err)
{
    learn_watch w = {.next = 1};
    pdr_score before = pdr_learner_score(in->l);
    w.n = before.n;
    w.right = (pdr_learner_is_regression(in->l) ? before.loss : before.accuracy) * (double)w.n;
    while (w.next <= w.n) w.next *= 2;
    if (!w.n) w.right = 0;
    for (;;) {
        pdr_rc rc = pdi_intake_next(in, err);
        if (rc || !in->n) break;
        rc = pdr_learner_learn(in->l, in->n, in->block, err);
        if (!rc && acknowledges) rc = cmd_learn_acknowledge(in, err);
        if (rc) return rc;
        if (pdr_learner_score(in->l).n >= w.next) cmd_learn_line(in, &w);
        if (pdi_stop_wanted())
            return pdi_fail(err, PDR_STOPPED, "stopped; %" PRIu64 " examples are learned and kept",
                            in->read);
    }
    cmd_learn_line(in, &w);
    return err->rc;
}

pdr_rc pdi_cmd_learn(const pdi_args *args, pdr_error *err)
{
    pdi_intake in;
    uint64_t commit = 1000;
    pdr_rc rc = pdi_args_count(args, "commit", 1, PDI_INTAKE_MOST, &commit, err);
    if (!rc) rc = pdi_intake_open(args, false, true, (size_t)commit, &in, err);
    if (rc) return rc;
    rc = cmd_learn_all(&in, pdi_args_get(args, "acknowledge") != NULL, err);
    if (!rc && pdi_args_get(args, "end-task")) rc = pdr_learner_end_task(in.l, err);
    return pdi_intake_close(&in, rc, err);
}
