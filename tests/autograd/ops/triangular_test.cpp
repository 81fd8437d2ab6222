// Systems that are solved block after block, which the walk over the registry does not reach.
#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

namespace xtgrad {

TEST_CASE("solve_triangular: large systems of many right-hand sides, whatever the other triangle holds") {
  Random random(8);
  for (const Dtype dtype : {float32, float64}) {
    for (const std::int64_t n : {97, 240}) {
      const Tensor square =
          randn({n, n}, random, {.dtype = float64}) / 20 + 2 * eye(n, n, {.dtype = float64});
      const Tensor b = randn({n, 29}, random, {.dtype = float64}).to(dtype);
      for (const bool upper : {false, true}) {
        for (const bool transpose : {false, true}) {
          for (const bool unit : {false, true}) {
            CAPTURE(to_string(dtype));
            CAPTURE(n);
            CAPTURE(upper);
            CAPTURE(transpose);
            CAPTURE(unit);
            Tensor used = upper ? triu(square, unit ? 1 : 0) : tril(square, unit ? -1 : 0);
            if (unit) used = used + eye(n, n, {.dtype = float64});
            const double nan = std::numeric_limits<double>::quiet_NaN();
            const Tensor read =
                upper ? triu(ones_like(square), unit ? 1 : 0) : tril(ones_like(square), unit ? -1 : 0);
            const Tensor given = where(read != 0, square, nan).to(dtype);
            const Tensor x =
                solve_triangular(given, b, {.upper = upper, .transpose = transpose, .unit_diagonal = unit});
            const Tensor back = matmul(used, x.to(float64), {.transpose_a = transpose});
            // Elements are of size 1, and the matrix's condition is below 10.
            CHECK(amax(abs(back - b.to(float64))).item() < (dtype == float64 ? 1e-13 : 1e-4));
          }
        }
      }
    }
  }
}

}  // namespace xtgrad
