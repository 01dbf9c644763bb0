/* cli/machine.h -- where a run took place, and what it took. */
#ifndef PDI_CLI_MACHINE_H
#define PDI_CLI_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* "AMD EPYC 7763, 2 cores, Linux 6.1.0-18-amd64 x86_64", cut to size. */
void pdi_machine_describe(char text[], size_t size);

/* Cores that the program may use: at least 1. */
int32_t pdi_machine_cores(void);

/* The most memory the program has held so far, in bytes. */
uint64_t pdi_machine_peak_memory(void);

/* Seconds on a clock that never goes back. */
double pdi_machine_seconds(void);

#endif
