/* cli/board.c -- a few lines that are redrawn in place. */
#include "cli/board.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/utf8.h"
#include "cli/machine.h"
#include "cli/progress.h"

static const double board_interval = 0.1; /* seconds */

void pdi_board_open(pdi_board *b, FILE *out)
{
    *b = (pdi_board){.out = out, .is_live = pdi_terminal_is_live(out)};
}

void pdi_board_clear(pdi_board *b)
{
    if (b->drawn) fprintf(b->out, "\033[%zuA\r\033[J", b->drawn);
    b->drawn = 0;
    b->when = 0;
    fflush(b->out);
}

void pdi_board_say(pdi_board *b, const char *fmt, ...)
{
    va_list ap;
    pdi_board_clear(b);
    va_start(ap, fmt);
    vfprintf(b->out, fmt, ap);
    va_end(ap);
    fputc('\n', b->out);
    fflush(b->out);
}

bool pdi_board_is_due(const pdi_board *b)
{
    return b->is_live && pdi_machine_seconds() - b->when >= board_interval;
}

/* Bytes of the line that fit, its end not among them. */
static size_t board_cut(const char *line, size_t width)
{
    size_t n = 0, size, characters = 0;
    while (line[n] && line[n] != '\n' && characters++ < width) {
        (void)pdi_utf8_at(line + n, &size);
        n += size ? size : 1;
    }
    return n;
}

static size_t board_height(FILE *f)
{
    struct winsize w = {0};
    return ioctl(fileno(f), TIOCGWINSZ, &w) == 0 && w.ws_row > 3 ? w.ws_row : 24;
}

void pdi_board_show(pdi_board *b, const char *lines)
{
    size_t width = pdi_terminal_width(b->out) - 1, height = board_height(b->out) - 2, n = 0;
    pdi_text out = {0};
    if (!b->is_live) return;
    if (b->drawn) pdi_text_add(&out, "\033[%zuA\r", b->drawn);
    for (const char *s = lines; *s && n < height; n++) {
        pdi_text_bytes(&out, s, board_cut(s, width));
        pdi_text_add(&out, "\033[K\n");
        s += strcspn(s, "\n");
        s += *s == '\n';
    }
    pdi_text_add(&out, "\033[J");
    if (!out.failed) fputs(out.s, b->out);
    fflush(b->out);
    pdi_text_close(&out);
    b->drawn = n;
    b->when = pdi_machine_seconds();
}
