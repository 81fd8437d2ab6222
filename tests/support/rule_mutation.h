#pragma once

#include <span>
#include <string_view>

#include "xtgrad/autograd/core/compute.h"

namespace xtgrad::inline v1::testing {

/// A deliberate fault in one rule, while in scope: for the test that proves that the test suite would notice
/// it.
class RuleMutation final : public detail::Watcher {
 public:
  /// A factor of 1.001; the whole gradient left out; its largest element left out, or with the other sign and
  /// doubled; neighbours exchanged.
  enum class Kind { factor, dropped, element_dropped, element_negated, swapped };
  struct Fault {
    std::string_view op;
    Kind kind;
    std::size_t input = 0;  ///< whose gradient is wrong
  };

  explicit RuleMutation(const Fault& fault) : fault_(fault), scope_(*this) {}

  void before_eval(const detail::Primitive&, detail::Inputs, detail::Outputs) override {}
  void after_eval(const detail::Primitive&, detail::Inputs, detail::Outputs) override {}
  /// Spoils the gradients that the rule has just computed.
  void after_rule(const detail::Node& node, std::span<Tensor> gradients) override;

 private:
  Fault fault_;
  detail::WatchScope scope_;
};

}  // namespace xtgrad::testing
