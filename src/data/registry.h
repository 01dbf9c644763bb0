/* data/registry.h -- registered data sets inside the library. */
#ifndef PDI_DATA_REGISTRY_H
#define PDI_DATA_REGISTRY_H

#include <perdure/data.h>

#include "data/csv.h"

enum { PDI_PATH = 4096, PDI_SET_FILES = 4 };

typedef enum pdi_loader {
    PDI_LOAD_IDX,
    PDI_LOAD_CSV,
    PDI_LOAD_PAIR,
    PDI_LOAD_DRAWINGS,
    PDI_LOAD_CLASSES
} pdi_loader;

typedef struct pdi_set_file {
    const char *set, *name;
    uint64_t size;
    const char *sha256, *url;
} pdi_set_file;

/* A registered set.  rows x columns: the features are a grey image of that size. */
typedef struct pdi_set {
    pdr_registry_row row;
    pdi_loader loader;
    const char *names;  /* of the classes, comma-separated; NULL: as read */
    const char *folder; /* of its files in the cache and in mirrors; NULL: the set's name */
    int32_t rows, columns;
    pdi_csv_form form;
    const char *ready[2]; /* files made of the set's, which do as well (loader CLASSES); or NULL */
} pdi_set;

/* The set called name, or NULL with *err filled. */
const pdi_set *pdi_set_find(const char *name, pdr_error *err);

/* File k of a set, or NULL past its last. */
const pdi_set_file *pdi_set_file_at(const pdi_set *s, size_t k);

/* The first folder that holds the whole set, or "". */
void pdi_set_where(const pdi_set *s, char folder[PDI_PATH]);

/* The path of a file in folder, gzipped or not as it is there; false when it is not. */
bool pdi_set_path(const char *folder, const char *name, char path[PDI_PATH]);

/* Whether folder has the files that do as well, and their paths. */
bool pdi_set_ready(const pdi_set *s, const char *folder, char path[2][PDI_PATH]);

#endif
