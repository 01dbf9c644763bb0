/* report/section.h -- the parts of the page, in the order in which they stand.
 *
 * Each writes its own heading, and nothing at all where it has nothing to say.  A part
 * that runs out of memory marks the text as failed. */
#ifndef PDI_REPORT_SECTION_H
#define PDI_REPORT_SECTION_H

#include "report/group.h"
#include "report/put.h"

/* page.c: the page that pdr_report_write() writes, n >= 1. */
pdr_rc pdi_report_put(size_t n, const pdr_result *const runs[], pdi_text *text, pdr_error *err);

/* words.c: what was found, in sentences; and what went wrong. */
void pdi_section_headline(pdi_text *t, const pdi_groups *g);
void pdi_section_notices(pdi_text *t, const pdi_groups *g);

/* table.c: a row a group. */
void pdi_section_summary(pdi_text *t, const pdi_groups *g);

/* episodes.c: scores by adaptation step, and on validation episodes while training. */
void pdi_section_episodes(pdi_text *t, const pdi_groups *g);

/* curve.c: accuracy over time, on average and task by task. */
void pdi_section_time(pdi_text *t, const pdi_groups *g);

/* heat.c: the matrix. */
void pdi_section_matrix(pdi_text *t, const pdi_groups *g);

/* cost.c: score against memory and against time. */
void pdi_section_cost(pdi_text *t, const pdi_groups *g);

/* loss.c: loss over iterations. */
void pdi_section_loss(pdi_text *t, const pdi_groups *g);

/* ran.c: what ran. */
void pdi_section_ran(pdi_text *t, const pdi_groups *g);

/* ---- shared by the parts ---- */

/* The class that colours group k. */
enum { PDI_GROUP_COLOURS = 8 };
#define PDI_CLASS_SIZE 16
const char *pdi_group_class(size_t k, char class[PDI_CLASS_SIZE]);

/* The figure's caption: the group's name and label, and how many seeds it shows; of is
 * what precedes that number: "mean of ". */
void pdi_put_caption(pdi_text *t, const pdi_groups *g, size_t k, const char *of, size_t seeds);

/* " What a task holds depends on the seed ...", where a group's tasks have no common names. */
void pdi_put_numbered(pdi_text *t, const pdi_groups *g);

/* Escaped text for a tag or a hint, freed by the caller through g->alloc; NULL, and t
 * marked as failed, when memory ran out. */
char *pdi_task_tag(pdi_text *t, const pdi_groups *g, const pdi_group *group, int32_t j);

/* The axis that scores of one kind share. */
void pdi_score_range(const pdi_groups *g, bool is_percent, double *lo, double *hi);

#endif
