/* bench/disk.h -- time, and what a disk can do, for programs that measure. */
#ifndef BENCH_DISK_H
#define BENCH_DISK_H

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static inline double disk_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Appends of two pages to a file of that name, each flushed, for a second: what a commit cannot
 * do without.  How many; 0 where the file cannot be written. */
static inline double disk_rate(const char *name)
{
    static const char page[8192];
    int n = 0, fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) return 0;
    double start = disk_now();
    for (; disk_now() - start < 1; n++)
        if (pwrite(fd, page, sizeof page, n % 500 * (off_t)sizeof page) < 0 || fdatasync(fd)) break;
    double elapsed = disk_now() - start;
    close(fd);
    unlink(name);
    return n / elapsed;
}

#endif
