/* recipe/words.c -- what would have been right: the nearest name, or all names. */
#include "recipe/words.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_LENGTH = 48 }; /* longer words are not compared */

void pdi_words_add(pdi_words *w, const char *word)
{
    if (w->n < PDI_WORDS_MAX) w->v[w->n++] = word;
}

void pdi_words_options(pdi_words *w, const pdr_option *table)
{
    for (const pdr_option *row = table; row->name; row++) pdi_words_add(w, row->name);
}

void pdi_words_kinds(pdi_words *w, pdr_kind_group group, pdi_kind_at_fn *at)
{
    const pdr_kind *k;
    for (size_t i = 0; (k = at(group, i)) != NULL; i++) pdi_words_add(w, k->name);
}

static size_t words_least(size_t a, size_t b) { return a < b ? a : b; }

/* Damerau and Levenshtein's distance in the restricted form: no piece is edited
 * twice.  d[i % 3][j] is the distance of a's first i letters from b's first j. */
static size_t words_distance(const char *a, const char *b)
{
    size_t d[3][WORDS_LENGTH + 1] = {{0}}, na = strlen(a), nb = strlen(b);
    if (na > WORDS_LENGTH || nb > WORDS_LENGTH) return WORDS_LENGTH;
    for (size_t j = 0; j <= nb; j++) d[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *row = d[i % 3], *above = d[(i + 2) % 3], *top = d[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            row[j] = words_least(above[j - 1] + (a[i - 1] != b[j - 1]),
                                 words_least(above[j], row[j - 1]) + 1);
            if (is_swap) row[j] = words_least(row[j], top[j - 2] + 1);
        }
    }
    return d[na % 3][nb];
}

const char *pdi_words_nearest(const pdi_words *w, const char *wrong)
{
    size_t limit = (strlen(wrong) + 1) / 3, best = limit > 0 ? limit + 1 : 2;
    const char *found = NULL;
    for (size_t i = 0; i < w->n; i++) {
        size_t d = words_distance(w->v[i], wrong);
        if (d < best && d < strlen(w->v[i])) {
            best = d;
            found = w->v[i];
        }
    }
    return found;
}

const char *pdi_words_hint(const pdi_words *w, const char *wrong, char text[PDI_HINT_MAX])
{
    const char *near = pdi_words_nearest(w, wrong);
    if (near) {
        snprintf(text, PDI_HINT_MAX, "did you mean '%s'?", near);
        return text;
    }
    size_t n = (size_t)snprintf(text, PDI_HINT_MAX, w->n ? "choose from" : "none is known");
    for (size_t i = 0; i < w->n && n < PDI_HINT_MAX; i++)
        n += (size_t)snprintf(text + n, PDI_HINT_MAX - n, i ? ", %s" : " %s", w->v[i]);
    return text;
}

void pdi_option_values(const pdr_option *row, pdi_text *out)
{
    switch (row->type) {
    case PDR_REAL:
    case PDR_COUNT: pdi_text_add(out, "%.10g to %.10g", row->lo, row->hi); return;
    case PDR_FLAG: pdi_text_add(out, "true or false"); return;
    case PDR_TEXT: pdi_text_add(out, "text"); return;
    case PDR_CHOICE:
        for (int i = 0; row->choices[i]; i++) pdi_text_add(out, i ? ", %s" : "%s", row->choices[i]);
    }
}
