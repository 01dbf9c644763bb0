/* base/comments.c -- what a comment may not be. */
int pdi_a; // a line comment
const char *pdi_url = "http://example.org // TODO";
/* TODO finish */
/* two lines
 * FIXME here */
/* TODO(#12) is known, XXXX is a template, XXX is not */
#define PDI_MACRO 1 // in a directive
char pdi_quote = '"'; // after a quote
