#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/program/steps.h"
#include "xtgrad/autograd/size2d.h"

namespace xtgrad::inline v1::detail {

/// A step as those see it who write it as text: operands, and attributes by name.
class StepView {
 public:
  explicit StepView(const ProgramStep& step) : step_(step), attributes_(attributes_of(*step)) {}

  [[nodiscard]] std::string_view name() const { return (*step_).name(); }
  [[nodiscard]] std::size_t inputs() const { return step_.inputs.size(); }
  [[nodiscard]] std::size_t outputs() const { return step_.outputs.size(); }
  [[nodiscard]] const Spec& in(std::size_t k) const { return step_.inputs.at(k).spec; }
  [[nodiscard]] const Spec& out(std::size_t k = 0) const { return step_.outputs.at(k).spec; }
  /// Whether anybody wants that output.
  [[nodiscard]] bool has_out(std::size_t k) const {
    return k < step_.outputs.size() && step_.outputs[k].value != no_value;
  }

  // Attributes; throw InternalError for one that is not there, or is of another type.
  [[nodiscard]] double number(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] std::vector<std::int64_t> sizes(std::string_view name) const;
  /// A Size2d, or what stands for one that is absent.
  [[nodiscard]] Size2d size2d(std::string_view name, const Size2d& otherwise = 1) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  /// False for an optional integer that is absent.
  [[nodiscard]] bool is_integer(std::string_view name) const {
    return std::holds_alternative<std::int64_t>(get(name));
  }

  /// A formula of the step's attributes, which it describes by the names of its primitive.
  template <class F>
  [[nodiscard]] F described(F formula) const;

 private:
  class Setter;

  [[nodiscard]] const AttributeValue* find(std::string_view name) const;
  [[nodiscard]] const AttributeValue& get(std::string_view name) const;

  const ProgramStep& step_;
  std::vector<NamedAttribute> attributes_;
};

/// Gives each field that is described the step's value.
class StepView::Setter final : public Attributes {
 public:
  explicit Setter(const StepView& step) : step_(step) {}

 protected:
  bool visit(std::string_view name, AttributeValue& value, bool) override {
    const AttributeValue* found = step_.find(name);
    if (found == nullptr) return false;
    value = *found;
    return true;
  }

 private:
  const StepView& step_;
};

template <class F>
F StepView::described(F formula) const {
  Setter setter(*this);
  formula.describe(static_cast<Attributes&>(setter));
  return formula;
}

}  // namespace xtgrad::v1::detail
