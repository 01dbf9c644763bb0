/* base/error.c -- return codes and the one-line story of a failure. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *text;
    int status;
} error_rows[] = {
#define ROW(name, text, status) {text, status},
    PDR_RC_MAP(ROW)
#undef ROW
};

enum { ERROR_ROWS = sizeof error_rows / sizeof error_rows[0] };

static size_t error_row(pdr_rc rc)
{
    return (unsigned)rc < ERROR_ROWS ? (size_t)rc : (size_t)PDR_INTERNAL;
}

const char *pdr_rc_text(pdr_rc rc) { return error_rows[error_row(rc)].text; }

int pdr_rc_status(pdr_rc rc) { return error_rows[error_row(rc)].status; }

/* A message is one line whatever the input held: control characters, which could
 * steer a terminal too, become '?'. */
static void error_plain(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f) *s = '?';
}

pdr_rc pdi_fail(pdr_error *err, pdr_rc rc, const char *fmt, ...)
{
    if (err && err->rc == PDR_OK) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
        error_plain(err->text);
        err->rc = rc;
    }
    return rc;
}

pdr_rc pdi_nomem(pdr_error *err) { return pdi_fail(err, PDR_NOMEM, "out of memory"); }
