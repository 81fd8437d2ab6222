// A dimension of 0 beside one of a million millions: a loop over the large one would not end in this life,
// and memory for it there is none.
#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/arrange.h"
#include "xtgrad/autograd/functions/diagonal.h"
#include "xtgrad/autograd/functions/mask.h"
#include "xtgrad/autograd/functions/padding.h"
#include "xtgrad/autograd/functions/scatter.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr std::int64_t many = std::int64_t{1} << 40;

struct Nothing {
  std::string name;
  std::vector<Shape> inputs;
  std::function<Tensor(const std::vector<Tensor>&)> apply;
  Shape result;
};

#define XTGRAD_CALL(...) [](const std::vector<Tensor>& x) -> Tensor { return __VA_ARGS__; }

std::vector<Nothing> reductions() {
  const Shape rows{many, 0}, cube{many, 0, 3};
  return {
      {"sum", {rows}, XTGRAD_CALL(sum(x[0])), {}},
      {"sum of rows", {cube}, XTGRAD_CALL(sum(x[0], {.axes = {2}})), rows},
      {"sum of columns", {cube}, XTGRAD_CALL(sum(x[0], {.axes = {0}})), {0, 3}},
      {"mean", {cube}, XTGRAD_CALL(mean(x[0], {.axes = {2}})), rows},
      {"amax", {cube}, XTGRAD_CALL(amax(x[0], {.axes = {0}})), {0, 3}},
      {"logsumexp", {cube}, XTGRAD_CALL(logsumexp(x[0], {.axes = {2}})), rows},
      {"max", {cube}, XTGRAD_CALL(max(x[0], 2).values), rows},
      {"sum_to", {cube}, XTGRAD_CALL(sum_to(x[0], {1, 0, 3})), {1, 0, 3}},
      {"softmax", {rows}, XTGRAD_CALL(softmax(x[0], 1)), rows},
      {"softmax of columns", {cube}, XTGRAD_CALL(softmax(x[0], 0)), cube},
      {"log_softmax", {cube}, XTGRAD_CALL(log_softmax(x[0], 1)), cube},
      {"softmax_cross_entropy",
       {{0, 3, many}},
       XTGRAD_CALL(softmax_cross_entropy(x[0], zeros({0, many}, {.dtype = int64}), 1)),
       {0, many}},
      {"sort", {rows}, XTGRAD_CALL(sort(x[0]).values), rows},
      {"topk", {cube}, XTGRAD_CALL(topk(x[0], 2, {.axis = 0}).values), {2, 0, 3}},
      {"matmul", {{0, many}, {many, 0}}, XTGRAD_CALL(matmul(x[0], x[1])), {0, 0}},
      {"matmul of many", {cube, {3, 4}}, XTGRAD_CALL(matmul(x[0], x[1])), {many, 0, 4}},
  };
}

std::vector<Nothing> movements() {
  const Shape rows{many, 0}, cube{many, 0, 3};
  return {
      {"permute", {cube}, XTGRAD_CALL(permute(x[0], {1, 2, 0})), {0, 3, many}},
      {"broadcast_to", {{1, 0, 3}}, XTGRAD_CALL(broadcast_to(x[0], {many, 0, 3})), cube},
      {"add", {cube, {3}}, XTGRAD_CALL(x[0] + x[1]), cube},
      {"where", {rows, {0}}, XTGRAD_CALL(where(x[0] > 0, x[0], x[1])), rows},
      {"slice", {cube}, XTGRAD_CALL(slice(x[0], {.axis = 0, .step = 2})), {many / 2, 0, 3}},
      {"slice_add", {cube, {many, 0, 2}}, XTGRAD_CALL(slice_add(x[0], {.axis = 2, .stop = 2}, x[1])), cube},
      {"pad", {cube}, XTGRAD_CALL(pad(x[0], {.axis = 2, .low = 1, .interior = 1})), {many, 0, 6}},
      {"concat", {cube, cube}, XTGRAD_CALL(concat({x[0], x[1]}, 2)), {many, 0, 6}},
      {"split", {cube}, XTGRAD_CALL(split(x[0], 1, 2)[0]), {many, 0, 1}},
      {"unbind", {cube}, XTGRAD_CALL(unbind(x[0], 2)[1]), rows},
      {"gather", {cube}, XTGRAD_CALL(gather(x[0], 0, zeros({many, 0, 2}, {.dtype = int64}))), {many, 0, 2}},
      {"index_select",
       {cube},
       XTGRAD_CALL(index_select(x[0], 2, zeros({5}, {.dtype = int64}))),
       {many, 0, 5}},
      {"index_select of nothing",
       {{3, 4}},
       XTGRAD_CALL(index_select(x[0], 0, zeros({0}, {.dtype = int64}))),
       {0, 4}},
      {"index_add",
       {{3, 4}, {3, 0}},
       XTGRAD_CALL(index_add(x[0], 1, zeros({0}, {.dtype = int64}), x[1])),
       {3, 4}},
      {"scatter_add",
       {{3, 4}, rows},
       XTGRAD_CALL(scatter_add(x[0], 0, zeros({many, 0}, {.dtype = int64}), x[1])),
       {3, 4}},
  };
}

std::vector<Nothing> arrangements() {
  const Shape rows{many, 0}, cube{many, 0, 3};
  return {
      {"flip", {cube}, XTGRAD_CALL(flip(x[0])), cube},
      {"roll", {cube}, XTGRAD_CALL(roll(x[0], {1, 1}, {0, 2})), cube},
      {"tile", {cube}, XTGRAD_CALL(tile(x[0], {1, 2, 2})), {many, 0, 6}},
      {"repeat_interleave", {cube}, XTGRAD_CALL(repeat_interleave(x[0], 2, 2)), {many, 0, 6}},
      {"diagonal", {cube}, XTGRAD_CALL(diagonal(x[0])), rows},
      {"diag_embed", {rows}, XTGRAD_CALL(diag_embed(x[0])), {many, 0, 0}},
      {"tril", {cube}, XTGRAD_CALL(tril(x[0])), cube},
      {"unfold", {cube}, XTGRAD_CALL(unfold(x[0], {.size = 2})), {many, 0, 2, 2}},
      {"pad_replicate", {cube}, XTGRAD_CALL(pad_replicate(x[0], {.axis = 2, .low = 1})), {many, 0, 4}},
      {"x[i]", {{2, many, 0}}, XTGRAD_CALL(x[0][1]), rows},
      {"masked_select", {rows}, XTGRAD_CALL(masked_select(x[0], x[0] > 0)), {0}},
      {"masked_scatter", {rows, {0}}, XTGRAD_CALL(masked_scatter(x[0], x[0] > 0, x[1])), rows},
      {"slice_scatter",
       {cube, {many, 0, 2}},
       XTGRAD_CALL(slice_scatter(x[0], {.axis = 2, .stop = 2}, x[1])),
       cube},
      {"scatter",
       {{3, 4}, rows},
       XTGRAD_CALL(scatter(x[0], 0, zeros({many, 0}, {.dtype = int64}), x[1])),
       {3, 4}},
      {"scatter_mul",
       {{3, 4}, rows},
       XTGRAD_CALL(scatter_mul(x[0], 0, zeros({many, 0}, {.dtype = int64}), x[1])),
       {3, 4}},
      {"scatter_max",
       {{3, 4}, rows},
       XTGRAD_CALL(scatter_max(x[0], 0, zeros({many, 0}, {.dtype = int64}), x[1])),
       {3, 4}},
      {"index_copy",
       {{many, 0}, {2, 0}},
       XTGRAD_CALL(index_copy(x[0], 0, tensor({1, 1}, {.dtype = int64}), x[1])),
       rows},
  };
}

std::vector<Nothing> images() {
  const Shape image{many, 0, 4, 4};
  return {
      {"conv2d", {image, {0, 0, 3, 3}}, XTGRAD_CALL(conv2d(x[0], x[1])), {many, 0, 2, 2}},
      {"conv2d with a bias",
       {image, {0, 0, 3, 3}, {0}},
       XTGRAD_CALL(conv2d(x[0], x[1], x[2], {.stride = 2})),
       {many, 0, 1, 1}},
      {"conv_transpose2d",
       {image, {0, 0, 3, 3}},
       XTGRAD_CALL(conv_transpose2d(x[0], x[1], {.stride = 2})),
       {many, 0, 9, 9}},
      {"conv_transpose2d to no columns",
       {{many, 0, 2, 1}, {0, 0, 1, 2}},
       XTGRAD_CALL(conv_transpose2d(x[0], x[1], {.padding = {0, 1}})),
       {many, 0, 2, 0}},
      {"conv2d_weight_grad",
       {image, {many, 0, 2, 2}},
       XTGRAD_CALL(conv2d_weight_grad(x[0], x[1], 3)),
       {0, 0, 3, 3}},
      {"unfold2d", {image}, XTGRAD_CALL(unfold2d(x[0], {.kernel = 2})), {many, 0, 9}},
      {"fold2d", {{many, 0, 9}}, XTGRAD_CALL(fold2d(x[0], 4, {.kernel = 2})), image},
      {"max_pool2d", {image}, XTGRAD_CALL(max_pool2d(x[0], {.kernel = 2})), {many, 0, 2, 2}},
      {"avg_pool2d", {image}, XTGRAD_CALL(avg_pool2d(x[0], {.kernel = 2})), {many, 0, 2, 2}},
      {"batch_norm", {image, {0}, {0}}, XTGRAD_CALL(batch_norm(x[0], x[1], x[2])), image},
      {"batch_norm of no values",
       {{many, 2, 0}, {2}, {2}},
       XTGRAD_CALL(batch_norm(x[0], x[1], x[2])),
       {many, 2, 0}},
      {"batch_norm of columns", {{many, 0}, {0}, {0}}, XTGRAD_CALL(batch_norm(x[0], x[1], x[2])), {many, 0}},
      {"layer_norm", {{many, 0}, {0}, {0}}, XTGRAD_CALL(layer_norm(x[0], x[1], x[2])), {many, 0}},
      {"layer_norm of no rows",
       {{many, 0, 3}, {3}, {3}},
       XTGRAD_CALL(layer_norm(x[0], x[1], x[2])),
       {many, 0, 3}},
      {"normalize_by",
       {{many, 2, 0}, {2}, {2}, {2}},
       XTGRAD_CALL(normalize_by(x[0], x[1], x[2], x[3])),
       {many, 2, 0}},
  };
}

#undef XTGRAD_CALL

void check(const std::vector<Nothing>& cases) {
  for (const Nothing& one : cases) {
    for (const Dtype dtype : {float32, float64}) {
      CAPTURE(one.name);
      CAPTURE(dtype);
      std::vector<Tensor> inputs;
      for (const Shape& shape : one.inputs)
        inputs.push_back(zeros(shape, {.dtype = dtype, .requires_grad = true}));
      const Tensor y = one.apply(inputs);
      CHECK(y.shape() == one.result);
      const std::vector<Tensor> gradients = grad(std::vector{sum(y)}, inputs);
      REQUIRE(gradients.size() == inputs.size());
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        CHECK(gradients[i].shape() == inputs[i].shape());
        // What has elements at all is a weight, of whose images there are none, or what is added to.
        if (!one.name.starts_with("scatter") && one.name != "index_add")
          CHECK(sum((gradients[i] != 0.0).to(float32)).item() == 0);
      }
    }
  }
}

TEST_CASE("many times nothing is nothing, in no time: reductions") { check(reductions()); }
TEST_CASE("many times nothing is nothing, in no time: movements") { check(movements()); }
TEST_CASE("many times nothing is nothing, in no time: arrangements") { check(arrangements()); }
TEST_CASE("many times nothing is nothing, in no time: images") { check(images()); }

TEST_CASE("many times nothing is drawn, and printed") {
  CHECK(randn({many, 0}).shape() == Shape{many, 0});
  CHECK(uniform({many, 0}).shape() == Shape{many, 0});
  CHECK(to_string(zeros({many, 0})).find("float32") != std::string::npos);
}

}}  // namespace xtgrad::v1::testing
