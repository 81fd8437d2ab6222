#pragma once

#include <memory>
#include <span>
#include <vector>

#include "xtgrad/autograd/program.h"
#include "xtgrad/autograd/program/runner.h"

namespace xtgrad::inline v1::detail {

/// A program of inputs and results alone, which runs on memory of its own.
class PureProgram {
 public:
  /// Of a list without state, as it was recorded. Its first `given` inputs become constants, with the
  /// elements that are here, and all that can be computed of constants is, up to `most_bytes` for each value.
  PureProgram(ProgramSteps recorded, std::span<const Tensor> given, std::size_t most_bytes);

  [[nodiscard]] const Program& program() const { return program_; }
  /// Of the other inputs, each of the spec that was recorded. Results are tensors that nobody else has.
  [[nodiscard]] std::vector<Tensor> run(std::span<const Tensor> inputs);

 private:
  Program program_;
  ProgramRunner runner_;
};

}  // namespace xtgrad::v1::detail
