// Every operation of the registry under vmap: values and gradients of a batch are those of a loop.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/autograd/ops/op_walk.h"
#include "tests/support/share.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/vmap.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr std::int64_t examples = 3;

/// The inputs of a sample for several examples, stacked. They share the drawn range alone.
std::vector<Tensor> batches_of(const Sample& sample, Dtype dtype, Random& random) {
  std::vector<std::vector<Tensor>> each(sample.inputs.size());
  for (std::int64_t e = 0; e < examples; ++e) {
    const std::vector<Tensor> inputs = make_inputs(sample, draw_inputs(sample, dtype, random), dtype, false);
    for (std::size_t i = 0; i < inputs.size(); ++i) each[i].push_back(inputs[i]);
  }
  std::vector<Tensor> batches;
  for (const std::vector<Tensor>& input : each) batches.push_back(stack(input));
  return batches;
}

/// The operation of one example and, with derivatives, its gradients for a cotangent that differs from
/// element to element.
std::vector<Tensor> value_and_gradients(const Sample& sample, std::span<const Tensor> inputs) {
  const auto f = [&](std::span<const Tensor> x) { return std::vector<Tensor>{sample.apply(x)}; };
  const Pullback pullback = vjp(f, inputs);
  const Tensor& y = pullback.outputs()[0];
  std::vector<Tensor> all{y};
  if (!is_floating(y.dtype())) return all;
  const Tensor cotangent = reshape(arange(y.numel(), {}, {.dtype = y.dtype()}), y.shape()) + 1;
  for (Tensor& gradient : pullback({cotangent})) {
    if (gradient.defined()) all.push_back(std::move(gradient));
  }
  return all;
}

template <class F>
std::vector<Tensor> by_loop(const F& f, std::span<const Tensor> batches) {
  std::vector<std::vector<Tensor>> results;
  for (std::int64_t e = 0; e < examples; ++e) {
    std::vector<Tensor> inputs;
    for (const Tensor& batch : batches) inputs.push_back(batch[e]);
    const std::vector<Tensor> got = f(std::span<const Tensor>(inputs));
    results.resize(got.size());
    for (std::size_t k = 0; k < got.size(); ++k) results[k].push_back(got[k]);
  }
  std::vector<Tensor> stacked;
  for (const std::vector<Tensor>& each : results) stacked.push_back(stack(each));
  return stacked;
}

/// Gradients of a weighted sum in the floating batches that the operation has derivatives in.
template <class F>
std::vector<Tensor> gradients_through(const F& f, const Sample& sample, std::span<const Tensor> batches) {
  std::vector<Tensor> inputs, variables;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    Tensor input = batches[i].detach();
    if (sample.inputs[i].differentiable && is_floating(input.dtype())) {
      input.set_requires_grad();
      variables.push_back(input);
    }
    inputs.push_back(std::move(input));
  }
  const Tensor y = f(std::span<const Tensor>(inputs));
  if (!y.requires_grad() || variables.empty()) return {};
  const Tensor weights = reshape(arange(y.numel(), {}, {.dtype = y.dtype()}), y.shape()) + 1;
  return grad({sum(y * weights)}, variables, {.allow_unused = true});
}

/// Sweeps of a batch add in another order than those of single examples: a few hundred roundings of the
/// largest element, which is far below what a wrong rule is off by.
bool is_close(const Tensor& a, const Tensor& b) {
  if (a.defined() != b.defined()) return false;
  if (!a.defined() || same_bits(a, b)) return true;
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const Tensor left = a.to(float64), right = b.to(float64);
  const double largest = amax(where(isfinite(right), abs(right), 0)).item();
  const double rounding = a.dtype() == float32 ? 0x1p-23 : 0x1p-52;
  const Tensor is_right = logical_or(abs(left - right) <= 256 * rounding * largest,
                                     logical_or(left == right, logical_and(isnan(left), isnan(right))));
  return all(is_right).item() != 0;
}

void compare(const Op& op, const Sample& sample, Dtype dtype) {
  const std::string name =
      std::string(detail::to_string(op.id)) + "(" + sample.attributes + ") " + std::string(to_string(dtype));
  CAPTURE(name);
  Random random = random_for(op, Check::again);
  const std::vector<Tensor> batches = batches_of(sample, dtype, random);
  const auto alone = [&](std::span<const Tensor> x) { return std::vector<Tensor>{sample.apply(x)}; };
  const auto with_gradients = [&](std::span<const Tensor> x) { return value_and_gradients(sample, x); };
  const std::vector<Tensor> got = vmap(with_gradients)(std::span<const Tensor>(batches));
  const std::vector<Tensor> expected = by_loop(with_gradients, batches);
  REQUIRE(got.size() == expected.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    CAPTURE(k);
    CHECK(same_bits(got[k], expected[k]));
  }
  const auto through_vmap = [&](std::span<const Tensor> x) { return vmap(alone)(x)[0]; };
  const auto through_loop = [&](std::span<const Tensor> x) { return by_loop(alone, x)[0]; };
  const std::vector<Tensor> in_batch = gradients_through(through_vmap, sample, batches);
  const std::vector<Tensor> in_loop = gradients_through(through_loop, sample, batches);
  REQUIRE(in_batch.size() == in_loop.size());
  for (std::size_t k = 0; k < in_batch.size(); ++k) {
    CAPTURE(k);
    CHECK(is_close(in_batch[k], in_loop[k]));
  }
}

/// Whether a batch of its inputs, and of its result, has few enough dimensions.
bool fits(const Sample& sample) {
  return std::ranges::all_of(sample.inputs,
                             [](const Input& input) { return input.shape.rank() < Shape::max_rank; });
}

TEST_CASE("vmap: values and gradients of every operation are those of a loop") {
  std::size_t compared = 0;
  const Share part = share();
  for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
    if (!part.has(i)) continue;
    const Op op = describe(static_cast<OpId>(i));
    for (const Sample& sample : op.samples) {
      // Else examples have other steps, or results that do not stack.
      if (sample.decided != Decided::values || sample.inputs.empty() || !fits(sample)) continue;
      for (const Dtype dtype : {float32, float64}) {
        compare(op, sample, dtype);
        ++compared;
      }
    }
  }
  CHECK(compared > part.least_of(1000));
}

}}  // namespace xtgrad::testing
