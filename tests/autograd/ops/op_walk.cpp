#include "tests/autograd/ops/op_walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "xtgrad/autograd/core/parts.h"

namespace xtgrad::inline v1::testing {
namespace {

constexpr int highest_order = 3;

std::vector<Dtype> dtypes_of(Accepts accepts) {
  switch (accepts) {
    case Accepts::floating:
      return {float32, float64};
    case Accepts::numbers:
      return {float32, float64, int64};
    case Accepts::everything:
      return {float32, float64, int64, int32, uint8, boolean};
  }
  return {};
}

/// What holds for all ways of calling an operation.
Operation operation_of(const Op& op, const std::string& attributes, const Apply& apply) {
  Operation operation{.name = std::string(detail::to_string(op.id)),
                      .attributes = attributes,
                      .apply = [apply](std::span<const Tensor> in) { return std::vector{apply(in)}; },
                      .accuracy = op.accuracy,
                      .dtypes = dtypes_of(op.accepts),
                      .order = op.kind == Kind::constant ? 0 : highest_order,
                      .recorded = op.kind == Kind::composite ? Recorded::others : Recorded::own,
                      .other_names = {std::string(detail::function_name(op.id))},
                      .names_empty_handles = false,
                      .seed = seed_of(op)};
  if (op.takes != nullptr) operation.takes = op.takes;
  for (const OpId part : op.parts) operation.other_names.emplace_back(detail::function_name(part));
  return operation;
}

void set_result(Operation& operation, const std::function<Dtype(Dtype)>& result) {
  if (result) operation.result = [result](Dtype dtype, std::size_t) { return result(dtype); };
}

/// An elementwise operation: the checks choose shapes and combine nasty values.
Operation operation_of(const Op& op, const Elementwise& elementwise, Random& random) {
  Operation operation = operation_of(op, elementwise.attributes, elementwise.apply);
  Sample sample{.inputs = elementwise.inputs};
  constexpr std::int64_t points = 13;
  for (Input& input : sample.inputs) input.shape = {points};
  operation.inputs = make_inputs(sample, draw_inputs(sample, float64, random), float64, false);
  operation.element = [reference = elementwise.reference](std::span<const Real> in) {
    return std::vector{reference(in)};
  };
  operation.broadcasts = true;
  operation.integers = elementwise.integers;
  operation.points = elementwise.points;
  set_result(operation, elementwise.result);
  return operation;
}

Operation operation_of(const Op& op, const ExactCall& call) {
  Operation operation = operation_of(op, call.what, call.apply);
  Exact exact{.inputs = {}, .value = call.value, .gradients = call.gradients};
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    const Role role = call.roles.empty() ? Role::floating : call.roles[i];
    exact.inputs.push_back(to_tensor(call.inputs[i], role == Role::mask    ? boolean
                                                     : role == Role::index ? int64
                                                                           : float64));
  }
  operation.inputs = exact.inputs;
  operation.exacts = {exact};
  return operation;
}

/// Collects findings; only the first few of each check are kept, for a broken kernel breaks everywhere.
class Findings {
 public:
  Findings(const Op& op, Check check) : op_(op), check_(check) {}
  void add(std::string finding) {
    constexpr std::size_t most = 6;
    if (kept_.size() == most) {
      ++dropped_;
      return;
    }
    kept_.push_back(std::move(finding));
  }
  /// Of the walk's own, in the form of the shipped checks.
  void add(std::string_view attributes, std::string_view what) {
    add(fmt::format("{}({}), {}: {}", detail::to_string(op_.id), attributes, to_string(check_), what));
  }
  void add_all(std::vector<std::string> findings) {
    for (std::string& finding : findings) add(std::move(finding));
  }
  /// Makes the check of an operation.
  void make(const Operation& operation) { add_all(check_operation(operation, check_).failures); }
  [[nodiscard]] std::vector<std::string> take() {
    if (dropped_ > 0) kept_.push_back(fmt::format("{}: and {} more", detail::to_string(op_.id), dropped_));
    return std::move(kept_);
  }

 private:
  const Op& op_;
  Check check_;
  std::vector<std::string> kept_;
  std::size_t dropped_ = 0;
};

void check_registration(const Op& op, Findings& findings) {
  if (op.registrations != 1) {
    findings.add("", fmt::format("has {} registrations of samples, needs one: OpSamples(OpId::{}, ...) in "
                                 "tests/autograd/ops/samples/",
                                 op.registrations, detail::to_string(op.id)));
    return;
  }
  if (op.samples.empty()) findings.add("", "its registration has no samples");
  for (const Sample& sample : op.samples) {
    if (!sample.reference) findings.add(sample.attributes, "a sample has no reference");
  }
}

/// False for samples that a check passes over: those too large for it, and those that say so.
bool is_checked(const Sample& sample, Check check) {
  switch (check) {
    case Check::derivatives:
    case Check::errors:
    case Check::release:
      return sample.derivatives;  // the small ones are enough
    case Check::nasty:
      return sample.nasty;
    case Check::adjoint:
      return !sample.linear_in.empty();
    case Check::exact:
    case Check::sizes:
      return false;  // these are of elementwise operations, and of exact calls
    case Check::recorded:
    case Check::values:
    case Check::evaluators:
    case Check::again:
      break;
  }
  return true;
}

/// A point's second derivatives say what its rules are to one another: where one branches, mixed ones show
/// it.
void check_listed(const Op& op, Findings& findings) {
  if (op.kind == Kind::constant) return;
  for (const Elementwise& elementwise : op.elementwise_operations) {
    for (const Point& point : elementwise.points) {
      if (point.hessian.empty()) findings.add(elementwise.attributes, "a point lists no second derivatives");
    }
  }
}

bool is_of_elementwise(Check check) {
  return check == Check::nasty || check == Check::exact || check == Check::sizes || check == Check::errors;
}

void check_all(const Op& op, Check check, Findings& findings) {
  if (check == Check::recorded) check_registration(op, findings);
  Random random = random_for(op, check);
  for (const Sample& sample : op.samples) {
    if (!is_checked(sample, check)) continue;
    // A sample's derivatives are checked where the mutation test checks them, whichever samples there are.
    if (check == Check::derivatives) random = random_for(op, check);
    const std::vector<Values> values = draw_inputs(sample, float64, random);
    findings.make(operation_of(op, sample, values));
    if (check == Check::errors) findings.add_all(refusals_without_advice(op, sample, values));
  }
  if (is_of_elementwise(check)) {
    for (const Elementwise& elementwise : op.elementwise_operations)
      findings.make(operation_of(op, elementwise, random));
  }
  if (check == Check::exact) {
    check_listed(op, findings);
    for (const ExactCall& call : op.exacts) findings.make(operation_of(op, call));
  }
  if (check == Check::errors && !op.bad_calls.empty()) {
    Operation calls = operation_of(op, "", op.samples.at(0).apply);
    calls.bad_calls = op.bad_calls;
    findings.make(calls);
  }
}

}  // namespace

Operation operation_of(const Op& op, const Sample& sample, std::span<const Values> values) {
  Operation operation = operation_of(op, sample.attributes, sample.apply);
  operation.inputs = make_inputs(sample, values, float64, false);
  operation.reference = [reference = sample.reference](std::span<const Values> in) {
    return std::vector{reference(in)};
  };
  operation.integers = sample.integers;
  if (sample.combined && operation.recorded == Recorded::own) operation.recorded = Recorded::inner;
  operation.linear_in = sample.linear_in;
  operation.linear_exactly = sample.linear_exactly;
  set_result(operation, sample.result);
  return operation;
}

std::vector<Sample> samples_of(const Elementwise& elementwise) {
  std::vector<Sample> samples;
  const std::vector<std::vector<Shape>> shapes = {
      {{}, {}, {}}, {{13}, {13}, {13}}, {{3, 5}, {5}, {}}, {{4, 1}, {1, 3}, {4, 3}}, {{0, 3}, {3}, {1}}};
  for (const std::vector<Shape>& of_inputs : shapes) {
    Sample sample{
        .attributes = elementwise.attributes, .inputs = elementwise.inputs, .apply = elementwise.apply};
    for (std::size_t i = 0; i < sample.inputs.size(); ++i) {
      sample.attributes += (i == 0 ? " " : ", ") + to_string(of_inputs[i]);
      sample.inputs[i].shape = of_inputs[i];
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

std::vector<std::string> findings_of(const Op& op, Check check) {
  Findings findings(op, check);
  try {
    check_all(op, check, findings);
  } catch (const std::exception& error) {
    findings.add("", fmt::format("threw \"{}\"", error.what()));
  }
  return findings.take();
}

Report check_sample(const Op& op, const Sample& sample, int order) {
  Random random = random_for(op, Check::derivatives);
  Operation operation = operation_of(op, sample, draw_inputs(sample, float64, random));
  operation.dtypes = {float64};
  operation.order = order;
  return check_operation(operation, Check::derivatives);
}

std::vector<Tensor> make_inputs(const Sample& sample, std::span<const Values> values, Dtype dtype,
                                bool recorded) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Input& input = sample.inputs[i];
    const Dtype own = input.role == Role::mask ? boolean : input.role == Role::index ? int64 : dtype;
    inputs.push_back(to_tensor(values[i], own, recorded && input.differentiable));
  }
  return inputs;
}

const detail::Node& operation_node(const Tensor& y) {
  const detail::Node& node = detail::node_of(y);
  return detail::part_at(node) == nullptr ? node : detail::node_of(*node.slots()[0].node());
}

std::vector<Tensor> differentiable_of(const Sample& sample, std::span<const Tensor> inputs) {
  std::vector<Tensor> chosen;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (sample.inputs[i].differentiable) chosen.push_back(inputs[i]);
  }
  return chosen;
}

std::vector<Values> draw_inputs(const Sample& sample, Dtype dtype, Random& random) {
  std::vector<Values> values = draw(sample.inputs, random);
  for (Values& one : values) one = rounded(std::move(one), dtype);
  return values;
}

std::uint64_t seed_of(const Op& op) {
  // FNV-1a: std::hash may give another number in another library.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : detail::to_string(op.id)) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  }
  return hash + op.salt;
}

Random random_for(const Op& op, Check check) {
  return Random(1000 * seed_of(op) + static_cast<std::uint64_t>(check));
}

}  // namespace xtgrad::v1::testing
