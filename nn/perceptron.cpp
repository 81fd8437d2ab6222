#include "xtgrad/nn/perceptron.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {
namespace {

LinearOptions checked(const PerceptronOptions& options) {
  detail::check_option("Perceptron", "in_features", options.in_features, 0);
  detail::check_option("Perceptron", "out_features", options.out_features, 0);
  return {.in_features = options.in_features, .out_features = options.out_features};
}

}  // namespace

Perceptron::Perceptron(const PerceptronOptions& options)
    : linear(checked(options)),
      activation_(options.activation),
      shape_{.slope = options.slope, .alpha = options.alpha} {}

std::int64_t perceptron_rule(Perceptron& unit, const Tensor& x, const Tensor& targets,
                             const PerceptronRuleOptions& options) {
  const Shape& weight = unit.linear.weight.shape();  // [out, in]
  if (x.rank() != 2 || targets.shape() != Shape{x.shape()[0], weight[0]}) {
    throw ShapeError(fmt::format("perceptron_rule: x must be [n, {}] and targets [n, {}]: got {} and {}",
                                 weight[1], weight[0], to_string(x.shape()), to_string(targets.shape())));
  }
  const NoGrad no_grad;
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    const Tensor sample = slice(x, {.start = i, .stop = i + 1});        // [1, in]
    const Tensor target = slice(targets, {.start = i, .stop = i + 1});  // [1, out]
    const Tensor error = target - unit(sample);                         // [1, out]
    const auto misses = sum(abs(sign(error)));
    if (misses.item() == 0) continue;
    wrong += static_cast<std::int64_t>(misses.item());
    const Tensor change = options.lr * matmul(error, sample, {.transpose_a = true});  // [out, in]
    unit.linear.weight.set_value(unit.linear.weight + change);
    unit.linear.bias.set_value(unit.linear.bias + options.lr * reshape(error, unit.linear.bias.shape()));
  }
  return wrong;
}

}  // namespace xtgrad::v1::nn
