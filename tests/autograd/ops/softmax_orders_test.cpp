#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "xtgrad/nn/losses.h"
#include "xtgrad/xtgrad.h"

// Every first and second derivative of softmax and its relatives where one probability is near 1, in units in
// the last place, against long double.

using namespace xtgrad;

namespace {

using Real = long double;
using Function = std::function<Tensor(const Tensor&)>;

constexpr std::size_t classes = 4;

/// Of logits [d, 0, -1, 0.5], with the digits of 1 - p.
struct Probabilities {
  explicit Probabilities(Real d) {
    const Real others[classes] = {0, std::exp(-d), std::exp(-1 - d), std::exp(Real{0.5} - d)};
    const Real rest = others[1] + others[2] + others[3];
    for (std::size_t i = 1; i < classes; ++i) p[i] = others[i] / (1 + rest);
    p[0] = 1 / (1 + rest);
    for (std::size_t i = 0; i < classes; ++i) {
      for (std::size_t j = 0; j < classes; ++j) less[i] += j == i ? 0 : p[j];
    }
  }
  /// What d log p_i / d x_k is.
  [[nodiscard]] Real slope(std::size_t i, std::size_t k) const { return i == k ? less[i] : -p[k]; }

  Real p[classes] = {};
  Real less[classes] = {};  // 1 - p
};

Tensor logits(double d, Dtype dtype, bool in_columns) {
  const Tensor line = tensor({{d, 0, -1, 0.5}}, {.dtype = dtype});
  return reshape(line, in_columns ? Shape{4, 1} : Shape{1, 4}).set_requires_grad();
}

/// One element, as a 0-d tensor.
Tensor pick(const Tensor& x, std::size_t i) {
  const auto at = static_cast<std::int64_t>(i);
  return sum(slice(flatten(x), {.start = at, .stop = at + 1}));
}

double ulps(double got, Real want, Dtype dtype) {
  const int digits = dtype == float32 ? 24 : 53;
  const int least = dtype == float32 ? -149 : -1074;
  const Real unit = std::ldexp(Real{1}, std::max(std::ilogb(want) - digits + 1, least));
  return static_cast<double>(std::abs(got - want) / unit);
}

struct Worst {
  double plain = 0, first = 0, second = 0;
};

using First = std::function<Real(const Probabilities&, std::size_t k)>;
using Second = std::function<Real(const Probabilities&, std::size_t k, std::size_t l)>;

/// Of a function to one element. A rule that reads rounded log probabilities magnifies their rounding: each p
/// is off by up to a unit for each unit of |log p|, which `magnified` says.
void note_errors(Worst& worst, const Function& f, const First& first, const Second& second, Dtype dtype,
                 double magnified = 0) {
  for (const double d : {5.0, 12.0, 16.5, 20.0, 30.0, 45.0, 60.0, 80.0}) {
    for (const bool in_columns : {false, true}) {
      CAPTURE(d);
      CAPTURE(in_columns);
      const Probabilities at(d);
      const Tensor x = logits(d, dtype, in_columns);
      const Tensor plain = grad({f(x)}, {x})[0];
      const Tensor slopes = grad({f(x)}, {x}, {.create_graph = true})[0];
      for (std::size_t k = 0; k < classes; ++k) {
        worst.plain = std::max(worst.plain, ulps(pick(plain, k).item(), first(at, k), dtype) - magnified * d);
        worst.first =
            std::max(worst.first, ulps(pick(slopes, k).item(), first(at, k), dtype) - magnified * d);
        const Tensor row = grad({pick(slopes, k)}, {x}, {.keep_graph = true})[0];
        for (std::size_t l = 0; l < classes; ++l) {
          worst.second =
              std::max(worst.second, ulps(pick(row, l).item(), second(at, k, l), dtype) - 2 * magnified * d);
        }
      }
    }
  }
}

void check(const Worst& worst) {
  CHECK(worst.plain <= 6);
  CHECK(worst.first <= 6);
  CHECK(worst.second <= 8);
}

}  // namespace

TEST_CASE("softmax near a probability of 1 has all first and second derivatives to the last digits") {
  for (const Dtype dtype : {float32, float64}) {
    Worst worst;
    for (std::size_t i = 0; i < classes; ++i) {
      note_errors(
          worst, [i](const Tensor& x) { return pick(softmax(x, x.shape()[0] == 1 ? 1 : 0), i); },
          [i](const Probabilities& at, std::size_t k) { return at.p[i] * at.slope(i, k); },
          [i](const Probabilities& at, std::size_t k, std::size_t l) {
            return at.p[i] * (at.slope(i, k) * at.slope(i, l) - at.p[k] * at.slope(k, l));
          },
          dtype);
    }
    check(worst);
  }
}

TEST_CASE("log_softmax near a probability of 1 has all first and second derivatives to the last digits") {
  for (const Dtype dtype : {float32, float64}) {
    Worst worst;
    for (std::size_t i = 0; i < classes; ++i) {
      note_errors(
          worst, [i](const Tensor& x) { return pick(log_softmax(x, x.shape()[0] == 1 ? 1 : 0), i); },
          [i](const Probabilities& at, std::size_t k) { return at.slope(i, k); },
          [](const Probabilities& at, std::size_t k, std::size_t l) { return -at.p[k] * at.slope(k, l); },
          dtype, 1);
    }
    check(worst);
  }
}

TEST_CASE("logsumexp near a probability of 1 has all first and second derivatives to the last digits") {
  const First first = [](const Probabilities& at, std::size_t k) { return at.p[k]; };
  const Second second = [](const Probabilities& at, std::size_t k, std::size_t l) {
    return at.p[k] * at.slope(k, l);
  };
  for (const Dtype dtype : {float32, float64}) {
    Worst worst;
    note_errors(
        worst, [](const Tensor& x) { return logsumexp(x); }, first, second, dtype);
    note_errors(
        worst, [](const Tensor& x) { return sum(logsumexp(x, {.axes = {x.shape()[0] == 1 ? 1 : 0}})); },
        first, second, dtype);
    note_errors(
        worst,
        [](const Tensor& x) {
          return sum(logsumexp(reshape(x, {2, 1, 2}), {.axes = {0, 2}}));
        },
        first, second, dtype);
    check(worst);
  }
}

TEST_CASE("cross_entropy near a probability of 1 has all first and second derivatives to the last digits") {
  for (const Dtype dtype : {float32, float64}) {
    Worst worst;
    for (const std::int64_t label : {0, 1, 3}) {
      const auto i = static_cast<std::size_t>(label);
      const First first = [i](const Probabilities& at, std::size_t k) { return -at.slope(i, k); };
      const Second second = [](const Probabilities& at, std::size_t k, std::size_t l) {
        return at.p[k] * at.slope(k, l);
      };
      note_errors(
          worst,
          [=](const Tensor& x) {
            return nn::cross_entropy(reshape(x, {1, 4}), full({1}, label, {.dtype = int64}));
          },
          first, second, dtype, 1);
      note_errors(
          worst,
          [=](const Tensor& x) {
            return nn::cross_entropy(reshape(x, {1, 4}),
                                     one_hot(full({1}, label, {.dtype = int64}), 4).to(dtype));
          },
          first, second, dtype, 1);
    }
    check(worst);
  }
}

TEST_CASE("the gradient of log_softmax counts the others' cotangents, however large the first one's") {
  // d = 30: 1 - p is 2e-13, less than the cotangents of the others, and far less than a rounding of the first
  for (const Dtype dtype : {float32, float64}) {
    for (const bool in_columns : {false, true}) {
      const Probabilities at(30);
      const Tensor x = logits(30, dtype, in_columns);
      const double small = 0x1p-40;
      const Tensor g = reshape(tensor({1, small, 2 * small, small}, {.dtype = dtype}), x.shape());
      const Tensor slope = grad({log_softmax(x, in_columns ? 0 : 1)}, {x}, {.cotangents = {g}})[0];
      CHECK(ulps(pick(slope, 0).item(), at.less[0] - at.p[0] * 4 * Real{small}, dtype) <= 4);
    }
  }
}

TEST_CASE("third derivatives of softmax and its relatives are those of exponentials and sums") {
  Random random(5);
  const auto by_hand = [](const Tensor& x) { return exp(x) / sum(exp(x), {.axes = {1}, .keepdim = true}); };
  const auto third = [](const Function& f, const Tensor& x, const std::vector<Tensor>& w) {
    Tensor y = f(x);
    for (const Tensor& weight : w) y = grad({sum(y * weight)}, {x}, {.create_graph = true})[0];
    return y;
  };
  const Tensor x = randn({3, 4}, random, {.dtype = float64, .requires_grad = true});
  std::vector<Tensor> w;
  w.push_back(randn({3, 4}, random, {.dtype = float64}));
  w.push_back(randn({3, 4}, random, {.dtype = float64}));
  w.push_back(randn({3, 4}, random, {.dtype = float64}));
  const auto far = [&](const Function& f, const Function& g) {
    return amax(abs(third(f, x, w) - third(g, x, w))).item();
  };
  CHECK(far([](const Tensor& v) { return softmax(v, 1); }, by_hand) < 1e-13);
  CHECK(far([](const Tensor& v) { return log_softmax(v, 1); },
            [&](const Tensor& v) { return log(by_hand(v)); }) < 1e-13);
  CHECK(far([](const Tensor& v) { return logsumexp(v); }, [](const Tensor& v) { return log(sum(exp(v))); }) <
        1e-13);
}
