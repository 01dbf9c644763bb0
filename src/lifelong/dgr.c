/* lifelong/dgr.c -- deep generative replay.
 *
 * Shin, Lee, Kim & Kim, "Continual learning with deep generative replay", NeurIPS
 * 2017, section 3; the generator, its weight and the labels are those of van de Ven,
 * Tuytelaars & Tolias, "Three types of incremental learning", Nature Machine
 * Intelligence 4, 2022: a variational auto-encoder (Kingma & Welling, ICLR 2014).
 *
 *     L(θ, ψ) = 1/k [L_batch(θ) + G(x)/d] + (1 − 1/k) [L_replay(θ) + G(x̃)/d]
 *     G(x)    = E_z −log p_ψ(x|z) + KL(q_ψ(z|x) ‖ N(0, 1))
 *     x̃       = p_ψ'(x|z), z ~ N(0, 1);  its label: argmax f_θ'(x̃)
 *
 * while learning task k, where ψ' and θ' are decoder and model as they were when task
 * k − 1 ended and d is the number of pixels, in [0, 1].  Encoder and decoder have two
 * hidden layers of relu units, mirrored; p(x|z) is Bernoulli, a pixel each, and q(z|x)
 * a diagonal Gaussian, drawn from once.  With a head a task, x̃ is answered by every
 * earlier head, and L_replay is the mean over them.
 *
 * State: vae, encoder and decoder; old.vae, a copy of the decoder; old, a copy of the
 * model. */
#include "method/methods.h"

typedef struct dgr {
    int64_t hidden, latent, batch;
} dgr;

static const pdr_option dgr_options[] = {
    PDR_OPTION_COUNT(dgr, hidden, 400, 1, 1e6, "units of each hidden layer of the generator"),
    PDR_OPTION_COUNT(dgr, latent, 100, 1, 1e6, "width of z"),
    PDR_OPTION_COUNT(dgr, batch, 0, 0, 1e6, "replayed examples a step; 0: as many as new ones"),
    PDR_OPTION_END,
};

enum { DGR_STREAM = 1000 };

/* ---- the generator -------------------------------------------------------------------------- */

static pdr_node dgr_flat(pdr_graph *g, pdr_batch batch)
{
    pdr_shape s = pdr_node_shape(g, batch.x);
    int64_t size = pdr_shape_size(&s);
    return pdr_reshape(g, batch.x, PDR_SHAPE(batch.size, (int32_t)(size / batch.size)));
}

/* Logits of the pixels; the decoder called `part`.in, .middle, .out. */
static pdr_node dgr_decode(pdr_build *b, const dgr *o, const char *const part[3], pdr_node z,
                           int32_t pixels, pdr_tensors *into)
{
    pdr_graph *g = pdr_build_graph(b);
    int32_t hidden = (int32_t)o->hidden;
    pdr_node h = pdr_relu(g, pdr_build_dense(b, part[0], z, hidden, into));
    h = pdr_relu(g, pdr_build_dense(b, part[1], h, hidden, into));
    return pdr_build_dense(b, part[2], h, pixels, into);
}

static const char *const dgr_decoder[3] = {"vae.from_z", "vae.grow", "vae.x"};
static const char *const dgr_old_decoder[3] = {"old.vae.from_z", "old.vae.grow", "old.vae.x"};

/* G of every row of x [n, pixels], in nats; with z = mean + exp(log variance / 2) noise. */
static pdr_node dgr_bound(pdr_build *b, const dgr *o, pdr_node x, pdr_tensors *into)
{
    pdr_graph *g = pdr_build_graph(b);
    int32_t hidden = (int32_t)o->hidden, latent = (int32_t)o->latent;
    pdr_shape s = pdr_node_shape(g, x);
    pdr_node h = pdr_relu(g, pdr_build_dense(b, "vae.see", x, hidden, into));
    h = pdr_relu(g, pdr_build_dense(b, "vae.shrink", h, hidden, into));
    pdr_node mean = pdr_build_dense(b, "vae.mean", h, latent, into);
    pdr_node spread = pdr_build_dense(b, "vae.log_variance", h, latent, into);
    pdr_node noise = pdr_randn(g, pdr_build_key(b), DGR_STREAM, PDR_SHAPE(s.dim[0], latent));
    pdr_node z = pdr_add(g, mean, pdr_mul(g, pdr_exp(g, pdr_scale(g, 0.5, spread)), noise));
    pdr_node made = dgr_decode(b, o, dgr_decoder, z, s.dim[1], into);
    pdr_node surprise = pdr_scale(g, s.dim[1], pdr_binary_cross_entropy(g, made, x));
    pdr_node kl = pdr_sub(g, pdr_add(g, pdr_square(g, mean), pdr_exp(g, spread)),
                          pdr_shift(g, 1, spread));
    return pdr_add(g, surprise, pdr_scale(g, 0.5, pdr_sum(g, kl, 2u)));
}

/* ---- replay -----------------------------------------------------------------------------------
 */

/* x̃, shaped like the examples; labels and masks are still to come. */
static pdr_batch dgr_draw(pdr_build *b, const dgr *o, pdr_batch like)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_shape s = pdr_node_shape(g, like.x), flat = pdr_node_shape(g, dgr_flat(g, like));
    int32_t n = o->batch ? (int32_t)o->batch : like.size;
    pdr_node z = pdr_randn(g, pdr_build_key(b), DGR_STREAM, PDR_SHAPE(n, (int32_t)o->latent));
    pdr_node x = pdr_sigmoid(g, dgr_decode(b, o, dgr_old_decoder, z, flat.dim[1], NULL));
    s.dim[0] = n;
    return (pdr_batch){.size = n, .x = pdr_reshape(g, x, s)};
}

/* The loss on x̃ as the old model answers it, with outputs where mask is 1. */
static pdr_node dgr_loss_of(pdr_build *b, pdr_node before, pdr_node now, pdr_batch replay,
                            pdr_node mask)
{
    pdr_graph *g = pdr_build_graph(b);
    if (mask.id) before = pdr_mask_logits(g, before, mask);
    if (mask.id) now = pdr_mask_logits(g, now, mask);
    pdr_node best = pdr_reshape(g, pdr_argmax(g, before, 1), PDR_SHAPE(replay.size, 1));
    replay.target = pdr_eq(g, pdr_iota(g, pdr_node_shape(g, before), 1), best);
    return pdr_build_loss_of(b, now, replay);
}

static pdr_node dgr_replay_loss(pdr_build *b, pdr_tensors theta, pdr_batch replay)
{
    pdr_graph *g = pdr_build_graph(b);
    pdr_node before = pdr_build_logits(b, pdr_build_copy(b, "old"), replay);
    pdr_node now = pdr_build_logits(b, theta, replay), loss = pdr_scalar(g, 0);
    int32_t heads = pdr_build_is_masked(b) ? pdr_build_task(b) : 0;
    for (int32_t h = 0; h < heads; h++)
        loss = pdr_add(g, loss, dgr_loss_of(b, before, now, replay, pdr_build_task_mask(b, h)));
    if (heads) return pdr_scale(g, 1.0 / heads, loss);
    return dgr_loss_of(b, before, now, replay, (pdr_node){0});
}

static pdr_node dgr_loss(pdr_build *b, const void *self)
{
    const dgr *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors theta = pdr_build_params(b), vae = {0};
    pdr_batch batch = pdr_build_batch(b);
    pdr_node x = dgr_flat(g, batch), loss = pdr_build_loss(b, theta, batch);
    double share = 1.0 / (1 + pdr_build_task(b)), each = 1.0 / pdr_node_shape(g, x).dim[1];

    loss = pdr_add(g, loss, pdr_scale(g, each, pdr_mean_all(g, dgr_bound(b, o, x, &vae))));
    pdr_build_train(b, theta);
    pdr_build_train(b, vae);
    if (share == 1) return loss;
    pdr_batch replay = dgr_draw(b, o, batch);
    pdr_node again = dgr_replay_loss(b, theta, replay);
    pdr_node bound = pdr_mean_all(g, dgr_bound(b, o, dgr_flat(g, replay), NULL));
    again = pdr_add(g, again, pdr_scale(g, each, bound));
    return pdr_add(g, pdr_scale(g, share, loss), pdr_scale(g, 1 - share, again));
}

/* The decoder is copied as the model is: by building both and setting one to the other. */
static void dgr_task_end(pdr_build *b, const void *self)
{
    const dgr *o = self;
    pdr_graph *g = pdr_build_graph(b);
    pdr_tensors now = {0}, old = {0};
    int32_t pixels = pdr_node_shape(g, dgr_flat(g, pdr_build_batch(b))).dim[1];
    pdr_node z = pdr_fill(g, PDR_SHAPE(1, (int32_t)o->latent), 0);
    dgr_decode(b, o, dgr_decoder, z, pixels, &now);
    dgr_decode(b, o, dgr_old_decoder, z, pixels, &old);
    pdr_build_set(b, old, now);
    pdr_build_set_copy(b, pdr_build_copy(b, "old"));
}

const pdr_method pdi_method_dgr = {
    .kind =
        {
            .name = "dgr",
            .title = "Deep generative replay",
            .cite = "Shin et al., Continual learning with deep generative replay, NeurIPS 2017",
            .equation = "L(θ, ψ) = 1/k [L_batch(θ) + G(x)/d] + (1 - 1/k) [L_replay(θ) + G(x̃)/d]\n"
                        "G(x) = E_z -log p_ψ(x|z) + KL(q_ψ(z|x) ‖ N(0, 1))",
            .cost = "memory: a variational auto-encoder, its decoder and the model once more; "
                    "time: about six times plain training.  Features are to be in 0 .. 1",
            .self_size = sizeof(dgr),
            .options = dgr_options,
        },
    .needs = PDR_NEEDS_BOUNDARIES | PDR_NEEDS_CLASSES,
    .loss = dgr_loss,
    .task_end = dgr_task_end,
};
