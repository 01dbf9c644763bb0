/* nn/layers.c -- the list of layers that a recipe can name. */
#include "nn/layers.h"

const pdr_layer_kind *const pdi_layers[] = {
#define LAYER(name) &pdi_layer_##name,
#include "nn/layers.def"
#undef LAYER
    NULL,
};

const pdr_option pdi_layer_no_options[] = {PDR_OPTION_END};
