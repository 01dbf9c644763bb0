/* sample_result.h -- made-up runs, for the tests of the report and for looking at it. */
#ifndef SAMPLE_RESULT_H
#define SAMPLE_RESULT_H

#include <perdure/result.h>

typedef struct t_sample {
    const char *recipe, *method, *title, *scenario, *data;
    int32_t tasks, learned;
    uint64_t seed;
    double keep;         /* of a task's gain, what is left after learning another one */
    bool is_regression;  /* one task: rmse and mae are set, the metric is r2 */
    const char *hostile; /* when set, every string is this one */
} t_sample;

/* A run that looks as the sample says; the same sample gives the same run.  False, and
 * *r closed, when memory is refused. */
bool t_sample_run(const pdr_alloc *alloc, const t_sample *s, pdr_result *r);

/* The same with a method of episodes: tasks are its adaptation steps, and learned, where it is
 * less, stands for training that was stopped.  The metric is "accuracy", or "mse" with
 * is_regression: two episodes in a hundred then diverge in the last steps. */
bool t_sample_meta(const pdr_alloc *alloc, const t_sample *s, pdr_result *r);

/* ---- a folder to write into ---- */

#define T_PATH_MAX 512

/* A new folder, emptied and removed again by the other. */
void t_folder_new(char path[T_PATH_MAX]);
void t_folder_remove(const char *path);

/* "folder/name" in path; returns path. */
const char *t_folder_path(const char *folder, const char *name, char path[T_PATH_MAX]);

/* The entries of a folder. */
size_t t_folder_count(const char *folder);

/* The file as a string that the caller frees with free(); NULL when there is none. */
char *t_file_read(const char *path);

/* ---- memory that runs out ---- */

/* Serves `left` requests and refuses the next one, or all others.  Counts what is not
 * freed yet. */
typedef struct t_memory {
    size_t left, live;
    bool once;
} t_memory;

void *t_memory_fn(void *ctx, void *old, size_t size);

#endif
