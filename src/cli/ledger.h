/* cli/ledger.h -- published figures beside ours: rows of a table in a Markdown page.
 *
 * The page is written by people but for the rows of one table, which begins with
 * pdi_ledger_head.  A recipe's row is found by its first cell; a recipe that has none yet gets
 * one below those of its folder, or at the end. */
#ifndef PDI_CLI_LEDGER_H
#define PDI_CLI_LEDGER_H

#include <perdure/recipe.h>

#include "base/text.h"
#include "report/group.h"

/* The first line of the table. */
extern const char pdi_ledger_head[];

/* "recipes/split-mnist/er.yaml" -> "split-mnist/er": the path below the last recipes/. */
char *pdi_ledger_key(const pdr_alloc *alloc, const char *path);

/* A row, with its end of line. */
void pdi_ledger_row(const char *key, const pdr_published *published, const pdi_group *g,
                    pdi_text *out);

/* Put the row into the page at path.  PDR_INPUT when that has no such table. */
pdr_rc pdi_ledger_put(const pdr_alloc *alloc, const char *path, const char *key, const char *row,
                      pdr_error *err);

#endif
