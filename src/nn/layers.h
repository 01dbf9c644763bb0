/* nn/layers.h -- the list of layers that a recipe can name. */
#ifndef PDI_NN_LAYERS_H
#define PDI_NN_LAYERS_H

#include <perdure/nn.h>

#define LAYER(name) extern const pdr_layer_kind pdi_layer_##name;
#include "nn/layers.def"
#undef LAYER

/* All of layers.def, NULL-terminated. */
extern const pdr_layer_kind *const pdi_layers[];

/* The table of a layer without options. */
extern const pdr_option pdi_layer_no_options[];

#endif
