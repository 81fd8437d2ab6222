// Fused operations against the compositions that they replace: values and derivatives of orders 1 and 2.
#include <doctest/doctest.h>

#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

namespace xtgrad::inline v1::testing { namespace {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

/// The result of f, the gradients of <g, f>, and the gradients of the sum of squares of those.
std::vector<Tensor> to_second_order(const Function& f, const std::vector<Tensor>& values, const Tensor& g) {
  std::vector<Tensor> inputs;
  for (const Tensor& value : values) {
    inputs.push_back(value.detach());
    inputs.back().set_requires_grad();
  }
  const Tensor y = f(inputs);
  std::vector<Tensor> results{y};
  const std::vector<Tensor> first =
      grad(std::vector<Tensor>{y}, inputs, {.cotangents = {g}, .create_graph = true});
  Tensor norm = zeros({}, {.dtype = float64});
  for (const Tensor& gradient : first) {
    results.push_back(gradient);
    norm = norm + sum(square(gradient));
  }
  std::vector<Tensor> second(inputs.size());  // no gradient at all counts as zero
  if (norm.requires_grad()) second = grad(std::vector<Tensor>{norm}, inputs, {.allow_unused = true});
  for (const Tensor& gradient : second) {
    results.push_back(gradient.defined() ? gradient : zeros({}, {.dtype = float64}));
  }
  return results;
}

void agree(const std::string& name, const Function& fused, const Function& composed,
           const std::vector<Shape>& shapes) {
  CAPTURE(name);
  Random random(11);
  std::vector<Tensor> inputs;
  for (const Shape& shape : shapes) inputs.push_back(randn(shape, random, {.dtype = float64}));
  const Tensor g = randn(composed(inputs).shape(), random, {.dtype = float64});
  const std::vector<Tensor> ours = to_second_order(fused, inputs, g);
  const std::vector<Tensor> theirs = to_second_order(composed, inputs, g);
  REQUIRE(ours.size() == theirs.size());
  CHECK(ours.size() > inputs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(i);
    const double size = 1 + amax(abs(theirs[i])).item();
    CHECK(amax(abs(ours[i] - theirs[i])).item() < 1e-11 * size);
  }
}

TEST_CASE("activations agree with their compositions to second order") {
  const std::vector<Shape> shape{{3, 17}};
  agree(
      "leaky_relu", [](const auto& in) { return leaky_relu(in[0], 0.1); },
      [](const auto& in) { return maximum(in[0], 0) + 0.1 * minimum(in[0], 0); }, shape);
  agree(
      "elu", [](const auto& in) { return elu(in[0], 1.5); },
      [](const auto& in) { return maximum(in[0], 0) + 1.5 * (exp(minimum(in[0], 0)) - 1); }, shape);
  agree(
      "gelu", [](const auto& in) { return gelu(in[0]); },
      [](const auto& in) { return in[0] * 0.5 * (1 + erf(in[0] / std::numbers::sqrt2)); }, shape);
  agree(
      "gelu_tanh", [](const auto& in) { return gelu_tanh(in[0]); },
      [](const auto& in) {
        const Tensor& x = in[0];
        const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
        return 0.5 * x * (1 + tanh(scale * (x + 0.044715 * pow(x, 3))));
      },
      shape);
  agree(
      "silu", [](const auto& in) { return silu(in[0]); },
      [](const auto& in) { return in[0] * sigmoid(in[0]); }, shape);
}

TEST_CASE("pooling agrees with unfold and a reduction to second order") {
  const auto windows = [](const Tensor& x) {  // [n, c, kernel, places]
    return reshape(unfold2d(x, {.kernel = {2, 3}, .stride = {2, 1}}), {2, 3, 6, -1});
  };
  agree(
      "max_pool2d",
      [](const auto& in) {
        return max_pool2d(in[0], {.kernel = {2, 3}, .stride = Size2d(2, 1)});
      },
      [&](const auto& in) {
        return reshape(amax(windows(in[0]), {.axes = {2}}), {2, 3, 2, 4});
      },
      {{2, 3, 5, 6}});
  agree(
      "avg_pool2d",
      [](const auto& in) {
        return avg_pool2d(in[0], {.kernel = {2, 3}, .stride = Size2d(2, 1)});
      },
      [&](const auto& in) {
        return reshape(mean(windows(in[0]), {.axes = {2}}), {2, 3, 2, 4});
      },
      {{2, 3, 5, 6}});
}

TEST_CASE("batch_norm agrees with its composition to second order") {
  agree(
      "batch_norm", [](const auto& in) { return batch_norm(in[0], in[1], in[2], {.eps = 0.01}); },
      [](const auto& in) {
        const ReduceOptions others{.axes = {0, 2, 3}, .keepdim = true};
        const Tensor centred = in[0] - mean(in[0], others);
        const Tensor scale = reshape(in[1], {1, 3, 1, 1}) / sqrt(mean(square(centred), others) + 0.01);
        return centred * scale + reshape(in[2], {1, 3, 1, 1});
      },
      {{4, 3, 2, 5}, {3}, {3}});
}

TEST_CASE("batch_norm's gradients far from 0 are as good when they are recorded") {
  Random random(5);
  const Tensor noise = randn({64, 2, 3, 3}, random, {.dtype = float64});
  const Tensor g = randn({64, 2, 3, 3}, random);
  for (const double far : {1e2, 1e4, 1e6}) {
    CAPTURE(far);
    std::vector<std::vector<Tensor>> runs;
    for (const bool create_graph : {false, true}) {
      Tensor x = (noise + far).to(float32).detach();
      Tensor w = ones({2});
      x.set_requires_grad();
      w.set_requires_grad();
      runs.push_back(
          grad({batch_norm(x, w, zeros({2}))}, {x, w}, {.cotangents = {g}, .create_graph = create_graph}));
    }
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(amax(abs(runs[1][i] - runs[0][i])).item() < 1e-5 * amax(abs(runs[0][i])).item());
  }
}

TEST_CASE("conv2d with a bias agrees with unfold and matmul to second order") {
  agree(
      "conv2d",
      [](const auto& in) {
        return conv2d(in[0], in[1], in[2], {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}});
      },
      [](const auto& in) {
        const Tensor columns =
            unfold2d(in[0], {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}});
        const Tensor y = matmul(reshape(in[1], {4, 12}), columns);
        return reshape(y, {2, 4, 3, 4}) + reshape(in[2], {1, 4, 1, 1});
      },
      {{2, 2, 5, 6}, {4, 2, 3, 2}, {4}});
}

}}  // namespace xtgrad::testing
