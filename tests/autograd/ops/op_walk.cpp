#include "tests/autograd/ops/op_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/grad.h"

namespace xtgrad::testing {

std::string_view to_string(Check check) {
  switch (check) {
    case Check::recorded:
      return "recorded";
    case Check::values:
      return "values";
    case Check::nasty:
      return "nasty values";
    case Check::exact:
      return "exact points";
    case Check::derivatives:
      return "derivatives";
    case Check::evaluators:
      return "evaluators";
    case Check::adjoint:
      return "adjoint";
    case Check::errors:
      return "errors";
    case Check::release:
      return "release";
    case Check::again:
      return "again";
  }
  return "?";
}

void Findings::add(std::string_view attributes, std::string_view what) {
  constexpr std::size_t most = 6;
  if (kept_.size() == most) {
    ++dropped_;
    return;
  }
  kept_.push_back(
      fmt::format("{}({}), {}: {}", detail::to_string(op_.id), attributes, to_string(check_), what));
}

std::vector<std::string> Findings::take() {
  if (dropped_ > 0) kept_.push_back(fmt::format("{}: and {} more", detail::to_string(op_.id), dropped_));
  return std::move(kept_);
}

std::vector<std::string> findings_of(const Op& op, Check check) {
  Findings findings(op, check);
  try {
    switch (check) {
      case Check::recorded:
        check_recorded(op, findings);
        break;
      case Check::values:
        check_values(op, findings);
        break;
      case Check::nasty:
        check_nasty(op, findings);
        break;
      case Check::exact:
        check_exact(op, findings);
        break;
      case Check::derivatives:
        check_derivatives(op, findings);
        break;
      case Check::evaluators:
        check_evaluators(op, findings);
        break;
      case Check::adjoint:
        check_adjoint(op, findings);
        break;
      case Check::errors:
        check_errors(op, findings);
        break;
      case Check::release:
        check_release(op, findings);
        break;
      case Check::again:
        check_again(op, findings);
        break;
    }
  } catch (const std::exception& error) {
    findings.add("", fmt::format("threw \"{}\"", error.what()));
  }
  return findings.take();
}

void compare(Findings& findings, const Tensor& got, const Values& want, const Comparison& comparison) {
  const auto& [sample, what, ulps, signed_zeros, scale, floor, more_ulps] = comparison;
  if (got.shape() != want.shape) {
    findings.add(sample,
                 fmt::format("{}: shape {}, wanted {}", what, to_string(got.shape()), to_string(want.shape)));
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
    findings.add(sample, fmt::format("{}: element {} of {} is {}, wanted {} ({:.3g} ulps, {} allowed)", what,
                                     i, to_string(got.shape()), digits(a, got.dtype()), digits(b, float64),
                                     error, allowed));
  }
}

namespace {

/// The largest finite size in an array.
Real largest_of(const Values& values) {
  Real largest = 0;
  for (const Real value : values.data) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  return largest;
}

}  // namespace

Values largest_everywhere(const Values& values) {
  return fill(values.shape, [largest = largest_of(values)](const Index&) { return largest; });
}

double gradient_floor(const Op& op, const Values& cotangent) {
  return op.accuracy.gradient_floor * static_cast<double>(largest_of(cotangent));
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

Sample with_integers(Sample sample) {
  for (Input& input : sample.inputs) {
    if (input.role == Role::floating) input.domain = {.low = -4, .high = 4, .whole = true};
  }
  return sample;
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

std::vector<Tensor> gradients_of(const Sample& sample, std::span<const Tensor> inputs,
                                 const Values& cotangent, const GradientOptions& options) {
  const Tensor y = sample.apply(inputs);
  const Tensor g = to_tensor(cotangent, y.dtype(), options.create_graph);
  const std::vector<Tensor> wanted = differentiable_of(sample, inputs);
  return grad(std::span(&y, 1), wanted,
              {.cotangents = {g}, .create_graph = options.create_graph, .allow_unused = true});
}

}  // namespace xtgrad::testing
