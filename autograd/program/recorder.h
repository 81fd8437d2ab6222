#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/observe/module_ledger.h"
#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// Lists what its thread computes while in scope, as a Tracer does, and refuses what no list can repeat:
/// reading elements as C++ numbers, and using state that was not declared.
class ProgramRecorder final : public Watcher {
 public:
  /// `caller` is named by errors, and outlives it.
  explicit ProgramRecorder(std::string_view caller);
  /// For rules of a graph that is there already: whatever they use beside the declared is a constant, and
  /// what no list can repeat is noted.
  struct OfRules {};
  ProgramRecorder(std::string_view caller, OfRules);
  ~ProgramRecorder() override;
  ProgramRecorder(const ProgramRecorder&) = delete;
  ProgramRecorder& operator=(const ProgramRecorder&) = delete;

  /// An input, or a state as it is before, whose elements are in memory of their own.
  TracedOperand declare(std::string_view name, const Tensor& tensor);
  /// A result, or a state as it is afterwards.
  TracedOperand end(const Tensor& tensor);
  [[nodiscard]] const Trace& trace() const { return tracer_.trace(); }
  /// What no list can repeat, the first that was met, in words; empty for nothing.
  [[nodiscard]] const std::string& noted() const { return noted_; }
  /// What has been listed, as steps; the list begins anew.
  [[nodiscard]] ProgramSteps take(const TracedRoles& roles);

  [[nodiscard]] bool is_for_others() const override { return true; }
  void before_eval(const Primitive& primitive, Inputs in, Outputs out) override;
  void after_eval(const Primitive& primitive, Inputs in, Outputs out) override;
  void after_record(Node& node) override;
  void before_apply(std::span<const Tensor* const> operands) override;
  void after_wish(const Tensor& leaf) override;
  void before_rule(const Node& node, const Tensor& cotangent) override;
  void leave_rule(const Node& node) noexcept override;
  void enter_module(const ModuleScope& module) noexcept override { ledger_.enter(module); }
  void leave_module(const ModuleScope& module) noexcept override { ledger_.leave(&module); }
  void before_read(const Array& array, std::string_view function) override;

 private:
  /// Throws GraphError, or notes it.
  void refuse(const std::string& message);
  /// Throws GraphError for a leaf that wants a gradient and is neither declared nor the function's own.
  void check_leaf(const Node& node) const;

  /// Of a rule that runs: its operation's result, as a value of the trace.
  struct Rule {
    const Node* node;
    std::size_t of;
  };

  std::string_view caller_;
  bool is_of_rules_ = false;
  std::string noted_;
  Tracer tracer_;  // before the scope: it is told after this one, and lists what is not refused
  // Leaves that the function itself has made to want a gradient, held so that no other comes to lie there.
  std::unordered_map<const NodeCounts*, Tensor> own_leaves_;
  ModuleLedger ledger_;
  TracedOrigins origins_;
  std::unordered_map<std::uint64_t, std::size_t> value_of_;  // by the id of a recorded node
  std::vector<Rule> rules_;                                  // that run, the innermost last
  WatchScope scope_;
};

/// What is first found to differ between two lists of one function, in words: none if it is empty. `before`
/// is the earlier list.
[[nodiscard]] std::string first_difference(const ProgramSteps& before, const ProgramSteps& after);

}  // namespace xtgrad::v1::detail
