#include "xtgrad/autograd/core/rule_mutation.h"

#include <utility>

#include "xtgrad/autograd/ops.h"

namespace xtgrad {
inline namespace v1 {
namespace detail {

void RuleMutation::apply(OpId rule, std::span<Tensor> gradients) const {
  if (rule != op || input >= gradients.size() || !gradients[input].defined()) return;
  switch (kind) {
    case Kind::factor:
      gradients[input] = gradients[input] * 1.001;
      return;
    case Kind::dropped:
      gradients[input] = Tensor();
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

}  // namespace detail
}  // namespace v1
}  // namespace xtgrad
