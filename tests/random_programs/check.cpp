#include "tests/random_programs/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tests/random_programs/numerical.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/step_list.h"
#include "xtgrad/nn/capture.h"

namespace xtgrad::random_programs {
namespace {

/// The loss, then the gradients in the floating leaves; an empty handle where there is none.
std::vector<Tensor> loss_and_gradients(const Tensor& loss, std::span<const Tensor> leaves) {
  std::vector<Tensor> all{loss.detach()};
  if (!loss.requires_grad()) return all;
  const std::vector<Tensor> variables = floating_of(leaves);
  for (Tensor& gradient : grad({loss}, variables, {.allow_unused = true})) all.push_back(std::move(gradient));
  return all;
}

std::string first_difference(const std::vector<Tensor>& found, const std::vector<Tensor>& wanted) {
  if (found.size() != wanted.size()) return fmt::format("{} results, wanted {}", found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool both = found[i].defined() && wanted[i].defined();
    if (both ? testing::same_bits(found[i], wanted[i]) : found[i].defined() == wanted[i].defined()) continue;
    return i == 0 ? "the loss has other bits" : fmt::format("gradient {} has other bits", i - 1);
  }
  return {};
}

Verdict check_checkpoint(const Program& program) {
  const std::vector<Tensor> leaves = leaves_of(program, float64, true);
  const auto f = [&] { return loss_of(program, run(program, leaves, float64)); };
  return {.failure =
              first_difference(loss_and_gradients(checkpoint(f), leaves), loss_and_gradients(f(), leaves))};
}

Verdict check_again(const Program& program) {
  const std::vector<Tensor> leaves = leaves_of(program, float64, true);
  StepList steps;
  for (std::size_t i = 0; i < leaves.size(); ++i) steps.set_name(fmt::format("v{}", i), leaves[i]);
  static_cast<void>(loss_and_gradients(loss_of(program, run(program, leaves, float64)), leaves));
  return {.failure = steps.run_again()};
}

Verdict check_replay(const Program& program, std::uint64_t seed) {
  const auto f = [&program](const std::vector<Tensor>& leaves) {
    std::vector<Tensor> all = loss_and_gradients(loss_of(program, run(program, leaves, float64)), leaves);
    std::erase_if(all, [](const Tensor& each) { return !each.defined(); });
    return all;
  };
  auto replay = capture(f, leaves_of(program, float64, true));
  Random random(seed);
  for (int round = 0; round < 2; ++round) {
    std::vector<Tensor> other = leaves_of(program, float64, false);
    for (Tensor& leaf : other) {
      if (!is_floating(leaf.dtype())) continue;
      // Nearby, so that every operand stays where its operation is defined.
      const double factor = 1 + 1e-3 * random.next_uniform();
      leaf = (leaf * factor).detach().set_requires_grad(true);
    }
    const std::string difference = first_difference(replay(other), f(other));
    if (!difference.empty()) return {.failure = difference};
  }
  return {};
}

/// The outputs and the gradients of the loss.
std::vector<Tensor> outputs_and_gradients(const Program& program, Dtype dtype, const OnValue& on_value) {
  const std::vector<Tensor> leaves = leaves_of(program, dtype, true);
  const std::vector<Tensor> values = run(program, leaves, dtype, on_value);
  std::vector<Tensor> all;
  for (const std::size_t output : program.outputs) all.push_back(values[output].detach());
  for (Tensor& gradient : loss_and_gradients(loss_of(program, values), leaves))
    all.push_back(std::move(gradient));
  return all;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = testing::values(a), y = testing::values(b);
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!(std::abs(x[i] - y[i]) <= largest)) largest = std::abs(x[i] - y[i]);
  }
  return largest;
}

/// What float32 may do to each of the results: what errors of that size, put into every value between steps
/// in float64, do to them, forward and backward.
std::vector<double> effects_of_roundings(const Program& program, const std::vector<Tensor>& exact,
                                         std::uint64_t seed) {
  Random random(seed);
  std::vector<double> effects(exact.size(), 0);
  for (int draw = 0; draw < 3; ++draw) {
    const auto rounded = [&](std::size_t, const Tensor& value) {
      std::vector<double> factors;
      for (std::int64_t i = 0; i < value.numel(); ++i)
        factors.push_back(random.next_below(2) == 0 ? 1 + 0x1p-24 : 1 - 0x1p-24);
      return value * from_span(std::span<const double>(factors), value.shape());
    };
    const std::vector<Tensor> other = outputs_and_gradients(program, float64, rounded);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      if (exact[i].defined() && other[i].defined())
        effects[i] = std::max(effects[i], largest_difference(exact[i], other[i]));
    }
  }
  return effects;
}

Verdict check_precision(const Program& program, std::uint64_t seed) {
  const std::vector<Tensor> exact = outputs_and_gradients(program, float64, {});
  const std::vector<Tensor> found = outputs_and_gradients(program, float32, {});
  const std::vector<double> effects = effects_of_roundings(program, exact, seed);
  if (exact.size() != found.size()) return {.failure = "other results are differentiable in float32"};
  double of_all = 0;
  for (const Tensor& each : exact) {
    if (each.defined()) of_all = std::max(of_all, largest_difference(each, zeros_like(each)));
  }
  for (std::size_t i = 0; i < exact.size(); ++i) {
    if (exact[i].defined() != found[i].defined())
      return {.failure = fmt::format("result {} is there in one dtype", i)};
    if (!exact[i].defined()) continue;
    const double size = largest_difference(exact[i], zeros_like(exact[i]));
    // A step is many roundings where the model has one: sums of up to 150 terms, solvers, rules of several
    // steps; and a draw of signs may cancel where the roundings do not. Terms that cancel inside of a step,
    // as in a / a, are as large as other results are, or as their products with an operand.
    const double allowed = 64 * (effects[i] + 0x1p-24 * size) + 16 * 0x1p-24 * of_all;
    const double off = largest_difference(found[i], exact[i]);
    if (!(off <= allowed)) {
      return {.failure = fmt::format("result {} of {}: off by {:.3g} of {:.3g}, {:.3g} allowed", i,
                                     exact.size(), off, size, allowed)};
    }
  }
  return {};
}

Verdict made(const Program& program, Check which, std::uint64_t seed) {
  switch (which) {
    case Check::gradient:
    case Check::second:
    case Check::third:
      return check_derivative(Derivatives(program, seed),
                              static_cast<int>(which) - static_cast<int>(Check::gradient) + 1);
    case Check::precision:
      return check_precision(program, seed);
    case Check::checkpoint:
      return check_checkpoint(program);
    case Check::again:
      return check_again(program);
    case Check::replay:
      return check_replay(program, seed);
  }
  return {};
}

}  // namespace

std::string_view to_string(Check check) {
  constexpr std::string_view names[] = {
      "gradient", "second derivative", "third derivative", "float32", "checkpoint", "again", "replay"};
  return names[static_cast<std::size_t>(check)];
}

Verdict check(const Program& program, Check which, std::uint64_t seed) {
  try {
    return made(program, which, seed);
  } catch (const std::exception& error) {
    return {.failure = fmt::format("threw \"{}\"", error.what())};
  }
}

}  // namespace xtgrad::random_programs
