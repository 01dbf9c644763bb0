/* learner/piece.h -- a trainer's state, piece by piece, as items of a store, and back. */
#ifndef PDI_LEARNER_PIECE_H
#define PDI_LEARNER_PIECE_H

#include "learner/store.h"
#include "method/trainer.h"

/* A tensor is an array of its shape, all else of 32-bit words: along one axis, or where there are
 * more than an axis holds, along those of the piece. */
pdi_item pdi_piece_item(const pdi_piece *p);

/* Read the item and give it to the trainer it is a piece of. */
pdr_rc pdi_piece_take(pdi_store *s, const pdi_item *i, pdi_trainer *t, pdr_error *err);

#endif
