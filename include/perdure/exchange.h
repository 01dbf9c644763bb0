/* perdure/exchange.h -- what a learner gives to other programs, and takes back from them.
 *
 *     pdr_learner *l = NULL;
 *     pdr_error err = PDR_NO_ERROR;
 *     pdr_export what = {.format = PDR_EXPORT_ONNX};
 *     if (pdr_learner_open("a.perdure", NULL, &l, &err) ||
 *         pdr_learner_export_file(l, &what, "a.onnx", &err))
 *         fprintf(stderr, "%s\n", err.text);
 *     pdr_learner_close(l, &err);
 *
 * PARAMETERS are those of the model, under the names that the layers give them
 *           ("0.dense.weight", "output.bias"; running statistics among them), as F32; and
 *           where features are normalised, "normaliser.count", ".mean" and ".m2" (the sum of
 *           squared deviations), as F64, from which centre and scale follow.  These go out as
 *           safetensors and come back.  Optimiser, method, memory and metrics do not travel.
 * FACTS     Beside the parameters stand, as texts: what kind of model it is, features, classes
 *           and tasks by name, the recipe, how many examples were learned, the state hash.
 * ERRORS    PDR_INPUT: the learner has nothing of the kind (no memory, no classes, a method
 *           that answers with more than the model), or the tensors are not this model's; the
 *           text names the file, the tensor and the remedy.  PDR_IO: the disk.  What fails
 *           leaves files and learner as they were.
 * OWNERSHIP Functions borrow what they are given.
 * THREADS   As in perdure/learner.h.
 */
#ifndef PERDURE_EXCHANGE_H
#define PERDURE_EXCHANGE_H

#include <perdure/learner.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pdr_export_format {
    PDR_EXPORT_SAFETENSORS, /* parameters and facts */
    PDR_EXPORT_ONNX,        /* the model as it answers, and facts */
    PDR_EXPORT_MEMORY,      /* CSV: the examples that the method keeps */
    PDR_EXPORT_METRICS,     /* CSV: the log with its scores */
    PDR_EXPORT_CARD         /* Markdown: a model card */
} pdr_export_format;

/* ONNX takes "x" [examples, features...] and gives, of classes, "logits" and "probabilities"
 * [examples, classes known] and "class" [examples], a number; of real targets "y" [examples,
 * targets].  Where the learner has named tasks it also takes "task" [examples], i64: 0 for
 * none, i + 1 for pdr_learner_task(i); unless `task` says once and for all which it is. */
typedef struct pdr_export {
    pdr_export_format format;
    const char *task; /* ONNX: the task that all examples are of; NULL: see above */
} pdr_export;

/* Takes bytes in order; what it returns other than PDR_OK ends the export and is returned. */
typedef pdr_rc pdr_sink_fn(void *ctx, const void *bytes, size_t n);
pdr_rc pdr_learner_export(pdr_learner *l, const pdr_export *what, pdr_sink_fn *sink, void *ctx,
                          pdr_error *err);

/* To a file, which appears whole or not at all, in place of one of that name. */
pdr_rc pdr_learner_export_file(pdr_learner *l, const pdr_export *what, const char *path,
                               pdr_error *err);

/* Take parameters from safetensors: every one of the learner's, by name and shape, and no
 * others.  F32 and what widens to it exactly (F16, BF16); F64 is rounded to the nearest, but
 * for the normaliser's.  All of it is one transaction, which `log` shows as "imported NAME":
 * first the state is kept as a snapshot called `keep` (NULL: it is not), then the parameters
 * are replaced and the optimiser starts afresh, for its state is of the old ones.  Memory,
 * method, metrics and examples that wait stay.  name is for messages and the log. */
pdr_rc pdr_learner_import(pdr_learner *l, const char *name, const void *bytes, size_t n,
                          const char *keep, pdr_error *err);
pdr_rc pdr_learner_import_file(pdr_learner *l, const char *path, const char *keep, pdr_error *err);

#ifdef __cplusplus
}
#endif
#endif
