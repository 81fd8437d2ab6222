// Functions of one variable and their first and second derivatives, in units in the last place against long
// double: near 0, at saturation, at infinities and at NaN.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

using Function = std::function<Tensor(const Tensor&)>;
using Formula = std::function<Real(Real)>;

constexpr Real pi = std::numbers::pi_v<Real>;
constexpr double inf = infinity;

struct Row {
  std::string name;
  Function f;
  Formula formulas[3];     // value, first and second derivative
  double ulps[3];          // allowed of each
  double low = -infinity;  // where it is defined, or where these digits are promised
  double high = infinity;
  double scale = 0;  // errors are not measured against less
};

// The formulas are written for every x, infinities included.

/// What vanishes faster than its factor grows.
Real times(Real factor, Real vanishing) { return vanishing == 0 ? 0 : factor * vanishing; }
Real sigmoid_of(Real x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
Real bend_of(Real x) {
  const Real e = std::exp(-std::abs(x));
  return e / ((1 + e) * (1 + e));
}
Real softplus_of(Real x) { return std::max(x, Real{0}) + std::log1p(std::exp(-std::abs(x))); }
Real cdf_of(Real x) { return std::erfc(-x / std::numbers::sqrt2_v<Real>) / 2; }
Real density_of(Real x) { return std::exp(-x * x / 2) / std::sqrt(2 * pi); }
Real gauss_of(Real x) { return 2 / std::sqrt(pi) * std::exp(-x * x); }
Real square_sech(Real x) { return 4 * bend_of(2 * x); }

/// z(x), z' and z'' of gelu_tanh, which is x sigmoid(z).
struct Cubic {
  explicit Cubic(Real x) {
    const Real slope = 2 * std::sqrt(2 / pi), c = 0.044715L;
    z = slope * (x + c * x * x * x);
    first = slope * (1 + 3 * c * x * x);
    second = slope * 6 * c * x;
  }
  Real z, first, second;
};

Row power(double c) {
  const Real p = c;
  return {"pow(x, " + std::to_string(c) + ")",
          [c](const Tensor& x) { return pow(x, c); },
          {[p](Real x) { return std::pow(x, p); }, [p](Real x) { return p * std::pow(x, p - 1); },
           [p](Real x) { return p * (p - 1) * std::pow(x, p - 2); }},
          {2, 3, 4},
          0};
}

Row exponential(double c) {
  const Real l = std::log(static_cast<Real>(c));
  return {"pow(" + std::to_string(c) + ", x)",
          [c](const Tensor& x) { return pow(c, x); },
          {[c](Real x) { return std::pow(static_cast<Real>(c), x); },
           [c, l](Real x) { return l * std::pow(static_cast<Real>(c), x); },
           [c, l](Real x) { return l * l * std::pow(static_cast<Real>(c), x); }},
          {2, 3, 4}};
}

Row softplus_with(double beta) {
  const Real b = beta;
  return {"softplus, beta " + std::to_string(beta),
          [beta](const Tensor& x) { return softplus(x, {.beta = beta}); },
          {[b](Real x) { return softplus_of(b * x) / b; }, [b](Real x) { return sigmoid_of(b * x); },
           [b](Real x) { return b * bend_of(b * x); }},
          {3, 4, 6}};
}

const std::vector<Row>& table() {
  static const std::vector<Row> rows{
      {"exp",
       [](const Tensor& x) { return exp(x); },
       {[](Real x) { return std::exp(x); }, [](Real x) { return std::exp(x); },
        [](Real x) { return std::exp(x); }},
       {1, 1, 1}},
      {"expm1",
       [](const Tensor& x) { return expm1(x); },
       {[](Real x) { return std::expm1(x); }, [](Real x) { return std::exp(x); },
        [](Real x) { return std::exp(x); }},
       {2, 1, 1}},
      {"log",
       [](const Tensor& x) { return log(x); },
       {[](Real x) { return std::log(x); }, [](Real x) { return 1 / x; },
        [](Real x) { return -1 / (x * x); }},
       {1, 1, 2},
       0},
      {"log1p",
       [](const Tensor& x) { return log1p(x); },
       {[](Real x) { return std::log1p(x); }, [](Real x) { return 1 / (1 + x); },
        [](Real x) { return -1 / ((1 + x) * (1 + x)); }},
       {1, 1.5, 3},
       -1},
      {"sqrt",
       [](const Tensor& x) { return sqrt(x); },
       {[](Real x) { return std::sqrt(x); }, [](Real x) { return 1 / (2 * std::sqrt(x)); },
        [](Real x) { return -1 / (4 * x * std::sqrt(x)); }},
       {0.501, 1.5, 4},
       0},
      {"square",
       [](const Tensor& x) { return square(x); },
       {[](Real x) { return x * x; }, [](Real x) { return 2 * x; }, [](Real) -> Real { return 2; }},
       {0.501, 0, 0}},
      {"1 / x",
       [](const Tensor& x) { return 1 / x; },
       {[](Real x) { return 1 / x; }, [](Real x) { return -1 / (x * x); },
        [](Real x) { return 2 / (x * x * x); }},
       {0.501, 1.5, 4},
       0},
      power(2.5),
      power(-0.3),
      power(0.1),
      power(1.0 / 3),
      exponential(0.1),
      exponential(2),
      exponential(1.1),
      exponential(1e-30),
      // Its rule reads the output, and 1 minus that has no more digits than 1.
      {"tanh",
       [](const Tensor& x) { return tanh(x); },
       {[](Real x) { return std::tanh(x); }, square_sech,
        [](Real x) { return -2 * std::tanh(x) * square_sech(x); }},
       {2.5, 4, 8},
       -infinity,
       infinity,
       1},
      {"tanh near 0",
       [](const Tensor& x) { return tanh(x); },
       {[](Real x) { return std::tanh(x); }, square_sech,
        [](Real x) { return -2 * std::tanh(x) * square_sech(x); }},
       {2.5, 4, 8},
       -0.6,
       0.6},
      {"sigmoid",
       [](const Tensor& x) { return sigmoid(x); },
       {sigmoid_of, bend_of, [](Real x) { return times(-std::tanh(x / 2), bend_of(x)); }},
       {2.5, 4, 6}},
      {"log_sigmoid",
       [](const Tensor& x) { return log_sigmoid(x); },
       {[](Real x) { return -softplus_of(-x); }, [](Real x) { return sigmoid_of(-x); },
        [](Real x) { return -bend_of(x); }},
       {2.5, 3, 4}},
      softplus_with(1),
      softplus_with(0.1),
      softplus_with(3.3),
      softplus_with(1e-3),
      {"relu",
       [](const Tensor& x) { return relu(x); },
       {[](Real x) { return std::max(x, Real{0}); }, [](Real x) -> Real { return x > 0 ? 1 : 0; },
        [](Real) -> Real { return 0; }},
       {0, 0, 0}},
      {"elu",
       [](const Tensor& x) { return elu(x); },
       {[](Real x) { return x > 0 ? x : std::expm1(x); }, [](Real x) { return x > 0 ? 1 : std::exp(x); },
        [](Real x) { return x >= 0 ? 0 : std::exp(x); }},
       {1.5, 1, 1}},
      {"erf",
       [](const Tensor& x) { return erf(x); },
       {[](Real x) { return std::erf(x); }, gauss_of, [](Real x) { return times(-2 * x, gauss_of(x)); }},
       {1.5, 3, 4}},
      {"normal_cdf",
       [](const Tensor& x) { return normal_cdf(x); },
       {cdf_of, density_of, [](Real x) { return times(-x, density_of(x)); }},
       {9, 3, 4}},
      {"gelu",
       [](const Tensor& x) { return gelu(x); },
       {[](Real x) { return times(x, cdf_of(x)); },
        [](Real x) { return cdf_of(x) + times(x, density_of(x)); },
        [](Real x) { return times(2 - x * x, density_of(x)); }},
       {10, 10, 10}},
      {"gelu_tanh",
       [](const Tensor& x) { return gelu_tanh(x); },
       {[](Real x) { return times(x, sigmoid_of(Cubic(x).z)); },
        [](Real x) { return sigmoid_of(Cubic(x).z) + times(x * Cubic(x).first, bend_of(Cubic(x).z)); },
        [](Real x) {
          const Cubic u(x);
          const Real bend = bend_of(u.z);
          return times(2 * u.first + x * u.second, bend) -
                 times(x * u.first * u.first, times(std::tanh(u.z / 2), bend));
        }},
       {8, 12, 16}},
      {"silu",
       [](const Tensor& x) { return silu(x); },
       {[](Real x) { return times(x, sigmoid_of(x)); },
        [](Real x) { return sigmoid_of(x) + times(x, bend_of(x)); },
        [](Real x) { return times(2 - x * std::tanh(x / 2), bend_of(x)); }},
       {5.5, 8, 12}},
  };
  return rows;
}

/// Both signs of sizes from below what the square of float32 holds to far beyond every saturation. None is
/// near a zero of a derivative, whose terms cancel there.
std::vector<double> points() {
  std::vector<double> all{0, -0.0, inf, -inf};
  for (const double size : {1e-40, 1e-30, 1.65e-24, 1e-17, 1e-9,  3e-5,  1e-3, 0.1,  0.3,  0.5,  1.0,  1.7,
                            3.0,   5.0,   8.0,      9.9,   13.0,  14.5,  17.0, 20.0, 20.5, 26.0, 30.0, 38.2,
                            60.0,  88.0,  100.0,    300.0, 708.0, 745.0, 1e3,  1e4,  1e9,  1e30}) {
    all.push_back(size);
    all.push_back(-size);
  }
  return all;
}

Values at_points(const std::vector<double>& at, const Formula& formula, Dtype dtype) {
  Values values{{static_cast<std::int64_t>(at.size())}, {}};
  for (const double x : at) {
    const Real held = dtype == float32 ? static_cast<Real>(static_cast<float>(x)) : static_cast<Real>(x);
    values.data.push_back(formula(held));
  }
  return values;
}

/// The derivative of the sum, which is that of each element; zeros where there is none.
Tensor derivative_of(const Tensor& y, const Tensor& x) {
  if (!y.requires_grad()) return zeros_like(x);
  return grad({y}, {x}, {.cotangents = {ones_like(y)}, .create_graph = true})[0];
}

void check_row(const Row& row, Dtype dtype) {
  std::vector<double> at;
  for (const double x : points()) {
    if (x >= row.low && x <= row.high && !(row.low == 0 && x == 0)) at.push_back(x);
  }
  const Tensor x = to_tensor(at_points(
                                 at, [](Real v) { return v; }, dtype),
                             dtype, true);
  Tensor derivative = row.f(x);
  for (int order = 0; order <= 2; ++order) {
    if (order > 0) derivative = derivative_of(derivative, x);
    const Values got = to_values(derivative), want = at_points(at, row.formulas[order], dtype);
    const double tiny = dtype == float32 ? 0x1p-116 : 0x1p-1012;
    for (std::size_t i = 0; i < at.size(); ++i) {
      // What is nearly subnormal, or larger than the dtype's largest number, has no digits to count.
      const UlpsOptions options{.scale = std::max(row.scale, tiny), .signed_zeros = false};
      const Real largest = largest_number(dtype);
      if (std::abs(want.data[i]) > largest / 4 && std::abs(want.data[i]) < largest)
        continue;  // nearly infinite
      const Real wanted = std::abs(want.data[i]) > largest
                              ? std::copysign(static_cast<Real>(inf), want.data[i])
                              : want.data[i];
      const double error = ulps_between(got.data[i], wanted, dtype, options);
      CAPTURE(row.name);
      CAPTURE(order);
      CAPTURE(at[i]);
      CAPTURE(to_string(dtype));
      CAPTURE(digits(got.data[i], dtype));
      CAPTURE(digits(wanted, float64));
      CHECK(error <= row.ulps[order]);
    }
  }
}

TEST_CASE("functions of one variable keep their digits at orders 0 to 2, near 0 and at saturation") {
  for (const Row& row : table()) {
    for (const Dtype dtype : {float32, float64}) check_row(row, dtype);
  }
}

TEST_CASE("functions of one variable are NaN at NaN, and so are their derivatives unless they are linear") {
  for (const Row& row : table()) {
    if (row.name == "relu") continue;  // which chooses the NaN
    for (const Dtype dtype : {float32, float64}) {
      CAPTURE(row.name);
      const Tensor x = full({3}, not_a_number, {.dtype = dtype, .requires_grad = true});
      Tensor derivative = row.f(x);
      for (int order = 0; order <= (row.name == "square" ? 1 : 2); ++order) {
        CAPTURE(order);
        if (order > 0) derivative = derivative_of(derivative, x);
        for (const double value : values(derivative)) CHECK(std::isnan(value));
      }
    }
  }
}

TEST_CASE("functions of one variable take empty and 0-d tensors at every order") {
  for (const Row& row : table()) {
    CAPTURE(row.name);
    for (const Shape& shape : {Shape{0, 3}, Shape{}}) {
      const Tensor x = full(shape, 0.5, {.requires_grad = true});
      const Tensor first = derivative_of(row.f(x), x);
      CHECK(first.shape() == shape);
      CHECK(derivative_of(first, x).shape() == shape);
    }
  }
}

}}  // namespace xtgrad::testing
