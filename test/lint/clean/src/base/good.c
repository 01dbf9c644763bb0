/* base/good.c -- everything that a rule might take for something else. */
#include "base/good.h"

#include <perdure/error.h>
#include <stdlib.h>

typedef struct good_hook {
    void *(*malloc)(size_t n);
    void (*free)(void *p);
} good_hook;

static const char *const good_words[] = {"exit(1)", "// no comment", "/* nor this */", "TODO"};
const char pdi_quote = '\'', pdi_slash = '\\';

/* An apostrophe isn't a quote, and "this // is not a line comment. */
static int good_call(good_hook *h, int printf)
{
    h->free(h->malloc(1));
    free(malloc(1));
    return printf + 0x1p-3 > 1e+3;
}

struct pair {
    int a, b;
};

struct pair *pdi_good_pair(struct pair *p) { return p; }

extern const char *pdr_elsewhere;
int pdi_good(const good_hook *h)
{
#if GOOD
    if (h) {
#else
    if (!h) {
#endif
        return good_call(0, 1);
    }
    return good_words[0] != 0;
}
