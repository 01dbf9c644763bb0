/* cli/explain.c -- what a method, an optimizer or a layer is, in words. */
#include "cli/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/page.h"

static const struct {
    const char *one, *many;
} explain_group[] = {{"method", "methods"}, {"optimizer", "optimizers"}, {"layer", "layers"}};

enum { EXPLAIN_GROUPS = sizeof explain_group / sizeof explain_group[0] };

void pdi_explain_list(pdi_kind_at_fn *at, size_t width, pdi_text *out)
{
    pdi_page p = {.out = out, .width = width};
    const pdr_kind *k;
    for (int g = 0; g < EXPLAIN_GROUPS; g++) {
        if (at((pdr_kind_group)g, 0)) pdi_page_heading(&p, explain_group[g].many);
        for (size_t i = 0; (k = at((pdr_kind_group)g, i)) != NULL; i++)
            pdi_page_item(&p, k->name, k->title);
    }
    pdi_page_prose(&p, "'perdure methods NAME' explains one.\n");
    pdi_page_end(&p);
}

/* An equation: its lines as they are, but for those too long for the width. */
static void explain_lines(size_t width, const char *text, pdi_text *out)
{
    while (*text) {
        char line[1024];
        size_t n = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, text);
        pdi_text_add(out, "  ");
        if (pdi_utf8_length(line) + 2 > width)
            pdi_table_wrap(line, 6, width, out);
        else
            pdi_text_add(out, "%s", line);
        pdi_text_add(out, "\n");
        text += n + (text[n] == '\n');
    }
}

void pdi_explain_kind(pdr_kind_group group, const pdr_kind *kind, size_t width, pdi_text *out)
{
    pdi_page p = {.out = out, .width = width};
    if (out->n) pdi_text_add(out, "\n");
    pdi_text_add(out, "%s (%s): %s\n", kind->name, explain_group[group].one, kind->title);
    if (kind->equation) {
        pdi_text_add(out, "\n");
        explain_lines(width, kind->equation, out);
    }
    if (kind->cite || kind->cost) pdi_text_add(out, "\n");
    if (kind->cite) pdi_page_item(&p, "source", kind->cite);
    if (kind->cost) pdi_page_item(&p, "cost", kind->cost);
    pdi_page_end(&p);
    pdi_text_add(out, "\n");
    if (!kind->options->name) pdi_text_add(out, "  It has no options.\n");
    pdi_page_options(&p, kind->options);
    pdi_page_end(&p);
}

pdr_rc pdi_explain_name(pdi_kind_at_fn *at, const char *name, size_t width, pdi_text *out,
                        pdr_error *err)
{
    char hint[PDI_HINT_MAX];
    size_t found = 0;
    const pdr_kind *k;
    pdi_words right = {0};
    for (int g = 0; g < EXPLAIN_GROUPS; g++)
        for (size_t i = 0; (k = at((pdr_kind_group)g, i)) != NULL; i++) {
            pdi_words_add(&right, k->name);
            if (strcmp(k->name, name) != 0) continue;
            pdi_explain_kind((pdr_kind_group)g, k, width, out);
            found++;
        }
    if (found) return PDR_OK;
    return pdi_fail(err, PDR_USAGE, "there is no method, optimizer or layer '%.60s'; %s", name,
                    pdi_words_hint(&right, name, hint));
}
