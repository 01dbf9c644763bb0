/* base/good.h -- a header of the ground floor. */
#ifdef __cplusplus
extern "C" {
#endif
int pdi_good(const struct good_hook *h);
#ifdef __cplusplus
}
#endif
