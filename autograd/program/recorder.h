#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// Lists what its thread computes while in scope, as a Tracer does, and refuses what no list can repeat:
/// reading elements as C++ numbers, and using state that was not declared.
class ProgramRecorder final : public Watcher {
 public:
  /// `caller` is named by errors, and outlives it.
  explicit ProgramRecorder(std::string_view caller);
  ~ProgramRecorder() override;
  ProgramRecorder(const ProgramRecorder&) = delete;
  ProgramRecorder& operator=(const ProgramRecorder&) = delete;

  /// An input, or a state as it is before, whose elements are in memory of their own.
  TracedOperand declare(std::string_view name, const Tensor& tensor);
  /// A result, or a state as it is afterwards.
  TracedOperand end(const Tensor& tensor);
  [[nodiscard]] Trace take() { return tracer_.take(); }

  [[nodiscard]] bool is_for_others() const override { return true; }
  void before_eval(const Primitive& primitive, Inputs in, Outputs out) override;
  void after_eval(const Primitive&, Inputs, Outputs) override {}
  void before_apply(std::span<const Tensor* const> operands) override;
  void after_wish(const Tensor& leaf) override;
  void before_rule(const Node& node) override;
  void before_read(const Array& array, std::string_view function) override;

 private:
  /// Throws GraphError for a leaf that wants a gradient and is neither declared nor the function's own.
  void check_leaf(const Node& node) const;

  std::string_view caller_;
  Tracer tracer_;  // before the scope: it is told after this one, and lists what is not refused
  // Leaves that the function itself has made to want a gradient, held so that no other comes to lie there.
  std::unordered_map<const NodeCounts*, Tensor> own_leaves_;
  WatchScope scope_;
};

/// What is first found to differ between two lists of one function, in words: none if it is empty. `before`
/// is the earlier list.
[[nodiscard]] std::string first_difference(const ProgramSteps& before, const ProgramSteps& after);

}  // namespace xtgrad::v1::detail
