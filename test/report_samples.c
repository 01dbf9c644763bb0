/* report_samples.c -- write sample reports to look at: report-samples DIR.
 *
 * For developers of src/report; not a test and not installed. */
#include <math.h>
#include <stdio.h>

#include "sample_result.h"

#define FINETUNE "split-fashion/finetune", "finetune", "Fine-tuning"
#define ER       "split-fashion/er", "er", "Experience replay"
#define JOINT    "split-fashion/joint", "joint", "Joint training"
#define FASHION  "class-incremental", "fashion-mnist"
#define LONG                                                                                       \
    "a-recipe-with-a-name-that-goes-on-and-on-because-somebody-generated-it-from-a-sweep-0.001"

static const t_sample samples_one[] = {{ER, FASHION, 5, 5, 1, 0.93, false, NULL}};

static const t_sample samples_three[] = {
    {FINETUNE, FASHION, 5, 5, 1, 0.0, false, NULL}, {FINETUNE, FASHION, 5, 5, 2, 0.0, false, NULL},
    {FINETUNE, FASHION, 5, 5, 3, 0.0, false, NULL}, {ER, FASHION, 5, 5, 1, 0.88, false, NULL},
    {ER, FASHION, 5, 5, 2, 0.89, false, NULL},      {ER, FASHION, 5, 5, 3, 0.87, false, NULL},
    {JOINT, FASHION, 5, 5, 1, 0.995, false, NULL},  {JOINT, FASHION, 5, 5, 2, 0.995, false, NULL},
    {JOINT, FASHION, 5, 5, 3, 0.995, false, NULL},
};

static const t_sample samples_twenty[] = {
    {FINETUNE, "domain-incremental", "permuted-mnist", 20, 20, 1, 0.8, false, NULL},
    {ER, "domain-incremental", "permuted-mnist", 20, 20, 1, 0.985, false, NULL},
};

static const t_sample samples_hundred[] = {
    {FINETUNE, "domain-incremental", "permuted-mnist", 100, 100, 1, 0.9, false, NULL},
    {ER, "domain-incremental", "permuted-mnist", 100, 61, 1, 0.99, false, NULL},
};

static const t_sample samples_regression[] = {
    {"california-housing", "finetune", "Fine-tuning", "one task", "california-housing", 1, 1, 1,
     0.9, true, NULL},
    {"california-housing", "finetune", "Fine-tuning", "one task", "california-housing", 1, 1, 2,
     0.9, true, NULL},
};

static const t_sample samples_stopped[] = {
    {FINETUNE, FASHION, 5, 5, 1, 0.0, false, NULL},
    {ER, FASHION, 5, 5, 1, 0.88, false, NULL},
    {ER, FASHION, 5, 3, 2, 0.88, false, NULL},
    {JOINT, FASHION, 5, 2, 1, 0.99, false, NULL},
    {LONG, "lwf", NULL, FASHION, 5, 0, 1, 0.5, false, NULL},
};

static const t_sample samples_hostile[] = {
    {"", "", "", "", "", 6, 6, 1, 0.9, false,
     "</title></style><script>alert(1)</script> \"quoted\" & 'so' \xff\x1b[31m <b>bold"},
    {ER, FASHION, 5, 5, 1, 0.9, false, NULL},
};

#define MAML     "omniglot/5w1s-maml", "maml", "MAML", "episodes", "omniglot"
#define PROTO    "omniglot/5w1s-protonet", "protonet", "Prototypes", "episodes", "omniglot"
#define SINUSOID "sinusoid/maml", "maml", "MAML", "episodes", "sinusoids"

static const t_sample samples_omniglot[] = {
    {MAML, 5, 5, 1, 0.9, false, NULL},   {MAML, 5, 5, 2, 0.9, false, NULL},
    {MAML, 5, 5, 3, 0.91, false, NULL},  {PROTO, 0, 0, 1, 0.95, false, NULL},
    {PROTO, 0, 0, 2, 0.95, false, NULL},
};

static const t_sample samples_sinusoid[] = {
    {SINUSOID, 10, 10, 1, 0.6, true, NULL},
    {SINUSOID, 10, 10, 2, 0.6, true, NULL},
    {"sinusoid/bmaml", "bmaml", "Bayesian MAML", "episodes", "sinusoids", 10, 4, 1, 0.8, true,
     NULL},
};

static const struct {
    const char *name;
    bool is_meta;
    size_t n;
    const t_sample *sample;
} samples[] = {
#define ROW(name, is_meta)                                                                         \
    {                                                                                              \
#name, is_meta, sizeof samples_##name / sizeof samples_##name[0], samples_##name           \
    }
    ROW(one, false),     ROW(three, false),      ROW(twenty, false),
    ROW(hundred, false), ROW(regression, false), ROW(stopped, false),
    ROW(hostile, false), ROW(omniglot, true),    ROW(sinusoid, true),
#undef ROW
};

static int samples_write(const char *folder, size_t k)
{
    enum { MOST = 16 };
    char path[4096];
    pdr_result run[MOST];
    const pdr_result *runs[MOST];
    pdr_error err = PDR_NO_ERROR;
    size_t n = 0;
    for (; n < samples[k].n; n++) {
        const t_sample *sample = &samples[k].sample[n];
        if (!(samples[k].is_meta ? t_sample_meta : t_sample_run)(NULL, sample, &run[n])) break;
        runs[n] = &run[n];
    }
    snprintf(path, sizeof path, "%s/%s.json", folder, samples[k].name);
    pdr_rc rc = pdr_result_write_json(runs[0], path, &err);
    snprintf(path, sizeof path, "%s/%s.html", folder, samples[k].name);
    if (!rc) rc = pdr_report_write(n, runs, path, &err);
    if (rc) fprintf(stderr, "%s\n", err.text);
    while (n) pdr_result_close(&run[--n]);
    return rc != PDR_OK;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: report-samples DIR\n");
        return 2;
    }
    for (size_t k = 0; k < sizeof samples / sizeof samples[0]; k++)
        if (samples_write(argv[1], k)) return 1;
    return 0;
}
