/* recipe/kind.c -- finding methods, optimisers and layers by name. */
#include <perdure/nn.h>
#include <perdure/opt.h>
#include <string.h>

#include "method/methods.h"
#include "nn/layers.h"
#include "opt/optimizers.h"

const pdr_kind *pdr_kind_at(pdr_kind_group group, size_t i)
{
    switch (group) {
    case PDR_KIND_METHOD:
        for (size_t k = 0; pdi_methods[k]; k++)
            if (k == i) return &pdi_methods[k]->kind;
        break;
    case PDR_KIND_OPTIMIZER:
        for (size_t k = 0; pdi_optimizers[k]; k++)
            if (k == i) return &pdi_optimizers[k]->kind;
        break;
    case PDR_KIND_LAYER:
        for (size_t k = 0; pdi_layers[k]; k++)
            if (k == i) return &pdi_layers[k]->kind;
        break;
    }
    return NULL;
}

const pdr_kind *pdr_kind_find(pdr_kind_group group, const char *name)
{
    const pdr_kind *k;
    for (size_t i = 0; (k = pdr_kind_at(group, i)) != NULL; i++)
        if (!strcmp(k->name, name)) return k;
    return NULL;
}
