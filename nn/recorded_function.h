#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/program.h"
#include "xtgrad/nn/called_function.h"

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

/// Calls f three times, and puts the places back to what they held. Leaves handles on nothing in arguments
/// and results.
RecordedFunction record_function(const CalledFunction& f, const Arguments& arguments,
                                 const StatePlaces& places, const StateRoots& roots);

/// Throws GraphError for one tensor given twice that wants a gradient: each input is a leaf of its own in the
/// function, whose gradient is that of this one.
void refuse_aliases(std::span<const Tensor* const> inputs, std::string_view function);

}  // namespace xtgrad::v1::detail
