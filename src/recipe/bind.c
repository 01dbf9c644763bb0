/* recipe/bind.c -- giving the values of a tree to a recipe, through the tables.
 *
 * Every key is looked up in an option table: the fixed ones of data, scenario
 * and training, and those of the kinds that method, optimizer and the layers
 * name.  Each function below takes one node of the tree; an assignment of the
 * command line arrives as a node too (set.c), so both are checked alike. */
#include "recipe/bind.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BIND_VALUE = 100 }; /* no number, flag or choice is longer, in bytes */

typedef enum bind_shape { BIND_TABLE, BIND_CHOICE, BIND_LAYERS, BIND_SEED } bind_shape;

/* The sections, in the order in which they are written. */
static const struct bind_row {
    const char *name;
    bind_shape shape;
    const pdr_option *table; /* BIND_TABLE */
    pdr_kind_group group;    /* BIND_CHOICE */
    size_t at;               /* where in pdr_recipe */
} bind_rows[] = {
    {"data", BIND_TABLE, pdr_data_option_table, 0, offsetof(pdr_recipe, data)},
    {"scenario", BIND_TABLE, pdr_scenario_option_table, 0, offsetof(pdr_recipe, scenario)},
    {"episodes", BIND_TABLE, pdr_episode_option_table, 0, offsetof(pdr_recipe, episodes)},
    {"model", BIND_LAYERS, NULL, PDR_KIND_LAYER, 0},
    {"method", BIND_CHOICE, NULL, PDR_KIND_METHOD, offsetof(pdr_recipe, method)},
    {"optimizer", BIND_CHOICE, NULL, PDR_KIND_OPTIMIZER, offsetof(pdr_recipe, optimizer)},
    {"training", BIND_TABLE, pdr_training_option_table, 0, offsetof(pdr_recipe, training)},
    {"learner", BIND_TABLE, pdr_learner_option_table, 0, offsetof(pdr_recipe, learner)},
    {"seed", BIND_SEED, NULL, 0, 0},
    {"published", BIND_TABLE, pdr_published_option_table, 0, offsetof(pdr_recipe, published)},
};

enum { BIND_ROWS = sizeof bind_rows / sizeof bind_rows[0] };

/* A group in words, and the key that names its kind. */
static const char *const bind_noun[] = {"method", "optimizer", "layer"};
static const char *const bind_key[] = {"name", "name", "layer"};

static const char *bind_type(const pdi_tree *t)
{
    static const char *const words[] = {"a single value", "a list", "a mapping"};
    return words[t->type];
}

pdr_rc pdi_bind_fail(const pdi_binder *b, pdi_mark at, const char *path, const char *key,
                     const char *fmt, ...)
{
    char where[PDR_ERROR_MAX], what[PDR_ERROR_MAX];
    if (b->set)
        snprintf(where, sizeof where, "--set %.80s: %s", b->set, path);
    else
        snprintf(where, sizeof where, "%s:%zu:%zu: %s", b->file, at.line, at.column, path);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return pdi_fail(b->err, PDR_INPUT, "%s%s%.60s%s%s", where, key && *path ? "." : "",
                    key ? key : "", key || *path ? ": " : "", what);
}

static pdr_rc bind_unknown(const pdi_binder *b, const pdi_tree *node, const char *path,
                           const pdi_words *right)
{
    char hint[PDI_HINT_MAX];
    return pdi_bind_fail(b, node->key_at, path, node->key, "there is no such %s; %s",
                         *path ? "key" : "section", pdi_words_hint(right, node->key, hint));
}

/* A key that stood in the same mapping before. */
static pdr_rc bind_once(const pdi_binder *b, const char *path, const pdi_tree *map,
                        const pdi_tree *node)
{
    const pdi_tree *first = pdi_tree_get(map, node->key);
    if (first == node) return PDR_OK;
    return pdi_bind_fail(b, node->key_at, path, node->key,
                         "the key stands a second time (first on line %zu); keep one",
                         first->key_at.line);
}

/* The message for a value that has the wrong type or is missing. */
static pdr_rc bind_not_a_value(const pdi_binder *b, const pdi_tree *node, const char *path,
                               const pdr_option *row, const char *what)
{
    pdi_text values = {.alloc = b->out->alloc};
    pdi_option_values(row, &values);
    char *right = pdi_text_take(&values);
    if (!right) return pdi_nomem(b->err);
    pdr_rc rc = pdi_bind_fail(b, node->at, path, row->name, "%s; give %s", what, right);
    pdi_free(b->out->alloc, right);
    return rc;
}

static pdr_rc bind_option(pdi_binder *b, const char *path, const pdr_option *row, void *self,
                          const pdi_tree *node)
{
    char what[64];
    snprintf(what, sizeof what, "%s stands where a single value belongs", bind_type(node));
    if (node->type != PDI_TREE_SCALAR) return bind_not_a_value(b, node, path, row, what);
    bool is_text = row->type == PDR_TEXT, is_null = pdi_tree_is_null(node);
    if (is_null && !is_text) return bind_not_a_value(b, node, path, row, "the value is missing");
    if (!is_text && strlen(node->text) > BIND_VALUE)
        return bind_not_a_value(b, node, path, row, "the value is over 100 characters long");
    pdr_error why = PDR_NO_ERROR;
    if (!pdr_option_set(row, self, is_null ? NULL : node->text, &why)) return PDR_OK;
    /* The story begins with the option's name, which the path says already. */
    return pdi_bind_fail(b, node->at, path, row->name, "%s", why.text + strlen(row->name) + 2);
}

static void bind_drop(const pdr_recipe *r, pdr_choice *c)
{
    pdi_free(r->alloc, c->self);
    *c = (pdr_choice){0};
}

/* Take the kind called name, its options at their defaults. */
static pdr_rc bind_kind(pdi_binder *b, const pdi_target *t, const pdi_tree *name)
{
    const pdr_kind *kind = b->find(t->group, name->text);
    if (!kind) {
        char hint[PDI_HINT_MAX];
        pdi_words right = {0};
        pdi_words_kinds(&right, t->group, b->at);
        return pdi_bind_fail(b, name->at, t->path, NULL, "there is no %s '%.60s'; %s",
                             bind_noun[t->group], name->text,
                             pdi_words_hint(&right, name->text, hint));
    }
    void *self = kind->self_size ? pdi_new(b->out->alloc, 1, kind->self_size) : NULL;
    if (kind->self_size && !self) return pdi_nomem(b->err);
    pdr_option_defaults(kind->options, self);
    bind_drop(b->out, t->choice);
    *t->choice = (pdr_choice){kind, self};
    return PDR_OK;
}

/* The node that holds a kind's name: itself, or its entry `name` or `layer`. */
static pdr_rc bind_named(pdi_binder *b, const pdi_target *t, const pdi_tree *node,
                         const pdi_tree **name)
{
    const char *key = bind_key[t->group], *noun = bind_noun[t->group];
    *name = node;
    if (node->type == PDI_TREE_LIST)
        return pdi_bind_fail(b, node->at, t->path, NULL,
                             "a list stands where one %s belongs; give '%s: NAME' and options",
                             noun, key);
    if (node->type == PDI_TREE_MAP && (*name = pdi_tree_get(node, key)) == NULL)
        return pdi_bind_fail(b, node->at, t->path, NULL, "'%s' is missing; give '%s: NAME'", key,
                             key);
    if ((*name)->type == PDI_TREE_SCALAR && !pdi_tree_is_null(*name)) return PDR_OK;
    return pdi_bind_fail(b, (*name)->at, t->path, NULL,
                         "the name of the %s is missing; give '%s: NAME'", noun, key);
}

pdr_rc pdi_bind_choice(pdi_binder *b, const pdi_target *t, const pdi_tree *node)
{
    const pdi_tree *name;
    pdr_rc rc = bind_named(b, t, node, &name);
    if (!rc) rc = bind_kind(b, t, name);
    for (const pdi_tree *e = node->child; e && !rc; e = e->next) {
        rc = bind_once(b, t->path, node, e);
        if (!rc && e != name) rc = pdi_bind_entry(b, t, e);
    }
    return rc;
}

pdr_rc pdi_bind_entry(pdi_binder *b, const pdi_target *t, const pdi_tree *node)
{
    const char *kind_key = t->choice ? bind_key[t->group] : NULL;
    if (kind_key && !strcmp(node->key, kind_key)) return pdi_bind_choice(b, t, node);
    if (t->choice && !t->choice->kind)
        return pdi_bind_fail(b, node->key_at, t->path, node->key,
                             "no %s is named yet, so it has no options; give '%s=NAME' first",
                             bind_noun[t->group], t->path);
    if (t->self == &b->out->episodes) b->out->has_episodes = true;
    if (t->self == &b->out->learner) b->out->has_learner = true;
    const pdr_option *table = t->choice ? t->choice->kind->options : t->table;
    const pdr_option *row = pdr_option_find(table, node->key);
    if (row) return bind_option(b, t->path, row, t->choice ? t->choice->self : t->self, node);
    pdi_words right = {0};
    if (kind_key) pdi_words_add(&right, kind_key);
    pdi_words_options(&right, table);
    return bind_unknown(b, node, t->path, &right);
}

/* A section of fixed keys: what is not written is at its default. */
static pdr_rc bind_table(pdi_binder *b, const pdi_target *t, const pdi_tree *node)
{
    pdr_option_defaults(t->table, t->self);
    if (t->self == &b->out->episodes) b->out->has_episodes = true;
    if (t->self == &b->out->learner) b->out->has_learner = true;
    if (pdi_tree_is_null(node)) return PDR_OK;
    if (node->type != PDI_TREE_MAP)
        return pdi_bind_fail(b, node->at, t->path, NULL,
                             "%s stands where a mapping belongs; "
                             "write 'key: value' lines, such as '%s: ...'",
                             bind_type(node), t->table->name);
    pdr_rc rc = PDR_OK;
    for (const pdi_tree *e = node->child; e && !rc; e = e->next) {
        rc = bind_once(b, t->path, node, e);
        if (!rc) rc = pdi_bind_entry(b, t, e);
    }
    return rc;
}

static void bind_drop_layers(pdr_recipe *r)
{
    for (size_t i = 0; i < r->layers; i++) bind_drop(r, &r->layer[i]);
    pdi_free(r->alloc, r->layer);
    r->layer = NULL;
    r->layers = 0;
}

static pdr_rc bind_layers(pdi_binder *b, const pdi_tree *node)
{
    pdr_recipe *r = b->out;
    bind_drop_layers(r);
    if (pdi_tree_is_null(node)) return PDR_OK;
    if (node->type != PDI_TREE_LIST)
        return pdi_bind_fail(b, node->at, "model", NULL,
                             "%s stands where a list of layers belongs; "
                             "write '- layer: NAME' lines",
                             bind_type(node));
    if (node->count > PDI_RECIPE_LAYERS)
        return pdi_bind_fail(b, node->at, "model", NULL, "there are %zu layers; give at most %d",
                             node->count, PDI_RECIPE_LAYERS);
    r->layer = pdi_new(r->alloc, node->count, sizeof *r->layer);
    if (!r->layer) return pdi_nomem(b->err);
    pdr_rc rc = PDR_OK;
    for (const pdi_tree *e = node->child; e && !rc; e = e->next) {
        pdi_target t;
        r->layers++;
        pdi_bind_layer(b, r->layers - 1, &t);
        rc = pdi_bind_choice(b, &t, e);
    }
    return rc;
}

/* 2^53: the whole numbers that every JSON reader keeps exactly. */
static pdr_rc bind_seed(pdi_binder *b, const pdi_tree *node)
{
    struct seed {
        int64_t seed;
    } s;
    static const pdr_option row = PDR_OPTION_COUNT(struct seed, seed, 0, 0, 9007199254740992.0, "");
    pdr_error why = PDR_NO_ERROR;
    if (node->type != PDI_TREE_SCALAR || pdr_option_set(&row, &s, node->text, &why))
        return pdi_bind_fail(b, node->at, "seed", NULL,
                             "%s%.40s%s is not a seed; "
                             "give a whole number from 0 to 9007199254740992",
                             node->text ? "'" : bind_type(node), node->text ? node->text : "",
                             node->text ? "'" : "");
    b->out->seed = (uint64_t)s.seed;
    return PDR_OK;
}

static const struct bind_row *bind_find(const char *section)
{
    for (size_t i = 0; i < BIND_ROWS; i++)
        if (!strcmp(bind_rows[i].name, section)) return &bind_rows[i];
    return NULL;
}

bool pdi_bind_target(pdi_binder *b, const char *section, pdi_target *t)
{
    const struct bind_row *row = bind_find(section);
    *t = (pdi_target){.table = row ? row->table : NULL, .group = row ? row->group : 0};
    if (!row || row->shape == BIND_LAYERS || row->shape == BIND_SEED) return false;
    void *field = (char *)b->out + row->at;
    t->self = row->shape == BIND_TABLE ? field : NULL;
    t->choice = row->shape == BIND_CHOICE ? field : NULL;
    snprintf(t->path, sizeof t->path, "%s", section);
    return true;
}

bool pdi_bind_layer(pdi_binder *b, size_t i, pdi_target *t)
{
    *t = (pdi_target){.group = PDR_KIND_LAYER};
    if (i >= b->out->layers) return false;
    t->choice = &b->out->layer[i];
    snprintf(t->path, sizeof t->path, "model.%zu", i);
    return true;
}

pdr_rc pdi_bind_section(pdi_binder *b, const pdi_tree *node)
{
    const struct bind_row *row = bind_find(node->key);
    if (!row) {
        pdi_words right = {0};
        for (size_t i = 0; i < BIND_ROWS; i++) pdi_words_add(&right, bind_rows[i].name);
        return bind_unknown(b, node, "", &right);
    }
    pdi_target t;
    pdi_bind_target(b, node->key, &t);
    switch (row->shape) {
    case BIND_TABLE: return bind_table(b, &t, node);
    case BIND_CHOICE: return pdi_bind_choice(b, &t, node);
    case BIND_LAYERS: return bind_layers(b, node);
    case BIND_SEED: return bind_seed(b, node);
    }
    return PDR_OK;
}

static void bind_defaults(pdi_binder *b)
{
    for (size_t i = 0; i < BIND_ROWS; i++) {
        pdi_target t;
        pdi_bind_target(b, bind_rows[i].name, &t);
        if (t.table) pdr_option_defaults(t.table, t.self);
    }
}

pdr_rc pdi_bind_file(pdi_binder *b, const pdi_tree *root)
{
    pdi_mark start = {1, 1};
    b->data_at = start;
    bind_defaults(b);
    if (!root || pdi_tree_is_null(root))
        return pdi_bind_fail(b, start, "", NULL,
                             "the file is empty; a recipe needs at least data and method");
    if (root->type != PDI_TREE_MAP)
        return pdi_bind_fail(b, root->at, "", NULL,
                             "%s stands where a mapping belongs; "
                             "a recipe begins like 'data: {name: mnist}'",
                             bind_type(root));
    pdr_rc rc = PDR_OK;
    for (const pdi_tree *e = root->child; e && !rc; e = e->next) {
        if (!strcmp(e->key, "data")) b->data_at = e->at;
        rc = bind_once(b, "", root, e);
        if (!rc) rc = pdi_bind_section(b, e);
    }
    if (rc || b->out->optimizer.kind) return rc;
    const pdi_tree sgd = {.text = "sgd", .key = "optimizer", .at = start};
    return pdi_bind_section(b, &sgd);
}

/* A set is known by its name, or its files are given. */
static pdr_rc bind_data_complete(pdi_binder *b)
{
    const pdr_recipe *r = b->out;
    if (r->episodes.family == PDR_EPISODE_SINUSOID) {
        if (!r->data.name && !r->data.train) return PDR_OK;
        return pdi_bind_fail(b, b->data_at, "data", NULL,
                             "episodes.family sinusoid makes its own; leave the section out");
    }
    if (!r->data.name && !r->data.train)
        return pdi_bind_fail(b, b->data_at, "data", NULL,
                             "neither 'name' nor 'train' is given; "
                             "give one, as in 'data: {name: mnist}'");
    if (r->data.name && r->data.train)
        return pdi_bind_fail(b, b->data_at, "data", NULL,
                             "both name (%.60s) and train (%.60s) are given; keep one",
                             r->data.name, r->data.train);
    char hint[PDI_HINT_MAX];
    pdi_words right = {0};
    const pdr_registry_row *row;
    for (size_t i = 0; r->data.name && (row = pdr_registry_at(i)) != NULL; i++) {
        if (!strcmp(row->name, r->data.name)) return PDR_OK;
        pdi_words_add(&right, row->name);
    }
    if (!r->data.name) return PDR_OK;
    return pdi_bind_fail(b, b->data_at, "data", "name", "there is no data set '%.60s'; %s",
                         r->data.name, pdi_words_hint(&right, r->data.name, hint));
}

pdr_rc pdi_bind_complete(pdi_binder *b)
{
    const pdi_mark start = {1, 1};
    b->set = NULL;
    pdr_rc rc = bind_data_complete(b);
    if (rc || b->out->method.kind) return rc;
    char hint[PDI_HINT_MAX];
    pdi_words right = {0};
    pdi_words_kinds(&right, PDR_KIND_METHOD, b->at);
    return pdi_bind_fail(b, start, "method", NULL, "the section is missing; %s",
                         pdi_words_hint(&right, "", hint));
}
