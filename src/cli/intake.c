/* cli/intake.c -- a learner and rows for it. */
#include "cli/intake.h"

#include <inttypes.h>
#include <perdure/pool.h>
#include <stdio.h>
#include <string.h>

#include "data/show.h"

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
    in->ids = pdi_new(&pdi_malloc, in->most, sizeof *in->ids);
    bool ok = in->block && in->x && in->target && in->label && in->names && in->ids;
    return ok ? PDR_OK : pdi_nomem(err);
}

pdr_rc pdi_intake_open(const pdi_args *args, pdi_intake_use use, size_t most, pdi_intake *in,
                       pdr_error *err)
{
    *in = (pdi_intake){
        .task = pdi_args_get(args, "task"), .most = most, .in_block = {.alloc = &pdi_malloc}};
    pdi_rows_form form = {.label = pdi_args_get(args, "label"),
                          .labels = pdi_args_get(args, "labels"),
                          .task = pdi_args_get(args, "task-column"),
                          .id = pdi_args_get(args, "id"),
                          .wants_label = use != PDI_INTAKE_PREDICTS,
                          .by_id = use == PDI_INTAKE_LEARNS};
    pdr_rc rc = pdi_args_operands(args, 1, 2, "FILE", err);
    if (!rc) rc = pdi_args_count(args, "limit", 1, UINT64_MAX, &in->limit, err);
    if (!rc) rc = intake_only(args, in, err);
    if (!rc) rc = pdi_intake_learner(args, use != PDI_INTAKE_LEARNS, &in->l, err);
    if (!rc) rc = intake_room(in, err);
    const char *path = args->operands > 1 ? args->operand[1] : "-";
    if (!rc) rc = pdi_rows_open(in->l, path, &form, &in->rows, err);
    return rc ? pdi_intake_close(in, rc, err) : PDR_OK;
}

pdr_rc pdi_intake_write(const pdi_args *args, pdi_intake *in, pdr_error *err)
{
    pdr_learner_close(in->l, NULL);
    in->l = NULL;
    pdr_rc rc = pdi_intake_learner(args, false, &in->l, err);
    in->rows->l = in->l;
    return rc;
}

/* A row's own words and numbers, in the block's memory. */
static void intake_keep(pdi_intake *in, const pdr_example *e)
{
    size_t i = in->n++, width = in->rows->width, targets = in->rows->targets;
    pdr_example *to = &in->block[i];
    *to = (pdr_example){0};
    if (e->x) to->x = memcpy(in->x + i * width, e->x, width * sizeof *in->x);
    if (e->id) to->id = memcpy(in->ids[i], e->id, strlen(e->id) + 1);
    if (e->label) to->label = memcpy(in->label[i], e->label, strlen(e->label) + 1);
    if (e->target)
        to->target = memcpy(in->target + i * targets, e->target, targets * sizeof(float));
    const char *task = in->task ? in->task : e->task;
    if (task) {
        snprintf(in->names[i], sizeof in->names[i], "%.255s", task);
        to->task = in->names[i];
    }
}

/* Does a label have what it belongs to?  The second of two for one id in a block has not. */
static pdr_rc intake_waits(pdi_intake *in, const pdr_example *e, bool *waits, pdr_error *err)
{
    *waits = true;
    if (!e->id || !in->rows->form.by_id) return PDR_OK;
    bool again = pdi_dict_find(&in->in_block, e->id) >= 0;
    *waits = e->x || (!again && pdr_learner_awaits(in->l, e->id));
    if (!*waits && !in->strays++) snprintf(in->stray, sizeof in->stray, "%s", e->id);
    return again || pdi_dict_add(&in->in_block, e->id) >= 0 ? PDR_OK : pdi_nomem(err);
}

/* Once, as soon as it is known. */
static void intake_tell(pdi_intake *in)
{
    const pdi_rows *r = in->rows;
    size_t most = sizeof r->passed / sizeof r->passed[0];
    if (in->told || !r->passed_over) return;
    in->told = true;
    fprintf(stderr, "caution: %s: no feature of the learner's, passed over: ", r->name);
    for (size_t i = 0; i < r->passed_over && i < most; i++) {
        char name[PDI_SHOW];
        fprintf(stderr, "%s%s", i ? ", " : "", pdi_show(name, r->passed[i]));
    }
    fprintf(stderr, "%s\n", r->passed_over > most ? ", ..." : "");
}

static void intake_conclude(const pdi_intake *in)
{
    char id[PDI_SHOW];
    if (in->strays)
        fprintf(stderr,
                "caution: %" PRIu64 " label%s of ids that do not wait passed over, the first of "
                "'%s'\n",
                in->strays, in->strays > 1 ? "s" : "", pdi_show(id, in->stray));
    if (in->rows && in->rows->dropped)
        fprintf(stderr, "caution: %" PRIu64 " row%s with a value missing passed over\n",
                in->rows->dropped, in->rows->dropped > 1 ? "s" : "");
}

pdr_rc pdi_intake_next(pdi_intake *in, pdr_error *err)
{
    pdr_rc rc = PDR_OK;
    bool more = true, waits;
    in->n = 0;
    pdi_dict_close(&in->in_block);
    in->in_block.alloc = &pdi_malloc;
    while (!rc && more && in->n < in->most && (!in->limit || in->read < in->limit)) {
        pdr_example e;
        if (in->n && !pdi_reader_is_ready(&in->rows->in))
            break; /* what has come is not kept waiting */
        rc = pdi_rows_next(in->rows, &e, &more, err);
        if (rc || !more || !intake_lets(in, &e)) continue;
        rc = intake_waits(in, &e, &waits, err);
        if (rc || !waits) continue;
        intake_keep(in, &e);
        in->read++;
    }
    intake_tell(in);
    return rc;
}

pdr_rc pdi_intake_close(pdi_intake *in, pdr_rc rc, pdr_error *err)
{
    intake_conclude(in);
    pdi_dict_close(&in->in_block);
    pdi_rows_close(in->rows);
    pdr_rc closed = pdr_learner_close(in->l, rc ? NULL : err);
    pdi_free(&pdi_malloc, in->block);
    pdi_free(&pdi_malloc, in->x);
    pdi_free(&pdi_malloc, in->target);
    pdi_free(&pdi_malloc, in->label);
    pdi_free(&pdi_malloc, in->names);
    pdi_free(&pdi_malloc, in->ids);
    *in = (pdi_intake){0};
    return rc ? rc : closed;
}
