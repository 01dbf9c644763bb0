/* cli/cmd_bench.c -- `perdure bench`: how fast the engine is on this machine. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <perdure/version.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/command.h"
#include "cli/machine.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "cli/table.h"
#include "kern/kern.h"

const char pdi_about_bench[] =
    "Times products, training steps and meta-learning steps, and shows for each the median time of "
    "a run, the bytes and floating-point operations a second, and what part of the machine's peak "
    "that is, which is measured first.\n"
    "Operations are those of the definition of the work, bytes are its inputs and outputs, each "
    "counted once. The hash is that of what a fixed number of runs made: the same for any number "
    "of threads and on every processor.\n"
    "PERDURE_ISA=ref, avx2 or avx512 chooses the kernels. Ctrl-C shows what is finished.\n";

const pdi_flag pdi_flags_bench[] = {
    {"filter", "PREFIX", "only rows whose names begin so; may be repeated"},
    {"threads", "N", "threads to use (default: as many as there are processors)"},
    {"seconds", "S", "seconds to spend on each row (default: 0.5)"},
    {"json", NULL, "print JSON instead of a table"},
    PDI_FLAG_END,
};

enum { BENCH_ROWS = 128 };

typedef struct bench_run {
    const pdi_args *args;
    double seconds, peak;
    pdr_pool *pool;
    size_t results;
    pdi_bench_result result[BENCH_ROWS];
} bench_run;

/* ---- what is asked for ------------------------------------------------------------------ */

static const pdr_option bench_options[] = {
    PDR_OPTION_REAL(bench_run, seconds, 0.5, 0.001, 3600, "seconds a row"),
    PDR_OPTION_END,
};

static pdr_rc cmd_bench_flags(bench_run *b, pdr_error *err)
{
    const char *seconds = pdi_args_get(b->args, "seconds");
    uint64_t threads = 0;
    pdr_rc rc = pdi_args_count(b->args, "threads", 1, PDR_MAX_THREADS, &threads, err);
    pdr_option_defaults(bench_options, b);
    if (!rc && seconds) rc = pdr_option_set(&bench_options[0], b, seconds, err);
    if (rc) return rc == PDR_NOMEM ? rc : PDR_USAGE;
    b->pool = pdr_pool_new(NULL, (int)threads);
    return b->pool ? PDR_OK : pdi_fail(err, PDR_NOMEM, "no memory or no threads for the pool");
}

static bool cmd_bench_wants(const pdi_args *args, const char *name)
{
    size_t at = 0;
    const char *prefix = pdi_args_next(args, "filter", &at);
    if (!prefix) return true;
    for (; prefix; prefix = pdi_args_next(args, "filter", &at))
        if (!strncmp(name, prefix, strlen(prefix))) return true;
    return false;
}

/* Every prefix must begin the name of some row. */
static pdr_rc cmd_bench_filters(const pdi_args *args, pdr_error *err)
{
    const char *prefix;
    size_t at = 0;
    while ((prefix = pdi_args_next(args, "filter", &at)) != NULL) {
        const pdi_bench_row *row;
        size_t i = 0;
        while ((row = pdi_bench_at(i)) != NULL && strncmp(row->name, prefix, strlen(prefix)) != 0)
            i++;
        if (!row)
            return pdi_fail(err, PDR_USAGE,
                            "--filter: no row begins with '%.60s'; there are those from '%s' to "
                            "'%s'",
                            prefix, pdi_bench_at(0)->name, pdi_bench_at(i - 1)->name);
    }
    return PDR_OK;
}

/* ---- measuring ---------------------------------------------------------------------------- */

static pdr_rc cmd_bench_rows(bench_run *b, pdr_error *err)
{
    const pdi_bench_row *row;
    bool is_live = pdi_terminal_is_live(stderr);
    pdr_rc rc = PDR_OK;
    b->peak = pdi_bench_peak(b->pool, 0.2);
    for (size_t i = 0; !rc && !pdi_stop_wanted() && (row = pdi_bench_at(i)) != NULL; i++) {
        if (!cmd_bench_wants(b->args, row->name) || b->results == BENCH_ROWS) continue;
        if (is_live) fprintf(stderr, "\r%s\033[K", row->name);
        rc = pdi_bench_measure(b->args->alloc, row, b->pool, b->seconds, b->peak,
                               &b->result[b->results], err);
        if (!rc) b->results++;
    }
    if (is_live) fprintf(stderr, "\r\033[K");
    return rc;
}

/* ---- the table ------------------------------------------------------------------------------ */

/* "1.23 ms" */
static void cmd_bench_time(double ns, char text[32])
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    int unit = 0;
    while (unit < 3 && ns >= 1000) {
        ns /= 1000;
        unit++;
    }
    snprintf(text, 32, "%.*f %s", ns < 10 ? 2 : ns < 100 ? 1 : 0, ns, units[unit]);
}

static void cmd_bench_cell(pdi_table *t, double x, const char *form)
{
    char text[32];
    snprintf(text, sizeof text, form, x);
    pdi_table_add(t, "%s", isfinite(x) ? text : "-");
}

static void cmd_bench_table(const bench_run *b, pdi_text *out)
{
    static const char *const heads[] = {"name", "work", "time", "GB/s", "Gflop/s", "peak", "hash"};
    char machine[256];
    pdi_table t = {.align = "llrrrrr"};
    pdi_machine_describe(machine, sizeof machine);
    pdi_text_add(out, "%s\n%d thread%s, kernels %s, peak %.1f Gflop/s\n\n", machine,
                 pdr_pool_threads(b->pool), pdr_pool_threads(b->pool) == 1 ? "" : "s",
                 pdi_kernels_here()->name, b->peak);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) pdi_table_add(&t, "%s", heads[i]);
    for (size_t i = 0; i < b->results; i++) {
        const pdi_bench_result *r = &b->result[i];
        char time[32];
        cmd_bench_time(r->ns, time);
        pdi_table_add(&t, "%s", r->name);
        pdi_table_add(&t, "%s", r->shape);
        pdi_table_add(&t, "%s", time);
        cmd_bench_cell(&t, r->gbytes_s, "%.2f");
        cmd_bench_cell(&t, r->gflops, "%.2f");
        cmd_bench_cell(&t, 100 * r->fraction, "%.1f%%");
        pdi_table_add(&t, "%016" PRIx64, r->hash);
    }
    pdi_table_write(&t, "", SIZE_MAX, out);
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static json_t *cmd_bench_number(double x) { return isfinite(x) ? json_real(x) : json_null(); }

static json_t *cmd_bench_json_row(const pdi_bench_result *r)
{
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, r->hash);
    return json_pack("{s:s, s:s, s:i, s:f, s:o, s:o, s:o, s:s}", "name", r->name, "shape", r->shape,
                     "threads", r->threads, "ns", r->ns, "gbytes_s", cmd_bench_number(r->gbytes_s),
                     "gflops", cmd_bench_number(r->gflops), "fraction",
                     cmd_bench_number(r->fraction), "hash", hash);
}

static int cmd_bench_json_text(const char *s, size_t n, void *out)
{
    pdi_text_bytes(out, s, n);
    return 0;
}

static pdr_rc cmd_bench_json(const bench_run *b, pdi_text *out, pdr_error *err)
{
    char machine[256];
    json_t *rows = json_array();
    int failed = 0;
    for (size_t i = 0; i < b->results; i++)
        failed |= json_array_append_new(rows, cmd_bench_json_row(&b->result[i]));
    pdi_machine_describe(machine, sizeof machine);
    json_t *root = json_pack("{s:s, s:s, s:s, s:i, s:f, s:o}", "version", pdr_version(), "machine",
                             machine, "kernels", pdi_kernels_here()->name, "threads",
                             pdr_pool_threads(b->pool), "peak_gflops", b->peak, "rows", rows);
    if (!failed && root)
        failed = json_dump_callback(root, cmd_bench_json_text, out,
                                    JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    pdi_text_add(out, "\n");
    json_decref(root);
    return failed || !root ? pdi_nomem(err) : PDR_OK;
}

pdr_rc pdi_cmd_bench(const pdi_args *args, pdr_error *err)
{
    bench_run b = {.args = args};
    pdi_text out = {0};
    pdr_rc rc = pdi_args_operands(args, 0, 0, "an operand", err);
    if (!rc) rc = cmd_bench_filters(args, err);
    if (!rc) rc = cmd_bench_flags(&b, err);
    if (!rc) rc = cmd_bench_rows(&b, err);
    if (!rc && pdi_args_get(args, "json"))
        rc = cmd_bench_json(&b, &out, err);
    else if (!rc)
        cmd_bench_table(&b, &out);
    pdr_pool_free(b.pool);
    if (rc)
        pdi_text_close(&out);
    else
        rc = pdi_command_print(&out, err);
    return rc ? rc : pdi_stop_wanted() ? PDR_STOPPED : PDR_OK;
}
