// Values and derivatives whose plain formulas are differences of nearly equal numbers, or long sums, in both
// dtypes. docs/accuracy.md has many more points; these were lost once. The numbers wanted are mpmath's.
#include <doctest/doctest.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using testing::ulps_between;

double first_of(const Tensor& x) { return x.to(float64).item(); }

void check(const Tensor& got, double wanted, double ulps) {
  const double error = ulps_between(first_of(got), wanted, got.dtype());
  CAPTURE(first_of(got));
  CAPTURE(wanted);
  CAPTURE(error);
  CHECK(error <= ulps);
}

struct Case {
  std::string what;
  std::function<Tensor(const Tensor&)> f;
  double x;
  double value, first, second;
  /// What the samples say of the value; a derivative is that of a few factors, each as far off.
  double ulps, derivative_ulps;
};

TEST_CASE("values and derivatives of one operand keep digits that cancel in plain formulas") {
  const std::vector<Case> cases{
      {"logit", [](const Tensor& x) { return logit(x); }, 0.500244140625, 0.0009765625776102256535220133,
       4.000000953674543779979653, 0.007812503725291630729967129, 3, 6},
      {"atanh", [](const Tensor& x) { return atanh(x); }, 0.000244140625, 0.0002441406298506385829279723,
       1.000000059604648328104516, 0.0004882813082076661176382487, 3, 6},
      {"polygamma 1", [](const Tensor& x) { return polygamma(1, x); }, -5.25, 19.565729569019785068,
       123.99508576890408296, 1558.5350913464410556, 6, 8},
      {"polygamma 2", [](const Tensor& x) { return polygamma(2, x); }, -1.75, -124.2138213542305819249587,
       1558.384840416549526415992, -24481.77733829588783410569, 6, 8},
      {"polygamma 4", [](const Tensor& x) { return polygamma(4, x); }, -2.53125, -494.0734533095596179045677,
       16672.29914477284394694107, -84515.11142072744473977314, 6, 8},
      {"i0", [](const Tensor& x) { return i0(x); }, 20, 43558282.55955353327210666,
       42454973.38512777018140991, 41435533.89029714476303616, 1, 2},
      {"i1", [](const Tensor& x) { return i1(x); }, 27.5, 65812516894.34906870718212,
       64649807168.84361382123091, 63548639631.21009308883281, 1, 2}};
  for (const Case& c : cases) {
    CAPTURE(c.what);
    for (const Dtype dtype : {float32, float64}) {
      CAPTURE(dtype);
      const Tensor x = tensor({c.x}, {.dtype = dtype, .requires_grad = true});
      const Tensor y = c.f(x), slope = grad(sum(y), x, {.create_graph = true});
      check(y, c.value, c.ulps);
      check(slope, c.first, c.derivative_ulps);
      check(grad(sum(slope), x), c.second, c.derivative_ulps);
    }
  }
}

TEST_CASE("hypot's second derivatives keep their digits beside the axis") {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(dtype);
    const Tensor a = tensor({4096}, {.dtype = dtype, .requires_grad = true});
    const Tensor b = tensor({1}, {.dtype = dtype, .requires_grad = true});
    const std::vector<Tensor> slopes = grad(sum(hypot(a, b)), {a, b}, {.create_graph = true});
    const std::vector<Tensor> of_a = grad(sum(slopes[0]), {a, b}, {.keep_graph = true});
    // Three quotients and products of numbers that are each within an ulp.
    check(of_a[0], 1.45519139273243417592566e-11, 4);
    check(of_a[1], -5.960463944632050384591502e-8, 4);
    check(grad(sum(slopes[1]), b), 0.0002441406031721287837528679, 4);
  }
}

TEST_CASE("hypot is rounded once at either end of the range") {
  for (const double scale : {0x1p-1030, 0x1p-520, 1.0, 0x1p500, 0x1p1020}) {
    CAPTURE(scale);
    CHECK(hypot(tensor({3 * scale}, {.dtype = float64}), tensor({4 * scale}, {.dtype = float64})).item() ==
          5 * scale);
  }
  for (const double scale : {0x1p-140, 0x1p-70, 0x1p59, 0x1p125}) {
    CAPTURE(scale);
    CHECK(first_of(hypot(tensor({3 * scale}, {.dtype = float32}), tensor({4 * scale}, {.dtype = float32}))) ==
          5 * scale);
  }
}

}}  // namespace xtgrad
