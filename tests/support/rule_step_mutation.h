#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/core/compute.h"

namespace xtgrad::inline v1::testing {

/// What can be wrong with one step of a rule.
struct StepFault {
  enum class Kind {
    operand_zero,  ///< one operand of a sum or a difference is taken for 0
    exchanged,     ///< the first two operands of a step that is not commutative
    axis           ///< an axis is the next one, where that gives the same shape
  };
  Kind kind = Kind::operand_zero;
  std::size_t step = 0;   ///< of the rule, from 0
  std::string name = {};  ///< of the step; another rule's step of that number is left as it is
  std::size_t place = 0;  ///< which operand, or which entry of the axes
};

/// A step as a rule made it: "sum(axes=[0], keepdim) of [2, 3]".
struct RuleStep {
  std::string name;
  std::string text;
  std::vector<StepFault> faults;  ///< that fit it
};

/// Lists the steps that the rules of one operation make while in scope, and spoils one of them.
class RuleStepMutation final : public detail::Watcher {
 public:
  explicit RuleStepMutation(std::string_view op, std::optional<StepFault> fault = std::nullopt)
      : op_(op), fault_(fault), scope_(*this) {}

  /// Of the last rule that ran.
  [[nodiscard]] const std::vector<RuleStep>& steps() const { return steps_; }

  void before_rule(const detail::Node& node, const Tensor&) override;
  void leave_rule(const detail::Node& node) noexcept override;
  void before_eval(const detail::Primitive& primitive, detail::Inputs in, detail::Outputs out) override;
  void after_eval(const detail::Primitive& primitive, detail::Inputs in, detail::Outputs out) override;

 private:
  [[nodiscard]] bool is_at_fault() const;
  void list(const detail::Primitive& primitive, detail::Inputs in, detail::Outputs out);

  std::string_view op_;
  std::optional<StepFault> fault_;
  bool is_in_rule_ = false;
  bool is_busy_ = false;     // the wrong step is computed, with steps of its own perhaps
  std::vector<Array> kept_;  // operands of the step to spoil, which it may overwrite
  std::vector<RuleStep> steps_;
  detail::WatchScope scope_;
};

}  // namespace xtgrad::v1::testing
