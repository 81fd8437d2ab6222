#include "xtgrad/autograd/observe/nan_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/observe/module_ledger.h"

namespace xtgrad::inline v1 {
namespace {

using detail::Array;

/// What a guard asks of an array.
struct Census {
  std::int64_t bad = 0;         // elements that are not finite, or not a number
  std::int64_t first_bad = -1;  // in row-major order
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

Census census_of(const Array& array, bool infinities) {
  Census census;
  detail::visit_floating(array.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* data = array.data<T>();
    const std::int64_t n = array.numel();
    for (std::int64_t i = 0; i < n; ++i) {
      const auto value = static_cast<double>(data[i]);
      if (std::isnan(value) || (infinities && std::isinf(value))) {
        if (census.bad++ == 0) census.first_bad = i;
      } else {
        census.low = std::min(census.low, value);
        census.high = std::max(census.high, value);
      }
    }
  });
  return census;
}

double element(const Array& array, std::int64_t i) {
  return detail::visit_floating(
      array.dtype, [&](auto zero) { return static_cast<double>(array.data<decltype(zero)>()[i]); });
}

std::string place_of(const Shape& shape, std::int64_t offset) {
  std::vector<std::int64_t> place(shape.rank());
  for (std::size_t d = place.size(); d-- > 0; offset /= shape[d]) place[d] = offset % shape[d];
  std::string text;
  for (const std::int64_t index : place) text += fmt::format("{}{}", text.empty() ? "" : ", ", index);
  return "[" + text + "]";
}

}  // namespace

class NanGuard::Watch final : public detail::Watcher {
 public:
  explicit Watch(const NanGuardOptions& options) : options_(options), scope_(*this) {}

  /// An operation may write over an input, so that is looked at before.
  void before_eval(const detail::Primitive&, detail::Inputs in, detail::Outputs) override {
    inputs_.clear();
    inputs_are_fine_ = !in.empty();
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!is_floating(in[i]->dtype)) continue;
      const Census census = census_of(*in[i], options_.infinities);
      inputs_are_fine_ = inputs_are_fine_ && census.bad == 0;
      inputs_ += fmt::format("{}input {} is {} {}{}", inputs_.empty() ? "" : ", ", i, to_string(in[i]->dtype),
                             to_string(in[i]->shape),
                             census.low > census.high
                                 ? std::string()
                                 : fmt::format(" from {:.6g} to {:.6g}", census.low, census.high));
    }
  }

  void after_eval(const detail::Primitive& primitive, detail::Inputs, detail::Outputs out) override {
    ledger_.mark();
    if (!inputs_are_fine_) return;
    for (const Array* array : out) {
      if (array == nullptr || !is_floating(array->dtype)) continue;
      const Census census = census_of(*array, options_.infinities);
      if (census.bad == 0) continue;
      throw NonFiniteError(fmt::format(
          "nan_guard: {}{} gave {} at {}, {} of {} elements: {}", detail::without_number(primitive.name()),
          where_it_ran(), element(*array, census.first_bad), place_of(array->shape, census.first_bad),
          census.bad, array->numel(), inputs_.empty() ? "no floating inputs" : inputs_));
    }
  }

  /// The rule or the `custom_vjp` function that the operation at hand is a part of.
  [[nodiscard]] std::string where_it_ran() const {
    const char* const function = detail::thread_state.refused_by;
    if (function != nullptr) return fmt::format(", in {},", function);
    return ledger_.rule().empty()
               ? std::string()
               : fmt::format(", in the rule of {},", detail::without_number(ledger_.rule()));
  }

  void before_rule(const detail::Node& node, const Tensor&) override { ledger_.enter(node); }
  void leave_rule(const detail::Node& node) noexcept override { ledger_.leave(&node); }
  void enter_module(const detail::ModuleScope& module) noexcept override { ledger_.enter(module); }
  void leave_module(const detail::ModuleScope& module) noexcept override { ledger_.leave(&module); }
  void locate(Error& error) const override { ledger_.locate(error); }

 private:
  NanGuardOptions options_;
  bool inputs_are_fine_ = false;
  std::string inputs_;  // of the operation at hand, for the message
  detail::ModuleLedger ledger_;
  detail::WatchScope scope_;
};

NanGuard::NanGuard(const NanGuardOptions& options) : watch_(std::make_unique<Watch>(options)) {}
NanGuard::~NanGuard() = default;

}  // namespace xtgrad::v1
