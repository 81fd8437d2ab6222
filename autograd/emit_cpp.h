#pragma once

#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/io/named_tensor.h"
#include "xtgrad/autograd/program.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct EmitOptions {
  std::string name = "program";  ///< of the namespace that everything is in
  std::string function = "run";  ///< what runs the program
  /// Values of the state, by the names that the program's text has for it. What the program does not change
  /// becomes a constant of the file, such as the weights of a model in use, and is no member of `State`; what
  /// it changes is what `initialize` gives it.
  std::vector<NamedTensor> state = {};
};

/// The program as one file of C++17 that needs the header cmath alone:
///
///   namespace program {
///   struct State { float layer_weight[6]; ... };
///   void run(const float* in0, State& state, float* result0);
///   }
///
/// Arrays are row-major. The function does what a replay does: it fills the results, and makes the state the
/// next one. It allocates nothing and throws nothing; what lies between steps has a static place, so it is
/// for one thread at a time. Arguments must not overlap. A program whose steps may refuse elements, such as
/// class indices, gives a bool: false where a replay would throw, and then the state is what it was, and
/// results may hold anything.
///
/// Compiled by its IEEE rules (no -ffast-math) it gives the program's numbers but for the last digits: sums
/// are taken in another order, and functions are those of cmath.
///
/// Throws Error for an operation that has no text yet, naming it and its step (docs/ops.md says which have),
/// and ValueError for a name that is no identifier, and for state that is not the program's.
[[nodiscard]] std::string emit_cpp(const Program& program, const EmitOptions& options = {});

}}  // namespace xtgrad::v1
