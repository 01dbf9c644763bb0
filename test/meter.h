/* meter.h -- an allocator for tests: counts, guards every block, refuses on demand.
 *
 *     meter m;
 *     meter_start(&m);
 *     m.refuse_at = 3;                      the third request is refused
 *     pdr_graph *g = pdr_graph_new(&m.alloc);
 *     ...
 *     assert_null(meter_trouble(&m));       nothing left, nothing overrun
 *
 * Blocks always move when they are resized and are spoiled before they are
 * returned, so a pointer kept too long reads nonsense. */
#ifndef METER_H
#define METER_H

#include <perdure/alloc.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct meter {
    pdr_alloc alloc;
    size_t requests;  /* served or refused; giving back does not count */
    size_t live;      /* blocks in use */
    size_t refuse_at; /* number of the request to refuse, from 1; 0: none */
    bool and_later;   /* every one after it too */
    bool overrun;     /* a guard did not survive */
} meter;

void *meter_fn(void *ctx, void *old, size_t size);

/* Start a meter: it holds its own address, so it cannot be copied. */
void meter_start(meter *m);

/* NULL, or what is wrong once everything has been freed. */
const char *meter_trouble(const meter *m);

#endif
