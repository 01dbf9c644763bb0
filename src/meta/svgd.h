/* meta/svgd.h -- Stein variational gradient descent: particles that become a sample. */
#ifndef PDI_META_SVGD_H
#define PDI_META_SVGD_H

#include <perdure/graph.h>

/* Where m particles should go: x[t] [m, ...] is tensor t of all of them, score[t] the
 * gradient of the log density there, of the same shape; phi[t] is filled.  bandwidth is
 * the kernel's h; 0: the median heuristic. */
void pdi_svgd_direction(pdr_graph *g, double bandwidth, size_t n, const pdr_node x[],
                        const pdr_node score[], pdr_node phi[]);

#endif
