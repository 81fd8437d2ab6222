// Counts whose shape depends on elements, in captured functions.
#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/segment.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/capture.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

TEST_CASE("what reads elements to find out its shape is refused by name where it is captured") {
  const Tensor x = tensor({3, 1, 3}, {.dtype = int64});
  const auto says = [&](const auto& f, const std::string& text) {
    const std::string message = message_of([&] { static_cast<void>(capture(f, x)); });
    CAPTURE(message);
    CHECK(message.find(text) != std::string::npos);
  };
  says([](const Tensor& v) { return bincount(v); }, "bincount() reads \"in0\" as a C++ number");
  says([](const Tensor& v) { return unique(v).counts; },
       "unique() reads a tensor that the function computes as a C++ number");
}

TEST_CASE("what has the same shape for all elements is a step") {
  auto counts = capture([](const Tensor& v) { return histc(v, {.bins = 3}); }, tensor({0, 1, 2}));
  CHECK(to_string(counts(tensor({0, 10, 30}))) == to_string(tensor({1, 1, 1}, {.dtype = int64})));
  auto places = capture(
      [](const Tensor& v) {
        return searchsorted(tensor({1, 2, 3}), v);
      },
      tensor({0, 1, 2}));
  CHECK(to_string(places(tensor({2.5, 0, 9}))) == to_string(tensor({2, 0, 3}, {.dtype = int64})));
}

TEST_CASE("unique and its inverse are x") {
  const Tensor x = tensor({{2, -1, 2}, {0, 2, -1}}, {.dtype = float32, .requires_grad = true});
  const auto [values, inverse, counts] = unique(x);
  CHECK(to_string(values) == to_string(tensor({-1, 0, 2})));
  CHECK(to_string(counts) == to_string(tensor({2, 1, 3}, {.dtype = int64})));
  CHECK(inverse.shape() == x.shape());
  CHECK(to_string(reshape(index_select(values, 0, reshape(inverse, {-1})), {2, 3})) == to_string(x.detach()));
  CHECK_FALSE(values.requires_grad());
}

TEST_CASE("ids of int32, and gradients of segments without entries") {
  const Tensor x = tensor({1, 5, 5}, {.dtype = float64, .requires_grad = true});
  const Tensor ids = tensor({2, 0, 0}, {.dtype = int32});
  const Tensor y = segment_max(x, ids, 4);
  CHECK(y.at({1}) == -std::numeric_limits<double>::infinity());
  // Weighted so that the cotangent of an empty segment is no zero.
  const Tensor w = tensor({1, 2, 4, 8}, {.dtype = float64, .requires_grad = true});
  const Tensor g = grad({sum(where(y > -10, y, 0) * w)}, {x}, {.create_graph = true})[0];
  CHECK(g.at({0}) == 4);
  CHECK(g.at({1}) == 0.5);
  const Tensor mixed = grad({sum(g)}, {w})[0];
  for (std::int64_t i = 0; i < 4; ++i) CHECK(mixed.at({i}) == (i == 0 || i == 2 ? 1 : 0));
  CHECK(to_string(segment_max(tensor({7}, {.dtype = int64}), tensor({0}, {.dtype = int64}), 1)) ==
        to_string(tensor({7}, {.dtype = int64})));
}
