#include "tests/support/rule_mutation.h"

#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing {
namespace {

/// With its largest element times a factor.
Tensor with_largest_times(const Tensor& gradient, double factor) {
  if (gradient.numel() == 0) return gradient;
  const Tensor largest = argmax(reshape(abs(gradient.detach()), {-1}), 0);
  const Tensor places = arange(static_cast<double>(gradient.numel()));
  return where(reshape(not_equal(places, largest), gradient.shape()), gradient, gradient * factor);
}

}  // namespace

void RuleMutation::after_rule(const detail::Node& node, std::span<Tensor> gradients) {
  const auto& [op, kind, input] = fault_;
  if (node.primitive().name() != op || input >= gradients.size() || !gradients[input].defined()) return;
  switch (kind) {
    case Kind::factor:
      gradients[input] = gradients[input] * 1.001;
      return;
    case Kind::dropped:
      gradients[input] = Tensor();
      return;
    case Kind::element_dropped:
      gradients[input] = with_largest_times(gradients[input], 0);
      return;
    case Kind::element_negated:
      // Not -1: a rule that runs twice would have it right again.
      gradients[input] = with_largest_times(gradients[input], -2);
      return;
    case Kind::swapped: {
      const std::size_t other = (input + 1) % gradients.size();
      const bool fits = other != input && gradients[other].defined() &&
                        gradients[other].shape() == gradients[input].shape();
      if (fits) std::swap(gradients[input], gradients[other]);
      return;
    }
  }
}

}  // namespace xtgrad::testing
