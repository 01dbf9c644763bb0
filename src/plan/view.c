/* plan/view.c -- views: the arithmetic of strides. */
#include <string.h>

#include "plan/plan.h"

pdi_view pdi_view_dense(int32_t buffer, const pdr_shape *s)
{
    pdi_view v = {.buffer = buffer, .shape = *s};
    pdi_dense_strides(s, v.stride);
    return v;
}

/* Do elements lie in row-major order, one after the other?  Axes of length 1
 * may have any stride. */
bool pdi_view_is_dense(const pdi_view *v)
{
    int64_t n = 1;
    for (int k = v->shape.rank; k-- > 0; n *= v->shape.dim[k])
        if (v->shape.dim[k] != 1 && v->stride[k] != n) return false;
    return true;
}

pdi_view pdi_view_permute(const pdi_view *v, const int32_t order[])
{
    pdi_view p = {.buffer = v->buffer, .offset = v->offset, .shape.rank = v->shape.rank};
    for (int k = 0; k < v->shape.rank; k++) {
        p.shape.dim[k] = v->shape.dim[order[k]];
        p.stride[k] = v->stride[order[k]];
    }
    return p;
}

pdi_view pdi_view_laid(int32_t buffer, const pdr_shape *s, const int32_t order[])
{
    pdi_view v = {.buffer = buffer, .shape = *s};
    int64_t n = 1;
    for (int k = s->rank; k-- > 0; n *= s->dim[order[k]]) v.stride[order[k]] = n;
    return v;
}

/* Axes from .. to-1 and the smallest of their strides; 0: they do not move. */
typedef struct view_block {
    int from, to;
    int64_t stride;
} view_block;

/* The axes of v in blocks, each of which is whole axes of `to` as well. */
static int view_blocks(const pdi_view *v, const pdr_shape *to, view_block block[])
{
    int n = 0;
    for (int i = 0, j = 0; i < v->shape.rank; n++) {
        view_block *k = &block[n];
        *k = (view_block){.from = i};
        int64_t have = v->shape.dim[i++], want = j < to->rank ? to->dim[j++] : 1;
        while (have != want)
            if (have < want)
                have *= v->shape.dim[i++];
            else
                want *= to->dim[j++];
        k->to = i;
        for (int a = k->from; a < i; a++) {
            int64_t s = v->stride[a] < 0 ? -v->stride[a] : v->stride[a];
            if (v->shape.dim[a] > 1 && s && (!k->stride || s < k->stride)) k->stride = s;
        }
    }
    return n;
}

void pdi_view_order_for(const pdi_view *v, const pdr_shape *to, int32_t order[PDR_MAX_RANK])
{
    view_block block[PDR_MAX_RANK];
    int n = view_blocks(v, to, block), at = 0;
    for (int k = 1; k < n; k++) /* insertion, past those that do not move */
        for (int j = k, i; block[j].stride; j = i) {
            for (i = j - 1; i >= 0 && !block[i].stride;) i--;
            if (i < 0 || block[i].stride >= block[j].stride) break;
            view_block b = block[i];
            block[i] = block[j];
            block[j] = b;
        }
    for (int k = 0; k < PDR_MAX_RANK; k++) order[k] = k;
    for (int k = 0; k < n; k++)
        for (int a = block[k].from; a < block[k].to; a++) order[at++] = a;
}

bool pdi_view_order(const pdi_view *v, int32_t order[PDR_MAX_RANK])
{
    pdi_view_order_for(v, &v->shape, order);
    pdi_view p = pdi_view_permute(v, order);
    return pdi_view_is_dense(&p);
}

int64_t pdi_view_distinct(const pdi_view *v)
{
    int64_t n = 1;
    for (int k = 0; k < v->shape.rank; k++)
        if (v->stride[k]) n *= v->shape.dim[k];
    return n;
}

bool pdi_view_is_scalar(const pdi_view *v)
{
    for (int k = 0; k < v->shape.rank; k++)
        if (v->shape.dim[k] != 1 && v->stride[k] != 0) return false;
    return true;
}

bool pdi_view_same(const pdi_view *a, const pdi_view *b)
{
    return a->buffer == b->buffer && a->offset == b->offset &&
           pdr_shape_equal(&a->shape, &b->shape) &&
           !memcmp(a->stride, b->stride, sizeof a->stride[0] * (size_t)a->shape.rank);
}

/* A walk says where element i of a dense base lies; x says where the base's
 * elements lie.  A walk's stride is a combination of the base's dense strides,
 * found by taking it apart from the outermost axis down: each walked axis of
 * our operators moves along one base axis only. */
pdi_view pdi_view_walk(const pdi_view *x, const pdi_walk *w, const pdr_shape *x_shape)
{
    int64_t dense[PDR_MAX_RANK], rest = w->offset;
    pdi_view v = {.buffer = x->buffer, .offset = x->offset, .shape = w->over};
    pdi_dense_strides(x_shape, dense);
    for (int j = 0; j < x_shape->rank; j++) { /* the offset, axis by axis */
        v.offset += rest / dense[j] * x->stride[j];
        rest %= dense[j];
    }
    for (int k = 0; k < w->over.rank; k++) {
        int64_t s = w->stride[k] < 0 ? -w->stride[k] : w->stride[k];
        for (int j = 0; s && j < x_shape->rank; j++)
            if (x_shape->dim[j] > 1 && s % dense[j] == 0 && s / dense[j] < x_shape->dim[j]) {
                v.stride[k] = w->stride[k] / dense[j] * x->stride[j];
                break;
            }
    }
    return v;
}

pdi_axes pdi_view_axes(const pdi_view *v)
{
    pdi_axes a = {0};
    for (int k = 0; k < v->shape.rank; k++) {
        int64_t d = v->shape.dim[k], s = v->stride[k];
        if (d == 1) continue;
        if (a.n && a.stride[a.n - 1] == d * s) { /* one step out is d steps in */
            a.dim[a.n - 1] *= d;
            a.stride[a.n - 1] = s;
        } else {
            a.dim[a.n] = d;
            a.stride[a.n++] = s;
        }
    }
    return a;
}

pdi_axes pdi_view_some_axes(const pdi_view *v, int from, int to)
{
    pdi_view some = {.shape = {.rank = to - from}};
    for (int k = from; k < to; k++) {
        some.shape.dim[k - from] = v->shape.dim[k];
        some.stride[k - from] = v->stride[k];
    }
    return pdi_view_axes(&some);
}

/* Give the same elements another shape.  Possible when every new axis is a part
 * of one joined axis: split the joined axes from the innermost out. */
bool pdi_view_reshape(const pdi_view *x, const pdr_shape *to, pdi_view *out)
{
    pdi_axes a = pdi_view_axes(x);
    int j = a.n - 1;
    int64_t left = j >= 0 ? a.dim[j] : 1, stride = j >= 0 ? a.stride[j] : 0;
    *out = (pdi_view){.buffer = x->buffer, .offset = x->offset, .shape = *to};
    for (int k = to->rank; k-- > 0;) {
        int64_t d = to->dim[k];
        if (d == 1) continue;
        if (left == 1) {
            j--;
            left = a.dim[j];
            stride = a.stride[j];
        }
        if (left % d) return false;
        out->stride[k] = stride;
        stride *= d;
        left /= d;
    }
    return true;
}
