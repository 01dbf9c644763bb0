/* recipe/write.c -- a recipe as YAML, every option written out.
 *
 * Numbers are the shortest text that reads back to the same bits; a text is
 * quoted wherever it could be taken for something else. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "recipe/recipe.h"

#define FIELD_OF(type, self, row) ((const type *)(const void *)((const char *)(self) + (row)->at))

static bool write_is_plain(const char *s)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./";
    static const char also[] = "-+"; /* but not first, where they may begin a list */
    if (!*s || strchr(also, *s) || !strncmp(s, "...", 3)) return false;
    if (!strcmp(s, "null") || !strcmp(s, "Null") || !strcmp(s, "NULL")) return false;
    while (*s && (strchr(safe, *s) || strchr(also, *s))) s++;
    return *s == 0;
}

/* YAML's own list of what may stand unescaped (1.1, section 4.1). */
static bool write_is_printable(uint32_t c)
{
    return (c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xD7FF && c != 0x2028 && c != 0x2029) ||
           (c >= 0xE000 && c <= 0xFFFD && c != 0xFEFF) || c >= 0x10000;
}

static void write_quoted(pdi_text *out, const char *s)
{
    size_t n;
    pdi_text_add(out, "\"");
    for (; *s; s += n) {
        uint32_t c = pdi_utf8_at(s, &n);
        if (!n) n = 1;
        if (c == '"' || c == '\\')
            pdi_text_add(out, "\\%c", (int)c);
        else if (write_is_printable(c))
            pdi_text_bytes(out, s, n);
        else
            pdi_text_add(out, "\\U%08" PRIX32, c);
    }
    pdi_text_add(out, "\"");
}

static void write_real(pdi_text *out, double x)
{
    char text[40];
    int digits = 1;
    do snprintf(text, sizeof text, "%.*g", digits, x);
    while (strtod(text, NULL) != x && ++digits <= 17);
    pdi_text_add(out, "%s", text);
}

static void write_value(pdi_text *out, const pdr_option *row, const void *self)
{
    char text[PDR_OPTION_TEXT_MAX];
    const char *s;
    switch (row->type) {
    case PDR_REAL: write_real(out, *FIELD_OF(double, self, row)); return;
    case PDR_TEXT: s = *FIELD_OF(char *, self, row); break;
    default: pdr_option_get(row, self, text); s = text;
    }
    if (!s)
        pdi_text_add(out, "null");
    else if (write_is_plain(s))
        pdi_text_add(out, "%s", s);
    else
        write_quoted(out, s);
}

static void write_table(pdi_text *out, const char *indent, const pdr_option *table,
                        const void *self)
{
    for (const pdr_option *row = table; row->name; row++) {
        pdi_text_add(out, "%s%s: ", indent, row->name);
        write_value(out, row, self);
        pdi_text_add(out, "\n");
    }
}

static void write_layers(pdi_text *out, const pdr_recipe *r)
{
    pdi_text_add(out, r->layers ? "model:\n" : "model: []\n");
    for (size_t i = 0; i < r->layers; i++) {
        const pdr_choice *c = &r->layer[i];
        pdi_text_add(out, "  - layer: %s\n", c->kind->name);
        write_table(out, "    ", c->kind->options, c->self);
    }
}

static void write_choice(pdi_text *out, const char *section, const pdr_choice *c)
{
    pdi_text_add(out, "%s:\n  name: %s\n", section, c->kind->name);
    write_table(out, "  ", c->kind->options, c->self);
}

char *pdr_recipe_write(const pdr_recipe *r)
{
    pdi_text out = {.alloc = r->alloc};
    pdi_text_add(&out, "data:\n");
    write_table(&out, "  ", pdr_data_option_table, &r->data);
    pdi_text_add(&out, "scenario:\n");
    write_table(&out, "  ", pdr_scenario_option_table, &r->scenario);
    if (r->has_episodes) {
        pdi_text_add(&out, "episodes:\n");
        write_table(&out, "  ", pdr_episode_option_table, &r->episodes);
    }
    write_layers(&out, r);
    write_choice(&out, "method", &r->method);
    write_choice(&out, "optimizer", &r->optimizer);
    pdi_text_add(&out, "training:\n");
    write_table(&out, "  ", pdr_training_option_table, &r->training);
    if (r->has_learner) {
        pdi_text_add(&out, "learner:\n");
        write_table(&out, "  ", pdr_learner_option_table, &r->learner);
    }
    pdi_text_add(&out, "seed: %" PRIu64 "\n", r->seed);
    return pdi_text_take(&out);
}
