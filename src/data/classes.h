/* data/classes.h -- images of many classes, as many of each, and a table of the classes. */
#ifndef PDI_DATA_CLASSES_H
#define PDI_DATA_CLASSES_H

#include <perdure/data.h>

/* IDX images, and a table without a header, a row a class, tab between columns: number
 * (0, 1, 2, ...), part, group, name.  part is images_background (to learn from) or
 * images_evaluation (to test on); more columns may follow.  With n images a class, image
 * i is of class i / n. */
pdr_rc pdi_classes_open(const pdr_alloc *alloc, const char *images, const char *table,
                        pdr_dataset *out, pdr_error *err);

#endif
