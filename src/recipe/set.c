/* recipe/set.c -- assignments of the command line: "training.batch=64".
 *
 * An assignment becomes a node of a tree, as if it had been read from a file, and
 * is bound by the same functions. */
#include <string.h>

#include "base/utf8.h"
#include "recipe/arena.h"
#include "recipe/bind.h"

enum { SET_PARTS = 3 };

static pdr_rc set_fail(const pdi_binder *b, const char *path, const char *what)
{
    return pdi_bind_fail(b, (pdi_mark){0}, path, NULL, "%s", what);
}

/* Cut path at its points, in place.  The number of parts; SET_PARTS + 1 for more. */
static size_t set_split(char *path, char *part[SET_PARTS])
{
    size_t n = 0;
    for (char *s = path; s; n++) {
        if (n == SET_PARTS) return n + 1;
        part[n] = s;
        s = strchr(s, '.');
        if (s) *s++ = 0;
    }
    return n;
}

/* The layer that a part like "0" means. */
static pdr_rc set_layer(pdi_binder *b, const char *index, pdi_target *t)
{
    size_t i = 0, n = b->out->layers;
    for (const char *s = index; *s; s++) {
        if (*s < '0' || *s > '9') i = n;
        if (i < n) i = i * 10 + (size_t)(*s - '0');
    }
    if (*index && pdi_bind_layer(b, i, t)) return PDR_OK;
    if (!n) return set_fail(b, "model", "it has no layers, so none can be changed");
    return pdi_bind_fail(b, (pdi_mark){0}, "model", NULL,
                         "there is no layer '%.20s'; give 0 to %zu", index, n - 1);
}

static pdr_rc set_model(pdi_binder *b, size_t n, char *part[SET_PARTS], pdi_tree *node)
{
    pdi_target t;
    pdr_rc rc = set_layer(b, part[1], &t);
    if (rc) return rc;
    node->key = n == 2 ? NULL : part[2];
    return n == 2 ? pdi_bind_choice(b, &t, node) : pdi_bind_entry(b, &t, node);
}

static pdr_rc set_parts(pdi_binder *b, size_t n, char *part[SET_PARTS], pdi_tree *node)
{
    pdi_target t;
    bool is_model = !strcmp(part[0], "model"), is_seed = !strcmp(part[0], "seed");
    node->key = part[0];
    if (n == 1) return pdi_bind_section(b, node);
    if (is_model && n <= 3) return set_model(b, n, part, node);
    if (is_seed || is_model || (n > 2 && pdi_bind_target(b, part[0], &t)))
        return set_fail(b, part[0],
                        "the path is too long; write it as in training.batch=64, "
                        "model.0.units=100 or seed=1");
    if (!pdi_bind_target(b, part[0], &t)) return pdi_bind_section(b, node);
    node->key = part[1];
    return pdi_bind_entry(b, &t, node);
}

pdr_rc pdi_bind_set(pdi_binder *b, const char *assignment)
{
    const pdr_alloc *a = b->out->alloc;
    const char *value = strchr(assignment, '=');
    b->set = assignment;
    if (!value || value == assignment)
        return set_fail(b, "", "write path=value, as in training.batch=64");
    if (!pdi_utf8_valid(value)) return set_fail(b, "", "the value is not UTF-8");
    /* Text options will point into the value, so it lives as long as the recipe. */
    char *path = pdi_strdup(a, assignment);
    char *kept = pdi_arena_text(a, &b->out->text_store, value + 1, strlen(value + 1));
    pdr_rc rc = path && kept ? PDR_OK : pdi_nomem(b->err);
    if (!rc) {
        char *part[SET_PARTS] = {0};
        pdi_tree node = {.is_plain = true, .text = kept};
        path[value - assignment] = 0;
        size_t n = set_split(path, part);
        rc = set_parts(b, n, part, &node);
    }
    pdi_free(a, path);
    return rc;
}
