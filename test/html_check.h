/* html_check.h -- a strict reader of pages.
 *
 * Stricter than a browser: every element is closed, every attribute quoted and given
 * once, and no bare <, > or & stands in text or in a value.  Nothing that a browser
 * would fetch or run is let through. */
#ifndef HTML_CHECK_H
#define HTML_CHECK_H

#include <stdbool.h>

#define T_HTML_WHY 256

/* Whether the page is well formed; if not, what is wrong and where. */
bool t_html_check(const char *page, char why[T_HTML_WHY]);

#endif
