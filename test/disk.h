/* disk.h -- a disk in memory for SQLite, on which anything can go wrong.
 *
 *     disk d;
 *     disk_start(&d);                        SQLite knows it as "disk"
 *     d.fault = DISK_POWER, d.at = 17;       the power goes at the 17th change
 *     ... pdi_store_open("/a", ..., vfs "disk") ...
 *     disk_restart(&d, DISK_MIXED, 3);       the power is back
 *     disk_stop(&d);
 *
 * A change is a write, a flush, a cut, a new name or a removed one.  What was changed
 * since a file's last flush may be lost with the power: wholly, not at all, or sector by
 * sector; so may a name made or removed since the folder was last flushed. */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum disk_fault {
    DISK_NONE,
    DISK_FAIL,  /* a change fails and leaves no trace */
    DISK_FULL,  /* there is no room for a write; other changes succeed */
    DISK_SHORT, /* a write stops half way, other changes fail */
    DISK_POWER, /* a write stops half way, nothing works after that */
    DISK_READ,  /* a read fails (counted apart) */
    DISK_OPEN   /* an opening, or a page of shared memory, is refused (counted apart) */
} disk_fault;

typedef enum disk_loss { DISK_DROPPED, DISK_KEPT, DISK_MIXED } disk_loss;

enum { DISK_FILES = 16 };

typedef struct disk_file {
    char name[64];
    bool here, here_safe;  /* the name exists; it would after the power went */
    uint8_t *now, *safe;   /* bytes; bytes that are flushed */
    size_t n, n_safe, cap; /* cap: of now */
    uint8_t *old;          /* what the name, removed and made again, stands for until */
    size_t n_old;          /* the folder is flushed; NULL when it was not */
    void *shared[16];      /* pages of shared memory */
    int users;
} disk_file;

typedef struct disk {
    disk_file file[DISK_FILES];
    disk_fault fault;
    size_t at;      /* number of the change, read or opening that fails, from 1 */
    bool and_later; /* every one after it too */
    bool no_log;    /* no shared memory, so no log */
    size_t changes, reads, opens;
    bool is_off; /* the power is gone */
} disk;

void disk_start(disk *d);
void disk_stop(disk *d);

/* Faults are over, counters at 0, what was not flushed is lost as told. */
void disk_restart(disk *d, disk_loss loss, uint64_t seed);

/* The content of a file, which may be changed; NULL when there is none. */
uint8_t *disk_bytes(disk *d, const char *name, size_t *n);

/* Make a file of these bytes, or remove it (bytes NULL). */
void disk_put(disk *d, const char *name, const void *bytes, size_t n);

#endif
