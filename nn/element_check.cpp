#include "xtgrad/nn/element_check.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/position_text.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

namespace core = xtgrad::detail;

template <class T>
std::span<const T> elements_of(const core::Array& array) {
  return {array.data<T>(), static_cast<std::size_t>(array.numel())};
}

void check_range(std::string_view loss, std::string_view operand, const core::Array& x, double low,
                 double high) {
  core::visit_floating(x.dtype, [&](auto zero) {
    const auto values = elements_of<decltype(zero)>(x);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!(values[i] < low) && !(values[i] > high)) continue;
      throw ValueError(fmt::format("{}: {} must be in [{}, {}]: got {} at {}", loss, operand, low, high,
                                   values[i], position_text(i, x.shape)));
    }
  });
}

struct Interval {
  double low, high;
  bool excludes_low;
};

/// "above 0", "in [0, 1]".
std::string rule_of(const Interval& allowed) {
  if (allowed.low == allowed.high) return fmt::format("{}", allowed.low);
  if (std::isfinite(allowed.high)) return fmt::format("in [{}, {}]", allowed.low, allowed.high);
  if (!std::isfinite(allowed.low)) return "a number";
  return fmt::format("{} {}", allowed.excludes_low ? "above" : "at least", allowed.low);
}

void check_interval(std::string_view owner, std::string_view operand, const core::Array& x,
                    const Interval& allowed) {
  core::visit_floating(x.dtype, [&](auto zero) {
    const auto values = elements_of<decltype(zero)>(x);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool enough = allowed.excludes_low ? values[i] > allowed.low : values[i] >= allowed.low;
      if (enough && values[i] <= allowed.high) continue;
      throw ValueError(fmt::format("{}: {} must be {}: got {} at {}", owner, operand, rule_of(allowed),
                                   values[i], position_text(i, x.shape)));
    }
  });
}

void check_signs(std::string_view loss, std::string_view operand, const core::Array& x) {
  core::visit_numeric(x.dtype, [&](auto zero) {
    const auto values = elements_of<decltype(zero)>(x);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] == 1 || values[i] == -1) continue;
      throw ValueError(fmt::format("{}: {} must be 1 or -1: got {} at {}", loss, operand, values[i],
                                   position_text(i, x.shape)));
    }
  });
}

}  // namespace

std::int64_t check_classes(std::string_view loss, const core::Array& target, const ClassRange& range) {
  std::int64_t ignored = 0;
  const auto indices = elements_of<std::int64_t>(target);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::int64_t index = indices[i];
    if (index >= 0 && index < range.count && index != range.ignored) continue;
    if (index != range.ignored) {
      throw ValueError(fmt::format("{}: class index out of range: target is {} at {}, there are {} classes",
                                   loss, index, position_text(i, target.shape), range.count));
    }
    if (!range.may_ignore) {
      throw ValueError(
          fmt::format("{}: target is {}, which is ignored, at {}; no element of the target that was captured "
                      "was: capture it with "
                      "one that has some",
                      loss, index, position_text(i, target.shape)));
    }
    ++ignored;
  }
  return ignored;
}

ElementCheck::ElementCheck(Kind kind, std::string_view loss, std::string_view operand)
    : loss_(loss), operand_(operand), kind_(static_cast<std::int64_t>(kind)) {}

ElementCheck ElementCheck::range(std::string_view loss, std::string_view operand, double low, double high) {
  ElementCheck check(Kind::range, loss, operand);
  check.low_ = low;
  check.high_ = high;
  return check;
}

ElementCheck ElementCheck::interval(std::string_view owner, std::string_view operand, double low,
                                    double high) {
  ElementCheck check(Kind::interval, owner, operand);
  check.low_ = low;
  check.high_ = high;
  return check;
}

ElementCheck ElementCheck::above(std::string_view owner, std::string_view operand, double low) {
  ElementCheck check(Kind::above, owner, operand);
  check.low_ = low;
  check.high_ = std::numeric_limits<double>::infinity();
  return check;
}

ElementCheck ElementCheck::signs(std::string_view loss, std::string_view operand) {
  return {Kind::signs, loss, operand};
}

ElementCheck ElementCheck::classes(std::string_view loss, const ClassRange& range) {
  ElementCheck check(Kind::classes, loss, "target");
  check.classes_ = range.count;
  check.ignored_ = range.ignored;
  check.may_ignore_ = range.may_ignore;
  return check;
}

void ElementCheck::describe(Attributes& a) {
  a("loss", loss_);
  a("operand", operand_);
  a("kind", kind_);
  a("low", low_, 0);
  a("high", high_, 0);
  a("classes", classes_, 0);
  a("ignored", ignored_, 0);
  a("may_ignore", may_ignore_, false);
}

Tensor ElementCheck::on(const Tensor& x) const {
  if (core::is_listed_for_others()) return core::apply(*this, x);
  check(core::array_of(x));
  return x;
}

void ElementCheck::check(const core::Array& array) const {
  switch (static_cast<Kind>(kind_)) {
    case Kind::range:
      return check_range(loss_, operand_, array, low_, high_);
    case Kind::signs:
      return check_signs(loss_, operand_, array);
    case Kind::classes:
      static_cast<void>(check_classes(loss_, array, {classes_, ignored_, may_ignore_}));
      return;
    case Kind::interval:
    case Kind::above:
      return check_interval(loss_, operand_, array, {low_, high_, static_cast<Kind>(kind_) == Kind::above});
  }
  throw ValueError(fmt::format("{}: no such check: {}", name(), kind_));
}

void ElementCheck::eval(core::Inputs in, core::Outputs out) const {
  check(*in[0]);
  const std::size_t bytes = core::bytes_of(in[0]->shape, in[0]->dtype);
  if (bytes != 0 && in[0]->buffer.get() != out[0]->buffer.get())
    std::memcpy(out[0]->buffer.data(), in[0]->buffer.data(), bytes);
}

void ElementCheck::check_loaded(core::InputSpecs in, core::InputSpecs out) const {
  require_call(in, out, 1);
  core::require_attribute(kind_ >= 0 && kind_ <= static_cast<std::int64_t>(Kind::above), name(), "kind",
                          "from 0 to 4", kind_);
  const bool is_floating_point = core::FloatingTypes::contains(in[0]->dtype);
  switch (static_cast<Kind>(kind_)) {
    case Kind::range:
    case Kind::interval:
    case Kind::above:
      return require_floating(name(), in);
    case Kind::signs:
      if (!is_floating_point) core::require_dtype(name(), operand_, *in[0], Dtype::int64);
      return;
    case Kind::classes:
      return core::require_dtype(name(), operand_, *in[0], Dtype::int64);
  }
}

void ElementCheck::vjp(VjpContext& context) const { context.set(0, context.g()); }

}  // namespace xtgrad::v1::nn::detail
