// Derivatives, and the numerical ones that they are held to.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tests/random_programs/check.h"
#include "tests/random_programs/numerical.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

namespace xtgrad::random_programs {
namespace {

/// From 1/2 to 1 in size, of either sign, so that no element is left out.
Tensor draw_direction(const Shape& shape, Random& random) {
  std::vector<double> elements;
  for (std::int64_t i = 0; i < shape.numel(); ++i) {
    const double size = 0.5 + 0.5 * random.next_uniform();
    elements.push_back(random.next_below(2) == 0 ? size : -size);
  }
  return from_span(std::span<const double>(elements), shape);
}

std::vector<double> joined(const std::vector<Tensor>& tensors) {
  std::vector<double> all;
  for (const Tensor& tensor : tensors) {
    const std::vector<double> elements = testing::values(tensor);
    all.insert(all.end(), elements.begin(), elements.end());
  }
  return all;
}

double largest(const std::vector<double>& values) {
  double result = 0;
  for (const double value : values)
    result = std::isfinite(value) ? std::max(result, std::abs(value)) : INFINITY;
  return result;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> difference(a.size());
  std::transform(a.begin(), a.end(), b.begin(), difference.begin(), std::minus<>());
  return largest(difference);
}

Tensor product(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  Tensor result = zeros({}, {.dtype = float64});
  for (std::size_t i = 0; i < a.size(); ++i) {
    result = result + sum(a[i] * b[i]);
  }
  return result;
}

/// Gradients in all leaves, zeros where there are none.
std::vector<Tensor> gradients(const Tensor& y, const std::vector<Tensor>& leaves, bool recorded) {
  std::vector<Tensor> result;
  if (y.requires_grad()) result = grad({y}, leaves, {.create_graph = recorded, .allow_unused = true});
  result.resize(leaves.size());
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (!result[i].defined()) result[i] = zeros_like(leaves[i]);
  }
  return result;
}

}  // namespace

Derivatives::Derivatives(const Program& program, std::uint64_t seed) : program_(program) {
  Random random(seed);
  for (std::vector<Tensor>& direction : directions_) {
    for (const Tensor& leaf : floating_of(program.leaves))
      direction.push_back(draw_direction(leaf.shape(), random));
  }
}

std::vector<double> Derivatives::at(int order, double t) const {
  std::vector<Tensor> leaves = leaves_of(program_, float64, false);
  std::size_t floating = 0;
  // The differences of the second order's values are along the other direction.
  const std::vector<Tensor>& way = directions_[order == 2 ? 1 : 0];
  for (Tensor& leaf : leaves) {
    if (!is_floating(leaf.dtype())) continue;
    leaf = (t == 0 ? leaf.detach() : (leaf + way[floating] * t).detach()).set_requires_grad(order > 0);
    ++floating;
  }
  const std::vector<Tensor> variables = floating_of(leaves);
  const Tensor loss = loss_of(program_, run(program_, leaves, float64));
  if (order == 0) return {loss.item()};
  std::vector<Tensor> result = gradients(loss, variables, order > 1);
  for (int k = 2; k <= order; ++k)
    result = gradients(product(result, directions_[static_cast<std::size_t>(k - 2)]), variables, order > k);
  return joined(result);
}

std::vector<double> Derivatives::along(int order) const {
  const std::vector<double> exact = at(order);
  if (order > 1) return exact;
  const std::vector<double> way = joined(directions_[0]);
  double sum = 0;
  for (std::size_t i = 0; i < way.size(); ++i) sum += exact[i] * way[i];
  return {sum};
}

Numerical numerical(const Derivatives& derivatives, int order, double step) {
  std::array<std::vector<double>, 3> differences;
  double size = 0;
  for (std::size_t level = 0; level < 3; ++level, step /= 2) {
    const std::vector<double> ahead = derivatives.at(order - 1, step),
                              behind = derivatives.at(order - 1, -step);
    size = std::max({size, largest(ahead), largest(behind)});
    for (std::size_t i = 0; i < ahead.size(); ++i)
      differences[level].push_back((ahead[i] - behind[i]) / (2 * step));
  }
  const double last_step = 2 * step;
  // Richardson: the term in step^2 cancels.
  std::vector<double> coarse, fine;
  for (std::size_t i = 0; i < differences[0].size(); ++i) {
    coarse.push_back((4 * differences[1][i] - differences[0][i]) / 3);
    fine.push_back((4 * differences[2][i] - differences[1][i]) / 3);
  }
  // What is left of the fine one is a sixteenth of what is left of the coarse one, if the step is small
  // enough for that; their distance is the error then, and a kink between the points makes it large.
  // Roundings of some hundred operations in the values come on top, divided by the step.
  const double roundings = 256 * 0x1p-53 * size / last_step;
  return {fine, 2 * distance(coarse, fine) + roundings};
}

Verdict check_derivative(const Derivatives& derivatives, int order) {
  const std::vector<double> found = derivatives.along(order);
  Verdict verdict;
  int failures = 0;
  // An estimate may be poor and look good by chance: it takes two steps to call a derivative wrong, and no
  // other that calls it right.
  for (const double step : {0x1p-9, 0x1p-12, 0x1p-7}) {
    const Numerical wanted = numerical(derivatives, order, step);
    const double scale = std::max(largest(wanted.values), largest(found));
    // Where all terms cancel, what is left on either side is their roundings.
    const bool is_nothing = scale <= 1e-12 * std::max(1.0, std::abs(derivatives.at(0)[0]));
    if (!is_nothing && !(wanted.error <= worst_comparable * scale) && std::isfinite(largest(found))) continue;
    if (is_nothing) return {};
    const double off = distance(found, wanted.values);
    // The derivative itself is rounded, in rules whose terms cancel: seven digits are asked of it, where a
    // thousandth in a rule shows in the third.
    if (off <= wanted.error + 1e-7 * scale) return {};
    ++failures;
    verdict.failure = fmt::format(
        "order {}: off by {:.3g} of {:.3g}, the numerical one by {:.3g} at most, at a step of {:.3g}", order,
        off, scale, wanted.error, step);
  }
  if (failures < 2) return {.is_comparable = false};
  return verdict;
}

}  // namespace xtgrad::random_programs
