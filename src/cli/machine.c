/* cli/machine.c -- where a run took place, and what it took. */
#include "cli/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* The processor's name by Linux's /proc/cpuinfo; "" where it does not say. */
static void machine_processor(char name[], size_t size)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    name[0] = 0;
    while (f && !name[0] && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        colon += strspn(colon, ": \t");
        colon[strcspn(colon, "\n")] = 0;
        snprintf(name, size, "%s", colon);
    }
    if (f) fclose(f);
}

int32_t pdi_machine_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : (int32_t)n;
}

void pdi_machine_describe(char text[], size_t size)
{
    char name[160];
    struct utsname u;
    int32_t cores = pdi_machine_cores();
    machine_processor(name, sizeof name);
    int is_known = uname(&u) >= 0;
    snprintf(text, size, "%s, %d core%s, %s %s %s", name[0] ? name : "unknown processor", cores,
             cores == 1 ? "" : "s", is_known ? u.sysname : "unknown system",
             is_known ? u.release : "", is_known ? u.machine : "");
}

uint64_t pdi_machine_peak_memory(void)
{
    struct rusage r;
    return getrusage(RUSAGE_SELF, &r) ? 0 : (uint64_t)r.ru_maxrss * 1024; /* Linux: in KiB */
}

double pdi_machine_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
