// The derivative of gamma draws, against that of the quantile, by series of 60 digits.
#include "xtgrad/autograd/kernels/gamma_slope.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/creation.h"

namespace xtgrad::inline v1::testing { namespace {

double slope_at(double alpha, double z, bool log_space) {
  detail::Array out = detail::Array::uninitialized({}, Dtype::float64);
  const Tensor a = tensor(alpha, {.dtype = float64}), drawn = tensor(z, {.dtype = float64});
  detail::gamma_slope(detail::array_of(a), detail::array_of(drawn), log_space, out);
  return out.data<double>()[0];
}

TEST_CASE("the slope of a gamma draw has twelve digits, by each of its formulas") {
  struct Point {
    double alpha, draw, slope;
  };
  const std::vector<Point> points = {{0.001, 1e-200, 4.5994144666699882e-195},
                                     {0.001, 0.25, 335.53243175339511},
                                     {0.0625, 1e-08, 2.8706923890583441e-6},
                                     {0.0625, 2, 12.856771851318759},
                                     {0.5, 0.03125, 0.22439243691726739},
                                     {0.5, 0.75, 1.641012976380872},
                                     {0.5, 6, 3.6271894476028694},
                                     {1, 0.5, 0.80697911682531802},
                                     {1, 3, 1.937911693824961},
                                     {1, 20, 3.6206664839514847},
                                     {2.5, 0.25, 0.27001688881339916},
                                     {2.5, 2.25, 1.0131876649881758},
                                     {2.5, 9, 1.891711800090848},
                                     {10, 2, 0.40853422166959552},
                                     {10, 10, 1.0168234904310751},
                                     {10, 30, 1.6746941162593883},
                                     {50, 25, 0.69542403819606854},
                                     {50, 57.5, 1.0750851425310639},
                                     {50, 120, 1.5056950819658096},
                                     {99.5, 99, 0.99915570796828669},
                                     {100.5, 60, 0.76542468857764564},
                                     {100.5, 100.25, 1.0004131329782019},
                                     {100.5, 180, 1.321711710911554},
                                     {1000, 850, 0.92109396962634543},
                                     {1000, 1000, 1.000166683323806},
                                     {1000, 1200, 1.0941114803500787}};
  for (const auto& [alpha, draw, slope] : points) {
    CAPTURE(alpha);
    CAPTURE(draw);
    CHECK(std::abs(slope_at(alpha, draw, false) - slope) < 1e-12 * slope);
    CHECK(std::abs(slope_at(alpha, std::log(draw), true) - slope / draw) < 1e-12 * slope / draw);
  }
  // Where the draw itself is 0: (digamma(alpha + 1) - log z) / alpha.
  CHECK(std::abs(slope_at(0.001, -2000, true) - 1999424.4280681897) < 1e-6);
  // At the mode of a sum of many, a draw moves with its mean.
  CHECK(slope_at(1e12, 1e12, false) == doctest::Approx(1).epsilon(1e-11));
}

}}  // namespace xtgrad::testing
