/* fuzz/fuzz_graph.c -- any text as a graph.
 *
 * What is refused is explained in one line that names the line.  What is taken verifies,
 * prints as text that reads back the same, and, when it is small, plans and runs: a
 * graph that nobody would build must not break the planner either. */
#include <perdure/plan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_ELEMENTS = 20000, FUZZ_INPUTS = 16 };

static void fuzz_must(bool holds, const char *what, const char *detail)
{
    if (holds) return;
    fprintf(stderr, "fuzz_graph: %s: %s\n", what, detail);
    abort();
}

static void fuzz_refused(const pdr_error *err)
{
    fuzz_must(err->rc == PDR_INPUT, "a refusal is PDR_INPUT", err->text);
    fuzz_must(!strncmp(err->text, "graph text, line ", 17), "a refusal names its line", err->text);
    fuzz_must(!strpbrk(err->text, "\n\r"), "a refusal is one line", err->text);
}

static void fuzz_text(const pdr_graph *g)
{
    pdr_error err = PDR_NO_ERROR;
    fuzz_must(!pdr_graph_verify(g, &err), "what was taken verifies", err.text);
    char *text = pdr_graph_print(g);
    pdr_graph *again = pdr_graph_parse(NULL, text, &err);
    fuzz_must(again != NULL, "what was printed is taken", err.text);
    char *text_again = pdr_graph_print(again);
    fuzz_must(!strcmp(text, text_again), "what was read prints the same", text_again);
    pdi_free(g->alloc, text);
    pdi_free(g->alloc, text_again);
    pdr_graph_free(again);
}

/* The graph's inputs, and whether it is small enough to run. */
static bool fuzz_small(const pdr_graph *g, pdr_node in[FUZZ_INPUTS], size_t *n_in)
{
    int64_t elements = 0;
    for (uint32_t i = 1; i < g->n; i++) {
        elements += pdr_shape_size(&g->v[i].shape);
        if (g->v[i].op == PDI_dot) {
            const pdr_shape *x = pdi_shape_at(g, g->v[i].in[0]);
            elements += x->dim[x->rank - 1];
        }
        if (elements > FUZZ_ELEMENTS) return false;
        if (g->v[i].op != PDI_input) continue;
        if (*n_in == FUZZ_INPUTS) return false;
        in[(*n_in)++] = (pdr_node){i};
    }
    return g->n > 1;
}

/* The last two nodes from zeros. */
static void fuzz_run(const pdr_graph *g)
{
    static pdr_pool *pool;
    static float zeros[FUZZ_ELEMENTS], out[2][FUZZ_ELEMENTS];
    pdr_error err = PDR_NO_ERROR;
    pdr_plan *plan;
    pdr_node in[FUZZ_INPUTS];
    const void *from[FUZZ_INPUTS];
    size_t n_in = 0, n_out = g->n > 2 ? 2 : 1;
    if (!fuzz_small(g, in, &n_in)) return;
    if (!pool) pool = pdr_pool_new(NULL, 1);
    const pdr_node last[] = {{(uint32_t)g->n - 1}, {(uint32_t)(g->n - n_out)}};
    for (size_t i = 0; i < n_in; i++) from[i] = zeros;
    pdr_rc rc = pdr_plan_new(g, pool, n_in, in, n_out, last, NULL, &plan, &err);
    fuzz_must(!rc, "what was taken is planned", err.text);
    pdr_plan_run(plan, from, (void *[]){out[0], out[1]});
    pdr_plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pdr_error err = PDR_NO_ERROR;
    char *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = 0;
    pdr_graph *g = pdr_graph_parse(NULL, text, &err);
    if (g) {
        fuzz_text(g);
        fuzz_run(g);
    } else {
        fuzz_refused(&err);
    }
    pdr_graph_free(g);
    free(text);
    return 0;
}
