/* cli/intake.c -- a learner and rows for it. */
#include "cli/intake.h"

#include <inttypes.h>
#include <perdure/pool.h>
#include <stdio.h>
#include <string.h>

pdr_rc pdi_intake_learner(const pdi_args *args, bool reads_only, pdr_learner **l, pdr_error *err)
{
    uint64_t threads = 0;
    pdr_rc rc = pdi_args_count(args, "threads", 1, PDR_MAX_THREADS, &threads, err);
    pdr_learner_how how = {.threads = (int)threads, .reads_only = reads_only};
    return rc ? rc : pdr_learner_open(args->operand[0], &how, l, err);
}

/* "A,B" as "A\0B\0". */
static pdr_rc intake_only(const pdi_args *args, pdi_intake *in, pdr_error *err)
{
    const char *only = pdi_args_get(args, "only");
    if (!only) return PDR_OK;
    if (strlen(only) + 2 > sizeof in->only)
        return pdi_fail(err, PDR_USAGE, "--only: is longer than 4000 bytes");
    memcpy(in->only, only, strlen(only) + 1);
    in->onlys = 1;
    for (char *p = in->only; *p; p++)
        if (*p == ',') {
            *p = 0;
            in->onlys++;
        }
    return PDR_OK;
}

static bool intake_lets(const pdi_intake *in, const pdr_example *e)
{
    const char *p = in->only;
    for (size_t i = 0; i < in->onlys; i++, p += strlen(p) + 1)
        if (e->label && !strcmp(p, e->label)) return true;
    return !in->onlys;
}

static pdr_rc intake_room(pdi_intake *in, pdr_error *err)
{
    pdr_shape shape = pdr_learner_shape(in->l);
    size_t width = (size_t)pdr_shape_size(&shape), outputs = (size_t)pdr_learner_outputs(in->l);
    if (in->most * width > (size_t)1 << 22) in->most = ((size_t)1 << 22) / width + 1;
    in->block = pdi_new(&pdi_malloc, in->most, sizeof *in->block);
    in->x = pdi_new(&pdi_malloc, in->most * width, sizeof *in->x);
    in->target = pdi_new(&pdi_malloc, in->most * outputs, sizeof *in->target);
    in->label = pdi_new(&pdi_malloc, in->most, sizeof *in->label);
    in->names = pdi_new(&pdi_malloc, in->most, sizeof *in->names);
    bool ok = in->block && in->x && in->target && in->label && in->names;
    return ok ? PDR_OK : pdi_nomem(err);
}

pdr_rc pdi_intake_open(const pdi_args *args, bool reads_only, bool wants_label, size_t most,
                       pdi_intake *in, pdr_error *err)
{
    *in = (pdi_intake){.task = pdi_args_get(args, "task"), .most = most};
    pdi_rows_form form = {.label = pdi_args_get(args, "label"),
                          .labels = pdi_args_get(args, "labels"),
                          .task = pdi_args_get(args, "task-column"),
                          .wants_label = wants_label};
    pdr_rc rc = pdi_args_operands(args, 1, 2, "FILE", err);
    if (!rc) rc = pdi_args_count(args, "limit", 1, UINT64_MAX, &in->limit, err);
    if (!rc) rc = intake_only(args, in, err);
    if (!rc) rc = pdi_intake_learner(args, reads_only, &in->l, err);
    if (!rc) rc = intake_room(in, err);
    const char *path = args->operands > 1 ? args->operand[1] : "-";
    if (!rc) rc = pdi_rows_open(in->l, path, &form, &in->rows, err);
    return rc ? pdi_intake_close(in, rc, err) : PDR_OK;
}

/* A row's own words and numbers, in the block's memory. */
static void intake_keep(pdi_intake *in, const pdr_example *e)
{
    size_t i = in->n++, width = in->rows->width, targets = in->rows->targets;
    pdr_example *to = &in->block[i];
    *to = (pdr_example){.x = in->x + i * width};
    memcpy(in->x + i * width, e->x, width * sizeof *in->x);
    if (e->label) to->label = memcpy(in->label[i], e->label, strlen(e->label) + 1);
    if (e->target)
        to->target = memcpy(in->target + i * targets, e->target, targets * sizeof(float));
    const char *task = in->task ? in->task : e->task;
    if (task) {
        snprintf(in->names[i], sizeof in->names[i], "%.255s", task);
        to->task = in->names[i];
    }
}

pdr_rc pdi_intake_next(pdi_intake *in, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    bool more = true;
    in->n = 0;
    while (!rc && more && in->n < in->most && (!in->limit || in->read < in->limit)) {
        pdr_example e;
        if (in->n && !pdi_reader_is_ready(&in->rows->in))
            break; /* what has come is not kept waiting */
        rc = pdi_rows_next(in->rows, &e, &more, err);
        if (rc || !more || !intake_lets(in, &e)) continue;
        intake_keep(in, &e);
        in->read++;
    }
    return rc;
}

pdr_rc pdi_intake_close(pdi_intake *in, pdr_rc rc, pdr_error *err)
{
    pdi_rows_close(in->rows);
    pdr_rc closed = pdr_learner_close(in->l, rc ? NULL : err);
    pdi_free(&pdi_malloc, in->block);
    pdi_free(&pdi_malloc, in->x);
    pdi_free(&pdi_malloc, in->target);
    pdi_free(&pdi_malloc, in->label);
    pdi_free(&pdi_malloc, in->names);
    *in = (pdi_intake){0};
    return rc ? rc : closed;
}
