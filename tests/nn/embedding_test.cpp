// Embedding: lookups of any shape, sums of gradients, the padding row, what is refused.
#include "xtgrad/nn/embedding.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/step_list.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

namespace {

Tensor indices(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }

/// Rows 0 to 4 of the table, {10 r, 10 r + 1, 10 r + 2}.
nn::Embedding numbered(Dtype dtype, std::optional<std::int64_t> padding = std::nullopt) {
  nn::Embedding table{{.num_embeddings = 5, .embedding_dim = 3, .padding_idx = padding}};
  table.to(dtype);
  Numbers rows;
  for (int r = 0; r < 5; ++r) {
    for (int c = 0; c < 3; ++c) rows.push_back(10 * r + c);
  }
  table.weight.set_value(shaped(rows, {5, 3}, dtype));
  return table;
}

std::size_t times(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("Embedding looks rows up by indices of any shape") {
  for (const Dtype dtype : {float32, float64}) {
    nn::Embedding table = numbered(dtype);
    const Tensor y = table(indices({{4, 0}, {2, 2}}));
    CHECK(y.shape() == Shape{2, 2, 3});
    CHECK(y.dtype() == dtype);
    CHECK(elements(y) == Numbers{40, 41, 42, 0, 1, 2, 20, 21, 22, 20, 21, 22});
    CHECK(elements(table(indices({{4, 0}, {2, 2}}).to(int32))) == elements(y));
    CHECK(table(indices(3)).shape() == Shape{3});
    CHECK(elements(table(indices(3))) == Numbers{30, 31, 32});
    CHECK(table(zeros({0}, {.dtype = int64})).shape() == Shape{0, 3});
    CHECK(table(zeros({2, 0}, {.dtype = int64})).shape() == Shape{2, 0, 3});
    CHECK(table(indices({{{1}}})).shape() == Shape{1, 1, 1, 3});
  }
}

TEST_CASE("a row's gradient is the sum over its lookups, 0 for rows not looked up") {
  for (const Dtype dtype : {float32, float64}) {
    nn::Embedding table = numbered(dtype);
    const Tensor g = shaped({1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 3}, dtype);
    table(indices({2, 0, 2})).backward({.gradient = g});
    CHECK(elements(table.weight.grad()) == Numbers{4, 5, 6, 0, 0, 0, 8, 10, 12, 0, 0, 0, 0, 0, 0});
    table.zero_grad();
    sum(table(zeros({0}, {.dtype = int64}))).backward();
    CHECK(elements(table.weight.grad()) == Numbers(15, 0));
  }
}

TEST_CASE("the padding row starts at 0, is looked up like others, and gets no gradient") {
  for (const std::int64_t padding : {3, -2}) {
    nn::Embedding table{{.num_embeddings = 5, .embedding_dim = 3, .padding_idx = padding}};
    CHECK(table.options().padding_idx == 3);
    CHECK(elements(table(indices(3))) == Numbers{0, 0, 0});
    CHECK(elements(table(indices(2))) != Numbers{0, 0, 0});
    table = numbered(float32, padding);
    const Tensor y = table(indices({3, 1, 3, 4}));
    CHECK(elements(y) == Numbers{30, 31, 32, 10, 11, 12, 30, 31, 32, 40, 41, 42});
    sum(square(y)).backward();
    CHECK(elements(table.weight.grad()) == Numbers{0, 0, 0, 20, 22, 24, 0, 0, 0, 0, 0, 0, 80, 82, 84});
  }
  // Nor at order 2.
  nn::Embedding table = numbered(float64, 0);
  const Tensor w = table.weight;
  const Tensor y = sum(square(table(indices({0, 1}))) * 0.5);
  const Tensor first = grad({y}, {w}, {.create_graph = true})[0];
  const std::vector<double> second = elements(grad({sum(first)}, {w})[0]);
  CHECK(second == Numbers{0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("a backward goes over the lookups and one table, however many lookups there are") {
  nn::Embedding table{{.num_embeddings = 50, .embedding_dim = 2}};
  const Tensor index = arange(7);
  const StepList list;
  Tensor total = sum(table(index));
  for (int i = 0; i < 3; ++i) total = total + sum(table(index));
  total.backward();
  const std::string text = list.text();
  CHECK(times(text, "index_add") == 4);
  // A sum of zeros, twice in its line, that each lookup is added to: nothing else has the table's size.
  CHECK(times(text, "zeros[shape=[50, 2]") == 1);
  CHECK(times(text, "[50, 2]") == 2 + 4);
  CHECK(elements(table.weight.grad())[0] == 4);
}

TEST_CASE("batches add up in the gradient of a large table as in a whole one") {
  for (const Dtype dtype : {float32, float64}) {
    manual_seed(1);
    nn::Embedding table{{.num_embeddings = 5000, .embedding_dim = 8, .padding_idx = -1}};
    table.to(dtype);
    const std::vector<Tensor> batches{indices(4999), indices(7), indices({{7, 4999}, {1, 7}}),
                                      zeros({0}, {.dtype = int64}), indices({5, 7, 4998}).to(int32)};
    const auto loss_of = [&](const Tensor& batch) { return sum(sin(table(batch) * 3)); };
    Tensor want = zeros({5000, 8}, {.dtype = dtype});
    for (const Tensor& batch : batches) {
      loss_of(batch).backward();
      const Tensor weight = table.weight;
      want = want + grad(loss_of(batch), weight);
    }
    CHECK(testing::same_bits(table.weight.grad(), want));
  }
}

TEST_CASE("Embedding keeps the rules of modules") {
  manual_seed(3);
  nn::Embedding table{{.num_embeddings = 5, .embedding_dim = 3, .padding_idx = 0}};
  nn::Embedding other{{.num_embeddings = 5, .embedding_dim = 3, .padding_idx = 0}};
  check_module(table, other, indices({{1, 4}, {2, 2}}));
  CHECK(table.summary(indices({{1, 4}})) ==
        "module   type       output     parameters\n"
        "(model)  Embedding  [1, 2, 3]          15\n"
        "total: 15 parameters, 15 learning, 60 bytes\n");
  const DefaultDtype in_double(float64);
  const nn::Embedding large{{.num_embeddings = 100, .embedding_dim = 100}};
  CHECK(large.weight.dtype() == float64);
  double total = 0, squares = 0;
  for (const double w : elements(large.weight)) {
    total += w / 1e4;
    squares += w * w / 1e4;
  }
  // Of 10^4 standard normal draws: the mean to 0.01, the mean square to 0.014; five of them.
  CHECK(std::abs(total) < 0.05);
  CHECK(std::abs(squares - 1) < 0.07);
}

TEST_CASE("Embedding says what does not fit") {
  const auto make = [](const nn::EmbeddingOptions& options) { return nn::Embedding(options).weight.shape(); };
  CHECK(message_of<ValueError>([&] { return make({.embedding_dim = 3}); }) ==
        "Embedding: num_embeddings is required, and was not given");
  CHECK(message_of<ValueError>([&] { return make({.num_embeddings = 3}); }) ==
        "Embedding: embedding_dim is required, and was not given");
  CHECK(message_of<ValueError>([&] { return make({.num_embeddings = 0, .embedding_dim = 3}); }) ==
        "Embedding: num_embeddings must be at least 1: got 0");
  CHECK(message_of<ValueError>([&] {
          return make({.num_embeddings = 5, .embedding_dim = 3, .padding_idx = 5});
        }) == "Embedding: padding_idx must be one of the 5 rows: got 5");
  CHECK(message_of<ValueError>([&] {
          return make({.num_embeddings = 5, .embedding_dim = 3, .padding_idx = -6});
        }) == "Embedding: padding_idx must be one of the 5 rows: got -6");
  nn::Sequential model{nn::Embedding{{.num_embeddings = 5, .embedding_dim = 3}}, nn::Linear{3, 2}};
  CHECK(message_of<ValueError>([&] {
          return model(indices({{1, 4}, {5, 0}}));
        }) == "Embedding (0): index out of range: got 5 at [1, 0], there are 5 embeddings");
  CHECK(message_of<ValueError>([&] { return model(indices({-1})); }) ==
        "Embedding (0): index out of range: got -1 at [0], there are 5 embeddings");
  CHECK(message_of<DtypeError>([&] { return model(zeros({2})); }) ==
        "Embedding (0): indices must be int64 or int32: got float32");
}
