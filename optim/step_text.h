// An optimizer's update as C++ text: the same formula, by the third evaluator of docs/architecture.md.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/emit/text_table.h"
#include "xtgrad/optim/advance.h"

namespace xtgrad::inline v1::optim::detail {

/// What is done to a coefficient before a formula of T sees it (StepOf::run).
template <class T>
core::Term<double> coefficient_for(const core::Term<double>& number) {
  if constexpr (std::is_same_v<T, double>) {
    return number;
  } else {
    return core::helper_call("away_from_zero", number);
  }
}

/// StepOf of a rule: the parameter and its moments, element by element.
template <class Rule, class T, std::size_t Moments>
void write_step_of(const core::StepView& step, core::ElementText& text) {
  std::array<core::Term<double>, Rule::coefficients> numbers;
  for (std::size_t k = 0; k < Rule::coefficients; ++k) {
    const std::string name = text.code().let("double", text.in_at(2, std::to_string(k)));
    numbers[k] = coefficient_for<T>({&text.code(), name});
  }
  const auto flags = step.described(typename Rule::Flags(typename Rule::Options()));
  [[maybe_unused]] const typename Rule::template Formula<core::Term<double>> formula(numbers, flags);
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    const auto next = formula(text.term<T>(0), text.term<T>(1), text.term<T>(3 + K)...);
    text.set(0, std::get<0>(next));
    (text.set(1 + K, std::get<1 + K>(next)), ...);
  }
  (std::make_index_sequence<Moments>{});
}

template <class Rule>
void write_step(const core::StepView& step, core::ElementText& text) {
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    const auto write = [&](auto zero) {
      static_cast<void>(((step.inputs() == 3 + Rule::moment_counts[K] &&
                          (write_step_of<Rule, decltype(zero), Rule::moment_counts[K]>(step, text), true)) ||
                         ...));
    };
    core::visit_floating(step.out().dtype, write);
  }
  (std::make_index_sequence<Rule::moment_counts.size()>{});
}

/// CoefficientsOf of a rule, by `coefficients_of` of terms.
template <class Rule>
void write_coefficients(const core::StepView& step, core::WholeText& text) {
  typename Rule::Options options;
  for (const auto& hyper : Rule::hypers) options.*hyper.field = Hyper(step.number(hyper.name));
  core::Statements& code = text.code();
  code.open("");
  const core::Term<double> t{&code, code.let("double", "static_cast<double>(" + text.in(0) + "[0])")};
  const core::Term<double> lr{&code, code.let("double", text.in(1) + "[0]")};
  const auto numbers = Rule::template coefficients_of<core::Term<double>>(options, lr, t);
  for (std::size_t k = 0; k < numbers.size(); ++k)
    code.line(text.out(0) + "[" + std::to_string(k) + "] = " + numbers[k].text + ";");
  code.close();
}

inline std::string refuse_tensors(const core::StepView& step) {
  return step.integer("from_input") == 0 ? "" : "of hyperparameters that are tensors";
}

/// Both steps of a rule that has no scalars, and whose coefficients can be terms.
template <class Rule>
std::vector<core::TextOf> step_texts() {
  return {{.name = Rule::step_name, .element = write_step<Rule>, .lists = 0b100},
          {.name = Rule::coefficients_name, .whole = write_coefficients<Rule>, .refusal = refuse_tensors}};
}

}  // namespace xtgrad::v1::optim::detail
