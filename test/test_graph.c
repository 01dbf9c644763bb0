/* test_graph.c -- building: refusals that name the culprit, interning, text, verify. */
#include <math.h>
#include <perdure/graph.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "t.h"
#include "xform/eval.h"

static pdr_graph *g;

static int graph_open(void **state)
{
    (void)state;
    g = pdr_graph_new(NULL);
    return g ? 0 : -1;
}

static int graph_close(void **state)
{
    (void)state;
    pdr_graph_free(g);
    return 0;
}

static pdr_node real(pdr_shape s) { return pdr_input(g, PDR_F32, s); }
static pdr_node whole(pdr_shape s) { return pdr_input(g, PDR_I32, s); }

#define REAL(...)  real(PDR_SHAPE(__VA_ARGS__))
#define WHOLE(...) whole(PDR_SHAPE(__VA_ARGS__))

/* ---- refusals ----------------------------------------------------------------------- */

/* The call is refused with exactly this message, and what is built on it is null. */
#define REFUSED(call, message)                                                                     \
    do {                                                                                           \
        pdr_graph_free(g);                                                                         \
        g = pdr_graph_new(NULL);                                                                   \
        pdr_graph_label(g, "head");                                                                \
        pdr_node x_ = call;                                                                        \
        assert_int_equal(x_.id, 0);                                                                \
        assert_string_equal(pdr_graph_error(g), message "; in head");                              \
        assert_int_equal(pdr_graph_rc(g), PDR_USAGE);                                              \
        assert_int_equal(pdr_exp(g, x_).id, 0);                                                    \
        assert_int_equal(pdr_scalar(g, 1).id, 0);                                                  \
        assert_string_equal(pdr_graph_error(g), message "; in head");                              \
    } while (0)

#define UNUSABLE ": the shape is too large, or an axis is below 1"

static void leaves_say_what_they_refuse(void **state)
{
    (void)state;
    REFUSED(REAL(3, 0), "input: to [3,0]" UNUSABLE);
    REFUSED(REAL(-1), "input: to [-1]" UNUSABLE);
    REFUSED(real((pdr_shape){.rank = 11}), "input: to [0,0,0,0,0,0,0,0,0,0]" UNUSABLE);
    REFUSED(real((pdr_shape){.rank = -1}), "input: to []" UNUSABLE);
    REFUSED(REAL(1 << 20, 1 << 20, 1 << 30), "input: to [1048576,1048576,1073741824]" UNUSABLE);
    REFUSED(pdr_input(g, (pdr_type)7, PDR_SCALAR), "input: to []: no such type");
    REFUSED(pdr_fill(g, PDR_SHAPE(0), 1), "fill: to [0] value=0x1p+0" UNUSABLE);
    REFUSED(pdr_iota(g, PDR_SHAPE(3), 1), "iota: to [3] axis=1: no such axis");
    REFUSED(pdr_iota(g, PDR_SHAPE(3), -1), "iota: to [3] axis=-1: no such axis");
    REFUSED(pdr_iota(g, (pdr_shape){.rank = 99}, 50),
            "iota: to [0,0,0,0,0,0,0,0,0,0] axis=50" UNUSABLE);
    REFUSED(pdr_iota(g, PDR_SHAPE(20000000), 0),
            "iota: to [20000000] axis=0: an axis over 2^24 is not exact in f32");
}

static void draws_say_what_they_refuse(void **state)
{
    (void)state;
    REFUSED(pdr_rand(g, REAL(4), 0, PDR_SHAPE(2)),
            "rand: [4] to [2] batch=0 stream=0x0: a key holds integers");
    REFUSED(pdr_rand(g, WHOLE(3), 1, PDR_SHAPE(2)),
            "rand: [3] to [2] batch=0 stream=0x1: a key has four words along its last axis");
    REFUSED(pdr_rand(g, whole(PDR_SCALAR), 1, PDR_SHAPE(2)),
            "rand: [] to [2] batch=-1 stream=0x1: a key has four words along its last axis");
    REFUSED(pdr_rand(g, WHOLE(2, 4), 1, PDR_SHAPE(0)),
            "rand: [2,4] to [2,0] batch=1 stream=0x1" UNUSABLE);
    REFUSED(pdr_rand(g, WHOLE(3, 4), 0, PDR_SHAPE(1 << 17, 1 << 18)),
            "rand: [3,4] to [3,131072,262144] batch=1 stream=0x0: a key has 2^34 draws a stream");
}

static void maps_say_what_they_refuse(void **state)
{
    (void)state;
    REFUSED(pdr_add(g, REAL(3), REAL(4)), "add: [3] and [4]: shapes differ");
    REFUSED(pdr_mul(g, REAL(2, 3), REAL(2)), "mul: [2,3] and [2]: shapes differ");
    REFUSED(pdr_where(g, REAL(2), REAL(2), REAL(3)), "where: [2] and [2] and [3]: shapes differ");
    REFUSED(pdr_exp(g, WHOLE(5)), "exp: [5]: operands are reals; cast integers first");
    REFUSED(pdr_eq(g, WHOLE(5), WHOLE(5)),
            "eq: [5] and [5]: operands are reals; cast integers first");
    REFUSED(pdr_sub(g, REAL(2, 5), WHOLE(5)),
            "sub: [2,5] and [2,5]: operands are reals; cast integers first");
    REFUSED(pdr_cast(g, REAL(5)), "cast: [5]: casts integers only");
}

static void walks_say_what_they_refuse(void **state)
{
    (void)state;
    static const int32_t twice[] = {1, 1}, far[] = {0, 2};
    REFUSED(pdr_reshape(g, REAL(2, 3), PDR_SHAPE(4, 2)),
            "reshape: [2,3] to [4,2]: the number of elements changes");
    REFUSED(pdr_reshape(g, REAL(2, 3), PDR_SHAPE(0)), "reshape: [2,3] to [0]" UNUSABLE);
    REFUSED(pdr_permute(g, REAL(2, 3), twice),
            "permute: [2,3] perm=1,1: not a permutation of the axes");
    REFUSED(pdr_permute(g, REAL(2, 3), far),
            "permute: [2,3] perm=0,2: not a permutation of the axes");
    REFUSED(pdr_swap_last(g, REAL(7)), "swap_last: [7]: needs two axes");
    REFUSED(pdr_flip(g, REAL(7), 1), "flip: [7] axis=1: no such axis");
    REFUSED(pdr_broadcast(g, REAL(3), PDR_SHAPE(2, 4), 1),
            "broadcast: [3] to [2,4] axes=0x1: the axes that stay are not the operand's");
    REFUSED(pdr_broadcast(g, REAL(3), PDR_SHAPE(3), 2),
            "broadcast: [3] to [3] axes=0x2: no such axis");
    REFUSED(pdr_broadcast(g, REAL(3), PDR_SHAPE(3, 0), 2),
            "broadcast: [3] to [3,0] axes=0x2" UNUSABLE);
    REFUSED(pdr_sum(g, REAL(3), 2), "sum: [3] axes=0x2: no such axis");
    REFUSED(pdr_sum(g, REAL(1), 3), "sum: [1] axes=0x3: no such axis");
    REFUSED(pdr_sum(g, WHOLE(3), 1), "sum: [3] axes=0x1: adds reals; cast integers first");
    REFUSED(pdr_mean(g, REAL(3), 4), "sum: [3] axes=0x4: no such axis");
}

static void slices_and_windows_say_what_they_refuse(void **state)
{
    (void)state;
    REFUSED(pdr_slice(g, REAL(5), 1, 0, 1, 1),
            "slice: [5] axis=1 lo=0 count=1 step=1: no such axis");
    REFUSED(pdr_slice(g, REAL(5), 0, 3, 3, 1),
            "slice: [5] axis=0 lo=3 count=3 step=1: leaves the axis");
    REFUSED(pdr_slice(g, REAL(5), 0, -1, 2, 1),
            "slice: [5] axis=0 lo=-1 count=2 step=1: leaves the axis");
    REFUSED(pdr_slice(g, REAL(5), 0, 0, 0, 1),
            "slice: [5] axis=0 lo=0 count=0 step=1: leaves the axis");
    REFUSED(pdr_slice(g, REAL(5), 0, 0, 2, 0),
            "slice: [5] axis=0 lo=0 count=2 step=0: leaves the axis");
    REFUSED(pdr_slice(g, REAL(5), 0, 0, INT32_MAX, INT32_MAX),
            "slice: [5] axis=0 lo=0 count=2147483647 step=2147483647: leaves the axis");
    REFUSED(pdr_pad(g, REAL(5), 0, 3, 7, 1),
            "pad: [5] to [7] axis=0 lo=3 count=5 step=1: leaves the axis");
    REFUSED(pdr_pad(g, REAL(5), 2, 0, 7, 1),
            "pad: [5] to [5] axis=2 lo=0 count=0 step=1: no such axis");
    REFUSED(pdr_pad(g, REAL(5), 0, 0, 0, 1), "pad: [5] to [0] axis=0 lo=0 count=5 step=1" UNUSABLE);
    REFUSED(pdr_pad(g, WHOLE(5), 0, 0, 9, 1),
            "pad: [5] to [9] axis=0 lo=0 count=5 step=1: pads reals; cast integers first");
    REFUSED(pdr_window(g, REAL(5), 0, 3, 1, 3),
            "window: [5] axis=0 step=1 taps=3 dilation=3: the window does not fit the axis");
    REFUSED(pdr_window(g, REAL(5), 1, 3, 1, 1),
            "window: [5] axis=1 step=1 taps=3 dilation=1: the window does not fit the axis");
    REFUSED(pdr_window(g, REAL(5), 0, 0, 1, 1),
            "window: [5] axis=0 step=1 taps=0 dilation=1: the window does not fit the axis");
    REFUSED(pdr_window(g, REAL(1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 0, 1, 1, 1),
            "window: [1,1,1,1,1,1,1,1,1,1] axis=0 step=1 taps=1 dilation=1: "
            "the window does not fit the axis");
    REFUSED(pdr_unwindow(g, REAL(4, 2), 0, 7, 1, 1),
            "unwindow: [4,2] to [7] axis=0 step=1 taps=2 dilation=1: "
            "not the windows of an axis of that length");
    REFUSED(pdr_unwindow(g, WHOLE(4, 2), 0, 5, 1, 1),
            "unwindow: [4,2] to [5] axis=0 step=1 taps=2 dilation=1: "
            "adds reals; cast integers first");
    REFUSED(pdr_unwindow(g, REAL(4), 0, 4, 1, 1),
            "unwindow: [4] to [] axis=0 step=1 taps=0 dilation=1: "
            "not the windows of an axis of that length");
}

static void joins_say_what_they_refuse(void **state)
{
    (void)state;
    REFUSED(pdr_concat(g, REAL(2, 3), REAL(2, 4), 2),
            "concat: [2,3] and [2,4] axis=2: no such axis");
    REFUSED(pdr_concat(g, REAL(2, 3), REAL(2, 4), 0),
            "concat: [2,3] and [2,4] axis=0: the other axes differ");
    REFUSED(pdr_concat(g, REAL(2, 3), REAL(1, 3), 1),
            "concat: [2,3] and [1,3] axis=1: the other axes differ");
    REFUSED(pdr_concat(g, REAL(3), REAL(3, 3), 0),
            "concat: [3] and [3,3] axis=0: the other axes differ");
    REFUSED(pdr_concat(g, REAL(INT32_MAX), REAL(INT32_MAX), 0),
            "concat: [2147483647] and [2147483647] axis=0: the result is too large");
}

static void contractions_say_what_they_refuse(void **state)
{
    (void)state;
    REFUSED(pdr_dot(g, REAL(3, 4), REAL(5, 6)), "dot: [3,4] and [5,6]: inner axes differ");
    REFUSED(pdr_dot(g, REAL(2, 3, 4), REAL(3, 5, 4)),
            "dot: [2,3,4] and [3,5,4]: batch axes differ");
    REFUSED(pdr_dot(g, REAL(4), REAL(4)),
            "dot: [4] and [4]: both need the same number of axes, two or more");
    REFUSED(pdr_dot(g, REAL(3, 4), REAL(1, 3, 4)),
            "dot: [3,4] and [1,3,4]: both need the same number of axes, two or more");
    REFUSED(pdr_dot(g, REAL(3, 4), WHOLE(5, 4)),
            "dot: [3,4] and [5,4]: multiplies reals; cast integers first");
    REFUSED(pdr_dot(g, REAL(1 << 21, 1), REAL(1 << 21, 1)),
            "dot: [2097152,1] and [2097152,1]: the result is too large");
}

static void selections_say_what_they_refuse(void **state)
{
    (void)state;
    REFUSED(pdr_max(g, REAL(3), 1), "max: [3] axis=1: no such axis");
    REFUSED(pdr_argmax(g, REAL(3), -1), "argmax: [3] axis=-1: no such axis");
    REFUSED(pdr_max(g, WHOLE(3), 0), "max: [3] axis=0: compares reals; cast integers first");
    REFUSED(pdr_argmax(g, REAL(20000000), 0),
            "argmax: [20000000] axis=0: an axis over 2^24 is not exact in f32");
    REFUSED(pdr_gather(g, WHOLE(3), WHOLE(2)),
            "gather: [3] and [2] batch=0: needs reals and an integer index");
    REFUSED(pdr_gather(g, REAL(3), REAL(2)),
            "gather: [3] and [2] batch=0: needs reals and an integer index");
    REFUSED(pdr_gather(g, REAL(3), whole(PDR_SCALAR)),
            "gather: [3] and [] batch=-1: the index has one axis past the batch axes");
    REFUSED(pdr_gather(g, REAL(3), WHOLE(3, 2)),
            "gather: [3] and [3,2] batch=1: the index has one axis past the batch axes");
    REFUSED(pdr_gather(g, REAL(4, 3), WHOLE(3, 2)),
            "gather: [4,3] and [3,2] batch=1: batch axes differ");
    REFUSED(pdr_scatter(g, REAL(4, 3), WHOLE(5), 7),
            "scatter: [4,3] and [5] to [7,3] batch=0: as many rows as indices are needed");
    REFUSED(pdr_scatter(g, REAL(4, 3), WHOLE(4), 0),
            "scatter: [4,3] and [4] to [0,3] batch=0" UNUSABLE);
}

static pdr_node grad_of(pdr_node loss)
{
    pdr_node x = REAL(2), d = {9};
    assert_false(pdr_grad(g, loss, 1, &x, &d));
    return d;
}

static pdr_node vmap_of(pdr_node x, pdr_node given, int32_t size)
{
    pdr_node y = pdr_exp(g, pdr_cast(g, WHOLE(2))), d = {9};
    assert_false(pdr_vmap(g, size, 1, &x, &given, 1, &y, &d));
    return d;
}

static void transformations_say_what_they_refuse(void **state)
{
    (void)state;
    const pdr_node none = {0};
    REFUSED(grad_of(REAL(2)), "grad: the loss has shape [2]; reduce it to a scalar first");
    REFUSED(vmap_of(pdr_scalar(g, 1), none, 3), "vmap: only inputs can be mapped");
    REFUSED(vmap_of(REAL(1, 1, 1, 1, 1, 1, 1, 1, 1, 1), none, 3),
            "vmap: an input has too many axes already");
    REFUSED(vmap_of(REAL(4), REAL(2, 4), 3),
            "vmap: the input given is not the mapped one with an axis in front");
    REFUSED(vmap_of(REAL(4), WHOLE(3, 4), 3),
            "vmap: the input given is not the mapped one with an axis in front");
    REFUSED(vmap_of(REAL(4), none, 0), "input: to [0,4]" UNUSABLE);
}

static void the_first_error_stays(void **state)
{
    (void)state;
    pdr_graph_label(g, "first");
    pdr_graph_fail(g, "the caller's own");
    pdr_graph_label(g, "second");
    pdr_add(g, REAL(2), REAL(3));
    assert_string_equal(pdr_graph_error(g), "the caller's own; in first");
}

/* ---- null in, null out ----------------------------------------------------------------- */

static void assert_all_null(size_t n, const pdr_node y[])
{
    for (size_t k = 0; k < n; k++)
        if (y[k].id) fail_msg("call %zu of a null node gives node %u", k, y[k].id);
    assert_null(pdr_graph_error(g));
}

static void null_in_gives_null_out(void **state)
{
    (void)state;
    const pdr_node o = {0}, x = REAL(2, 3);
    const pdr_node y[] = {
        pdr_like(g, o, 1),     pdr_rand(g, o, 0, PDR_SHAPE(2)),
        pdr_neg(g, o),         pdr_randn(g, o, 0, PDR_SHAPE(2)),
        pdr_exp(g, o),         pdr_log(g, o),
        pdr_sqrt(g, o),        pdr_tanh(g, o),
        pdr_erf(g, o),         pdr_sin(g, o),
        pdr_cos(g, o),         pdr_stop(g, o),
        pdr_cast(g, o),        pdr_add(g, o, x),
        pdr_add(g, x, o),      pdr_sub(g, o, o),
        pdr_mul(g, o, o),      pdr_div(g, x, o),
        pdr_lt(g, o, x),       pdr_eq(g, x, o),
        pdr_where(g, o, x, x), pdr_where(g, x, o, x),
        pdr_where(g, x, x, o), pdr_scale(g, 2, o),
        pdr_shift(g, 2, o),    pdr_square(g, o),
        pdr_minimum(g, x, o),  pdr_maximum(g, o, x),
    };
    assert_all_null(COUNT(y), y);
    assert_int_equal(pdr_node_shape(g, o).rank, 0);
    assert_int_equal(pdr_node_type(g, o), PDR_F32);
}

static void null_in_gives_null_out_of_structure(void **state)
{
    (void)state;
    const pdr_node o = {0}, x = REAL(2, 3), i = WHOLE(2);
    const int32_t perm[] = {0};
    const pdr_node y[] = {
        pdr_reshape(g, o, PDR_SHAPE(6)),
        pdr_permute(g, o, perm),
        pdr_swap_last(g, o),
        pdr_flip(g, o, 0),
        pdr_sum(g, o, 1),
        pdr_broadcast(g, o, PDR_SHAPE(2), 1),
        pdr_sum_all(g, o),
        pdr_mean(g, o, 1),
        pdr_mean_all(g, o),
        pdr_sum_keep(g, o, 1),
        pdr_mean_keep(g, o, 1),
        pdr_slice(g, o, 0, 0, 1, 1),
        pdr_pad(g, o, 0, 0, 1, 1),
        pdr_window(g, o, 0, 1, 1, 1),
        pdr_unwindow(g, o, 0, 1, 1, 1),
        pdr_concat(g, o, x, 0),
        pdr_concat(g, x, o, 0),
        pdr_gather(g, o, i),
        pdr_gather(g, x, o),
        pdr_scatter(g, o, i, 3),
        pdr_scatter(g, x, o, 3),
        pdr_max(g, o, 0),
        pdr_max_keep(g, o, 0),
        pdr_argmax(g, o, 0),
        pdr_dot(g, o, x),
        pdr_dot(g, x, o),
    };
    assert_all_null(COUNT(y), y);
}

static void null_in_gives_null_out_of_transformations(void **state)
{
    (void)state;
    const pdr_node o = {0}, x = REAL(2, 3), i = WHOLE(2), loss = pdr_sum_all(g, x);
    pdr_node d[] = {{9}, {9}}, led = o;
    const pdr_node wrt[] = {x, o};
    assert_false(pdr_grad(g, o, 1, &x, d));
    assert_false(pdr_grad(g, loss, 2, wrt, d));
    assert_int_equal(d[0].id + d[1].id, 0);
    d[0].id = 9;
    assert_false(pdr_vmap(g, 2, 1, &o, &led, 1, &x, d));
    assert_int_equal(d[0].id, 0);
    d[0].id = 9;
    assert_false(pdr_vmap(g, 2, 1, &i, &led, 1, &o, d));
    assert_int_equal(d[0].id, 0);
    assert_null(pdr_graph_error(g));
}

/* ---- interning ---------------------------------------------------------------------------- */

static void equal_expressions_are_one_node(void **state)
{
    (void)state;
    pdr_node x = REAL(4, 5), a = pdr_sum(g, pdr_exp(g, x), 1);
    size_t n = pdr_graph_size(g);
    pdr_graph_label(g, "elsewhere");
    assert_int_equal(pdr_sum(g, pdr_exp(g, x), 1).id, a.id);
    assert_int_equal(pdr_graph_size(g), n);
    assert_int_not_equal(pdr_sum(g, pdr_exp(g, x), 2).id, a.id);
    assert_int_not_equal(REAL(4, 5).id, REAL(4, 5).id);
    assert_int_not_equal(pdr_scalar(g, 0.0).id, pdr_scalar(g, -0.0).id);
    assert_int_equal(pdr_scalar(g, NAN).id, pdr_scalar(g, -NAN).id);
}

/* What lies in a shape past its rank is nobody's business. */
static void shapes_are_compared_by_their_axes(void **state)
{
    (void)state;
    pdr_shape s = {.rank = 1, .dim = {3, 9, 9}};
    assert_int_equal(pdr_fill(g, s, 1).id, pdr_fill(g, PDR_SHAPE(3), 1).id);
}

static void interning_survives_growth(void **state)
{
    (void)state;
    uint32_t first[3000];
    for (int i = 0; i < 3000; i++) first[i] = pdr_scalar(g, i).id;
    size_t n = pdr_graph_size(g);
    for (int i = 0; i < 3000; i++) assert_int_equal(pdr_scalar(g, i).id, first[i]);
    assert_int_equal(pdr_graph_size(g), n);
}

static void what_is_no_operation_adds_no_node(void **state)
{
    (void)state;
    pdr_node x = REAL(4, 1);
    assert_int_equal(pdr_reshape(g, x, PDR_SHAPE(4, 1)).id, x.id);
    assert_int_equal(pdr_broadcast(g, x, PDR_SHAPE(4, 1), 0).id, x.id);
    assert_int_equal(pdr_sum(g, x, 0).id, x.id);
    assert_int_equal(pdi_node_at(g, pdr_sum(g, x, 2))->op, PDI_reshape);
}

/* The rewrites that are made while building: graph.h says which. */
static void sums_and_products_compose_as_they_are_built(void **state)
{
    (void)state;
    pdr_node x = REAL(5, 2, 3), y = REAL(5, 4, 3), p = pdr_dot(g, x, y), s = pdr_sum(g, p, 1);
    assert_int_equal(pdi_node_at(g, s)->op, PDI_dot);
    assert_int_equal(pdi_shape_at(g, pdi_node_at(g, s)->in[0])->dim[1], 15);
    assert_int_equal(pdr_swap_last(g, p).id, pdr_dot(g, y, x).id);
    assert_int_equal(pdr_swap_last(g, pdr_swap_last(g, x)).id, x.id);
    assert_int_equal(pdr_sum(g, pdr_sum(g, x, 2), 2).id, pdr_sum(g, x, 6).id);
    /* an inner axis of 4.9e9 would be none */
    pdr_node far = pdr_dot(g, REAL(70000, 1, 70000), REAL(70000, 1, 70000));
    assert_int_equal(pdi_node_at(g, pdr_sum(g, far, 1))->op, PDI_sum);
    assert_null(pdr_graph_error(g));
}

/* The order in which C evaluates arguments must not number nodes. */
static void joined_parts_are_numbered_in_order(void **state)
{
    (void)state;
    pdr_node x = REAL(2), y = REAL(3), z = pdr_concat(g, x, y, 0);
    const pdi_node *sum = pdi_node_at(g, z);
    assert_int_equal(pdi_node_at(g, sum->in[0])->in[0].id, x.id);
    assert_true(sum->in[0].id < sum->in[1].id);
}

/* ---- transformations ------------------------------------------------------------------------ */

static void a_gradient_of_what_is_not_there_is_zero(void **state)
{
    (void)state;
    pdr_node x = REAL(3), other = REAL(2), k = WHOLE(4), late, d[5];
    pdr_node loss = pdr_sum_all(
        g, pdr_mul(g, pdr_stop(g, x), pdr_cast(g, pdr_slice(g, k, 0, 0, 3, 1))));
    late = REAL(7);
    const pdr_node wrt[] = {x, other, k, late, loss};
    assert_true(pdr_grad(g, loss, 5, wrt, d));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pdi_node_at(g, d[i])->op, PDI_fill);
        assert_true(pdi_node_at(g, d[i])->attr.value == 0);
        assert_true(pdr_shape_equal(pdi_shape_at(g, d[i]), pdi_shape_at(g, wrt[i])));
    }
    assert_int_equal(d[4].id, pdr_scalar(g, 1).id);
}

static void a_gradient_may_end_at_any_node(void **state)
{
    (void)state;
    pdr_node x = REAL(3), y = pdr_exp(g, x), loss = pdr_sum_all(g, pdr_mul(g, y, y)), d;
    assert_true(pdr_grad(g, loss, 1, &y, &d));
    assert_true(pdr_shape_equal(pdi_shape_at(g, d), pdi_shape_at(g, y)));
    for (size_t i = y.id + 1; i < pdr_graph_size(g); i++)
        for (int k = 0; k < g->v[i].nin; k++) assert_int_not_equal(g->v[i].in[k].id, x.id);
}

/* Of equals the first is the largest, and its gradient is all there is. */
static void the_gradient_of_a_maximum_goes_to_the_first(void **state)
{
    (void)state;
    pdr_node x = REAL(2, 4), loss = pdr_sum_all(g, pdr_max(g, x, 1)), d;
    double v[] = {1, 3, 3, 2, 5, 5, 5, 5}, *value = v;
    static const double want[] = {0, 1, 0, 0, 1, 0, 0, 0};
    assert_true(pdr_grad(g, loss, 1, &x, &d));
    double **got = pdi_eval(g, 1, &x, &value, 1, &d);
    assert_memory_equal(got[d.id], want, sizeof want);
    pdi_eval_free(g, got);
}

static void stop_lets_no_gradient_through(void **state)
{
    (void)state;
    pdr_node x = REAL(3), loss = pdr_sum_all(g, pdr_mul(g, x, pdr_stop(g, x))), d;
    double v[] = {1, 2, 3}, *value = v;
    assert_true(pdr_grad(g, loss, 1, &x, &d));
    double **got = pdi_eval(g, 1, &x, &value, 1, &d);
    assert_memory_equal(got[d.id], v, sizeof v);
    pdi_eval_free(g, got);
}

static void batching_copies_only_what_it_must(void **state)
{
    (void)state;
    pdr_node x = REAL(3), w = REAL(3), shared = pdr_exp(g, w), unused = pdr_log(g, x), led = {0};
    pdr_node y[] = {pdr_mul(g, x, shared), shared}, z[2];
    size_t n = pdr_graph_size(g);
    assert_true(pdr_vmap(g, 5, 1, &x, &led, 2, y, z));
    assert_int_equal(pdr_graph_size(g), n + 3); /* x, shared with an axis in front, the product */
    assert_true(pdr_shape_equal(pdi_shape_at(g, z[0]), &PDR_SHAPE(5, 3)));
    assert_int_equal(pdi_node_at(g, z[1])->op, PDI_broadcast);
    assert_int_equal(pdi_node_at(g, z[0])->in[1].id, z[1].id);
    (void)unused;
}

static void batching_takes_the_callers_inputs(void **state)
{
    (void)state;
    pdr_node x = REAL(3), led = REAL(5, 3), y = pdr_exp(g, x), z, again;
    assert_true(pdr_vmap(g, 5, 1, &x, &led, 1, &y, &z));
    assert_true(pdr_vmap(g, 5, 1, &x, &led, 1, &y, &again));
    assert_int_equal(z.id, pdr_exp(g, led).id);
    assert_int_equal(z.id, again.id);
}

/* ---- text ---------------------------------------------------------------------------------------
 */

static void text_is_what_the_header_shows(void **state)
{
    (void)state;
    pdr_node x = REAL(32, 784), w = REAL(10, 784);
    pdr_graph_label(g, "head");
    pdr_slice(g, pdr_dot(g, x, w), 1, 0, 5, 2);
    char *text = pdr_graph_print(g);
    assert_string_equal(text, "%1 = input : f32[32,784]\n"
                              "%2 = input : f32[10,784]\n"
                              "%3 = dot %1 %2 : f32[32,10] ; head\n"
                              "%4 = slice %3 axis=1 lo=0 count=5 step=2 : f32[32,5] ; head\n");
    pdi_free(g->alloc, text);
}

static void assert_text_returns(const char *text)
{
    pdr_error err = PDR_NO_ERROR;
    pdr_graph *again = pdr_graph_parse(NULL, text, &err);
    if (!again) fail_msg("%s: in\n%s", err.text, text);
    char *text_again = pdr_graph_print(again);
    assert_string_equal(text_again, text);
    assert_int_equal(pdr_graph_verify(again, &err), PDR_OK);
    pdi_free(again->alloc, text_again);
    pdr_graph_free(again);
}

static void any_number_and_label_survive_text(void **state)
{
    (void)state;
    static const double numbers[] = {0.0,      -0.0,      0.1, 1e-310, -1e300,
                                     INFINITY, -INFINITY, NAN, 1e22};
    char longer[400];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    const char *labels[] = {"a",    "two words", "a ; b", "line\nbreak\r\x1b[0m",
                            longer, "\xc3\xa4",  " "};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        pdr_graph_label(g, labels[i % COUNT(labels)]);
        pdr_scalar(g, numbers[i]);
    }
    char *text = pdr_graph_print(g);
    assert_text_returns(text);
    pdi_free(g->alloc, text);
}

#define FORM "not the form '%N = op %A ... : type[shape]'"
static const char *const text_refused[][2] = {
    {"x", "line 1: " FORM},
    {"%2 = input : f32[]\n", "line 1: a number is missing or out of range"},
    {"%1 = input : f32[]", "line 1: " FORM},
    {"%1 = input : f32[]\n\n", "line 2: " FORM},
    {"%1 = input : f64[]\n", "line 1: " FORM},
    {"%1 = input : f32[2\n", "line 1: " FORM},
    {"%1 = input : f32[0]\n", "line 1: a number is missing or out of range"},
    {"%1 = input : f32[ 2]\n", "line 1: a number is missing or out of range"},
    {"%1 = input : f32[\n2]\n", "line 1: a number is missing or out of range"},
    {"%1 = input : f32[0x2]\n", "line 1: a number is missing or out of range"},
    {"%1 = input : f32[2x0]\n", "line 1: " FORM},
    {"%1 = input : f32[99999999999999999999]\n", "line 1: a number is missing or out of range"},
    {"%1 = input : f32[1,1,1,1,1,1,1,1,1,1,1]\n", "line 1: too many axes"},
    {"%1 = input : f32[1048576,1048576,1073741824]\n", "line 1: input: to "
                                                       "[1048576,1048576,1073741824]" UNUSABLE},
    {"%1 = inputs : f32[]\n", "line 1: no such operator"},
    {"%1 = error : f32[]\n", "line 1: no such operator"},
    {"%1 = input : f32[2]\n%2 = exp %2 : f32[2]\n", "line 2: a number is missing or out of range"},
    {"%1 = input : f32[2]\n%2 = exp %0 : f32[2]\n", "line 2: a number is missing or out of range"},
    {"%1 = input : f32[2]\n%2 = exp %1 : f32[3]\n",
     "line 2: number, type or shape is not what the operator gives"},
    {"%1 = input : f32[2]\n%2 = exp %1 : i32[2]\n",
     "line 2: number, type or shape is not what the operator gives"},
    {"%1 = input : f32[2]\n%2 = exp %1 : f32[2]\n%3 = exp %1 : f32[2]\n",
     "line 3: number, type or shape is not what the operator gives"},
    {"%1 = input : f32[2]\n%2 = exp %1 %1 : f32[2]\n", "line 2: no such attribute"},
    {"%1 = input : f32[2]\n%2 = exp : f32[2]\n", "line 2: " FORM},
    {"%1 = input : f32[2]\n%2 = exp %1 axis=0 : f32[2]\n",
     "line 2: the attributes are not the operator's"},
    {"%1 = input shape=[2] : f32[2]\n", "line 1: no such attribute"},
    {"%1 = input : f32[2]\n%2 = flip %1 : f32[2]\n",
     "line 2: the attributes are not the operator's"},
    {"%1 = input : f32[2]\n%2 = flip %1 axis=0 axis=0 : f32[2]\n",
     "line 2: the attributes are not the operator's"},
    {"%1 = input : f32[2]\n%2 = flip %1 axis=1 : f32[2]\n",
     "line 2: flip: [2] axis=1: no such axis"},
    {"%1 = fill value= : f32[2]\n", "line 1: a number is missing or out of range"},
    {"%1 = fill value=  1 : f32[2]\n", "line 1: a number is missing or out of range"},
    {"%1 = input : f32[2]\n%2 = permute %1 perm=10 : f32[2]\n",
     "line 2: a number is missing or out of range"},
    {"%1 = input : i32[4]\n%2 = rand %1 batch=2147483647 stream=0x0 : f32[2]\n",
     "line 2: rand: [4] to [2] batch=2147483647 stream=0x0: the key's batch axes do not match"},
    {"%1 = input : f32[4]\n%2 = input : i32[4]\n%3 = gather %1 %2 batch=2147483647 : f32[4]\n",
     "line 3: gather: [4] and [4] batch=2147483647: the index has one axis past the batch "
     "axes"},
    {"%1 = input : f32[4]\n%2 = input : i32[4]\n%3 = scatter %1 %2 batch=0 : f32[3,2]\n",
     "line 3: scatter: [4] and [4] to [3,2] batch=0: the other axes are not the operand's"},
    {"%1 = input : f32[4]\n%2 = pad %1 axis=0 lo=0 count=3 step=1 : f32[9]\n",
     "line 2: pad: [4] to [9] axis=0 lo=0 count=3 step=1: the other axes are not the "
     "operand's"},
    {"%1 = input : i32[2,4]\n%2 = rand %1 batch=1 stream=0x0 : f32[3,5]\n",
     "line 2: rand: [2,4] to [3,5] batch=1 stream=0x0: the key's batch axes do not match"},
};

static void text_is_refused_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(text_refused); i++) {
        pdr_error err = PDR_NO_ERROR;
        const char *text = text_refused[i][0];
        pdr_graph *read = pdr_graph_parse(NULL, text, &err);
        char want[PDR_ERROR_MAX];
        snprintf(want, sizeof want, "graph text, %s", text_refused[i][1]);
        if (read) fail_msg("taken: %s", text);
        if (strcmp(err.text, want) != 0) fail_msg("%s: '%s', not '%s'", text, err.text, want);
        assert_int_equal(err.rc, PDR_INPUT);
    }
    assert_null(pdr_graph_parse(NULL, "x", NULL));
}

static void no_text_is_an_empty_graph(void **state)
{
    (void)state;
    assert_text_returns("");
}

/* ---- verify
 * ----------------------------------------------------------------------------------------- */

static void assert_found_out(const char *message)
{
    pdr_error err = PDR_NO_ERROR;
    assert_int_equal(pdr_graph_verify(g, &err), PDR_INTERNAL);
    assert_string_equal(err.text, message);
}

static void verify_finds_what_cannot_have_been_built(void **state)
{
    (void)state;
    pdr_error err = PDR_NO_ERROR;
    pdr_node x = REAL(2, 3), y = pdr_exp(g, x), z = pdr_log(g, x), f = pdr_flip(g, y, 0);
    pdi_node y_was = g->v[y.id], f_was = g->v[f.id];
    assert_int_equal(pdr_graph_verify(g, &err), PDR_OK);
    g->v[y.id].shape.dim[0] = 4;
    assert_found_out("node %2 (exp): type or shape is not what its operands give");
    g->v[y.id] = y_was;
    g->v[y.id].type = PDR_I32;
    assert_found_out("node %2 (exp): type or shape is not what its operands give");
    g->v[y.id] = y_was;
    g->v[y.id].in[0] = z;
    assert_found_out("node %2 (exp): an operand is not older than its user");
    g->v[y.id] = y_was;
    g->v[y.id].attr.lo = 1;
    assert_found_out("node %2 (exp): an attribute it does not use is set");
    g->v[y.id] = y_was;
    g->v[y.id].op = PDI_log;
    assert_found_out("node %2 (log): an equal node is in the list already");
    g->v[y.id] = y_was;
    g->v[y.id].nin = 2;
    assert_found_out("node %2 (exp): wrong number of operands");
    g->v[y.id] = y_was;
    g->v[f.id].attr.axis = 2;
    assert_found_out("node %4 (flip): no such axis");
    g->v[f.id] = f_was;
    g->v[f.id].op = PDI_OPS;
    assert_found_out("node %4 (error): no such operator");
    g->v[f.id] = f_was;
    assert_int_equal(pdr_graph_verify(g, &err), PDR_OK);
}

#define GRAPH_TEST(name) cmocka_unit_test_setup_teardown(name, graph_open, graph_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRAPH_TEST(leaves_say_what_they_refuse),
        GRAPH_TEST(draws_say_what_they_refuse),
        GRAPH_TEST(maps_say_what_they_refuse),
        GRAPH_TEST(walks_say_what_they_refuse),
        GRAPH_TEST(slices_and_windows_say_what_they_refuse),
        GRAPH_TEST(joins_say_what_they_refuse),
        GRAPH_TEST(contractions_say_what_they_refuse),
        GRAPH_TEST(selections_say_what_they_refuse),
        GRAPH_TEST(transformations_say_what_they_refuse),
        GRAPH_TEST(the_first_error_stays),
        GRAPH_TEST(null_in_gives_null_out),
        GRAPH_TEST(null_in_gives_null_out_of_structure),
        GRAPH_TEST(null_in_gives_null_out_of_transformations),
        GRAPH_TEST(equal_expressions_are_one_node),
        GRAPH_TEST(shapes_are_compared_by_their_axes),
        GRAPH_TEST(interning_survives_growth),
        GRAPH_TEST(what_is_no_operation_adds_no_node),
        GRAPH_TEST(sums_and_products_compose_as_they_are_built),
        GRAPH_TEST(joined_parts_are_numbered_in_order),
        GRAPH_TEST(a_gradient_of_what_is_not_there_is_zero),
        GRAPH_TEST(a_gradient_may_end_at_any_node),
        GRAPH_TEST(the_gradient_of_a_maximum_goes_to_the_first),
        GRAPH_TEST(stop_lets_no_gradient_through),
        GRAPH_TEST(batching_copies_only_what_it_must),
        GRAPH_TEST(batching_takes_the_callers_inputs),
        GRAPH_TEST(text_is_what_the_header_shows),
        GRAPH_TEST(any_number_and_label_survive_text),
        GRAPH_TEST(text_is_refused_with_its_line),
        GRAPH_TEST(no_text_is_an_empty_graph),
        GRAPH_TEST(verify_finds_what_cannot_have_been_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
