/* cli/outcome.h -- what runs found, as tables for the terminal. */
#ifndef PDI_CLI_OUTCOME_H
#define PDI_CLI_OUTCOME_H

#include "base/text.h"
#include "report/group.h"

/* Score on every task after learning each, means over the group's runs, in percent
 * for accuracy.  More columns than width has room for go below each other; of more than
 * 20 tasks only the first and the last score are shown, a task a line. */
void pdi_outcome_matrix(const pdi_group *g, size_t width, pdi_text *out);

/* Scores of a group of episodes by adaptation step; * marks the one that is the score. */
void pdi_outcome_steps(const pdi_group *g, bool is_unicode, pdi_text *out);

/* What the runs warn of, a line each, behind an empty one. */
void pdi_outcome_notes(const pdi_groups *groups, pdi_text *out);

/* A line a group: mean and, over several runs, standard error of what applies.  is_bold: the best
 * of those that compete is in the terminal's bold. */
void pdi_outcome_summary(const pdi_groups *groups, bool is_unicode, bool is_bold, pdi_text *out);

#endif
