#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct Graph;

namespace detail {
struct ProgramSteps;
}

/// What a program takes, in numbers.
struct ProgramPlan {
  std::size_t steps = 0;           ///< that a run takes
  std::size_t recorded_steps = 0;  ///< before passes left some out
  std::size_t fused_steps = 0;     ///< of `steps`, those that are several in one
  std::size_t joined_steps = 0;    ///< that they are made of
  std::size_t arena_bytes = 0;     ///< of the block that all values between steps share
  std::size_t arena_values = 0;    ///< that lie in it
  std::size_t unshared_bytes = 0;  ///< what these would take without sharing
  std::size_t kept_bytes = 0;      ///< of results and the next state
  std::size_t constant_bytes = 0;  ///< of values from outside that are none of the state
  /// Each of those values, as "%7:float32[10, 3]".
  std::vector<std::string> constants = {};

  [[nodiscard]] std::string to_string() const;
};

/// What a function computed, as a list of steps that can be run again without a graph; `capture` makes one
/// (nn/capture.h).
class Program {
 public:
  /// One line a step, inputs, state and constants first; then what becomes of the state, and the results:
  ///
  ///   input in0:float32[2, 3]
  ///   state weight:float32[3, 1]
  ///   %2:float32[2, 1] = matmul(in0, weight)
  ///   return %2
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] ProgramPlan plan() const;
  /// The operations as a graph, before any were fused, for `to_dot`, which frames those of a module: inputs,
  /// state and constants are its leaves, and what becomes of the state and the results nodes "next" and
  /// "result".
  [[nodiscard]] Graph graph() const;

  // For the library alone.
  XTGRAD_LOCAL Program(std::shared_ptr<const detail::ProgramSteps> steps,
                       std::shared_ptr<const detail::ProgramSteps> unfused, std::size_t recorded_steps);
  [[nodiscard]] const std::shared_ptr<const detail::ProgramSteps>& steps() const { return steps_; }
  /// The same before steps were fused: one for each operation.
  [[nodiscard]] const std::shared_ptr<const detail::ProgramSteps>& unfused() const { return unfused_; }

 private:
  std::shared_ptr<const detail::ProgramSteps> steps_;
  std::shared_ptr<const detail::ProgramSteps> unfused_;
  std::size_t recorded_steps_;
};

}}  // namespace xtgrad::v1
