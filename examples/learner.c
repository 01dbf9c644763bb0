/* examples/learner.c -- a learner's life in C: learn, ask, adapt, go back.
 *
 * Weather by temperature and humidity.  In an installed copy:
 *
 *     cc learner.c $(pkg-config --cflags --libs perdure) -o learner && ./learner
 */
#include <perdure/learner.h>
#include <stdio.h>
#include <string.h>

static const char recipe[] =
    "data: {train: none}\nmodel: [{layer: dense, units: 16}, {layer: relu}]\n"
    "method: er\noptimizer: {name: adam, rate: 0.01}\ntraining: {batch: 1}\n";

/* Hot and dry is sunny, cool and wet is rainy; days differ. */
static pdr_example day(int i, float x[2])
{
    x[0] = (i % 2 ? 25.0f : 12.0f) + (float)(i * 7 % 5);
    x[1] = (i % 2 ? 30.0f : 80.0f) + (float)(i * 11 % 9);
    return (pdr_example){.x = x, .label = i % 2 ? "sunny" : "rainy"};
}

static pdr_rc live(pdr_learner *l, pdr_error *err)
{
    enum { DAYS = 100, SNOWY = 3 };
    float x[DAYS][2], score[64], snow[SNOWY][2] = {{-3, 70}, {-5, 75}, {-1, 72}};
    pdr_example days[DAYS], few[SNOWY];
    pdr_score s;
    for (int i = 0; i < DAYS; i++) days[i] = day(i, x[i]);
    for (int i = 0; i < SNOWY; i++) few[i] = (pdr_example){.x = snow[i], .label = "snowy"};

    if (pdr_learner_learn(l, DAYS - 1, days, err) ||     /* many: one commit */
        pdr_learner_learn(l, 1, &days[DAYS - 1], err) || /* one: on the disk when it returns */
        pdr_learner_snapshot(l, "no snow yet", err) ||   /* a way back */
        pdr_learner_adapt(l, SNOWY, few, err) ||         /* a new class, from three examples */
        pdr_learner_evaluate(l, DAYS, days, false, &s, err))
        return err->rc;
    printf("the old days: %.2f right\n", s.accuracy);

    /* score has room for pdr_learner_outputs(l), 16 here, times the examples asked about. */
    if (pdr_learner_predict(l, 1, (float[]){-4, 71}, NULL, score, err)) return err->rc;
    for (int32_t c = 0; c < pdr_learner_classes(l); c++)
        printf("%s %.2f\n", pdr_learner_class(l, c), (double)score[c]);
    return pdr_learner_rollback(l, "no snow yet", err);
}

int main(void)
{
    static char *names[] = {"temperature", "humidity"};
    pdr_dataset like = {.shape = PDR_SHAPE(2), .feature_name = names}; /* no examples in it */
    pdr_error err = PDR_NO_ERROR;
    pdr_learner *l = NULL;
    pdr_recipe r;

    remove("weather.perdure");
    if (!pdr_recipe_parse(NULL, "weather.yaml", recipe, strlen(recipe), 0, NULL, &r, &err)) {
        if (!pdr_learner_create("weather.perdure", &r, &like, 1, NULL, &l, &err) &&
            !pdr_learner_close(l, &err) &&
            !pdr_learner_open("weather.perdure", NULL, &l, &err)) { /* any day after */
            live(l, &err);
            pdr_learner_close(l, &err);
        }
        pdr_recipe_close(&r);
    }
    if (err.rc) fprintf(stderr, "%s\n", err.text);
    return err.rc != PDR_OK;
}
