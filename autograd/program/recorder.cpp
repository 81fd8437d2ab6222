#include "xtgrad/autograd/program/recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

ProgramRecorder::ProgramRecorder(std::string_view caller)
    : caller_(caller), tracer_(Tracer::Keeps::buffers), scope_(*this) {}

ProgramRecorder::ProgramRecorder(std::string_view caller, OfRules) : ProgramRecorder(caller) {
  is_of_rules_ = true;
}

ProgramRecorder::~ProgramRecorder() = default;

void ProgramRecorder::refuse(const std::string& message) {
  if (!is_of_rules_) throw GraphError(message);
  if (noted_.empty()) noted_ = message;
}

TracedOperand ProgramRecorder::declare(std::string_view name, const Tensor& tensor) {
  tracer_.declare(name, tensor);
  return end(tensor);
}

TracedOperand ProgramRecorder::end(const Tensor& tensor) {
  const Array& array = array_of(tensor);
  if (tracer_.find(array) == TracedOperand::none) tracer_.declare("", tensor);
  return {tracer_.find(array), array};
}

/// Counters and streams that are not declared show when they move.
void ProgramRecorder::before_eval(const Primitive& primitive, Inputs in, Outputs) {
  const std::string_view name = primitive.name();
  const bool counts = name == "advance_counter";
  if (!counts && name != "advance_stream" && name != "split_stream") return;
  const std::size_t value = tracer_.find(*in[0]);
  if (value != TracedOperand::none &&
      (tracer_.trace().values[value].is_declared || tracer_.trace().values[value].is_made))
    return;
  refuse(fmt::format(
      "{}: the function {}, which is not in the state{}: list what has it, {{&model}}{}", caller_,
      counts ? "moves a counter on" : "draws from a random stream",
      counts ? " or was set by the function" : " or was seeded by the function",
      counts ? "" : ", or the stream itself, {&random}; that of the thread is &default_random()"));
}

/// The tracer is told afterwards: the step is its next one.
void ProgramRecorder::after_eval(const Primitive&, Inputs, Outputs) {
  ledger_.mark();
  StepOrigin origin{.module = ledger_.module_of(ledger_.current().context).name};
  if (!rules_.empty()) {
    origin.rule = rules_.back().node->primitive().name();
    const std::size_t of = rules_.back().of;
    origin.of = of == TracedOperand::none ? no_value : static_cast<ValueIndex>(of);
  }
  origins_.steps.push_back(std::move(origin));
}

void ProgramRecorder::after_record(Node& node) {
  if (const std::size_t value = tracer_.find(node.array); value != TracedOperand::none)
    value_of_[node.id] = value;
}

void ProgramRecorder::before_apply(std::span<const Tensor* const> operands) {
  for (const Tensor* operand : operands) {
    if (operand->defined()) check_leaf(node_of(*operand));
  }
}

void ProgramRecorder::after_wish(const Tensor& leaf) { own_leaves_.try_emplace(leaf.node(), leaf); }

/// Of a node that was recorded before, whose rule reaches a leaf.
void ProgramRecorder::before_rule(const Node& node, const Tensor& cotangent) {
  ledger_.enter(node);
  if (is_of_rules_ && node.has(Node::hooked_flag))
    refuse(fmt::format("{}: a function hangs on a tensor, which a program would not call", caller_));
  const auto known = value_of_.find(node.id);
  rules_.push_back({&node, known == value_of_.end() ? TracedOperand::none : known->second});
  if (known != value_of_.end() && cotangent.defined()) {
    if (const std::size_t value = tracer_.find(array_of(cotangent)); value != TracedOperand::none)
      origins_.cotangents[known->second] = value;
  }
  for (const Slot& slot : node.slots()) {
    if (!slot.empty() && slot.wants_gradient()) check_leaf(node_of(*slot.node()));
  }
}

void ProgramRecorder::leave_rule(const Node& node) noexcept {
  ledger_.leave(&node);
  if (!rules_.empty() && rules_.back().node == &node) rules_.pop_back();
}

ProgramSteps ProgramRecorder::take(const TracedRoles& roles) {
  value_of_.clear();
  return steps_of(tracer_.take(), roles, std::exchange(origins_, TracedOrigins()));
}

void ProgramRecorder::before_read(const Array& array, std::string_view function) {
  const std::size_t value = tracer_.find(array);
  if (value == TracedOperand::none) return;
  const TracedValue& read = tracer_.trace().values[value];
  if (!read.is_declared && !read.is_made) return;
  const std::string what = read.is_made        ? "a tensor that the function computes"
                           : read.name.empty() ? "a tensor that the function is given"
                                               : fmt::format("\"{}\"", read.name);
  refuse(fmt::format(
      "{}: {}() reads {} as a C++ number, which a program cannot repeat: choose by where(), or return the "
      "tensor and read it outside",
      caller_, function, what));
}

void ProgramRecorder::check_leaf(const Node& node) const {
  if (is_of_rules_) return;
  if (!node.requires_grad() || node.recorded() || own_leaves_.contains(&node)) return;
  if (const std::size_t value = tracer_.find(node.array); value != TracedOperand::none) {
    const TracedValue& used = tracer_.trace().values[value];
    if (used.is_declared || used.is_made) return;
  }
  const std::string name = node.leaf_state() == nullptr ? std::string() : node.leaf_state()->gradient->name();
  throw GraphError(fmt::format(
      "{}: the function uses {}, which wants a gradient and is neither an input nor in the state: list "
      "what has it, {{&model}}, or detach() it to make it a constant",
      caller_,
      name.empty() ? fmt::format("a leaf of shape {}", to_string(node.array.shape))
                   : fmt::format("\"{}\"", name)));
}

namespace {

bool same_operands(const std::vector<ProgramOperand>& a, const std::vector<ProgramOperand>& b) {
  return std::ranges::equal(a, b, [](const ProgramOperand& x, const ProgramOperand& y) {
    return x.value == y.value && (x.value == no_value || same_spec(x.spec, y.spec));
  });
}

std::string call_text(const ProgramStep& step) {
  const std::string attributes = attribute_text(*step);
  std::string operands;
  for (const ProgramOperand& input : step.inputs) {
    if (!operands.empty()) operands += ", ";
    operands += fmt::format("{}{}", to_string(input.spec.dtype), to_string(input.spec.shape));
  }
  return fmt::format("{}{}({})", (*step).name(), attributes.empty() ? "" : "[" + attributes + "]", operands);
}

bool same_constant(const ProgramValue& a, const ProgramValue& b) {
  if (a.source != b.source || a.bytes != b.bytes) return false;
  return a.source != ProgramValue::Source::constant || a.bytes == 0 ||
         std::memcmp(a.elements.data(), b.elements.data(), a.bytes) == 0;
}

}  // namespace

std::string first_difference(const ProgramSteps& before, const ProgramSteps& after) {
  const std::size_t common = std::min(before.steps.size(), after.steps.size());
  for (std::size_t s = 0; s < common; ++s) {
    const ProgramStep &a = before.steps[s], &b = after.steps[s];
    if (!same_primitive(*a, *b) || !same_operands(a.inputs, b.inputs) ||
        !same_operands(a.outputs, b.outputs)) {
      return fmt::format("step {} is {} in one call and {} in the next", s, call_text(a), call_text(b));
    }
    for (std::size_t i = 0; i < a.inputs.size(); ++i) {
      const ValueIndex value = a.inputs[i].value;
      if (same_constant(before.values[value], after.values[value])) continue;
      return fmt::format("operand {} of step {}, {}, comes from outside and changes between two calls", i, s,
                         call_text(a));
    }
  }
  if (before.steps.size() != after.steps.size()) {
    const bool is_shorter = before.steps.size() < after.steps.size();
    return fmt::format("there are {} steps in one call and {} in the next, which {} {}", before.steps.size(),
                       after.steps.size(), is_shorter ? "goes on with" : "lacks",
                       call_text((is_shorter ? after : before).steps[common]));
  }
  for (std::size_t i = 0; i < before.state.size(); ++i) {
    const ProgramState &a = before.state[i], &b = after.state[i];
    if (a.before.value == b.before.value && a.after.value == b.after.value &&
        (a.after.value == no_value ||
         same_constant(before.values[a.after.value], after.values[a.after.value])))
      continue;
    return fmt::format("\"{}\" becomes something else in the next call", a.name);
  }
  if (!same_operands(before.results, after.results)) return "the results are others in the next call";
  for (const ProgramOperand& result : before.results) {
    if (!same_constant(before.values[result.value], after.values[result.value]))
      return "a result comes from outside and changes between two calls";
  }
  return {};
}

}  // namespace xtgrad::v1::detail
