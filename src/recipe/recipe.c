/* recipe/recipe.c -- a recipe's life: read, parsed, closed. */
#include "recipe/recipe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "recipe/arena.h"
#include "recipe/bind.h"

/* "recipes/split.yaml" -> "split". */
static char *recipe_name(const pdr_alloc *alloc, const char *path)
{
    const char *slash = strrchr(path, '/'), *start = slash ? slash + 1 : path;
    size_t n = strlen(start);
    if (n > 5 && !strcmp(start + n - 5, ".yaml")) n -= 5;
    if (n > 4 && !strncmp(start + n - 4, ".yml", 5)) n -= 4;
    char *name = pdi_new(alloc, n + 1, 1);
    return name ? memcpy(name, start, n) : NULL;
}

static pdr_rc recipe_fill(pdi_binder *b, const char *text, size_t size, void **nodes, size_t n_set,
                          const char *const set[])
{
    pdi_tree *root;
    pdr_recipe *r = b->out;
    r->name = recipe_name(r->alloc, b->file);
    if (!r->name) return pdi_nomem(b->err);
    if (size > PDI_RECIPE_BYTES)
        return pdi_fail(b->err, PDR_INPUT, "%s: the file is over 1 MiB; a recipe is a few lines",
                        b->file);
    pdr_rc rc = pdi_tree_read(r->alloc, b->file, text, size, nodes, &r->text_store, &root, b->err);
    if (!rc) rc = pdi_bind_file(b, root);
    for (size_t i = 0; i < n_set && !rc; i++) rc = pdi_bind_set(b, set[i]);
    return rc ? rc : pdi_bind_complete(b);
}

pdr_rc pdi_recipe_parse(const pdr_alloc *alloc, const char *path, const char *text, size_t size,
                        size_t n_set, const char *const set[], pdi_kind_find_fn *find,
                        pdi_kind_at_fn *at, pdr_recipe *out, pdr_error *err)
{
    void *nodes = NULL;
    *out = (pdr_recipe){.alloc = pdi_alloc_or_default(alloc)};
    pdi_binder b = {.out = out, .file = path, .find = find, .at = at, .err = err};
    pdr_rc rc = recipe_fill(&b, text, size, &nodes, n_set, set);
    pdi_arena_close(out->alloc, &nodes);
    if (rc) pdr_recipe_close(out);
    return rc;
}

/* The file's bytes into a buffer of PDI_RECIPE_BYTES + 1: one more than is
 * allowed, so that a file that is too large shows. */
static pdr_rc recipe_load(const char *path, char *text, size_t *size, pdr_error *err)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return pdi_fail(err, PDR_INPUT, "%s: cannot be opened: %s; give the path of a recipe", path,
                        strerror(errno));
    *size = fread(text, 1, PDI_RECIPE_BYTES + 1, f);
    int why = ferror(f) ? errno : 0;
    fclose(f);
    if (!why) return PDR_OK;
    return pdi_fail(err, why == EISDIR ? PDR_INPUT : PDR_IO,
                    "%s: cannot be read: %s; give the path of a recipe", path, strerror(why));
}

pdr_rc pdi_recipe_read(const pdr_alloc *alloc, const char *path, size_t n_set,
                       const char *const set[], pdi_kind_find_fn *find, pdi_kind_at_fn *at,
                       pdr_recipe *out, pdr_error *err)
{
    size_t size = 0;
    *out = (pdr_recipe){0};
    alloc = pdi_alloc_or_default(alloc);
    char *text = pdi_resize(alloc, NULL, PDI_RECIPE_BYTES + 1, 1);
    pdr_rc rc = text ? recipe_load(path, text, &size, err) : pdi_nomem(err);
    if (!rc) rc = pdi_recipe_parse(alloc, path, text, size, n_set, set, find, at, out, err);
    pdi_free(alloc, text);
    return rc;
}

void pdr_recipe_close(pdr_recipe *r)
{
    if (!r || !r->alloc) return;
    for (size_t i = 0; i < r->layers; i++) pdi_free(r->alloc, r->layer[i].self);
    pdi_free(r->alloc, r->layer);
    pdi_free(r->alloc, r->method.self);
    pdi_free(r->alloc, r->optimizer.self);
    pdi_free(r->alloc, r->name);
    pdi_arena_close(r->alloc, &r->text_store);
    *r = (pdr_recipe){0};
}
