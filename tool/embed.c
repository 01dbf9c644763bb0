/* embed.c -- a text file as a C string: embed NAME IN OUT.
 *
 * Writes `extern const char NAME[]; const char NAME[] = {...};`, bytes as numbers, so
 * that a style sheet or a schema lives in a file of its own and is still inside the
 * library. */
#include <stdio.h>

static int embed_copy(const char *name, FILE *in, FILE *out)
{
    int c, n = 0;
    fprintf(out, "extern const char %s[];\nconst char %s[] = {\n", name, name);
    while ((c = getc(in)) != EOF) {
        if (c == 0 || c > 126) return 1; /* ASCII text: the same whether char is signed or not */
        fprintf(out, ++n % 20 ? "%d," : "%d,\n", c);
    }
    fprintf(out, "0};\n");
    return ferror(in) || ferror(out);
}

int main(int argc, char **argv)
{
    FILE *in = argc == 4 ? fopen(argv[2], "rb") : NULL;
    FILE *out = in ? fopen(argv[3], "wb") : NULL;
    int failed = !out || embed_copy(argv[1], in, out);
    if (out && fclose(out)) failed = 1;
    if (in) fclose(in);
    if (failed) fprintf(stderr, "usage: embed NAME IN OUT, IN being ASCII text\n");
    return failed;
}
