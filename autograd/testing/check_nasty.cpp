// Nasty values: every combination of them for elementwise operations, one place at a time for others.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {
namespace {

double nasty_ulps(const Subject& subject) {
  return std::max(subject.op.accuracy.ulps, subject.op.accuracy.nasty_ulps);
}

/// The nasty values that the operation says it takes.
std::vector<double> taken_values(const Subject& subject, Dtype dtype) {
  std::vector<double> taken;
  for (const double value : testing::nasty_values(dtype)) {
    if (!subject.op.takes || subject.op.takes(value)) taken.push_back(value);
  }
  return taken;
}

/// What an input is tried with: indices are as they are, for others would mean nothing.
std::vector<double> choices_for(const Subject& subject, std::size_t input, Dtype dtype) {
  const Dtype own = subject.op.inputs[input].dtype();
  if (subject.is_floating(input)) return taken_values(subject, dtype);
  if (own == boolean) return testing::nasty_values(boolean);
  const Values point = to_values(subject.op.inputs[input]);
  return {point.data.begin(), point.data.end()};
}

/// Every combination of nasty elements, one list for each input, all of one length.
std::vector<Values> combinations(const Subject& subject, Dtype dtype) {
  std::size_t length = 1;
  std::vector<Values> columns;
  for (std::size_t i = 0; i < subject.op.inputs.size(); ++i) {
    const std::vector<double> choices = choices_for(subject, i, dtype);
    for (Values& column : columns) {
      std::vector<Real> longer;
      for (const Real value : column.data) longer.insert(longer.end(), choices.size(), value);
      column.data = std::move(longer);
    }
    Values column;
    for (std::size_t k = 0; k < length; ++k)
      column.data.insert(column.data.end(), choices.begin(), choices.end());
    length *= choices.size();
    columns.push_back(std::move(column));
  }
  for (Values& column : columns) column.shape = {static_cast<std::int64_t>(length)};
  return columns;
}

/// The same as rows against columns: broadcasting must not change a bit.
void check_broadcast_pairs(Subject& subject, Dtype dtype, std::span<const Values> flat) {
  const std::vector<double> choices = taken_values(subject, dtype);
  const auto n = static_cast<std::int64_t>(choices.size());
  const std::vector<Values> pair = {{{n, 1}, {choices.begin(), choices.end()}},
                                    {{n}, {choices.begin(), choices.end()}}};
  const std::vector<Tensor> want = subject.apply(subject.tensors(flat, dtype, false));
  const std::vector<Tensor> got = subject.apply(subject.tensors(pair, dtype, false));
  for (std::size_t k = 0; k < got.size(); ++k) {
    compare(subject, got[k], {{n, n}, to_values(want[k]).data},
            {.what = of_output(k, got.size(),
                               fmt::format("broadcast pairs against equal shapes, {}", to_string(dtype))),
             .signed_zeros = subject.op.accuracy.signed_zeros});
  }
}

/// Gradients at nasty values: whatever they are, both evaluators agree on them.
void check_gradients(Subject& subject, std::span<const Values> values, Dtype dtype) {
  if (subject.op.order == 0) return;
  const std::vector<Tensor> inputs = subject.tensors(values, dtype, true);
  Random random = subject.random();
  const std::vector<Values> cotangents =
      draw_cotangents(subject.apply(inputs), 0.5, 2, Signs::positive, random);
  const std::vector<Tensor> wanted = subject.differentiable_of(inputs);
  const std::vector<Tensor> plain = subject.gradients(inputs, wanted, cotangents, false);
  const std::vector<Tensor> recorded = subject.gradients(inputs, wanted, cotangents, true);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (plain[i].defined() != recorded[i].defined()) {
      subject.fail(fmt::format("gradient {} exists for one evaluator alone", i));
    }
    if (!plain[i].defined() || !recorded[i].defined()) continue;
    const Values want = to_values(recorded[i]);
    const Values scale = largest_everywhere(want);
    compare(
        subject, plain[i], want,
        {.what = fmt::format("gradient {} at nasty values, plain against recorded, {}", i, to_string(dtype)),
         .ulps = subject.op.accuracy.gradient_ulps,
         .signed_zeros = false,
         .scale = subject.is_elementwise() ? nullptr : &scale,
         .floor = gradient_floor(subject, cotangents)});
  }
}

void check_combinations(Subject& subject, Dtype dtype) {
  const std::vector<Values> values = combinations(subject, dtype);
  compare_with_reference(subject, values, dtype, "nasty value", nasty_ulps(subject));
  if (!is_floating(dtype)) return;
  check_gradients(subject, values, dtype);
  if (subject.op.broadcasts && values.size() == 2 && subject.floating_inputs().size() == 2)
    check_broadcast_pairs(subject, dtype, values);
}

/// Puts each nasty value into one place of an input, then into all of them.
void check_places(Subject& subject, std::size_t input, Dtype dtype, Random& random) {
  for (const double nasty : taken_values(subject, dtype)) {
    for (const bool everywhere : {false, true}) {
      std::vector<Values> values = subject.point(dtype);
      std::vector<Real>& elements = values[input].data;
      if (elements.empty()) continue;
      if (everywhere) {
        elements.assign(elements.size(), nasty);
      } else {
        elements[static_cast<std::size_t>(random.next_below(static_cast<std::int64_t>(elements.size())))] =
            nasty;
      }
      if (subject.has_reference()) {
        const std::string what =
            fmt::format("{} {} input {}", digits(nasty, dtype), everywhere ? "all over" : "in", input);
        compare_with_reference(subject, values, dtype, what, nasty_ulps(subject));
      }
      check_gradients(subject, values, dtype);
    }
  }
}

}  // namespace

void check_nasty(Subject& subject) {
  // Of four inputs there would be half a million combinations.
  const bool combine = subject.is_elementwise() && subject.op.inputs.size() <= 3;
  Random random = subject.random();
  for (const Dtype dtype : subject.floating_dtypes()) {
    if (combine) {
      check_combinations(subject, dtype);
      continue;
    }
    for (const std::size_t i : subject.floating_inputs()) check_places(subject, i, dtype, random);
  }
  if (!combine) return;
  for (const Dtype dtype : subject.other_dtypes()) check_combinations(subject, dtype);
}

}  // namespace xtgrad::v1::detail::checks
