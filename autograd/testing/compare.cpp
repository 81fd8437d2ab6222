// How results are compared with what is wanted.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {

void compare(Subject& subject, const Tensor& got, const Values& want, const Comparison& comparison) {
  const auto& [what, ulps, signed_zeros, scale, floor, more_ulps] = comparison;
  if (got.shape() != want.shape || got.numel() != static_cast<std::int64_t>(want.data.size())) {
    subject.fail(fmt::format("{}: shape {}, wanted {} of {} elements", what, to_string(got.shape()),
                             to_string(want.shape), want.data.size()));
    return;
  }
  const Values values = to_values(got);
  for (std::size_t i = 0; i < want.data.size(); ++i) {
    const Real a = values.data[i];
    const Real b = want.data[i];
    const Real size = std::max<Real>(scale == nullptr ? 0 : scale->data[i], floor);
    // Terms that cancel may leave the range on the way, in some orders of the sum.
    if (std::isfinite(size) && size > largest_number(got.dtype())) continue;
    const double error = ulps_between(a, b, got.dtype(), {.scale = size, .signed_zeros = signed_zeros});
    const double allowed = ulps + (more_ulps == nullptr ? 0 : static_cast<double>(more_ulps->data[i]));
    if (error <= allowed) continue;
    subject.fail(fmt::format("{}: element {} of {} is {}, wanted {} ({:.3g} ulps, {} allowed)", what, i,
                             to_string(got.shape()), digits(a, got.dtype()), digits(b, float64), error,
                             allowed));
  }
}

Values largest_everywhere(const Values& values) {
  return fill(values.shape, [largest = largest_of(values)](const Index&) { return largest; });
}

double gradient_floor(const Subject& subject, std::span<const Values> cotangents) {
  Real largest = 0;
  for (const Values& cotangent : cotangents) largest = std::max(largest, largest_of(cotangent));
  return subject.op.accuracy.gradient_floor * static_cast<double>(largest);
}

void compare_gradients(Subject& subject, const Tensor& got, const Tensor& want, Comparison comparison) {
  if (got.defined() != want.defined()) {
    subject.fail(fmt::format("{}: exists for one and not for the other", comparison.what));
  }
  if (!got.defined() || !want.defined()) return;
  const Values wanted = to_values(want);
  const Values scale = largest_everywhere(wanted);
  comparison.signed_zeros = false;
  comparison.scale = &scale;
  compare(subject, got, wanted, comparison);
}

namespace {

/// The inputs with their floating ones' elements changed.
template <class F>
std::vector<Values> with_elements(const Subject& subject, std::span<const Values> inputs, const F& f) {
  std::vector<Values> changed(inputs.begin(), inputs.end());
  for (const std::size_t i : subject.floating_inputs()) {
    for (Real& value : changed[i].data) value = f(value);
  }
  return changed;
}

/// The reference of the magnitudes: what the terms of a sum add up to before any cancels.
std::vector<Values> magnitudes_of(const Subject& subject, std::span<const Values> inputs) {
  return subject.reference(with_elements(subject, inputs, [](Real value) { return std::abs(value); }));
}

/// What Accuracy::ulps_per_addition allows at each element.
std::vector<Values> addition_ulps(const Subject& subject, std::span<const Values> inputs) {
  std::vector<Values> allowed =
      subject.reference(with_elements(subject, inputs, [](Real) { return Real{1}; }));
  for (Values& output : allowed) {
    for (Real& terms : output.data)
      terms = subject.op.accuracy.ulps_per_addition * std::max<Real>(terms - 1, 0);
  }
  return allowed;
}

}  // namespace

void compare_with_reference(Subject& subject, std::span<const Values> inputs, Dtype dtype,
                            std::string_view what, double ulps) {
  const testing::Accuracy& accuracy = subject.op.accuracy;
  const std::vector<Tensor> got = subject.apply(subject.tensors(inputs, dtype, false));
  const std::vector<Values> want = subject.reference(inputs);
  if (got.size() != want.size()) {
    return subject.fail(fmt::format("{}, {}: {} outputs, the reference has {}", what, to_string(dtype),
                                    got.size(), want.size()));
  }
  const std::vector<Values> scale =
      accuracy.by_magnitudes ? magnitudes_of(subject, inputs) : std::vector<Values>();
  const std::vector<Values> additions =
      accuracy.ulps_per_addition > 0 ? addition_ulps(subject, inputs) : std::vector<Values>();
  for (std::size_t k = 0; k < got.size(); ++k) {
    const Dtype expected = subject.op.result ? subject.op.result(dtype, k) : dtype;
    if (got[k].dtype() != expected) {
      subject.fail(of_output(
          k, got.size(),
          fmt::format("the result is {}, wanted {}", to_string(got[k].dtype()), to_string(expected))));
      continue;
    }
    const bool rounds = is_floating(expected);
    compare(subject, got[k], want[k],
            {.what = of_output(k, got.size(), fmt::format("{}, {}", what, to_string(dtype))),
             .ulps = rounds ? ulps : 0,
             .signed_zeros = accuracy.signed_zeros,
             .scale = scale.empty() ? nullptr : &scale[k],
             .floor = accuracy.floor,
             .more_ulps = rounds && !additions.empty() ? &additions[k] : nullptr});
  }
}

}  // namespace xtgrad::v1::detail::checks
