#ifndef AIRY_SERIES_H
#define AIRY_SERIES_H

#ifdef __cplusplus
extern "C" {
#endif

/* Ai(x) and Ai'(x) by their power series, for |x| up to 5. */
void airy_series(double x, double* ai, double* slope);

#ifdef __cplusplus
}
#endif

#endif
