/* meter.c -- an allocator for tests: counts, guards every block, refuses on demand. */
#include "meter.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Under ASan the guards are poisoned, so that reading them shows too. */
#if defined(__has_feature)
#define METER_HAS(what) __has_feature(what)
#else
#define METER_HAS(what) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || METER_HAS(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

/* A block: its size, guard, the caller's bytes, guard. */
enum { METER_HEAD = 64, METER_TAIL = 64, METER_GUARD = 0xA7, METER_SPOILED = 0xD5 };

/* Open the guards, to look at them; the size of the block. */
static size_t meter_open(const unsigned char *block)
{
    size_t size;
    ASAN_UNPOISON_MEMORY_REGION(block, METER_HEAD);
    memcpy(&size, block, sizeof size);
    ASAN_UNPOISON_MEMORY_REGION(block + METER_HEAD + size, METER_TAIL);
    return size;
}

static bool meter_intact(const unsigned char *block, size_t size)
{
    const unsigned char *tail = block + METER_HEAD + size;
    for (size_t i = sizeof(size_t); i < METER_HEAD; i++)
        if (block[i] != METER_GUARD) return false;
    for (size_t i = 0; i < METER_TAIL; i++)
        if (tail[i] != METER_GUARD) return false;
    return true;
}

static void meter_give_back(meter *m, unsigned char *block)
{
    size_t size = meter_open(block);
    m->overrun = m->overrun || !meter_intact(block, size);
    memset(block, METER_SPOILED, METER_HEAD + size + METER_TAIL);
    free(block);
    m->live--;
}

static unsigned char *meter_block(meter *m, size_t size)
{
    unsigned char *block = malloc(METER_HEAD + size + METER_TAIL);
    if (!block) return NULL;
    memset(block, METER_GUARD, METER_HEAD);
    memcpy(block, &size, sizeof size);
    memset(block + METER_HEAD, METER_SPOILED, size);
    memset(block + METER_HEAD + size, METER_GUARD, METER_TAIL);
    ASAN_POISON_MEMORY_REGION(block, METER_HEAD);
    ASAN_POISON_MEMORY_REGION(block + METER_HEAD + size, METER_TAIL);
    m->live++;
    return block;
}

void *meter_fn(void *ctx, void *old, size_t size)
{
    meter *m = ctx;
    unsigned char *from = old ? (unsigned char *)old - METER_HEAD : NULL;
    if (size == 0) {
        if (from) meter_give_back(m, from);
        return NULL;
    }
    m->requests++;
    if (m->refuse_at &&
        (m->requests == m->refuse_at || (m->and_later && m->requests > m->refuse_at)))
        return NULL;
    unsigned char *block = meter_block(m, size);
    if (!block) return NULL;
    if (from) {
        size_t n = meter_open(from);
        memcpy(block + METER_HEAD, old, n < size ? n : size);
        meter_give_back(m, from);
    }
    return block + METER_HEAD;
}

void meter_start(meter *m)
{
    *m = (meter){.alloc = {meter_fn, NULL}};
    m->alloc.ctx = m;
}

const char *meter_trouble(const meter *m)
{
    if (m->overrun) return "bytes beside an allocated block were written";
    return m->live ? "an allocated block was not given back" : NULL;
}
