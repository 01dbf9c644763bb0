/* graph/text.c -- a graph as text and back.
 *
 *     %12 = dot %3 %7 : f32[32,10]
 *     %13 = slice %12 axis=1 lo=0 count=5 step=1 : f32[32,5] ; head
 *
 * A node a line, in order, so the reader pushes and checks that it gets the
 * number, type and shape that the line claims.  What follows ';' is the label. */
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"

static const char *const text_types[] = {[PDR_F32] = "f32", [PDR_I32] = "i32"};

/* ---- writing -------------------------------------------------------------------- */

static void text_put_int(pdi_text *t, const char *name, const int32_t *x, int rank)
{
    (void)rank;
    pdi_text_add(t, " %s=%d", name, *x);
}

static void text_put_bits(pdi_text *t, const char *name, const uint32_t *x, int rank)
{
    (void)rank;
    pdi_text_add(t, " %s=0x%x", name, *x);
}

static void text_put_real(pdi_text *t, const char *name, const double *x, int rank)
{
    (void)rank;
    pdi_text_add(t, " %s=%a", name, *x);
}

static void text_put_perm(pdi_text *t, const char *name, const pdi_perm *p, int rank)
{
    pdi_text_add(t, " %s=", name);
    for (int k = 0; k < rank; k++) pdi_text_add(t, k ? ",%d" : "%d", p->at[k]);
}

void pdi_attr_print(pdi_text *t, const pdi_node *nd)
{
    unsigned set = pdi_op_table[nd->op].attrs;
#define text_put_shape(t, name, x, rank) ((void)0) /* the result's own, after the colon */
#define ATTR(field, type, text, batching)                                                          \
    if (set & PDI_HAS_##field) text_put_##text(t, #field, &nd->attr.field, nd->shape.rank);
#include "graph/attr.def"
#undef ATTR
}

static void text_put_node(pdi_text *t, const pdr_graph *g, size_t i)
{
    const pdi_node *nd = &g->v[i];
    char shape[PDR_SHAPE_TEXT];
    pdi_text_add(t, "%%%zu = %s", i, pdi_op_table[nd->op].name);
    for (int k = 0; k < nd->nin; k++) pdi_text_add(t, " %%%u", nd->in[k].id);
    pdi_attr_print(t, nd);
    pdi_text_add(t, " : %s%s", text_types[nd->type], pdr_shape_text(&nd->shape, shape));
    if (nd->label) pdi_text_add(t, " ; %s", g->label[nd->label - 1]);
    pdi_text_add(t, "\n");
}

char *pdr_graph_print(const pdr_graph *g)
{
    pdi_text t = {.alloc = g->alloc};
    for (size_t i = 1; i < g->n; i++) text_put_node(&t, g, i);
    return pdi_text_take(&t);
}

/* ---- reading --------------------------------------------------------------------- */

typedef struct text_reader {
    const char *p;
    size_t line;
    pdr_error *err;
    bool failed;
} text_reader;

static void text_bad(text_reader *r, const char *what)
{
    if (!r->failed) pdi_fail(r->err, PDR_INPUT, "graph text, line %zu: %s", r->line, what);
    r->failed = true;
}

static bool text_take(text_reader *r, const char *word)
{
    size_t n = word ? strlen(word) : 0;
    if (!n || strncmp(r->p, word, n) != 0) return false;
    r->p += n;
    return true;
}

static void text_expect(text_reader *r, const char *word)
{
    if (!r->failed && !text_take(r, word))
        text_bad(r, "not the form '%N = op %A ... : type[shape]'");
}

/* Numbers stand where they are expected: strtol would skip blanks and lines. */
static bool text_is_number(const text_reader *r)
{
    const char *digit = *r->p == '-' ? r->p + 1 : r->p;
    return !strncmp(digit, "inf", 3) || !strncmp(digit, "nan", 3) ||
           (*digit >= '0' && *digit <= '9');
}

static int64_t text_integer(text_reader *r, int base, int64_t lo, int64_t hi)
{
    char *end = NULL;
    errno = 0;
    int64_t x = text_is_number(r) ? strtoll(r->p, &end, base) : 0;
    if (!end || end == r->p || errno || x < lo || x > hi)
        text_bad(r, "a number is missing or out of range");
    if (end) r->p = end;
    return r->failed ? lo : x;
}

static void text_get_int(text_reader *r, int32_t *x)
{
    *x = (int32_t)text_integer(r, 10, INT32_MIN, INT32_MAX);
}

static void text_get_bits(text_reader *r, uint32_t *x)
{
    *x = (uint32_t)text_integer(r, 16, 0, UINT32_MAX);
}

static void text_get_real(text_reader *r, double *x)
{
    char *end = NULL;
    *x = text_is_number(r) ? strtod(r->p, &end) : 0;
    if (!end || end == r->p) text_bad(r, "a number is missing or out of range");
    if (end) r->p = end;
}

static void text_get_perm(text_reader *r, pdi_perm *p)
{
    int k = 0;
    if (*r->p == ' ') return; /* rank 0 has nothing to reorder */
    do p->at[k++] = (int32_t)text_integer(r, 10, 0, PDR_MAX_RANK - 1);
    while (!r->failed && k < PDR_MAX_RANK && text_take(r, ","));
}

static void text_get_shape(text_reader *r, pdr_shape *s)
{
    text_expect(r, "[");
    while (!r->failed && !text_take(r, "]")) {
        if (s->rank == PDR_MAX_RANK) text_bad(r, "too many axes");
        if (s->rank) text_expect(r, ",");
        if (!r->failed) s->dim[s->rank++] = (int32_t)text_integer(r, 10, 1, INT32_MAX);
    }
}

/* Which attribute it was, as its bit. */
static unsigned text_get_attr(text_reader *r, pdi_attr *at)
{
#define text_name_shape(name) NULL /* not among them: see text_put_shape */
#define text_name_int(name)   name
#define text_name_bits(name)  name
#define text_name_real(name)  name
#define text_name_perm(name)  name
#define ATTR(field, type, text, batching)                                                          \
    if (text_take(r, text_name_##text(#field "="))) {                                              \
        text_get_##text(r, &at->field);                                                            \
        return PDI_HAS_##field;                                                                    \
    }
#include "graph/attr.def"
#undef ATTR
    text_bad(r, "no such attribute");
    return 0;
}

/* " axis=1 lo=0 : ": each attribute of the operator once, and no other. */
static void text_get_attrs(text_reader *r, pdi_opcode op, pdi_attr *at)
{
    unsigned left = pdi_op_table[op].attrs & ~(unsigned)PDI_HAS_shape;
    bool ours = true;
    while (!r->failed && !text_take(r, " : ")) {
        text_expect(r, " ");
        unsigned got = r->failed ? 0 : text_get_attr(r, at);
        ours = ours && (left & got) == got;
        left &= ~got;
    }
    if (!r->failed && (left || !ours)) text_bad(r, "the attributes are not the operator's");
}

static pdi_opcode text_op(text_reader *r)
{
    size_t n = strcspn(r->p, " \n");
    for (int op = PDI_error + 1; op < PDI_OPS; op++)
        if (strlen(pdi_op_table[op].name) == n && !strncmp(r->p, pdi_op_table[op].name, n)) {
            r->p += n;
            return (pdi_opcode)op;
        }
    text_bad(r, "no such operator");
    return PDI_error;
}

static void text_line(text_reader *r, pdr_graph *g)
{
    pdr_node in[PDI_MAX_IN] = {{0}};
    pdi_attr at;
    memset(&at, 0, sizeof at);
    for (int k = 0; k < PDR_MAX_RANK; k++) at.perm.at[k] = k; /* axes past the rank stay put */
    text_expect(r, "%");
    int64_t id = text_integer(r, 10, (int64_t)g->n, (int64_t)g->n);
    text_expect(r, " = ");
    pdi_opcode op = text_op(r);
    for (int k = 0; !r->failed && k < pdi_op_table[op].nin; k++) {
        text_expect(r, " %");
        in[k].id = (uint32_t)text_integer(r, 10, 1, (int64_t)g->n - 1);
    }
    text_get_attrs(r, op, &at);
    pdr_type type = text_take(r, text_types[PDR_I32]) ? PDR_I32 : PDR_F32;
    if (type == PDR_F32) text_expect(r, text_types[PDR_F32]);
    text_get_shape(r, &at.shape);
    if (r->failed) return;
    char label[PDI_LABEL_MAX] = "";
    if (text_take(r, " ; ")) {
        size_t n = strcspn(r->p, "\n");
        if (n < sizeof label) memcpy(label, r->p, n);
        r->p += n;
    }
    text_expect(r, "\n");
    pdr_graph_label(g, label);
    pdr_node x = op == PDI_input ? pdr_input(g, type, at.shape) : pdi_push(g, op, in, &at);
    if (g->err.rc == PDR_NOMEM && !r->failed) {
        pdi_nomem(r->err);
        r->failed = true;
    } else if (!r->failed && pdi_is_null(x)) {
        text_bad(r, g->err.text);
    } else if (x.id != (uint32_t)id || pdr_node_type(g, x) != type ||
               !pdr_shape_equal(pdi_shape_at(g, x), &at.shape)) {
        text_bad(r, "number, type or shape is not what the operator gives");
    }
}

pdr_graph *pdr_graph_parse(const pdr_alloc *alloc, const char *text, pdr_error *err)
{
    text_reader r = {.p = text, .line = 1, .err = err};
    pdr_graph *g = pdr_graph_new(alloc);
    if (!g) {
        pdi_nomem(err);
        return NULL;
    }
    for (; *r.p && !r.failed; r.line++) text_line(&r, g);
    if (!r.failed) {
        pdr_graph_label(g, NULL);
        return g;
    }
    pdr_graph_free(g);
    return NULL;
}
