/* lifelong/icarl.c -- incremental classifier and representation learning.
 *
 * Rebuffi, Kolesnikov, Sperl & Lampert, "iCaRL: Incremental classifier and
 * representation learning", CVPR 2017, algorithms 1 to 4.
 *
 *     L(θ) = E_x Σ_y BCE(g_y(x), q_y)       over the new examples and the exemplars
 *     q_y  = g'_y(x)   for classes y of earlier tasks, [y is x's class] for new ones
 *     p_k  = argmin_x ‖μ − (φ(x) + Σ_{j<k} φ(p_j)) / k‖     the k-th exemplar of a class
 *     y*   = argmin_y ‖φ(x) − μ_y‖                          the answer
 *
 * where g is the sigmoid of the outputs, g' that of the model when the last task
 * ended, φ what enters the output layer, of length 1, μ a class's mean of φ (over the
 * class, to choose; over its exemplars, to answer), of length 1 too.  Outputs of
 * classes yet to come do not count.  With a temperature T the targets are softer,
 * sigmoid(output' / T): so does van de Ven's code, with T = 2.
 *
 * Where tasks share their classes there are no old outputs to distil, and where there
 * is a head a task an example counts for its own head only.
 *
 * State: the memory of exemplars, best first; old, a copy of the model; mean, μ_y of
 * the exemplars; held, how many exemplars each class has. */
#include "method/methods.h"

#include <math.h>

typedef struct icarl {
    int64_t per_class;
    double temperature;
} icarl;

static const pdr_option icarl_options[] = {
    PDR_OPTION_COUNT(icarl, per_class, 100, 1, 1e8, "exemplars kept of each class of each task"),
    PDR_OPTION_REAL(icarl, temperature, 1.0, 0.01, 1000.0,
                    "T: softness of the old model's answers"),
    PDR_OPTION_END,
};

static bool icarl_memory(const void *self, const pdr_setting *setting, pdr_memory_spec *spec)
{
    const icarl *o = self;
    spec->policy = PDR_MEMORY_SELECTED;
    spec->size = o->per_class;
    spec->columns = 1;
    spec->column[0] = (pdr_column){"features", setting->features, .is_scratch = true};
    return true;
}

/* ---- learning --------------------------------------------------------------------------- */

/* Rows of x [n, f] at length 1; a row of zeros stays one. */
static pdr_node icarl_unit(pdr_graph *g, pdr_node x)
{
    pdr_node square = pdr_sum_keep(g, pdr_square(g, x), 2u);
    return pdr_div(g, x, pdr_sqrt(g, pdr_maximum(g, square, pdr_scalar(g, 1e-24))));
}

/* f32[outputs], 1 for those that first come in tasks up to `task`. */
static pdr_node icarl_outputs(pdr_build *b, int32_t task)
{
    pdr_graph *g = pdr_build_graph(b);
    int32_t outputs = pdr_build_outputs(b);
    pdr_node place = pdr_iota(g, PDR_SHAPE(outputs), 0), some = pdr_like(g, place, 0);
    for (int32_t y = 0; y < outputs; y++)
        if (pdr_build_first_task(b, y) <= task)
            some = pdr_add(g, some, pdr_eq(g, place, pdr_scalar(g, y)));
    return some;
}

static pdr_node icarl_loss(pdr_build *b, const void *self)
{
    const icarl *o = self;
    pdr_graph *g = pdr_build_graph(b);
    const pdr_setting *s = pdr_build_setting(b);
    pdr_batch batch = pdr_build_batch(b);
    int32_t task = pdr_build_task(b), n = batch.size, outputs = pdr_build_outputs(b);
    pdr_node y = pdr_build_logits(b, pdr_build_params(b), batch);
    pdr_node q = pdr_one_hot(g, batch.label, outputs);

    if (task > 0 && (s->is_class_incremental || s->has_masks)) {
        pdr_node before = pdr_build_logits(b, pdr_build_copy(b, "old"), batch);
        pdr_node soft = pdr_sigmoid(g, pdr_scale(g, 1 / o->temperature, before));
        q = pdr_where(g, icarl_outputs(b, task - 1), soft, q);
    }
    pdr_shape each = PDR_SHAPE(n, outputs, 1); /* a mean over one: a loss an output */
    pdr_node loss = pdr_binary_cross_entropy(g, pdr_reshape(g, y, each), pdr_reshape(g, q, each));
    return pdr_scale(g, 1.0 / n, pdr_sum_all(g, pdr_mul(g, loss, icarl_outputs(b, task))));
}

/* ---- choosing exemplars -------------------------------------------------------------------- */

static void icarl_pass(pdr_build *b, const void *self)
{
    (void)self;
    pdr_node x = pdr_build_features(b, pdr_build_params(b), pdr_build_batch(b));
    pdr_build_keep(b, 0, icarl_unit(pdr_build_graph(b), x));
}

/* In a fixed pattern of eight sums, so that they need not wait for one another. */
static double icarl_dot(size_t n, const float x[], const double y[])
{
    double sum[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++) sum[k] += (double)x[i + k] * y[i + k];
    for (size_t k = 0; i + k < n; k++) sum[k] += (double)x[i + k] * y[i + k];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/* Herding.  With d = k μ − Σ_{j<k} φ(p_j), what is missing after the sums so far,
 * ‖μ − (φ + Σ) / k‖² = ‖d − φ‖² / k²: the best φ has the largest 2 d·φ − ‖φ‖². */
static size_t icarl_select(const void *self, const pdr_selection *s)
{
    (void)self;
    size_t f = s->width[0];
    const float *x = s->column[0];
    double *square = s->room, *mean = square + s->n, *missing = mean + f, length = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < f; k++) {
            double v = (double)x[i * f + k];
            square[i] += v * v;
            mean[k] += v / (double)s->n;
        }
    for (size_t k = 0; k < f; k++) length += mean[k] * mean[k];
    for (size_t k = 0; k < f && length > 0; k++) mean[k] /= sqrt(length);
    for (size_t k = 0; k < s->most; k++) {
        size_t best = 0;
        double most = -INFINITY;
        for (size_t j = 0; j < f; j++) missing[j] += mean[j];
        for (size_t i = 0; i < s->n; i++) {
            double score = 2 * icarl_dot(f, x + i * f, missing) - square[i];
            if (score > most) {
                most = score;
                best = i;
            }
        }
        s->chosen[k] = (uint32_t)best;
        square[best] = INFINITY; /* never again */
        for (size_t j = 0; j < f; j++) missing[j] -= (double)x[best * f + j];
    }
    return s->most;
}

/* ---- answering ------------------------------------------------------------------------------- */

static pdr_node icarl_mean(pdr_build *b)
{
    int32_t features = pdr_build_setting(b)->features;
    return pdr_build_tensor(b, "mean", PDR_SHAPE(pdr_build_outputs(b), features), 0);
}

static pdr_node icarl_held(pdr_build *b)
{
    return pdr_build_tensor(b, "held", PDR_SHAPE(pdr_build_outputs(b)), 0);
}

static void icarl_task_end(pdr_build *b, const void *self)
{
    (void)self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_batch all;
    pdr_build_set_copy(b, pdr_build_copy(b, "old"));
    if (!pdr_build_recall(b, -1, &all)) return;
    pdr_node x = icarl_unit(g, pdr_build_features(b, pdr_build_params(b), all));
    pdr_node of_class = pdr_one_hot(g, all.label, pdr_build_outputs(b));
    pdr_node sum = pdr_dot(g, pdr_swap_last(g, of_class), pdr_swap_last(g, x));
    pdr_build_set_node(b, icarl_mean(b), icarl_unit(g, sum));
    pdr_build_set_node(b, icarl_held(b), pdr_sum(g, of_class, 1u));
}

/* −‖φ(x) − μ_y‖² for every class that has exemplars. */
static pdr_node icarl_predict(pdr_build *b, const void *self, pdr_batch batch)
{
    (void)self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_params(b);
    if (!pdr_build_learned(b)) return pdr_build_logits(b, theta, batch);
    pdr_node x = icarl_unit(g, pdr_build_features(b, theta, batch)), mean = icarl_mean(b);
    pdr_node square = pdr_add(g, pdr_sum_keep(g, pdr_square(g, x), 2u),
                              pdr_sum(g, pdr_square(g, mean), 2u));
    pdr_node score = pdr_sub(g, pdr_scale(g, 2, pdr_dot(g, x, mean)), square);
    score = pdr_mask_logits(g, score, icarl_held(b));
    return batch.mask.id ? pdr_mask_logits(g, score, batch.mask) : score;
}

static const char *icarl_caution(const void *self, const pdr_setting *s)
{
    (void)self;
    return s->tasks > 1 && !s->is_class_incremental && !s->has_masks
               ? "icarl distils the outputs of earlier classes; where tasks share their classes "
                 "there are none, and its exemplars alone work against forgetting"
               : NULL;
}

const pdr_method pdi_method_icarl = {
    .kind =
        {
            .name = "icarl",
            .title = "Incremental classifier and representation learning",
            .cite = "Rebuffi et al., iCaRL: Incremental classifier and representation learning, "
                    "CVPR 2017",
            .equation = "L(θ) = E_x Σ_y BCE(g_y(x), q_y), q of the last model for old classes\n"
                        "y* = argmin_y ‖φ(x) - μ_y‖, μ_y the mean of y's exemplars",
            .cost = "memory: the exemplars, a copy of the model; time: one more forward pass a "
                    "step, choosing exemplars when a task ends",
            .self_size = sizeof(icarl),
            .options = icarl_options,
        },
    .data = PDR_DATA_CURRENT_AND_MEMORY,
    .needs = PDR_NEEDS_BOUNDARIES | PDR_NEEDS_CLASSES,
    .caution = icarl_caution,
    .memory = icarl_memory,
    .loss = icarl_loss,
    .task_pass = icarl_pass,
    .select = icarl_select,
    .task_end = icarl_task_end,
    .predict = icarl_predict,
};
