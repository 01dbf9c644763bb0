/* cli/board.h -- how many things at once are going: a few redrawn lines on a terminal, and
 * above them what is to stay; elsewhere only that. */
#ifndef PDI_CLI_BOARD_H
#define PDI_CLI_BOARD_H

#include <stdio.h>

#include "base/text.h"

typedef struct pdi_board {
    FILE *out;
    bool is_live;
    size_t drawn; /* lines on the screen */
    double when;  /* they were drawn */
} pdi_board;

void pdi_board_open(pdi_board *b, FILE *out);

/* A line that stays. */
void pdi_board_say(pdi_board *b, const char *fmt, ...) PDI_PRINTF(2, 3);

/* Show these lines, each ending in "\n", cut to the terminal's width and height; at most ten
 * times a second.  Nothing where there is no terminal. */
void pdi_board_show(pdi_board *b, const char *lines);
bool pdi_board_is_due(const pdi_board *b);
void pdi_board_clear(pdi_board *b);

#endif
