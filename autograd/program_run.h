#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// One run of a program as it was watched: all values, and the steps between them. Made by
/// `Captured::watch`, of steps as they were before any were fused.
struct ProgramRun {
  enum class Source { input, state, constant, step };

  struct Value {
    std::string name;  ///< as the program's text calls it: "in0", "weight", "%7"
    Source source = Source::step;
    Tensor elements;  ///< as they were made, in memory of their own
    /// In the last sweep that came by, the value that is this one's gradient, as far as it was added up when
    /// the rule ran.
    std::optional<std::size_t> cotangent = {};
  };
  /// A value as a step sees it.
  struct Operand {
    std::size_t value = 0;
    Shape shape;
  };
  struct Step {
    std::string operation;
    std::string attributes;  ///< such as "axis=1"; empty for most
    std::string module;      ///< as a profile calls it: "MLP.layers.0"; empty outside of all
    /// The operation whose derivative rule computed it, and the value that this one had made; empty for
    /// a step of no rule.
    std::string rule = {};
    std::optional<std::size_t> of = {};
    std::vector<Operand> inputs;
    std::vector<Operand> outputs;  ///< that something reads
    double seconds = 0;            ///< wall-clock, one call; nanoseconds of it are the clock's
    std::int64_t flops = 0;        ///< arithmetic operations, counted as `Profile` does
  };
  /// What becomes of a state.
  struct Change {
    std::string name;
    std::optional<std::size_t> before;  ///< where something reads it
    std::optional<std::size_t> after;   ///< where it is written
  };

  std::vector<Value> values;
  std::vector<Step> steps;
  std::vector<std::size_t> inputs;
  std::vector<Change> state;
  std::vector<Operand> results;
};

}}  // namespace xtgrad::v1
