// The code of docs/operations/shape_and_index.md.
#include <doctest/doctest.h>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/assignment.h"
#include "xtgrad/autograd/functions/arrange.h"
#include "xtgrad/autograd/functions/diagonal.h"
#include "xtgrad/autograd/functions/mask.h"
#include "xtgrad/autograd/functions/padding.h"
#include "xtgrad/autograd/functions/scatter.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using xtgrad::testing::values;

namespace {

using List = std::vector<double>;

}  // namespace

TEST_CASE("docs: parts of a tensor") {
  Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  Tensor row = x[1];                                      // {4, 5, 6}
  Tensor corner = x[0][-1];                               // 3
  Tensor column = select(x, 1, 0);                        // {1, 4}
  Tensor twice = x[tensor({1, 1, 0}, {.dtype = int64})];  // rows 1, 1, 0
  Tensor large = x[x > 3];                                // {4, 5, 6}
  Tensor windows = unfold(x, {.axis = 1, .size = 2});     // [2, 2, 2]: 1 2, 2 3 and 4 5, 5 6
  CHECK(values(row) == List{4, 5, 6});
  CHECK(corner.item() == 3);
  CHECK(values(column) == List{1, 4});
  CHECK(values(twice) == List{4, 5, 6, 4, 5, 6, 1, 2, 3});
  CHECK(values(large) == List{4, 5, 6});
  CHECK(values(windows) == List{1, 2, 2, 3, 4, 5, 5, 6});
}

TEST_CASE("docs: slices and what indices name") {
  Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}, {.requires_grad = true});
  Tensor ends = slice(x, {.axis = 1, .step = 2});                      // {{1, 3}, {4, 6}}: Python's x[:, ::2]
  Tensor chosen = gather(x, 1, tensor({{2}, {0}}, {.dtype = int64}));  // {{3}, {4}}
  Tensor rows = index_select(x, 0, tensor({1, 1}, {.dtype = int64}));  // {{4, 5, 6}, {4, 5, 6}}
  Tensor counts = index_add(zeros({3}), 0, tensor({2, 0, 2}, {.dtype = int64}), ones({3}));  // {1, 0, 2}
  Tensor framed = pad(tensor({1, 2}), {.low = 1, .high = 1, .interior = 1});  // {0, 1, 0, 2, 0}
  Tensor slope = grad(sum(rows), x);                                          // {{0, 0, 0}, {2, 2, 2}}
  CHECK(values(ends) == List{1, 3, 4, 6});
  CHECK(values(chosen) == List{3, 4});
  CHECK(values(rows) == List{4, 5, 6, 4, 5, 6});
  CHECK(values(counts) == List{1, 0, 2});
  CHECK(values(framed) == List{0, 1, 0, 2, 0});
  CHECK(values(slope) == List{0, 0, 0, 2, 2, 2});
  CHECK(values(slice_add(zeros({3}), {.step = 2}, tensor({1, 2}))) == List{1, 0, 2});
}

TEST_CASE("docs: the same elements in another shape") {
  Tensor x = reshape(arange(6, {}, {.dtype = float32}), {2, -1});  // {{0, 1, 2}, {3, 4, 5}}
  Tensor turned = transpose(x);                                    // {{0, 3}, {1, 4}, {2, 5}}
  Tensor images = permute(ones({8, 32, 32, 3}), {0, 3, 1, 2});     // [8, 3, 32, 32]
  Tensor vectors = flatten(images, 1);                             // [8, 3072]
  Tensor rows = broadcast_to(tensor({1, 2, 3}), {2, 3});           // {{1, 2, 3}, {1, 2, 3}}
  Tensor back = sum_to(rows, {3});                                 // {2, 4, 6}
  CHECK(values(turned) == List{0, 3, 1, 4, 2, 5});
  CHECK(images.shape() == Shape{8, 3, 32, 32});
  CHECK(vectors.shape() == Shape{8, 3072});
  CHECK(values(rows) == List{1, 2, 3, 1, 2, 3});
  CHECK(values(back) == List{2, 4, 6});
}

TEST_CASE("docs: joined and cut") {
  Tensor x = tensor({{1, 2}, {3, 4}}), y = tensor({{5, 6}});
  Tensor longer = concat({x, y});                 // [3, 2]
  Tensor pair = stack({x, x});                    // [2, 2, 2]
  std::vector<Tensor> pieces = split(longer, 2);  // [2, 2] and [1, 2]
  std::vector<Tensor> halves = chunk(longer, 2);  // the same
  std::vector<Tensor> rows = unbind(longer);      // three of [2]
  CHECK(longer.shape() == Shape{3, 2});
  CHECK(pair.shape() == Shape{2, 2, 2});
  CHECK(values(pieces.at(1)) == List{5, 6});
  CHECK(values(halves.at(1)) == List{5, 6});
  CHECK(rows.size() == 3);
}

TEST_CASE("docs: errors of shapes and indices") {
  const Tensor x = ones({2, 3});
  const auto error = [](const auto& f) { return testing::message_of(f); };
  CHECK(error([&] { return select(x, 0, 2); }) ==
        "select: index 2 is out of range: axis 0 of [2, 3] has size 2");
  CHECK(error([&] {
          return index_select(x, 0, tensor({0, 5}, {.dtype = int64}));
        }) == "index_select: the index is out of range: 5 at [1], but axis 0 of x has size 2");
  CHECK(error([&] { return index_select(x, 0, ones({2})); }) ==
        "index_select: the index must be int64 or int32, got float32; convert with to(int64)");
  CHECK(error([&] {
          return permute(x, {0, 0});
        }) == "permute: the order must name every dimension once: x is [2, 3], the order is [0, 0]");
  CHECK(error([&] { return slice(x, {.step = 0}); }) == "slice: the step must be positive, got 0");
  CHECK(error([&] {
          return stack({x, ones({3})});
        }) == "stack: shapes differ: tensor 0 is [2, 3], tensor 1 is [3]");
}

TEST_CASE("docs: a tensor that differs in a part") {
  Tensor x = zeros({3, 2}, {.requires_grad = true});
  Tensor y = select_scatter(x, 0, 1, tensor({7, 8}));                 // row 1 is {7, 8}
  Tensor z = slice_scatter(y, {.axis = 1, .stop = 1}, ones({3, 1}));  // column 0 is 1
  Tensor w = masked_fill(z, z > 5, 0);                                // 8 is 0
  CHECK(values(y) == List{0, 0, 7, 8, 0, 0});
  CHECK(values(z) == List{1, 0, 1, 8, 1, 0});
  CHECK(values(w) == List{1, 0, 1, 0, 1, 0});
  sum(z).backward();
  CHECK(values(x.grad()) == List{0, 1, 0, 0, 0, 1});
}

TEST_CASE("docs: shapes, order and repetition") {
  Tensor x = tensor({1, 2, 3});
  Tensor column = unsqueeze(x, 1);                 // [3, 1]
  Tensor moved = movedim(ones({2, 3, 4}), 0, -1);  // [3, 4, 2]
  Tensor back = flip(x);                           // 3 2 1
  Tensor around = roll(x, 1);                      // 3 1 2
  Tensor again = tile(x, 2);                       // 1 2 3 1 2 3
  Tensor each = repeat_interleave(x, 2);           // 1 1 2 2 3 3
  std::vector<Tensor> grid = meshgrid({arange(2), arange(3)});
  CHECK(column.shape() == Shape{3, 1});
  CHECK(moved.shape() == Shape{3, 4, 2});
  CHECK(values(back) == List{3, 2, 1});
  CHECK(values(around) == List{3, 1, 2});
  CHECK(values(again) == List{1, 2, 3, 1, 2, 3});
  CHECK(values(each) == List{1, 1, 2, 2, 3, 3});
  CHECK(values(grid[0]) == List{0, 0, 0, 1, 1, 1});
  CHECK(values(grid[1]) == List{0, 1, 2, 0, 1, 2});
}

TEST_CASE("docs: diagonals and triangles") {
  Tensor a = tensor({{1, 2}, {3, 4}});
  Tensor d = diag(a);          // {1, 4}
  Tensor matrix = diag(d);     // {{1, 0}, {0, 4}}
  Tensor t = trace(a);         // 5
  Tensor lower = tril(a);      // {{1, 0}, {3, 4}}
  Tensor strict = triu(a, 1);  // {{0, 2}, {0, 0}}
  CHECK(values(d) == List{1, 4});
  CHECK(values(matrix) == List{1, 0, 0, 4});
  CHECK(t.item() == 5);
  CHECK(values(lower) == List{1, 0, 3, 4});
  CHECK(values(strict) == List{0, 2, 0, 0});
}

TEST_CASE("docs: edges") {
  Tensor x = tensor({1, 2, 3});
  Tensor mirrored = pad_reflect(x, {.low = 2, .high = 1});  // 3 2 1 2 3 2
  Tensor held = pad_replicate(x, {.low = 2, .high = 1});    // 1 1 1 2 3 3
  Tensor circle = pad_circular(x, {.low = 2, .high = 1});   // 2 3 1 2 3 1
  CHECK(values(mirrored) == List{3, 2, 1, 2, 3, 2});
  CHECK(values(held) == List{1, 1, 1, 2, 3, 3});
  CHECK(values(circle) == List{2, 3, 1, 2, 3, 1});
}

TEST_CASE("docs: scatter") {
  Tensor x = tensor({1, 1, 1});
  Tensor index = tensor({0, 2, 2}, {.dtype = int64});
  Tensor source = tensor({5, 2, 3}, {.requires_grad = true});
  Tensor replaced = scatter(x, 0, index, source);      // 5 1 3: the last of two stays
  Tensor product = scatter_mul(x, 0, index, source);   // 5 1 6
  Tensor largest = scatter_max(x, 0, index, source);   // 5 1 3
  Tensor smallest = scatter_min(x, 0, index, source);  // 1 1 1
  CHECK(values(replaced) == List{5, 1, 3});
  CHECK(values(product) == List{5, 1, 6});
  CHECK(values(largest) == List{5, 1, 3});
  CHECK(values(smallest) == List{1, 1, 1});
  CHECK(values(grad({sum(replaced)}, {source})[0]) == List{1, 0, 1});
  CHECK(values(grad({sum(product)}, {source})[0]) == List{1, 3, 2});
  CHECK(values(take(tensor({{1, 2}, {3, 4}}), tensor({3, 0}, {.dtype = int64}))) == List{4, 1});
}

TEST_CASE("docs: assignment") {
  Tensor w = tensor({1, 2}, {.requires_grad = true});
  Tensor total = zeros({});
  for (int i = 0; i < 3; ++i) total += sum(w * i);  // total = total + ...
  total.backward();
  CHECK(values(w.grad()) == List{3, 3});
  CHECK_THROWS_WITH_AS(
      w -= 0.1 * w.grad(),
      "operator-=: x, of shape [2], is a leaf that wants a gradient, and the handle would be that of "
      "another tensor, which gets none: give the result a handle of its own",
      GraphError);
}
