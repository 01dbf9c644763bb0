/* learner/piece.c -- a trainer's state, piece by piece, as items of a store, and back. */
#include "learner/piece.h"

#include <string.h>

pdi_item pdi_piece_item(const pdi_piece *p)
{
    bool tensor = !strcmp(p->section, "tensor");
    size_t words = p->bytes / 4;
    return (pdi_item){.section = p->section,
                      .name = p->name,
                      .type = tensor ? PDI_F32 : PDI_U32,
                      .shape = tensor || words > INT32_MAX ? p->shape : PDR_SHAPE((int32_t)words),
                      .bytes = p->data};
}

pdr_rc pdi_piece_take(pdi_store *s, const pdi_item *i, pdi_trainer *t, pdr_error *err)
{
    size_t bytes = (size_t)pdi_item_size(i);
    void *data = pdi_new(t->alloc, bytes + 1, 1);
    if (!data) return pdi_nomem(err);
    pdr_rc rc = pdi_store_get(s, i, data, err);
    pdi_piece p = {i->section, i->name, i->shape, data, bytes};
    if (!rc) rc = pdi_trainer_restore(t, &p, err);
    pdi_free(t->alloc, data);
    return rc;
}
