/* fuzz/replay.c -- runs a fuzz target over its corpus, without a fuzzer.
 *
 *     fuzz-NAME FILE-OR-FOLDER...
 *
 * What once broke a reader, and what reaches far into it, is kept in corpus/NAME and
 * read again by every run of the tests.  A target ends the program when a promise is
 * broken; the file at work is named before it. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLAY_PATH = 4096 };

/* The buffer is as long as the file, so that ASan sees a read past the end. */
static bool replay_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(size ? size : 1);
    printf("%s\n", path);
    fflush(stdout);
    bool ok = f && data && fread(data, 1, size, f) == size;
    ok = ok && LLVMFuzzerTestOneInput(data, size) == 0;
    if (f) fclose(f);
    free(data);
    return ok;
}

/* The number of files read; -1 when one could not be. */
static int replay(const char *path)
{
    struct stat st;
    struct dirent **entries;
    if (stat(path, &st) != 0) return -1;
    if (!S_ISDIR(st.st_mode)) return replay_file(path, (size_t)st.st_size) ? 1 : -1;
    int files = 0, n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char inner[REPLAY_PATH];
        snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        int more = entries[i]->d_name[0] == '.' ? 0 : replay(inner);
        files = files < 0 || more < 0 ? -1 : files + more;
        free(entries[i]);
    }
    if (n >= 0) free(entries);
    return n < 0 ? -1 : files;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int files = replay(argv[i]);
        if (files < 1) {
            fprintf(stderr, "fuzz: %s: %s\n", argv[i], files ? "cannot be read" : "is empty");
            return 1;
        }
        total += files;
    }
    printf("%d inputs replayed\n", total);
    return total == 0;
}
