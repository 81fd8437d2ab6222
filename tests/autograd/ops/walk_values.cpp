// The walk's checks of values: the node made, agreement with the reference, and nasty values.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tests/autograd/ops/op_walk.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::testing {
namespace {

/// The reference of the magnitudes: what the terms of a sum add up to before any cancels.
Values magnitudes_of(const Sample& sample, std::vector<Values> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (sample.inputs[i].role != Role::floating) continue;
    for (Real& value : inputs[i].data) value = std::abs(value);
  }
  return sample.reference(inputs);
}

/// What Accuracy::ulps_per_addition allows at each element.
Values addition_ulps(const Op& op, const Sample& sample, std::vector<Values> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (sample.inputs[i].role != Role::floating) continue;
    for (Real& value : inputs[i].data) value = 1;
  }
  Values allowed = sample.reference(inputs);
  for (Real& terms : allowed.data) terms = op.accuracy.ulps_per_addition * std::max<Real>(terms - 1, 0);
  return allowed;
}

void compare_with_reference(const Op& op, const Sample& sample, const std::vector<Values>& inputs,
                            Dtype dtype, std::string_view what, Findings& findings, double ulps) {
  const Tensor got = sample.apply(make_inputs(sample, inputs, dtype, false));
  const Dtype expected = sample.result ? sample.result(dtype) : dtype;
  if (got.dtype() != expected) {
    findings.add(sample,
                 fmt::format("the result is {}, wanted {}", to_string(got.dtype()), to_string(expected)));
    return;
  }
  const Values scale = op.accuracy.by_magnitudes ? magnitudes_of(sample, inputs) : Values{};
  const bool counts = op.accuracy.ulps_per_addition > 0 && is_floating(expected);
  const Values more_ulps = counts ? addition_ulps(op, sample, inputs) : Values{};
  compare(findings, got, sample.reference(inputs),
          {.sample = sample,
           .what = fmt::format("{}, {}", what, to_string(dtype)),
           .ulps = is_floating(expected) ? ulps : 0,
           .signed_zeros = op.accuracy.signed_zeros,
           .scale = op.accuracy.by_magnitudes ? &scale : nullptr,
           .floor = op.accuracy.floor,
           .more_ulps = counts ? &more_ulps : nullptr});
}

double nasty_ulps(const Op& op) { return std::max(op.accuracy.ulps, op.accuracy.nasty_ulps); }

/// The dtypes that are not floating and that the operation takes.
std::vector<Dtype> other_dtypes(const Op& op) {
  if (op.accepts == Accepts::floating) return {};
  if (op.accepts == Accepts::numbers) return {int64};
  return {int64, int32, uint8, boolean};
}

Sample with_dtype_domain(Sample sample, Dtype dtype) {
  for (Input& input : sample.inputs) {
    if (input.role != Role::floating) continue;
    input.domain = dtype == boolean ? Domain{.low = 0, .high = 1, .whole = true}
                   : dtype == uint8 ? Domain{.low = 0, .high = 255, .whole = true}
                                    : Domain{.low = -1000, .high = 1000, .whole = true};
  }
  return sample;
}

void check_is_recorded(const Op& op, const Sample& sample, Findings& findings) {
  Random random = random_for(op, Check::recorded);
  const std::vector<Values> values = draw_inputs(sample, float64, random);
  const std::vector<Tensor> inputs = make_inputs(sample, values, float64, true);
  const Tensor y = sample.apply(inputs);
  if (op.kind == Kind::constant) {
    if (y.requires_grad() || !y.is_leaf()) findings.add(sample, "is recorded, but has no derivative");
    return;
  }
  if (y.is_leaf() || !y.requires_grad()) {
    findings.add(sample, "is not recorded");
    return;
  }
  if (sample.combined) {
    if (op.kind == Kind::primitive && graph_of(y).count(detail::to_string(op.id)) == 0)
      findings.add(sample, "no node of it is recorded");
    return;
  }
  const std::string_view made = operation_node(y).primitive().name();
  if (op.kind == Kind::primitive && made != detail::to_string(op.id)) {
    findings.add(sample, fmt::format("made a node of {}", made));
  }
  if (op.kind == Kind::composite && made == detail::to_string(op.id))
    findings.add(sample, "is a composite, but made a node of its own");
  const NoGrad no_grad;
  if (sample.apply(inputs).requires_grad()) findings.add(sample, "is recorded under NoGrad");
}

}  // namespace

void check_recorded(const Op& op, Findings& findings) {
  if (op.registrations != 1) {
    findings.add("", fmt::format("has {} registrations of samples, needs one: OpSamples(OpId::{}, ...) in "
                                 "tests/autograd/ops/samples/",
                                 op.registrations, detail::to_string(op.id)));
    return;
  }
  if (op.samples.empty()) findings.add("", "its registration has no samples");
  for (const Sample& sample : op.samples) {
    if (!sample.reference) findings.add(sample, "a sample has no reference");
    check_is_recorded(op, sample, findings);
  }
}

void check_values(const Op& op, Findings& findings) {
  Random random = random_for(op, Check::values);
  for (const Sample& sample : op.samples) {
    for (const Dtype dtype : {float32, float64}) {
      compare_with_reference(op, sample, draw_inputs(sample, dtype, random), dtype, "value", findings,
                             op.accuracy.ulps);
    }
    for (const Dtype dtype : other_dtypes(op)) {
      if (!sample.integers) continue;
      const Sample whole = with_dtype_domain(sample, dtype);
      compare_with_reference(op, whole, draw_inputs(whole, dtype, random), dtype, "value", findings,
                             op.accuracy.ulps);
    }
  }
}

namespace {

/// Every combination of nasty elements, one list for each input, all of one length.
std::vector<Values> nasty_combinations(const Sample& sample, Dtype dtype) {
  std::vector<std::vector<Real>> lists(1);
  std::size_t length = 1;
  std::vector<Values> columns;
  for (const Input& input : sample.inputs) {
    const std::vector<double> choices = nasty_values(input.role == Role::mask ? boolean : dtype);
    for (Values& column : columns) {
      std::vector<Real> longer;
      for (const Real value : column.data) longer.insert(longer.end(), choices.size(), value);
      column.data = std::move(longer);
    }
    Values column;
    for (std::size_t i = 0; i < length; ++i)
      column.data.insert(column.data.end(), choices.begin(), choices.end());
    length *= choices.size();
    columns.push_back(std::move(column));
  }
  for (Values& column : columns) column.shape = {static_cast<std::int64_t>(length)};
  return columns;
}

/// The same as rows against columns: broadcasting must not change a bit.
void check_broadcast_pairs(const Op& op, const Sample& sample, Dtype dtype, const Tensor& flat,
                           Findings& findings) {
  const std::vector<double> choices = nasty_values(dtype);
  const auto n = static_cast<std::int64_t>(choices.size());
  const std::vector<Values> pair = {{{n, 1}, {choices.begin(), choices.end()}},
                                    {{n}, {choices.begin(), choices.end()}}};
  const Tensor got = sample.apply(make_inputs(sample, pair, dtype, false));
  const Values want{{n, n}, to_values(flat).data};
  compare(findings, got, want,
          {.sample = sample,
           .what = fmt::format("broadcast pairs against equal shapes, {}", to_string(dtype)),
           .signed_zeros = op.accuracy.signed_zeros});
}

/// Gradients at nasty values: whatever they are, both evaluators agree on them.
void check_nasty_gradients(const Op& op, const Sample& sample, const std::vector<Values>& values, Dtype dtype,
                           Findings& findings) {
  const std::vector<Tensor> inputs = make_inputs(sample, values, dtype, true);
  const Tensor y = sample.apply(inputs);
  if (op.kind == Kind::constant) return;
  Random random = random_for(op, Check::nasty);
  const Input like_output{.shape = y.shape(), .domain = {.low = 0.5, .high = 2}};
  const Values cotangent = rounded(draw(std::span(&like_output, 1), random)[0], dtype);
  const std::vector<Tensor> on_lanes = gradients_of(sample, inputs, cotangent);
  const std::vector<Tensor> on_tensors = gradients_of(sample, inputs, cotangent, {.create_graph = true});
  for (std::size_t i = 0; i < on_lanes.size(); ++i) {
    if (on_lanes[i].defined() != on_tensors[i].defined()) {
      findings.add(sample, fmt::format("gradient {} exists for one evaluator alone", i));
    }
    if (!on_lanes[i].defined() || !on_tensors[i].defined()) continue;
    const Values want = to_values(on_tensors[i]);
    const Values scale = largest_everywhere(want);
    compare(
        findings, on_lanes[i], want,
        {.sample = sample,
         .what = fmt::format("gradient {} at nasty values, lanes against tensors, {}", i, to_string(dtype)),
         .ulps = op.accuracy.gradient_ulps,
         .signed_zeros = false,
         .scale = op.elementwise_operations.empty() ? &scale : nullptr,
         .floor = gradient_floor(op, cotangent)});
  }
}

void check_nasty_elementwise(const Op& op, const Sample& sample, Findings& findings) {
  for (const Dtype dtype : {float32, float64}) {
    const std::vector<Values> values = nasty_combinations(sample, dtype);
    compare_with_reference(op, sample, values, dtype, "nasty value", findings, nasty_ulps(op));
    check_nasty_gradients(op, sample, values, dtype, findings);
    if (sample.inputs.size() == 2 && sample.inputs[0].role == Role::floating) {
      const Tensor flat = sample.apply(make_inputs(sample, values, dtype, false));
      check_broadcast_pairs(op, sample, dtype, flat, findings);
    }
  }
  for (const Dtype dtype : other_dtypes(op)) {
    if (sample.integers) {
      compare_with_reference(op, sample, nasty_combinations(sample, dtype), dtype, "nasty value", findings,
                             nasty_ulps(op));
    }
  }
}

/// Puts each nasty value into one place of an input, then into all of them.
void check_nasty_places(const Op& op, const Sample& sample, std::size_t input, Dtype dtype,
                        Findings& findings) {
  Random random = random_for(op, Check::nasty);
  for (const double nasty : nasty_values(dtype)) {
    for (const bool everywhere : {false, true}) {
      std::vector<Values> values = draw_inputs(sample, dtype, random);
      std::vector<Real>& elements = values[input].data;
      if (elements.empty()) continue;
      if (everywhere) {
        elements.assign(elements.size(), nasty);
      } else {
        elements[static_cast<std::size_t>(random.next_below(static_cast<std::int64_t>(elements.size())))] =
            nasty;
      }
      const std::string what =
          fmt::format("{} {} input {}", digits(nasty, dtype), everywhere ? "all over" : "in", input);
      compare_with_reference(op, sample, values, dtype, what, findings, nasty_ulps(op));
      check_nasty_gradients(op, sample, values, dtype, findings);
    }
  }
}

}  // namespace

void check_nasty(const Op& op, Findings& findings) {
  for (const Elementwise& operation : op.elementwise_operations) {
    const Op alone = [&] {
      Op one(op.id);
      one.salt = op.salt;
      one.elementwise(operation);
      return one;
    }();
    check_nasty_elementwise(op, alone.samples.front(), findings);
  }
  for (const Sample& sample : op.samples) {
    if (!sample.nasty) continue;
    for (std::size_t i = 0; i < sample.inputs.size(); ++i) {
      if (sample.inputs[i].role != Role::floating) continue;
      for (const Dtype dtype : {float32, float64}) check_nasty_places(op, sample, i, dtype, findings);
    }
  }
}

}  // namespace xtgrad::testing
