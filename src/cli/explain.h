/* cli/explain.h -- what a method, an optimizer or a layer is, in words. */
#ifndef PDI_CLI_EXPLAIN_H
#define PDI_CLI_EXPLAIN_H

#include <perdure/kind.h>

#include "base/text.h"
#include "recipe/words.h"

/* All kinds of all groups: name and title. */
void pdi_explain_list(pdi_kind_at_fn *at, size_t width, pdi_text *out);

/* Title, equation, source, cost, options. */
void pdi_explain_kind(pdr_kind_group group, const pdr_kind *kind, size_t width, pdi_text *out);

/* Every kind called name; PDR_USAGE with the nearest name when there is none. */
pdr_rc pdi_explain_name(pdi_kind_at_fn *at, const char *name, size_t width, pdi_text *out,
                        pdr_error *err);

#endif
