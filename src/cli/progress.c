/* cli/progress.c -- the live line on a terminal, and quiet lines elsewhere. */
#include "cli/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/machine.h"

enum { PROGRESS_WATCHED = 64 }; /* columns of a line that another process shows behind a name */

static const double progress_interval = 0.1; /* seconds between redraws */
static const double progress_watched = 0.5;  /* the same for lines that another process reads */
static const double progress_memory = 2.0;   /* seconds after which a rate counts 1/e */

size_t pdi_terminal_width(FILE *f)
{
    struct winsize w = {0};
    return ioctl(fileno(f), TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

bool pdi_terminal_is_live(FILE *f)
{
    const char *term = getenv("TERM");
    return isatty(fileno(f)) && term && strcmp(term, "dumb") != 0;
}

bool pdi_terminal_has_colour(FILE *f)
{
    const char *no_colour = getenv("NO_COLOR");
    return pdi_terminal_is_live(f) && (!no_colour || !*no_colour);
}

/* The character set by the rule of POSIX: the first of these that is set. */
bool pdi_terminal_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) return strstr(value, "UTF-8") || strstr(value, "utf8");
    }
    return false;
}

static void progress_draw(pdi_progress *p, double now)
{
    pdi_text line = {0};
    size_t width = p->is_live ? pdi_terminal_width(p->out) : PROGRESS_WATCHED;
    pdi_progress_line(p, now - p->started, width, &line);
    if (!line.failed) fprintf(p->out, p->is_live ? "\r%s\033[K" : "\t%s\n", line.s);
    fflush(p->out);
    pdi_text_close(&line);
}

static void progress_clear(pdi_progress *p)
{
    if (p->is_live) fputs("\r\033[K", p->out);
}

void pdi_progress_start(pdi_progress *p, FILE *out)
{
    p->out = out;
    p->is_live = pdi_terminal_is_live(out);
    p->is_coloured = pdi_terminal_has_colour(out);
    p->is_unicode = pdi_terminal_is_utf8();
    p->started = p->drawn = pdi_machine_seconds();
    p->drawn_examples = p->now.examples;
    p->rate = 0;
    if (p->now.tasks == 0) p->now.loss = p->now.average = (double)NAN;
    if (p->is_live) progress_draw(p, p->started);
}

void pdi_progress_step(pdi_progress *p)
{
    double now = pdi_machine_seconds(), passed = now - p->drawn;
    if (!p->is_live && !p->is_watched) return;
    if (passed < (p->is_live ? progress_interval : progress_watched)) return;
    double rate = (double)(p->now.examples - p->drawn_examples) / passed;
    double weight = p->rate > 0 ? 1 - exp(-passed / progress_memory) : 1;
    p->rate += weight * (rate - p->rate);
    p->drawn = now;
    p->drawn_examples = p->now.examples;
    progress_draw(p, now);
}

void pdi_progress_task_done(pdi_progress *p, const char *task, double seconds)
{
    pdi_text line = {0};
    pdi_progress_task_line(p, task, seconds, &line);
    progress_clear(p);
    if (!line.failed) fprintf(p->out, "%s\n", line.s);
    if (p->is_live) progress_draw(p, pdi_machine_seconds());
    fflush(p->out);
    pdi_text_close(&line);
}

void pdi_progress_note(pdi_progress *p, const char *text)
{
    progress_clear(p);
    fprintf(p->out, "note: %s\n", text);
    if (p->is_live) progress_draw(p, pdi_machine_seconds());
    fflush(p->out);
}

void pdi_progress_stop(pdi_progress *p)
{
    progress_clear(p);
    fflush(p->out);
}
