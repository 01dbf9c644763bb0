/* graph/memory.c -- memory that the hook does not see. */
void pdi_memory(void)
{
    free(malloc(1)), calloc(1, 1);
    realloc /* with a comment between */ (0, 1);
    assert(1); /* an invariant of the engine */
}
