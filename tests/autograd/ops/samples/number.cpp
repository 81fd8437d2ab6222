// Samples of the elementwise operations of a tensor and a C++ number.
#include <cmath>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;
const Input positive{.domain = {.low = 0.3, .high = 3}};
const Input nonzero{.domain = {.avoid = {0}}};

const OpSamples add_number_samples(OpId::add_number, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::numbers;
  op.elementwise({.attributes = "3",
                  .apply = [](const Tensor& x) { return x + 3; },
                  .reference = [](Real x) { return x + 3; },
                  .points = {{{inf}, inf, {1}, {0}}, {{-3}, 0, {1}, {0}}},
                  .linear_in = {0}});
  op.elementwise({.attributes = "-0.75",
                  .apply = [](const Tensor& x) { return x + -0.75; },
                  .reference = [](Real x) { return x - Real{0.75}; },
                  .linear_in = {0},
                  .integers = false});
  op.throws<DtypeError>("add: int64 cannot hold 0.5; convert the tensor with to(float32)",
                        [] { return ones({2}, {.dtype = int64}) + 0.5; });
});

const OpSamples sub_number_samples(OpId::sub_number, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::numbers;
  op.elementwise({.attributes = "3",
                  .apply = [](const Tensor& x) { return x - 3; },
                  .reference = [](Real x) { return x - 3; },
                  .points = {{{inf}, inf, {1}, {0}}, {{3}, 0, {1}, {0}}},
                  .linear_in = {0}});
  op.elementwise({.attributes = "0",
                  .apply = [](const Tensor& x) { return x - 0; },
                  .reference = [](Real x) { return x - 0; },
                  .points = {{{-0.0}, -0.0, {1}, {0}}},
                  .linear_in = {0}});
  op.elementwise({.attributes = "0.75",
                  .apply = [](const Tensor& x) { return sub(x, 0.75); },
                  .reference = [](Real x) { return x - Real{0.75}; },
                  .linear_in = {0},
                  .integers = false});
  op.throws<DtypeError>("sub: int64 cannot hold 0.5; convert the tensor with to(float32)",
                        [] { return ones({2}, {.dtype = int64}) - 0.5; });
});

const OpSamples mul_number_samples(OpId::mul_number, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::numbers;
  op.elementwise({.attributes = "-3",
                  .apply = [](const Tensor& x) { return x * -3; },
                  .reference = [](Real x) { return x * -3; },
                  .points = {{{0}, -0.0, {-3}, {0}}, {{inf}, -inf, {-3}, {0}}},
                  .linear_in = {0}});
  op.elementwise({.attributes = "0",
                  .apply = [](const Tensor& x) { return 0 * x; },
                  .reference = [](Real x) { return 0 * x; },
                  .points = {{{2}, 0, {0}, {0}}, {{inf}, nan, {0}, {0}}},
                  .linear_in = {0}});
  op.throws<DtypeError>("mul: int64 cannot hold 1e+19", [] { return ones({2}, {.dtype = int64}) * 1e19; });
});

const OpSamples div_number_samples(OpId::div_number, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.elementwise({.attributes = "3",
                  .apply = [](const Tensor& x) { return x / 3; },
                  .reference = [](Real x) { return x / 3; },
                  .linear_in = {0},
                  .linear_exactly = false});
  op.elementwise({.attributes = "0",
                  .apply = [](const Tensor& x) { return x / 0; },
                  .reference = [](Real x) { return x * inf; },
                  .points = {{{2}, inf, {inf}, {0}}, {{0}, nan, {inf}, {0}}}});
  for (Sample& sample : op.samples) sample.derivatives = sample.derivatives && sample.attributes != "0";
});

const OpSamples number_sub_samples(OpId::number_sub, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::numbers;
  op.elementwise({.attributes = "2",
                  .apply = [](const Tensor& x) { return 2 - x; },
                  .reference = [](Real x) { return 2 - x; },
                  .points = {{{2}, 0, {-1}, {0}}, {{inf}, -inf, {-1}, {0}}},
                  .linear_in = {0}});
  op.throws<DtypeError>("sub: int64 cannot hold 0.25", [] { return 0.25 - ones({2}, {.dtype = int64}); });
});

const OpSamples number_div_samples(OpId::number_div, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.elementwise({.attributes = "3",
                  .apply = [](const Tensor& x) { return 3 / x; },
                  .reference = [](Real x) { return 3 / x; },
                  .inputs = {nonzero},
                  .points = {{{0}, inf, {-inf}, {inf}},
                             {{-0.0}, -inf, {-inf}, {-inf}},
                             {{inf}, 0, {0}, {0}},
                             {{1}, 3, {-3}, {6}}}});
});

const OpSamples pow_number_samples(OpId::pow_number, [](Op& op) {
  // The logarithm is a pair, so the exponential's ulp is left; products and roots of small powers: 2
  // roundings.
  op.accuracy = {.ulps = 1.5};
  const auto power = [&op](double c, const Input& input, const std::vector<Point>& points) {
    op.elementwise({.attributes = std::to_string(c),
                    .apply = [c](const Tensor& x) { return pow(x, c); },
                    .reference = [c](Real x) { return std::pow(x, Real{c}); },
                    .inputs = {input},
                    .points = points});
  };
  power(0, {}, {{{0}, 1, {0}, {0}}, {{5}, 1, {0}, {0}}, {{inf}, 1, {0}, {0}}});
  power(1, {}, {{{0}, 0, {1}, {0}}, {{-2}, -2, {1}, {0}}});
  power(2, {}, {{{0}, 0, {0}, {2}}, {{-2}, 4, {-4}, {2}}});
  power(3, {}, {{{0}, 0, {0}, {0}}, {{-2}, -8, {12}, {-12}}});
  power(-1, nonzero, {{{0}, inf, {-inf}, {inf}}, {{2}, 0.5, {-0.25}, {0.25}}});
  power(0.5, positive, {{{0}, 0, {inf}, {-inf}}, {{4}, 2, {0.25}, {-1.0 / 32}}, {{-1}, nan, {nan}, {nan}}});
  power(2.5, positive, {{{0}, 0, {0}, {0}}, {{4}, 32, {20}, {7.5}}, {{-1}, nan, {nan}, {nan}}});
  power(-2, nonzero, {{{0}, inf, {-inf}, {inf}}, {{inf}, 0, {0}, {0}}});
});

const OpSamples number_pow_samples(OpId::number_pow, [](Op& op) {
  // As pow_number.
  op.accuracy = {.ulps = 1.5};
  const auto power = [&op](double c, const std::vector<Point>& points) {
    op.elementwise({.attributes = std::to_string(c),
                    .apply = [c](const Tensor& x) { return pow(c, x); },
                    .reference = [c](Real x) { return std::pow(Real{c}, x); },
                    .points = points});
  };
  power(2, {{{inf}, inf, {inf}, {inf}}, {{-inf}, 0, {0}, {0}}, {{nan}, nan, {nan}, {nan}}});
  power(0.1, {{{inf}, 0, {0}, {0}}, {{-inf}, inf, {-inf}, {inf}}});
  power(1, {{{3}, 1, {0}, {0}}, {{inf}, 1, {0}, {0}}});
  op.elementwise({.attributes = "0",
                  .apply = [](const Tensor& x) { return pow(0, x); },
                  .reference = [](Real x) { return std::pow(Real{0}, x); },
                  .inputs = {positive},
                  .points = {{{0}, 1, {0}, {0}}, {{2}, 0, {0}, {0}}, {{-1}, inf, {-inf}, {inf}}}});
  op.throws<DtypeError>("pow: float32 cannot hold 1e+300", [] { return pow(1e300, ones({1})); });
});

}}  // namespace xtgrad::testing
