/* cli/explain.c -- what a method, an optimizer or a layer is, in words. */
#include "cli/explain.h"

#include <string.h>

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

/* A text of several lines, ended where it is not. */
static void explain_lines(pdi_page *p, const char *text)
{
    pdi_text lines = {.alloc = p->out->alloc};
    pdi_text_add(&lines, "%s\n", text);
    if (lines.failed)
        p->out->failed = true;
    else
        pdi_page_lines(p, lines.s);
    pdi_text_close(&lines);
}

void pdi_explain_kind(pdr_kind_group group, const pdr_kind *kind, size_t width, pdi_text *out)
{
    pdi_page p = {.out = out, .width = width};
    if (out->n) pdi_text_add(out, "\n");
    pdi_text_add(out, "%s (%s): %s\n", kind->name, explain_group[group].one, kind->title);
    if (kind->equation) {
        pdi_text_add(out, "\n");
        explain_lines(&p, kind->equation);
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
