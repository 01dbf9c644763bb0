/* cli/cmd_plan.c -- `perdure plan`: what a training step runs, and how long it takes. */
#include <perdure/experiment.h>
#include <perdure/pool.h>

#include "cli/command.h"
#include "cli/download.h"

const char pdi_about_plan[] =
    "Builds the first task's training step, runs it on real examples, and prints its plan: every "
    "loop and kernel in order, with its shapes, operations, time a step and rate. Steps marked | "
    "run task by task, those marked : a few rows at a time.\n"
    "With PERDURE_PLAN=plain in the environment nothing is fused, which shows what fusion saves; "
    "PERDURE_ISA=ref, avx2 or avx512 chooses the kernels. Neither changes a bit of a result.\n";

const pdi_flag pdi_flags_plan[] = {
    {"set", "PATH=VALUE", "change a key of the recipe; may be repeated"},
    {"threads", "N", "threads to use (default: as many as there are processors)"},
    {"steps", "N", "timed steps (default 50)"},
    PDI_FLAG_END,
};

enum { PLAN_SETS = 256 };

static pdr_rc cmd_plan_print(const pdi_args *args, const pdr_experiment *e, uint64_t steps,
                             pdr_error *err)
{
    const char *set[PLAN_SETS];
    size_t sets = 0, at = 0;
    pdr_recipe recipe;
    pdi_text out = {0};
    char *text = NULL;
    while (sets < PLAN_SETS && (set[sets] = pdi_args_next(args, "set", &at)) != NULL) sets++;
    pdr_rc rc = pdr_recipe_read(NULL, args->operand[0], sets, set, &recipe, err);
    if (rc) return rc;
    rc = pdi_download_missing(recipe.data.name, err);
    if (!rc) rc = pdr_experiment_plan(NULL, &recipe, e, steps, &text, err);
    if (!rc) {
        pdi_text_add(&out, "%s", text);
        pdi_free(&pdi_malloc, text);
        rc = pdi_command_print(&out, err);
    }
    pdr_recipe_close(&recipe);
    return rc;
}

pdr_rc pdi_cmd_plan(const pdi_args *args, pdr_error *err)
{
    uint64_t threads = 0, steps = 50;
    pdr_rc rc = pdi_args_operands(args, 1, 1, "RECIPE", err);
    if (!rc) rc = pdi_args_count(args, "threads", 1, PDR_MAX_THREADS, &threads, err);
    if (!rc) rc = pdi_args_count(args, "steps", 1, 1000000, &steps, err);
    const pdr_experiment e = {.seed = 1, .threads = (int)threads};
    return rc ? rc : cmd_plan_print(args, &e, steps, err);
}
