#include "xtgrad/autograd/check/failure.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>

namespace xtgrad::inline v1::detail {
namespace {

using Result = CheckGradsReport::Result;

/// The vector with all but one range set to zero.
Values masked(const Values& values, const Block& range) {
  Values result(values.size(), 0.0);
  for (std::size_t i = range.begin; i < range.end; ++i) result[i] = values[i];
  return result;
}

/// Narrows a range down to one element: `left_share(left half)` says how much of `total` the left half has.
template <class Share>
std::size_t bisect(Block range, double total, Share left_share) {
  while (range.size() > 1) {
    const std::size_t middle = range.begin + range.size() / 2;
    const double left = left_share(Block{range.begin, middle});
    const bool go_left = std::abs(left) >= std::abs(total - left) || !std::isfinite(left);
    total = go_left ? left : total - left;
    (go_left ? range.end : range.begin) = middle;
  }
  return range.begin;
}

/// "output 0 [2, 3]"; the name alone for a 0-d tensor.
std::string place_text(const std::string& name, const std::vector<std::int64_t>& index) {
  return index.empty() ? name : fmt::format("{} [{}]", name, fmt::join(index, ", "));
}

}  // namespace

double printable(double x) { return std::isnan(x) ? std::numeric_limits<double>::quiet_NaN() : x; }

bool FailureReport::fail(Result result, const std::string& what) {
  report_.result = result;
  report_.message = fmt::format("check_grads: {}: {}", point_.options().name, what);
  return false;
}

void FailureReport::set_output_place(std::size_t output, std::size_t element) {
  report_.output = point_.problem().output_names[output];
  report_.output_element = index_of(point_.output_shape(output), element);
}

void FailureReport::set_input_place(std::size_t input, std::size_t element) {
  report_.input = point_.problem().input_names[input];
  report_.input_element = index_of(point_.input_shape(input), element);
}

std::string FailureReport::output_place() const { return place_text(report_.output, report_.output_element); }
std::string FailureReport::input_place() const { return place_text(report_.input, report_.input_element); }

bool FailureReport::wrong(const ComparedPlace& where, const BlockDerivative& derivative,
                          const Comparison& found) {
  const double total = dot(where.u, derivative.value.data()) -
                       dot(where.v, point_.pull(where.output, where.u)[where.input].data());
  const std::size_t r = bisect({0, where.u.size()}, total, [&](const Block& half) {
    const Values u = masked(where.u, half);
    return dot(u, derivative.value.data()) - dot(where.v, point_.pull(where.output, u)[where.input].data());
  });
  Values unit(where.u.size(), 0.0);
  unit[r] = 1;
  const Values gradient = point_.pull(where.output, unit)[where.input];
  const auto numeric_along = [&](const Values& v) {
    const LineDerivative line = point_.differentiate(where.input, v);
    return line.derivative(where.output) ? line.derivative(where.output)->value[r] : derivative.value[r];
  };
  const double row_total = derivative.value[r] - dot(where.v, gradient.data());
  const std::size_t e = bisect({0, where.v.size()}, row_total, [&](const Block& half) {
    const Values v = masked(where.v, half);
    return numeric_along(v) - dot(v, gradient.data());
  });
  set_output_place(where.output, r);
  set_input_place(where.input, e);
  report_.numeric = numeric_along(masked(where.v, {e, e + 1})) / where.v[e];
  report_.analytic = gradient[e];
  report_.step = derivative.step * std::abs(where.v[e]);
  report_.smallest_detectable = found.relative(found.threshold);
  const char* flat =
      report_.numeric == 0 && report_.analytic != 0
          ? " (f does not change at all over this step: the rule is wrong, or rounding hides the change)"
          : "";
  // A random direction may hide a part of the error, or show more than its share.
  const char* where_seen = point_.options().full_jacobian ? "for this entry" : "along one random direction";
  return fail(
      Result::wrong,
      fmt::format(
          "wrong gradient at order {}: d {} / d {} is {:.10g} by differences of values and {:.10g} by "
          "the rules{}; {} the relative error is {:.1e}, and {:.1e} would have been "
          "noticed; seed {}, h {:.2g}",
          point_.problem().order, output_place(), input_place(), printable(report_.numeric),
          printable(report_.analytic), flat, where_seen, printable(found.relative(found.difference())),
          found.relative(found.threshold), point_.options().seed, report_.step));
}

bool FailureReport::irregular(std::size_t input, const Values& v, std::size_t output,
                              const Irregularity& found) {
  using Kind = Irregularity::Kind;
  const std::size_t r = found.result;
  set_output_place(output, r - point_.block(output).begin);
  report_.step = found.step;
  if (found.kind == Kind::not_finite) {
    report_.input = point_.problem().input_names[input];
    return fail(
        Result::not_finite,
        fmt::format(
            "{} is not finite when {} moves by {:.1g} of its size, although it is at x: x is at the edge "
            "of the domain of f; order {}, seed {}",
            output_place(), report_.input, found.step, point_.problem().order, point_.options().seed));
  }
  const auto size_along = [&](const Values& direction) {
    const double up = point_.evaluate_along(input, direction, found.step)[r];
    const double down = point_.evaluate_along(input, direction, -found.step)[r];
    return found.kind == Kind::jump ? up - down : (up - point_.center()[r]) - (point_.center()[r] - down);
  };
  const std::size_t e =
      bisect({0, v.size()}, size_along(v), [&](const Block& half) { return size_along(masked(v, half)); });
  set_input_place(input, e);
  Values single(v.size(), 0.0);
  single[e] = std::abs(v[e]);
  const double up = point_.evaluate_along(input, single, found.step)[r];
  const double down = point_.evaluate_along(input, single, -found.step)[r];
  const double h = found.step * single[e];
  report_.step = h;
  const std::string advice = "derivatives can be checked beside it: move x, or pass {.avoid_kinks = true}";
  if (found.kind == Kind::jump) {
    return fail(Result::kink,
                fmt::format("jump near x at order {}: {} goes from {:.6g} to {:.6g} where {} passes {:.6g} "
                            "(h {:.2g}); {}; seed {}",
                            point_.problem().order, output_place(), down, up, input_place(),
                            values_of(point_.problem().inputs[input])[e], h, advice, point_.options().seed));
  }
  return fail(Result::kink,
              fmt::format("kink near x at order {}: {} has slope {:.6g} below and {:.6g} above {} = {:.6g} "
                          "(h {:.2g}); {}; seed {}",
                          point_.problem().order, output_place(), (point_.center()[r] - down) / h,
                          (up - point_.center()[r]) / h, input_place(),
                          values_of(point_.problem().inputs[input])[e], h, advice, point_.options().seed));
}

bool FailureReport::inconclusive(std::size_t input, std::size_t output, double noticed) {
  report_.input = point_.problem().input_names[input];
  report_.output = point_.problem().output_names[output];
  const std::string blind = std::isfinite(noticed) ? fmt::format("no error below {:.1e} of its size", noticed)
                                                   : std::string("no error of any size");
  return fail(
      Result::inconclusive,
      fmt::format(
          "inconclusive at order {}: in d {} / d {} {} would be noticed, and {:.1e} is asked for: the "
          "values of f carry too much rounding or noise, or change too fast near x (does f convert to "
          "float32, cancel large numbers, or draw random ones?); seed {}",
          point_.problem().order, report_.output, report_.input, blind, point_.options().coarsest,
          point_.options().seed));
}

}  // namespace xtgrad::v1::detail
