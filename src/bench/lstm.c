/* bench/lstm.c -- a training step of an LSTM that classifies sequences.
 *
 *     z = Wx x_t + Wh h + b;   i, f, o = sigmoid of z's quarters 0, 1, 3;   u = tanh of quarter 2
 *     c <- f c + i u;   h <- o tanh(c)
 *
 * (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000.)  The last h
 * goes through a dense layer to the classes; cross-entropy, Adam (0.001).  The products
 * with the inputs of all times are one. */
#include <perdure/nn.h>

#include "bench/bench.h"

enum { LSTM_CLASSES = 10 };

static pdr_node lstm_gate(pdr_graph *g, pdr_node z, int quarter, int32_t width)
{
    z = pdr_slice(g, z, 1, quarter * width, width, 1);
    return quarter == 2 ? pdr_tanh(g, z) : pdr_sigmoid(g, z);
}

/* zx [batch, 4 width]: what the input adds to the gates.  *h and *c are null before the
 * first step and stand for zeros. */
static void lstm_cell(pdr_graph *g, pdr_node zx, pdr_node wh, pdr_node *h, pdr_node *c)
{
    int32_t width = pdr_node_shape(g, wh).dim[1];
    pdr_node z = h->id ? pdr_add(g, zx, pdr_dot(g, *h, wh)) : zx;
    pdr_node gate[4];
    for (int i = 0; i < 4; i++) gate[i] = lstm_gate(g, z, i, width);
    pdr_node in = pdr_mul(g, gate[0], gate[2]);
    *c = c->id ? pdr_add(g, pdr_mul(g, gate[1], *c), in) : in;
    *h = pdr_mul(g, gate[3], pdr_tanh(g, *c));
}

/* Inputs need no gradient, so their product is taken twice, the others three times; there is
 * no product with the first h, which is 0. */
static double lstm_flops(double batch, double length, double in, double width)
{
    double macs = batch * 4 * width * (2 * length * in + 3 * (length - 1) * width);
    return 2 * (macs + 3 * batch * width * LSTM_CLASSES);
}

void pdi_bench_lstm(pdi_work *w, const int32_t dim[])
{
    int32_t batch = dim[0], length = dim[1], in = dim[2], width = dim[3];
    pdr_node x = pdi_work_data(w, PDR_F32, PDR_SHAPE(batch, length, in), pdi_fill_normal, 0, 1);
    pdr_node label = pdi_work_data(w, PDR_I32, PDR_SHAPE(batch), pdi_fill_label, 0, LSTM_CLASSES);
    pdr_node wx = pdi_work_weight(w, PDR_SHAPE(4 * width, in), 2 * (in + width));
    pdr_node wh = pdi_work_weight(w, PDR_SHAPE(4 * width, width), 2 * (in + width));
    pdr_node b = pdi_work_start(w, PDR_SHAPE(4 * width), 0);
    pdr_node zx = pdr_dense(w->g, x, wx, b), h = {0}, c = {0};
    for (int32_t t = 0; t < length; t++) {
        pdr_node at = pdr_slice(w->g, zx, 1, t, 1, 1);
        lstm_cell(w->g, pdr_reshape(w->g, at, PDR_SHAPE(batch, 4 * width)), wh, &h, &c);
    }
    pdr_node head = pdi_work_weight(w, PDR_SHAPE(LSTM_CLASSES, width), 2 * width);
    pdr_node bias = pdi_work_start(w, PDR_SHAPE(LSTM_CLASSES), 0);
    pdr_node logits = pdr_dense(w->g, h, head, bias);
    pdi_work_train(w, pdr_mean_all(w->g, pdr_cross_entropy(w->g, logits, label)), "adam", 0.001);
    w->flops = lstm_flops(batch, length, in, width);
}
