// Programs of numbers as they stand in other code: options priced one at a time, an oscillator by the rule of
// Runge and Kutta, an LSTM of one unit.

#include <array>
#include <vector>

#include "benchmarks/compare/xtgrad/helpers.h"

namespace bench {
namespace {

using xtgrad::Tensor;

Tensor normal(const Tensor& x) { return (erf(x * 0.70710678) + 1.0) * 0.5; }

/// The sum of Black and Scholes' prices of calls at 95 in a year, at a rate of 0.03.
std::unique_ptr<Workload> options(const Name& name, float /*rate*/) {
  const std::int64_t count = name.numbers().at(0);
  const Tensor spots = leaf(1, {count}, 80, 120), volatilities = leaf(2, {count}, 0.1, 0.4);
  return std::make_unique<Differentiated>(std::vector{spots, volatilities}, [spots, volatilities] {
    const std::vector<Tensor> spot = unbind(spots), volatility = unbind(volatilities);
    Tensor total = xtgrad::full({}, 0.0);
    for (std::size_t i = 0; i < spot.size(); ++i) {
      const Tensor& v = volatility[i];
      const Tensor d = (log(spot[i] / 95.0) + (square(v) * 0.5 + 0.03)) / v;
      total = total + (spot[i] * normal(d) - normal(d - v) * 92.19233);
    }
    return total * 0.001;
  });
}

/// Van der Pol's oscillator in steps of 0.05, from (1, 0.5) with mu = 1.5, all three of them leaves.
std::unique_ptr<Workload> oscillator(const Name& name, float /*rate*/) {
  const std::int64_t steps = name.numbers().at(0);
  std::vector<Tensor> leaves;
  for (const double x : {1.0, 0.5, 1.5}) leaves.push_back(xtgrad::full({}, x, {.requires_grad = true}));
  return std::make_unique<Differentiated>(leaves, [leaves, steps] {
    constexpr double h = 0.05;
    Tensor y = leaves[0], v = leaves[1];
    const Tensor& mu = leaves[2];
    const auto slope = [&](const Tensor& at, const Tensor& speed) {
      return mu * (1.0 - square(at)) * speed - at;
    };
    for (std::int64_t i = 0; i < steps; ++i) {
      const Tensor a1 = slope(y, v);
      const Tensor v2 = v + a1 * (h / 2), a2 = slope(y + v * (h / 2), v2);
      const Tensor v3 = v + a2 * (h / 2), a3 = slope(y + v2 * (h / 2), v3);
      const Tensor v4 = v + a3 * h, a4 = slope(y + v3 * h, v4);
      y = y + (v + (v2 + v3) * 2.0 + v4) * (h / 6);
      v = v + (a1 + (a2 + a3) * 2.0 + a4) * (h / 6);
    }
    return y + v;
  });
}

/// Four gates of one unit, each with a weight of the input, one of the state and a bias.
std::unique_ptr<Workload> lstm(const Name& name, float /*rate*/) {
  std::vector<Tensor> weights;
  for (const float w : numbers(1, 12))
    weights.push_back(xtgrad::full({}, static_cast<double>(w), {.requires_grad = true}));
  const std::vector<float> inputs = numbers(2, name.numbers().at(0));
  return std::make_unique<Differentiated>(weights, [weights, inputs] {
    Tensor h = xtgrad::full({}, 0.0), c = xtgrad::full({}, 0.0);
    for (const float x : inputs) {
      std::array<Tensor, 4> z;
      for (std::size_t k = 0; k < 4; ++k)
        z[k] = weights[3 * k] * static_cast<double>(x) + weights[3 * k + 1] * h + weights[3 * k + 2];
      c = sigmoid(z[0]) * c + sigmoid(z[1]) * tanh(z[2]);
      h = sigmoid(z[3]) * tanh(c);
    }
    return h;
  });
}

}  // namespace

void add_scalar_programs(Families& families) {
  families["options_0d"] = options;
  families["oscillator_0d"] = oscillator;
  families["lstm_0d"] = lstm;
}

}  // namespace bench
