/* recipe/tree.c -- YAML text as a tree that knows where everything stood.
 *
 * libyaml reads the text as events; here they become nodes.  What a recipe has
 * no use for is refused: aliases (a few lines of which can stand for
 * gigabytes), several documents, keys that are not plain values.  Depth and
 * number of values are bounded.  Tags are ignored: the option tables know the
 * types. */
#include "recipe/tree.h"

#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "base/error.h"
#include "recipe/arena.h"

enum { TREE_DEPTH = 16, TREE_VALUES = 65536 };

/* One open list or mapping. */
typedef struct tree_level {
    pdi_tree *node, **tail; /* where the next entry is linked */
    const char *key;        /* mapping: read, and waiting for its value */
    pdi_mark key_at;
} tree_level;

typedef struct tree_reader {
    const pdr_alloc *alloc;
    const char *file, *text;
    size_t size;
    void **nodes, **texts;
    pdi_tree *root;
    size_t values, documents, depth;
    tree_level level[TREE_DEPTH];
    pdr_error *err;
} tree_reader;

bool pdi_tree_is_null(const pdi_tree *t)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (t->type != PDI_TREE_SCALAR || !t->is_plain) return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(t->text, words[i])) return true;
    return false;
}

const pdi_tree *pdi_tree_get(const pdi_tree *map, const char *key)
{
    const pdi_tree *t = map->type == PDI_TREE_MAP ? map->child : NULL;
    while (t && strcmp(t->key, key) != 0) t = t->next;
    return t;
}

static pdi_mark tree_mark(yaml_mark_t m) { return (pdi_mark){m.line + 1, m.column + 1}; }

static pdr_rc tree_fail(tree_reader *r, pdi_mark at, const char *what)
{
    return pdi_fail(r->err, PDR_INPUT, "%s:%zu:%zu: %s", r->file, at.line, at.column, what);
}

/* The place of a byte, for the decoder's complaints, which carry no mark. */
static pdi_mark tree_mark_of_byte(const tree_reader *r, size_t offset)
{
    pdi_mark m = {1, 1};
    for (size_t i = 0; i < offset && i < r->size; i++) {
        bool is_newline = r->text[i] == '\n', is_inside = ((unsigned char)r->text[i] >> 6) == 2;
        m.line += is_newline;
        m.column = is_newline ? 1 : m.column + !is_inside;
    }
    return m;
}

static pdr_rc tree_not_yaml(tree_reader *r, const yaml_parser_t *p)
{
    if (p->error == YAML_MEMORY_ERROR) return pdi_nomem(r->err);
    bool has_mark = p->error != YAML_READER_ERROR;
    pdi_mark at = has_mark ? tree_mark(p->problem_mark) : tree_mark_of_byte(r, p->problem_offset);
    return pdi_fail(r->err, PDR_INPUT,
                    "%s:%zu:%zu: this is not YAML: %s%s%s; write 'key: value' lines, indented with "
                    "spaces and not tabs",
                    r->file, at.line, at.column, p->problem ? p->problem : "it cannot be read",
                    p->context ? " " : "", p->context ? p->context : "");
}

/* A new node, linked where the next value belongs. */
static pdr_rc tree_add(tree_reader *r, pdi_tree_type type, pdi_mark at, pdi_tree **out)
{
    tree_level *l = r->depth ? &r->level[r->depth - 1] : NULL;
    if (++r->values > TREE_VALUES)
        return tree_fail(r, at, "there are more than 65536 values; a recipe has a few dozen");
    pdi_tree *t = pdi_arena_take(r->alloc, r->nodes, sizeof *t);
    if (!t) return pdi_nomem(r->err);
    t->type = type;
    t->at = at;
    *out = t;
    if (!l) {
        r->root = t;
        return PDR_OK;
    }
    t->key = l->key;
    t->key_at = l->key_at;
    l->key = NULL;
    *l->tail = t;
    l->tail = &t->next;
    l->node->count++;
    return PDR_OK;
}

static bool tree_wants_key(const tree_reader *r)
{
    const tree_level *l = r->depth ? &r->level[r->depth - 1] : NULL;
    return l && l->node->type == PDI_TREE_MAP && !l->key;
}

static pdr_rc tree_scalar(tree_reader *r, const yaml_event_t *e)
{
    const char *s = (const char *)e->data.scalar.value;
    size_t n = e->data.scalar.length;
    pdi_mark at = tree_mark(e->start_mark);
    if (e->data.scalar.anchor) return tree_fail(r, at, "anchors are not supported; leave it out");
    if (memchr(s, 0, n)) return tree_fail(r, at, "the value holds a NUL; leave it out");
    char *text = pdi_arena_text(r->alloc, r->texts, s, n);
    if (!text) return pdi_nomem(r->err);
    if (tree_wants_key(r)) {
        r->level[r->depth - 1].key = text;
        r->level[r->depth - 1].key_at = at;
        return PDR_OK;
    }
    pdi_tree *t = NULL;
    pdr_rc rc = tree_add(r, PDI_TREE_SCALAR, at, &t);
    if (rc) return rc;
    t->text = text;
    t->is_plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return PDR_OK;
}

static pdr_rc tree_open(tree_reader *r, pdi_tree_type type, const yaml_event_t *e,
                        const yaml_char_t *anchor)
{
    pdi_mark at = tree_mark(e->start_mark);
    if (anchor) return tree_fail(r, at, "anchors are not supported; leave it out");
    if (tree_wants_key(r)) return tree_fail(r, at, "a key is a word; write 'key: value'");
    if (r->depth == TREE_DEPTH)
        return tree_fail(r, at, "lists and mappings are nested 16 deep; a recipe needs 3");
    pdi_tree *t = NULL;
    pdr_rc rc = tree_add(r, type, at, &t);
    if (rc) return rc;
    r->level[r->depth++] = (tree_level){.node = t, .tail = &t->child};
    return PDR_OK;
}

static pdr_rc tree_event(tree_reader *r, const yaml_event_t *e)
{
    pdi_mark at = tree_mark(e->start_mark);
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (r->documents++)
            return tree_fail(r, at, "a second document begins; a recipe is one document");
        return PDR_OK;
    case YAML_ALIAS_EVENT:
        return tree_fail(r, at, "aliases are not supported; write the value out");
    case YAML_SCALAR_EVENT: return tree_scalar(r, e);
    case YAML_SEQUENCE_START_EVENT:
        return tree_open(r, PDI_TREE_LIST, e, e->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        return tree_open(r, PDI_TREE_MAP, e, e->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: r->depth--; return PDR_OK;
    default: return PDR_OK;
    }
}

/* Every event up to the end of the text, so that trailing rubbish is seen. */
static pdr_rc tree_events(tree_reader *r, yaml_parser_t *p)
{
    pdr_rc rc = PDR_OK;
    bool is_end = false;
    while (!rc && !is_end) {
        yaml_event_t e;
        if (!yaml_parser_parse(p, &e)) return tree_not_yaml(r, p);
        is_end = e.type == YAML_STREAM_END_EVENT;
        rc = tree_event(r, &e);
        yaml_event_delete(&e);
    }
    return rc;
}

pdr_rc pdi_tree_read(const pdr_alloc *alloc, const char *file, const char *text, size_t size,
                     void **nodes, void **texts, pdi_tree **root, pdr_error *err)
{
    tree_reader r = {.alloc = alloc, .file = file, .text = text, .size = size};
    r.nodes = nodes;
    r.texts = texts;
    r.err = err;
    yaml_parser_t p;
    if (!yaml_parser_initialize(&p)) return pdi_nomem(err);
    yaml_parser_set_input_string(&p, (const unsigned char *)text, size);
    pdr_rc rc = tree_events(&r, &p);
    yaml_parser_delete(&p);
    *root = rc ? NULL : r.root;
    return rc;
}
