/* C code that knows nothing of tensors. DLMF 9.4.1 and 9.4.2: Ai = Ai(0) f + Ai'(0) g, where
   f = 1 + x^3/(2 3) + x^6/(2 3 5 6) + ..., g = x + x^4/(3 4) + x^7/(3 4 6 7) + ... */
#include "airy_series.h"

void airy_series(double x, double* ai, double* slope) {
  const double ai_at_0 = 0.35502805388781723926, slope_at_0 = -0.25881940379280679841;
  double f = 1, g = x, f_slope = 0, g_slope = 1;
  double f_term = 1, g_term = x, f_slope_term = x * x / 2, g_slope_term = 1;
  const double cube = x * x * x;
  for (int k = 1; k <= 40; ++k) {
    f_term *= cube / ((3.0 * k - 1) * (3.0 * k));
    g_term *= cube / ((3.0 * k) * (3.0 * k + 1));
    g_slope_term *= cube / ((3.0 * k - 2) * (3.0 * k));
    f += f_term;
    g += g_term;
    f_slope += f_slope_term;
    g_slope += g_slope_term;
    f_slope_term *= cube / ((3.0 * k) * (3.0 * k + 2));
  }
  *ai = ai_at_0 * f + slope_at_0 * g;
  *slope = ai_at_0 * f_slope + slope_at_0 * g_slope;
}
