/* cli/cmd_eval.c -- `perdure eval`: how well labelled examples are answered. */
#include <inttypes.h>

#include "cli/command.h"
#include "cli/intake.h"
#include "cli/stop.h"

const char pdi_about_eval[] =
    "Answers labelled examples and says how well: accuracy, kappa against chance, kappa-T against "
    "the answer 'as the last one', and loss; or RMSE and MAE. Input is as for learn; nothing is "
    "learned.\n";

const pdi_flag pdi_flags_eval[] = {PDI_INTAKE_FLAGS, PDI_FLAG_END};

enum { EVAL_BLOCK = 256 };

static void cmd_eval_print(const pdr_learner *l, const pdr_score *s, pdi_text *out)
{
    pdi_text_add(out, "examples  %" PRIu64 "\n", s->n);
    if (pdr_learner_is_regression(l)) {
        pdi_text_add(out, "rmse      %.6g\nmae       %.6g\n", s->rmse, s->mae);
        return;
    }
    pdi_text_add(out, "accuracy  %.4f\n", s->accuracy);
    if (s->kappa == s->kappa) /* not where all labels are of one class */
        pdi_text_add(out, "kappa     %.4f\nkappa-T   %.4f\n", s->kappa, s->kappa_temporal);
    pdi_text_add(out, "loss      %.4f\n", s->loss);
}

pdr_rc pdi_cmd_eval(const pdi_args *args, pdr_error *err)
{
    pdi_intake in;
    pdi_text out = {0};
    pdr_score s = {0};
    pdr_rc rc = pdi_intake_open(args, PDI_INTAKE_COMPARES, EVAL_BLOCK, &in, err);
    if (rc) return rc;
    do {
        bool goes_on = in.read > 0;
        rc = pdi_intake_next(&in, err);
        if (!rc && in.n) rc = pdr_learner_evaluate(in.l, in.n, in.block, goes_on, &s, err);
    } while (!rc && in.n && !pdi_stop_wanted());
    if (!rc && !s.n) rc = pdi_fail(err, PDR_INPUT, "there is no example to compare with");
    if (!rc) cmd_eval_print(in.l, &s, &out);
    rc = pdi_intake_close(&in, rc, err);
    if (rc) pdi_text_close(&out);
    return rc ? rc : pdi_command_print(&out, err);
}
