/* base/names.c -- names that say the wrong thing about who sees them. */
int names_public(void) { return 1; }
static int helper(void) { return 1; }
static int names_helper(void) { return 1; }
static int names(void) { return 1; }
int pdi_names(void) { return 1; }
int pdr_names(void) { return 1; }
static int (*names_pointer(void))(int) { return 0; }
static int (*pointer(void))(int) { return 0; }
static void KERNEL(add)(int a) { a++; }
int counter;
const int table[] = {1, 2};
int pdi_counter = 1;
static int local = 2;
extern int elsewhere;
struct tag;
struct pair {
    int a;
} pair_of_ints;
int main(void) { return 0; }
