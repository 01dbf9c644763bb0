/* data/input.c -- an assertion on what a user wrote. */
void pdi_input(int x)
{
    assert(x > 0);
    _Static_assert(1, "a fact");
}
