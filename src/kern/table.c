/* kern/table.c -- which kernels this processor gets. */
#include <stdlib.h>
#include <string.h>

#include "kern/kern.h"

extern const pdi_kernels pdi_kern_ref_table;

#if defined(__x86_64__)
extern const pdi_kernels pdi_kern_avx2_table, pdi_kern_avx512_table;

static bool table_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool table_has_avx512(void)
{
    return table_has_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw");
}
#endif

static bool table_always(void) { return true; }

static const struct {
    const pdi_kernels *kernels;
    bool (*here)(void);
} table_rows[] = {
    {&pdi_kern_ref_table, table_always},
#if defined(__x86_64__)
    {&pdi_kern_avx2_table, table_has_avx2},
    {&pdi_kern_avx512_table, table_has_avx512},
#endif
};

enum { TABLE_ROWS = sizeof table_rows / sizeof table_rows[0] };

const pdi_kernels *pdi_kernels_at(int i)
{
    return i < TABLE_ROWS && table_rows[i].here() ? table_rows[i].kernels : NULL;
}

const pdi_kernels *pdi_kernels_here(void)
{
    const char *want = getenv("PERDURE_ISA");
    const pdi_kernels *best = &pdi_kern_ref_table;
    for (int i = 0; i < TABLE_ROWS; i++) {
        if (!pdi_kernels_at(i)) continue;
        best = table_rows[i].kernels;
        if (want && !strcmp(want, best->name)) return best;
    }
    return best;
}
