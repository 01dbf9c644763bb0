/* examples/tour.c -- one graph as text, its gradient, its batched copy, its plan, its answer.
 *
 * Logistic regression on two examples of three features, small enough to read every node.
 * docs/tour.md explains what this prints, line by line.  In an installed copy:
 *
 *     cc tour.c $(pkg-config --cflags --libs perdure) -o tour
 */
#include <perdure/perdure.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The nodes from number `from` on: a node is a line, and its number is the line's. */
static void print_new(const char *title, const pdr_graph *g, size_t from)
{
    char *text = pdr_graph_print(g), *line = text;
    for (size_t i = 1; line && i < from; i++) line = strchr(line, '\n') + 1;
    printf("== %s\n%s", title, line ? line : "out of memory\n");
    free(text);
}

/* log(1 + exp(-y w.x)), the loss of a label y that is 1 or -1.  (Right for small numbers;
 * pdr_binary_cross_entropy in perdure/nn.h is right for large ones, too.) */
static pdr_node logistic_loss(pdr_graph *g, pdr_node x, pdr_node w, pdr_node y)
{
    pdr_node margin = pdr_mul(g, y, pdr_dot(g, x, w));
    return pdr_log(g, pdr_shift(g, 1, pdr_exp(g, pdr_neg(g, margin))));
}

static int run(const pdr_graph *g, const pdr_node in[3], const pdr_node out[3])
{
    static const float x[2][3] = {{1, 2, 0}, {0, 1, 3}}, w[3] = {0.5f, -0.25f, 0.125f};
    static const float y[2] = {1, -1};
    float loss, slope[3], each[2];
    pdr_error err = PDR_NO_ERROR;
    pdr_plan *plan = NULL;
    pdr_pool *pool = pdr_pool_new(NULL, 1);
    if (pdr_plan_new(g, pool, 3, in, 3, out, NULL, &plan, &err) == PDR_OK) {
        char *text = pdr_plan_print(plan);
        printf("== the plan\n%s", text ? text : "out of memory\n");
        free(text);
        pdr_plan_run(plan, (const void *[]){x, w, y}, (void *[]){&loss, slope, each});
        printf("== the answer\n");
        printf("loss      %.7f\n", (double)loss);
        printf("gradient  %.7f %.7f %.7f\n", (double)slope[0], (double)slope[1], (double)slope[2]);
        printf("each      %.7f %.7f\n", (double)each[0], (double)each[1]);
    } else {
        fprintf(stderr, "%s\n", err.text);
    }
    pdr_plan_free(plan);
    pdr_pool_free(pool);
    return err.rc != PDR_OK;
}

int main(void)
{
    pdr_graph *g = pdr_graph_new(NULL);

    pdr_node x = pdr_input(g, PDR_F32, PDR_SHAPE(2, 3));
    pdr_node w = pdr_input(g, PDR_F32, PDR_SHAPE(1, 3));
    pdr_node y = pdr_input(g, PDR_F32, PDR_SHAPE(2, 1));
    pdr_node loss = pdr_mean_all(g, logistic_loss(g, x, w, y));
    print_new("the loss", g, 1);

    size_t before = pdr_graph_size(g);
    pdr_node slope;
    pdr_grad(g, loss, 1, &w, &slope);
    print_new("its gradient", g, before);

    before = pdr_graph_size(g);
    pdr_node one_x = pdr_input(g, PDR_F32, PDR_SHAPE(1, 3));
    pdr_node one_y = pdr_input(g, PDR_F32, PDR_SHAPE(1, 1));
    pdr_node one_loss = logistic_loss(g, one_x, w, one_y);
    print_new("the loss of one example", g, before);

    before = pdr_graph_size(g);
    pdr_node rows[] = {pdr_reshape(g, x, PDR_SHAPE(2, 1, 3)),
                       pdr_reshape(g, y, PDR_SHAPE(2, 1, 1))};
    pdr_node each;
    pdr_vmap(g, 2, 2, (const pdr_node[]){one_x, one_y}, rows, 1, &one_loss, &each);
    print_new("the same for every example", g, before);

    int status = 1;
    if (pdr_graph_error(g))
        fprintf(stderr, "%s\n", pdr_graph_error(g));
    else
        status = run(g, (const pdr_node[]){x, w, y}, (const pdr_node[]){loss, slope, each});
    pdr_graph_free(g);
    return status;
}
