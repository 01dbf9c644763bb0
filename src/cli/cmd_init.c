/* cli/cmd_init.c -- `perdure init`: make a learner. */
#include <inttypes.h>
#include <perdure/learner.h>

#include "cli/command.h"
#include "cli/download.h"

const char pdi_about_init[] =
    "Makes a learner: one file that holds recipe, parameters, memory, metrics, snapshots and "
    "journal, and keeps learning. What an example looks like (features, classes) is taken from the "
    "recipe's data; none of it is learned yet. The recipe's learner section says how many classes "
    "and tasks there is room for. A file that exists is refused.\n";

const pdi_flag pdi_flags_init[] = {
    {"set", "PATH=VALUE", "change a key of the recipe; may be repeated"},
    {"seed", "N", "the seed, instead of the recipe's"},
    PDI_FLAG_END,
};

enum { INIT_SETS = 256 };

static pdr_rc cmd_init_make(const pdi_args *args, const pdr_recipe *r, pdr_error *err)
{
    uint64_t seed = r->seed;
    pdr_data data = {0};
    pdr_learner *l = NULL;
    pdr_rc rc = pdi_args_count(args, "seed", 0, (uint64_t)1 << 53, &seed, err);
    if (!rc) rc = pdi_download_missing(r->data.name, err);
    if (!rc) rc = pdr_data_open(NULL, &r->data, seed, &data, err);
    if (rc) return rc;
    rc = pdr_learner_create(args->operand[0], r, &data.train, seed, NULL, &l, err);
    pdr_data_close(&data);
    return rc ? rc : pdr_learner_close(l, err);
}

pdr_rc pdi_cmd_init(const pdi_args *args, pdr_error *err)
{
    const char *set[INIT_SETS];
    size_t sets = 0, at = 0;
    pdr_recipe recipe;
    pdr_rc rc = pdi_args_operands(args, 2, 2, "FILE and RECIPE", err);
    while (sets < INIT_SETS && (set[sets] = pdi_args_next(args, "set", &at)) != NULL) sets++;
    if (!rc) rc = pdr_recipe_read(NULL, args->operand[1], sets, set, &recipe, err);
    if (rc) return rc;
    rc = cmd_init_make(args, &recipe, err);
    pdr_recipe_close(&recipe);
    return rc;
}
