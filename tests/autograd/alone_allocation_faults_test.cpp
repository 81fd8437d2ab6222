// Lets every single request for memory of a sweep, or of a training step, fail.
#include <memory>
#include <span>
#include <vector>

#include "tests/autograd/failing_memory.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

std::vector<Tensor> leaves_of(int count, const Shape& shape, Dtype dtype) {
  std::vector<Tensor> leaves;
  for (int i = 0; i < count; ++i)
    leaves.push_back(full(shape, 0.1 * (i + 1), {.dtype = dtype, .requires_grad = true}));
  return leaves;
}

/// Reads outputs, values and neither; uses tensors twice; more than one consumer.
Tensor small_graph(const std::vector<Tensor>& x) {
  const Tensor a = tanh(x[0] * x[1]);
  const Tensor b = exp(a) + a * x[2];
  return sum(concat({b * b, a, square(x[2])}));
}

template <class Model>
Case training_step(const Model& model, const Tensor& x, const Tensor& labels) {
  auto copy = std::make_shared<Model>(model);
  std::vector<Tensor> leaves;
  for (const nn::ParameterRef& parameter : copy->parameters()) leaves.push_back(parameter->tensor());
  return adding(leaves, [copy, x, labels] { nn::cross_entropy((*copy)(x), labels).backward(); });
}

}  // namespace

TEST_CASE("every failed allocation of backward and grad leaves nothing behind") {
  set_num_threads(1);
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{1}, Shape{0}, Shape{5}}) {
      CAPTURE(to_string(shape));
      CAPTURE(to_string(dtype));
      const auto backward = [&](bool keep_graph) {
        return [=] {
          const std::vector<Tensor> leaves = leaves_of(3, shape, dtype);
          return adding(leaves,
                        [y = small_graph(leaves), keep_graph] { y.backward({.keep_graph = keep_graph}); });
        };
      };
      const auto by_grad = [&](bool create_graph) {
        return [=] {
          const std::vector<Tensor> leaves = leaves_of(3, shape, dtype);
          return returning([leaves, y = small_graph(leaves), create_graph] {
            return grad(std::span(&y, 1), leaves, {.create_graph = create_graph});
          });
        };
      };
      walk(backward(false), 10);
      walk(backward(true), 10);
      walk(by_grad(false), 10);
      walk(by_grad(true), 30);
    }
  }
}

TEST_CASE("every failed allocation of a planned sweep leaves nothing behind") {
  set_num_threads(1);
  walk(
      [] {
        const Tensor x = full({2}, 0.3, {.dtype = float64, .requires_grad = true});
        const Tensor w = full({2}, 0.7, {.dtype = float64, .requires_grad = true});
        const Tensor inner = tanh(x * w);
        const Tensor y = sum(exp(inner) * inner + w);
        // A tensor within the graph, and not the leaf w.
        return returning([=] { return grad({y}, {inner, x}); });
      },
      10);
}

TEST_CASE("every failed allocation of jacobian, vjp, hessian and hvp leaves nothing behind") {
  set_num_threads(1);
  const Tensor x = tensor({0.3, 0.5}, {.dtype = float64});
  const auto f = [](const Tensor& t) { return tanh(t * 2.0) * t; };
  walk([&] { return returning([&] { return std::vector<Tensor>{jacobian(f, x)}; }); }, 30);
  walk([&] { return returning([&] { return std::vector<Tensor>{vjp(f, x)(x)}; }); }, 20);
  const auto g = [&](const Tensor& t) { return sum(f(t)); };
  walk([&] { return returning([&] { return std::vector<Tensor>{hessian(g, x)}; }); }, 60);
  walk([&] { return returning([&] { return std::vector<Tensor>{hvp(g, x, x)}; }); }, 40);
}

TEST_CASE("every failed allocation of a concat of many leaves leaves nothing behind") {
  set_num_threads(1);
  walk(
      [] {
        const std::vector<Tensor> leaves = leaves_of(40, {1}, float32);
        std::vector<Tensor> branches;
        for (const Tensor& leaf : leaves) branches.push_back(tanh(leaf));
        const Tensor joined = concat(branches);
        return adding(leaves, [joined] { joined.backward({.gradient = full(joined.shape(), 2)}); });
      },
      80);
}

TEST_CASE("every failed allocation of a training step's forward and backward leaves nothing behind") {
  set_num_threads(1);
  const Tensor labels = tensor({0, 2, 1}).to(int64);
  const nn::MLP mlp({.sizes = {4, 5, 3}});
  const Tensor rows = reshape(arange(12).to(float32) * 0.1, {3, 4});
  walk([&] { return training_step(mlp, rows, labels); }, 40);
  const nn::ConvNet conv_net(
      {.in_channels = 1, .image = 6, .channels = {2}, .kernel = 3, .hidden = {4}, .classes = 3});
  const Tensor images = reshape(arange(108).to(float32) * 0.01, {3, 1, 6, 6});
  walk([&] { return training_step(conv_net, images, labels); }, 100);
}

TEST_CASE("gradients of a kept graph are stored all or none") {
  set_num_threads(1);
  // Handles on the old gradients are kept, so that sums cannot be made in place: storing has to allocate.
  for (long n = 0;; ++n) {
    const std::vector<Tensor> leaves = leaves_of(3, {2}, float64);
    const Tensor y = small_graph(leaves);
    y.backward({.keep_graph = true});
    const std::vector<Tensor> once = gradients_of(leaves);
    const bool failed_here =
        fails_at(n, PoolRequest::block, false, [&] { y.backward({.keep_graph = true}); });
    if (!failed_here) break;
    check_same(gradients_of(leaves), once);
    y.backward();
    for (std::size_t i = 0; i < leaves.size(); ++i)
      CHECK(testing::same_bits(leaves[i].grad(), once[i] + once[i]));
  }
}
