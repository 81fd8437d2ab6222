#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/activations.h"
#include "xtgrad/nn/linear.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct PerceptronOptions {
  std::int64_t in_features = required;
  std::int64_t out_features = 1;
  ActivationKind activation = ActivationKind::step;
  double slope = 0.01;  ///< of leaky_relu for x < 0
  double alpha = 1;     ///< of elu
};

/// Rosenblatt's units: activation(x W^T + b), [..., in] to [..., out]. The bias is the threshold with its
/// sign turned: the unit that computes AND fires where x1 + x2 - 1 > 0,
///
///   nn::Perceptron unit{{.in_features = 2}};
///   unit.linear.weight.set_value(tensor({{1, 1}}));
///   unit.linear.bias.set_value(tensor({-1}));
///   Tensor y = unit(tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}));  // [[0], [0], [0], [1]]
///
/// The step has no gradient: train such a unit with `perceptron_rule`, or choose a smooth activation.
class Perceptron : public Module {
 public:
  explicit Perceptron(const PerceptronOptions& options);
  Tensor forward(const Tensor& x) override { return activate(linear(x), activation_, shape_); }
  void members(Members& m) override { m("linear", linear); }

  Linear linear;

 private:
  ActivationKind activation_;
  ActivationOptions shape_;
};

struct PerceptronRuleOptions {
  double lr = 1;
};

/// One pass of Rosenblatt's learning rule over the samples x [n, in] with targets [n, out], one after the
/// other: w += lr (target - y) x, b += lr (target - y). Returns how many outputs were wrong when their
/// sample's turn came; 0 once it has learnt the set, which happens if a hyperplane separates it. Throws
/// ShapeError where sizes do not fit.
std::int64_t perceptron_rule(Perceptron& unit, const Tensor& x, const Tensor& targets,
                             const PerceptronRuleOptions& options = {});

}}}  // namespace xtgrad::v1::nn
