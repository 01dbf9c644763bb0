/* examples/forecast.c -- numbers instead of classes: tomorrow from today, one pass.
 *
 * A wave is forecast one step ahead; every value is answered before it is learned.  The answers
 * are asked by id, and the value that comes a step later is told by id alone.
 */
#include <math.h>
#include <perdure/learner.h>
#include <stdio.h>
#include <string.h>

static const char recipe[] =
    "data: {train: none}\nmodel: [{layer: dense, units: 16}, {layer: tanh}]\n"
    "method: finetune\noptimizer: {name: adam, rate: 0.03}\n"
    "training: {batch: 1, glances: 4}\n";

static float wave(int t) { return (float)(sin(0.3 * t) + 0.2 * sin(1.1 * t)); }

static pdr_rc follow(pdr_learner *l, pdr_error *err)
{
    for (int t = 0; t < 200; t++) {
        char id[16];
        float x[2] = {wave(t - 1), wave(t)}, y[1] = {wave(t + 1)}, answer[1];
        snprintf(id, sizeof id, "%d", t);
        pdr_example now = {.x = x, .id = id}, then = {.target = y, .id = id};
        if (pdr_learner_ask(l, 1, &now, answer, err) || pdr_learner_learn(l, 1, &then, err))
            return err->rc;
    }
    printf("rmse %.3f over all, before learning each\n", pdr_learner_score(l).rmse);
    return PDR_OK;
}

int main(void)
{
    pdr_dataset like = {.shape = PDR_SHAPE(2), .targets = 1};
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = NULL;
    pdr_recipe r;

    remove("wave.perdure");
    if (!pdr_recipe_parse(NULL, "wave.yaml", recipe, strlen(recipe), 0, NULL, &r, &err)) {
        if (!pdr_learner_create("wave.perdure", &r, &like, 1, NULL, &l, &err)) {
            follow(l, &err);
            pdr_learner_close(l, &err);
        }
        pdr_recipe_close(&r);
    }
    if (err.rc) fprintf(stderr, "%s\n", err.text);
    return err.rc != PDR_OK;
}
