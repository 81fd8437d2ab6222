#pragma once

#include <array>
#include <vector>

#include "xtgrad/autograd/counter.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/optim/hyper.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

/// What an optimizer remembers of one parameter; each optimizer says what its moments are.
struct State {
  static constexpr std::size_t max_moments = 3;

  Counter step;                               ///< number of steps taken
  std::array<Tensor, max_moments> moments{};  ///< of the parameter's shape and dtype; empty handles are zeros
};

/// What one step of one parameter has to go on, besides its state.
struct Update {
  Hyper lr;
  const Tensor& value;     ///< of the parameter
  const Tensor& gradient;  ///< of the value's shape and dtype
  bool overwrite = false;  ///< nobody else can see the value's elements: the new ones may take their place
};

/// The result of the pure form of an optimizer's step.
struct Stepped {
  std::vector<Tensor> parameters;
  std::vector<State> states;
};

}}}  // namespace xtgrad::v1::optim
