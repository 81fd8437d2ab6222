// Operations on the rows, columns and channels of arrays.

#include "benchmarks/compare/xtgrad/helpers.h"

namespace bench {
namespace {

using xtgrad::Shape;
using xtgrad::Tensor;

Shape shape_of(const Name& name) { return Shape(std::span<const std::int64_t>(name.numbers())); }

std::unique_ptr<Workload> softmax_ce(const Name& name, float /*rate*/) {
  const Shape shape = shape_of(name);
  const Tensor z = leaf(1, shape, -3, 3);
  const Tensor labels = xtgrad::from_vector(integers(2, shape[0], shape[1]));
  return std::make_unique<Differentiated>(std::vector{z},
                                          [=] { return xtgrad::nn::cross_entropy(z, labels); });
}

/// A function of x, a weight and a bias of `size` elements.
template <class F>
std::unique_ptr<Workload> normalised(const Shape& shape, std::int64_t size, const F& function) {
  const Tensor x = leaf(1, shape), weight = leaf(2, {size}, 0.5, 1.5), bias = leaf(3, {size});
  return std::make_unique<Differentiated>(
      std::vector{x, weight, bias}, [=] { return function(x, weight, bias); }, input(9, shape));
}

std::unique_ptr<Workload> layer_norm(const Name& name, float /*rate*/) {
  const Shape shape = shape_of(name);
  return normalised(shape, shape[1],
                    [size = shape[1]](const Tensor& x, const Tensor& weight, const Tensor& bias) {
                      return xtgrad::nn::layer_norm(x, {size}, {.weight = weight, .bias = bias});
                    });
}

std::unique_ptr<Workload> batch_norm(const Name& name, float /*rate*/) {
  const Shape shape = shape_of(name);
  return normalised(shape, shape[1], [](const Tensor& x, const Tensor& weight, const Tensor& bias) {
    return xtgrad::batch_norm(x, weight, bias);
  });
}

std::unique_ptr<Workload> bias_add(const Name& name, float /*rate*/) {
  const Shape shape = shape_of(name);
  const Tensor x = leaf(1, shape), bias = leaf(2, {shape[1]});
  return std::make_unique<Differentiated>(
      std::vector{x, bias}, [=] { return x + bias; }, input(9, shape));
}

/// Of [1000, 1000]: over axis 0, axis 1, or all.
std::unique_ptr<Workload> sums(const Name& name, float /*rate*/) {
  const Tensor x = leaf(1, {1000, 1000});
  if (name.arguments == "all")
    return std::make_unique<Differentiated>(std::vector{x}, [=] { return sum(x); });
  const std::int64_t axis = name.numbers().at(0);
  return std::make_unique<Differentiated>(
      std::vector{x}, [=] { return sum(x, {.axes = axis}); }, input(9, {1000}));
}

std::unique_ptr<Workload> transposed(const Name& name, float /*rate*/) {
  const Shape shape = shape_of(name);
  const Tensor x = leaf(1, shape);
  return std::make_unique<Differentiated>(
      std::vector{x}, [=] { return transpose(x); }, input(9, {shape[1], shape[0]}));
}

/// 1024 rows of a table.
std::unique_ptr<Workload> embedding(const Name& name, float /*rate*/) {
  const Shape shape = shape_of(name);
  auto table = std::make_shared<xtgrad::nn::Embedding>(
      xtgrad::nn::EmbeddingOptions{.num_embeddings = shape[0], .embedding_dim = shape[1]});
  table->weight.set_value(input(1, shape));
  const Tensor rows = xtgrad::from_vector(integers(2, 1024, shape[0]));
  return std::make_unique<Differentiated>(
      std::vector{table->weight.tensor()}, [=] { return (*table)(rows); }, input(9, {1024, shape[1]}));
}

}  // namespace

void add_rows(Families& families) {
  families["softmax_ce"] = softmax_ce;
  families["layer_norm"] = layer_norm;
  families["batch_norm"] = batch_norm;
  families["bias_add"] = bias_add;
  families["sum"] = sums;
  families["transpose"] = transposed;
  families["embedding"] = embedding;
}

}  // namespace bench
