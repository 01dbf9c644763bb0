/* cli/download.c -- bringing a registered data set here, in sight. */
#include "cli/download.h"

#include <stdio.h>
#include <string.h>

#include "cli/machine.h"
#include "cli/progress.h"
#include "cli/stop.h"

const pdr_registry_row *pdi_download_find(const char *name)
{
    const pdr_registry_row *row;
    size_t i = 0;
    while ((row = pdr_registry_at(i++)) != NULL && strcmp(row->name, name) != 0) {}
    return row;
}

/* ctx: when the line was drawn last, in seconds; 0 when it was not. */
static bool download_progress(void *ctx, const char *file, uint64_t done, uint64_t total)
{
    double *drawn = ctx, now = pdi_machine_seconds();
    bool is_end = total && done >= total;
    if (pdi_terminal_is_live(stderr) && (is_end || now - *drawn >= 0.1)) {
        char a[16], b[16];
        pdi_progress_number((double)done, a);
        pdi_progress_number((double)total, b);
        fprintf(stderr, "\r%.*s  %sB%s%sB\033[K", 50, file, a, total ? " of " : "", total ? b : "");
        fflush(stderr);
        *drawn = now;
    }
    return !pdi_stop_wanted();
}

pdr_rc pdi_download(const char *name, pdr_error *err)
{
    double drawn = 0;
    pdr_rc rc = pdr_registry_fetch(NULL, name, download_progress, &drawn, err);
    if (drawn > 0) fprintf(stderr, "\r\033[K");
    return rc;
}

pdr_rc pdi_download_missing(const char *name, pdr_error *err)
{
    char folder[2]; /* all that matters is whether there is one */
    const pdr_registry_row *row = name ? pdi_download_find(name) : NULL;
    if (!row) return PDR_OK;
    pdr_registry_where(name, folder, sizeof folder);
    if (folder[0]) return PDR_OK;
    fprintf(stderr, "%s is not here yet; downloading it from %s\n", name, row->home);
    return pdi_download(name, err);
}
