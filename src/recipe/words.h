/* recipe/words.h -- what would have been right: the nearest name, or all names. */
#ifndef PDI_RECIPE_WORDS_H
#define PDI_RECIPE_WORDS_H

#include <perdure/kind.h>

#include "base/text.h"

enum { PDI_WORDS_MAX = 128, PDI_HINT_MAX = 320 };

/* Names that would be right in one place.  More than PDI_WORDS_MAX are left out
 * of hints, no more than that. */
typedef struct pdi_words {
    size_t n;
    const char *v[PDI_WORDS_MAX];
} pdi_words;

typedef const pdr_kind *pdi_kind_find_fn(pdr_kind_group group, const char *name);
typedef const pdr_kind *pdi_kind_at_fn(pdr_kind_group group, size_t i);

void pdi_words_add(pdi_words *w, const char *word);
void pdi_words_options(pdi_words *w, const pdr_option *table);
void pdi_words_kinds(pdi_words *w, pdr_kind_group group, pdi_kind_at_fn *at);

/* The word that few edits (insert, delete, replace, swap neighbours: one in
 * three letters) turn into wrong; NULL when none is so near. */
const char *pdi_words_nearest(const pdi_words *w, const char *wrong);

/* "did you mean 'batch'?", else "choose from batch, epochs", cut to size. */
const char *pdi_words_hint(const pdi_words *w, const char *wrong, char text[PDI_HINT_MAX]);

/* What an option takes: "0 to 1", "true or false", "step, cosine", "text". */
void pdi_option_values(const pdr_option *row, pdi_text *out);

#endif
