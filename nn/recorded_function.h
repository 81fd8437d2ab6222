#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/program.h"
#include "xtgrad/nn/state_places.h"

namespace xtgrad::inline v1::detail {

/// A function as a program, and what it was recorded under.
struct RecordedFunction {
  struct Input {
    Spec spec;
    bool wants_gradient;
  };

  Program program;
  std::vector<Input> inputs;
  std::vector<char> was_empty;  // of each place
};

/// Calls f, which reads the tensors that `inputs` points at and returns where its results are, three times,
/// and puts the places back to what they held. Leaves handles on nothing in inputs and results.
RecordedFunction record_function(const Callable<std::vector<Tensor*>()>& f, std::vector<Tensor*> inputs,
                                 const std::vector<std::unique_ptr<nn::detail::StatePlace>>& places,
                                 const std::vector<nn::detail::StateRoot>& roots);

/// Throws GraphError for one tensor given twice that wants a gradient: each input is a leaf of its own in the
/// function, whose gradient is that of this one.
void refuse_aliases(std::span<const Tensor* const> inputs, std::string_view function);

}  // namespace xtgrad::v1::detail
