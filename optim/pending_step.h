#pragma once

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/optim/state.h"

namespace xtgrad::inline v1::optim::detail {

/// One parameter's step before it is made. It has all the memory that the step takes, so that what follows
/// cannot fail, and has changed nothing: the steps of all parameters are prepared before the first is made.
struct PendingStep {
  Tensor value;  ///< the next one
  State state;   ///< as well

  /// Fills the elements that `value` and `state` have room for, which may be those of `before` and
  /// `update.value`; null where they have them already.
  void (*fill)(const PendingStep& step, const Update& update, const State& before,
               const void* options) = nullptr;
  const void* options = nullptr;
  const PendingStep* before =
      nullptr;  ///< of another parameter of the group, by the same rate; null for none
  xtgrad::detail::Array coefficients{};
};

}  // namespace xtgrad::v1::optim::detail
