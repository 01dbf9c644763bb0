/* plan/fold.c -- axes that are several axes in memory.
 *
 * A window's rows reshaped to a matrix have no single stride, so a view cannot hold them.
 * A fold can: each of its axes stands for a group of a view's.  Products read through
 * folds, so that a convolution copies no windows. */
#include "plan/fold.h"

pdi_fold pdi_fold_of(const pdi_view *v)
{
    pdi_fold f = {.view = *v, .rank = v->shape.rank};
    for (int k = 0; k < f.rank; k++) f.group[k] = 1;
    return f;
}

static bool fold_push(pdi_fold *f, int64_t dim, int64_t stride)
{
    int k = f->view.shape.rank;
    if (k == PDR_MAX_RANK) return false;
    f->view.shape.dim[k] = (int32_t)dim;
    f->view.stride[k] = stride;
    f->view.shape.rank++;
    f->group[f->rank]++;
    return true;
}

static pdi_fold fold_empty(const pdi_fold *f)
{
    return (pdi_fold){.view = {.buffer = f->view.buffer, .offset = f->view.offset}};
}

bool pdi_fold_permute(const pdi_fold *f, const int32_t perm[], pdi_fold *out)
{
    int first[PDR_MAX_RANK + 1] = {0};
    *out = fold_empty(f);
    for (int k = 0; k < f->rank; k++) first[k + 1] = first[k] + f->group[k];
    for (int k = 0; k < f->rank; k++, out->rank++)
        for (int i = first[perm[k]]; i < first[perm[k] + 1]; i++)
            if (!fold_push(out, f->view.shape.dim[i], f->view.stride[i])) return false;
    return true;
}

/* Axes of the view go to the new axes from the outermost in; one that is too long is cut
 * where it can be. */
bool pdi_fold_reshape(const pdi_fold *f, const pdr_shape *to, pdi_fold *out)
{
    int64_t left = 1, stride = 0; /* of the view's axis at hand */
    int next = 0;
    *out = fold_empty(f);
    for (; out->rank < to->rank; out->rank++) {
        int64_t want = to->dim[out->rank];
        if (want == 1 && !fold_push(out, 1, 0)) return false;
        while (want > 1) {
            for (; left == 1; next++) {
                left = f->view.shape.dim[next];
                stride = f->view.stride[next];
            }
            int64_t take = left < want ? left : want;
            if (left % take || want % take) return false;
            left /= take;
            want /= take;
            if (!fold_push(out, take, stride * left)) return false;
        }
    }
    return true;
}
