#include "tests/support/rule_step_mutation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::testing {
namespace {

using detail::Inputs;
using detail::Outputs;
using detail::Primitive;

bool is_sum(const Primitive& primitive) { return primitive.name() == "add" || primitive.name() == "sub"; }

bool commutes(const Primitive& primitive, Inputs in) {
  // One element by one element is a product.
  if (primitive.name() == "matmul" && in[0]->numel() == 1 && in[1]->numel() == 1) return true;
  constexpr std::array<std::string_view, 7> names{"add",   "mul",       "maximum", "minimum",
                                                  "equal", "not_equal", "hypot"};
  return std::find(names.begin(), names.end(), primitive.name()) != names.end();
}

/// Moves entry `place` of the axes to the next one of `rank` that is not among them.
class MoveAxis final : public Attributes {
 public:
  MoveAxis(std::size_t place, std::int64_t rank) : place_(place), rank_(rank) {}
  [[nodiscard]] bool has_moved() const { return has_moved_; }
  /// False where both axes have size 1, and it is the same whichever is taken.
  [[nodiscard]] bool matters(const Shape& shape) const {
    // `stack` has one axis more than what it takes.
    const auto is_one = [&](std::int64_t axis) {
      return axis < rank_ && shape[static_cast<std::size_t>(axis)] == 1;
    };
    return !is_one(from_) || !is_one(to_);
  }

 protected:
  bool visit(std::string_view name, AttributeValue& value, bool) override {
    if (has_moved_ || (name != "axis" && name != "axes")) return false;
    std::vector<std::int64_t> axes;
    if (const auto* axis = std::get_if<std::int64_t>(&value)) axes = {*axis};
    if (const auto* several = std::get_if<std::vector<std::int64_t>>(&value)) axes = *several;
    if (place_ >= axes.size() || static_cast<std::int64_t>(axes.size()) >= rank_) return false;
    std::int64_t moved = axes[place_];
    while (std::find(axes.begin(), axes.end(), moved) != axes.end()) moved = (moved + 1) % rank_;
    from_ = axes[place_] < 0 ? axes[place_] + rank_ : axes[place_];
    to_ = moved;
    axes[place_] = moved;
    has_moved_ = true;
    if (std::holds_alternative<std::int64_t>(value)) {
      value = moved;
    } else {
      std::sort(axes.begin(), axes.end());
      value = axes;
    }
    return true;
  }

 private:
  std::size_t place_;
  std::int64_t rank_;
  std::int64_t from_ = 0, to_ = 0;
  bool has_moved_ = false;
};

Array copy_of(const Array& array) {
  Array copy = Array::uninitialized(array.shape, array.dtype);
  std::memcpy(copy.buffer.data(), array.buffer.data(), detail::bytes_of(array.shape, array.dtype));
  return copy;
}

/// The step with its fault: a primitive, and which operand stands at which place.
struct WrongStep {
  detail::PrimitiveCopy primitive;
  std::vector<std::size_t> order;
};

std::optional<WrongStep> wrong_step(const Primitive& primitive, Inputs in, Outputs out,
                                    const StepFault& fault) {
  // Of no elements it has nothing to get wrong.
  const auto is_empty = [](const Array* operand) { return operand->numel() == 0; };
  if (std::any_of(in.begin(), in.end(), is_empty)) return std::nullopt;
  WrongStep wrong{detail::PrimitiveCopy(primitive), {}};
  for (std::size_t i = 0; i < in.size(); ++i) wrong.order.push_back(i);
  if (fault.kind == StepFault::Kind::axis) {
    if (in.empty() || out.size() != 1) return std::nullopt;
    MoveAxis move(fault.place, static_cast<std::int64_t>(in[0]->shape.rank()));
    const_cast<Primitive&>(*wrong.primitive).describe(move);
    if (!move.has_moved() || !move.matters(in[0]->shape)) return std::nullopt;
  } else {
    if (in.size() < 2 || out.size() != 1 || commutes(primitive, in)) return std::nullopt;
    // An index is no element.
    if (in[0]->dtype != in[1]->dtype) return std::nullopt;
    std::swap(wrong.order[0], wrong.order[1]);
  }
  if (out[0] == nullptr || out[0]->numel() == 0 || primitive.alias_of(0) >= 0) return std::nullopt;
  // What it makes has to be of the same shape.
  std::vector<const Spec*> specs;
  for (const std::size_t i : wrong.order) specs.push_back(in[i]);
  Spec made;
  Spec* const place = &made;
  try {
    wrong.primitive->infer(specs, {&place, 1});
    // What `eval` relies on: a call that is wrong in this way could not be written, and may read anywhere.
    const Spec* const result = &made;
    wrong.primitive->check_loaded(specs, {&result, 1});
  } catch (const Error&) {
    return std::nullopt;
  }
  if (!(made.shape == out[0]->shape) || made.dtype != out[0]->dtype) return std::nullopt;
  // A wrong index would be read at, and a mask is what a comparison of elements says.
  if (made.dtype == int64) return std::nullopt;
  return wrong;
}

/// The other operand of a sum, stretched to the result; the second one of a difference with its sign.
void fill_with_other(const Primitive& primitive, std::span<const Array> in, Array& out, std::size_t zero) {
  const Array& other = in[1 - zero];
  const double sign = primitive.name() == "sub" && zero == 0 ? -1 : 1;
  const std::size_t rank = out.shape.rank();
  const std::size_t missing = rank - other.shape.rank();
  for (std::int64_t e = 0; e < out.numel(); ++e) {
    std::int64_t rest = e, source = 0, stride = 1;
    for (std::size_t axis = rank; axis-- > missing;) {
      const std::int64_t size = other.shape[axis - missing];
      source += size == 1 ? 0 : stride * (rest % out.shape[axis]);
      stride *= size;
      rest /= out.shape[axis];
    }
    out.mutable_data<double>()[e] = sign * other.data<double>()[source];
  }
}

}  // namespace

void RuleStepMutation::before_rule(const detail::Node& node, const Tensor&) {
  if (node.primitive().name() != op_) return;
  is_in_rule_ = true;
  steps_.clear();
}

void RuleStepMutation::leave_rule(const detail::Node& node) noexcept {
  if (node.primitive().name() == op_) is_in_rule_ = false;
}

void RuleStepMutation::before_eval(const Primitive& primitive, Inputs in, Outputs out) {
  if (!is_in_rule_ || is_busy_) return;
  list(primitive, in, out);
  if (!is_at_fault()) return;
  kept_.clear();
  for (const Array* operand : in) kept_.push_back(copy_of(*operand));
}

void RuleStepMutation::after_eval(const Primitive& primitive, Inputs, Outputs out) {
  if (!is_in_rule_ || is_busy_ || !is_at_fault()) return;
  if (fault_->kind == StepFault::Kind::operand_zero) {
    fill_with_other(primitive, kept_, *out[0], fault_->place);
    return;
  }
  std::vector<const Array*> in;
  for (const Array& operand : kept_) in.push_back(&operand);
  const std::optional<WrongStep> wrong = wrong_step(primitive, in, out, *fault_);
  if (!wrong) return;
  std::vector<const Array*> ordered;
  for (const std::size_t i : wrong->order) ordered.push_back(in[i]);
  Array made = Array::uninitialized(out[0]->shape, out[0]->dtype);
  Array* const place = &made;
  is_busy_ = true;
  wrong->primitive->eval(ordered, {&place, 1});
  is_busy_ = false;
  std::memcpy(out[0]->buffer.data(), made.buffer.data(), detail::bytes_of(made.shape, made.dtype));
}

bool RuleStepMutation::is_at_fault() const {
  if (!fault_ || fault_->step + 1 != steps_.size()) return false;
  const std::vector<StepFault>& fitting = steps_.back().faults;
  return steps_.back().name == fault_->name &&
         std::any_of(fitting.begin(), fitting.end(), [&](const StepFault& one) {
           return one.kind == fault_->kind && one.place == fault_->place;
         });
}

void RuleStepMutation::list(const Primitive& primitive, Inputs in, Outputs out) {
  RuleStep step{std::string(primitive.name()), {}, {}};
  step.text = fmt::format("{}({})", step.name, detail::attribute_text(primitive));
  for (const Array* operand : in) step.text += " " + to_string(operand->shape);
  const std::size_t number = steps_.size();
  const auto fits = [&](const StepFault& fault) {
    if (fault.kind == StepFault::Kind::operand_zero)
      return is_sum(primitive) && in[0]->dtype == float64 && out[0] != nullptr && out[0]->numel() > 0;
    return wrong_step(primitive, in, out, fault).has_value();
  };
  using Kind = StepFault::Kind;
  constexpr std::pair<Kind, std::size_t> faults[] = {{Kind::operand_zero, 0}, {Kind::operand_zero, 1},
                                                     {Kind::exchanged, 0},    {Kind::axis, 0},
                                                     {Kind::axis, 1},         {Kind::axis, 2}};
  for (const auto& [kind, place] : faults) {
    const StepFault fault{.kind = kind, .step = number, .name = step.name, .place = place};
    if (fits(fault)) step.faults.push_back(fault);
  }
  steps_.push_back(std::move(step));
}

}  // namespace xtgrad::v1::testing
