/* base/shape.c -- the axes of a tensor. */
#include <perdure/shape.h>

#include <stdio.h>
#include <string.h>

int64_t pdr_shape_size(const pdr_shape *s)
{
    int64_t n = 1;
    if (s->rank < 0 || s->rank > PDR_MAX_RANK) return -1;
    for (int k = 0; k < s->rank; k++) {
        if (s->dim[k] < 1 || n > PDR_MAX_ELEMENTS / s->dim[k]) return -1;
        n *= s->dim[k];
    }
    return n;
}

bool pdr_shape_equal(const pdr_shape *a, const pdr_shape *b)
{
    return a->rank == b->rank && !memcmp(a->dim, b->dim, sizeof a->dim[0] * (size_t)a->rank);
}

const char *pdr_shape_text(const pdr_shape *s, char text[PDR_SHAPE_TEXT])
{
    size_t n = (size_t)snprintf(text, PDR_SHAPE_TEXT, "[");
    for (int k = 0; k < s->rank && k < PDR_MAX_RANK; k++)
        n += (size_t)snprintf(text + n, PDR_SHAPE_TEXT - n, k ? ",%d" : "%d", s->dim[k]);
    snprintf(text + n, PDR_SHAPE_TEXT - n, "]");
    return text;
}
