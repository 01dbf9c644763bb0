/* cli/progress.h -- how far a run is: one live line on a terminal, quiet lines elsewhere.
 *
 *     pdi_progress p = {.metric = "accuracy"};
 *     pdi_progress_start(&p, stderr);
 *     ... p.now = *what_the_run_reports; pdi_progress_step(&p); ...
 *     pdi_progress_task_done(&p, "task 1: T-shirt, Trouser", 4.2);
 *     pdi_progress_stop(&p);
 *
 * The numbers are those that pdr_experiment_run() reports.  The line is redrawn at most ten times a
 * second.  Nothing is hidden and no mode is set, so a killed program leaves the terminal as it was.
 */
#ifndef PDI_CLI_PROGRESS_H
#define PDI_CLI_PROGRESS_H

#include <perdure/experiment.h>
#include <stdio.h>

#include "base/text.h"

typedef struct pdi_progress {
    const char *label;  /* what runs, when there are several ("er, seed 2"); may be NULL */
    const char *metric; /* "accuracy" (0..1, shown in percent) or another name; may be NULL */
    pdr_progress now;   /* tasks 0 until the first report */
    bool is_watched;    /* by another process: without a terminal, the live line twice a second,
                           each a line that begins with a tab */

    /* The rest belongs to progress.c. */
    FILE *out;
    bool is_live, is_unicode, is_coloured;
    double started, drawn; /* seconds */
    uint64_t drawn_examples;
    double rate; /* examples a second, smoothed */
} pdi_progress;

void pdi_progress_start(pdi_progress *p, FILE *out);
void pdi_progress_step(pdi_progress *p);
void pdi_progress_task_done(pdi_progress *p, const char *task, double seconds);
void pdi_progress_note(pdi_progress *p, const char *text); /* a line of its own */
void pdi_progress_stop(pdi_progress *p);

/* The live line: at most width - 3 characters (a Ctrl-C shows as two); elapsed in seconds.  Where
 * width is short the least important parts are left out. */
void pdi_progress_line(const pdi_progress *p, double elapsed, size_t width, pdi_text *out);

/* The line about a finished task, without its end. */
void pdi_progress_task_line(const pdi_progress *p, const char *task, double seconds, pdi_text *out);

/* "0:07", "12:34", "3:00:00". */
void pdi_progress_time(double seconds, char text[24]);

/* "950", "12.3k", "4.56M". */
void pdi_progress_number(double x, char text[16]);

/* Columns of the terminal that f is; 80 when f is none or does not say. */
size_t pdi_terminal_width(FILE *f);

/* Whether f is a terminal that can redraw a line; whether it should show colours. */
bool pdi_terminal_is_live(FILE *f);
bool pdi_terminal_has_colour(FILE *f);

/* Whether text may hold more than ASCII, by LC_ALL, LC_CTYPE or LANG. */
bool pdi_terminal_is_utf8(void);

#endif
