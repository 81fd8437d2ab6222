// Functions around rules that add to sums: slice's, gather's and checkpoint's.
#include <doctest/doctest.h>

#include <functional>
#include <utility>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"

using namespace xtgrad;
using xtgrad::testing::same_bits;
using xtgrad::testing::values;
using Values = std::vector<double>;

TEST_CASE("on_rule: a function that only looks sees the whole gradient, and changes no bit of any sum") {
  enum class How { plain, looked_at, replaced };
  std::vector<Tensor> seen;
  const auto sweep = [&](Dtype dtype, How how, bool create_graph) {
    Random random(3);
    const auto leaf = [&] { return randn({4, 3}, random, {.dtype = dtype, .requires_grad = true}); };
    const Tensor x = leaf(), w = leaf();
    const Tensor index = tensor({{0, 0, 0}, {0, 2, 3}}, {.dtype = int64});
    const std::vector<Tensor> made{
        slice(x, {.stop = 2}), gather(x, 0, index), slice(w, {.start = 2}), gather(w, 0, index),
        checkpoint([](const Tensor& a, const Tensor& b) { return slice(a * b + a, {.stop = 2}); }, x, w)};
    for (const Tensor& y : made) {
      if (how == How::plain) continue;
      on_rule(y, {.after = [&seen, how](const RuleCall& call) {
                for (Tensor& gradient : call.gradients) {
                  if (!gradient.defined()) continue;
                  seen.push_back(gradient);
                  if (how == How::replaced) gradient = gradient * 1;
                }
              }});
    }
    Tensor loss = sum(x * -0.0) + sum(sin(w));
    for (const Tensor& y : made) loss = loss + sum(y * y) * 0.7;
    return grad({loss}, {x, w}, {.create_graph = create_graph});
  };
  for (const Dtype dtype : {float32, float64}) {
    for (const bool create_graph : {false, true}) {
      CAPTURE(to_string(dtype));
      CAPTURE(create_graph);
      seen.clear();
      const std::vector<Tensor> plain = sweep(dtype, How::plain, create_graph);
      const std::vector<Tensor> looked_at = sweep(dtype, How::looked_at, create_graph);
      const std::vector<Tensor> whole = std::exchange(seen, {});
      const std::vector<Tensor> replaced = sweep(dtype, How::replaced, create_graph);
      for (std::size_t i = 0; i < 2; ++i) {
        CHECK(same_bits(plain[i], looked_at[i]));
        // By another gradient of the same elements, which is added as a whole.
        for (std::int64_t k = 0; k < 12; ++k) {
          const double want = plain[i].at({k / 3, k % 3});
          CHECK(replaced[i].at({k / 3, k % 3}) == doctest::Approx(want).epsilon(1e-5));
        }
      }
      REQUIRE(whole.size() == 6);
      REQUIRE(seen.size() == 6);
      for (std::size_t i = 0; i < 6; ++i) {
        CHECK(whole[i].shape() == Shape{4, 3});
        CHECK(same_bits(whole[i], seen[i]));
      }
      // Of the slice of w: of its last rows alone, though w had got gradients before.
      CHECK(values(slice(whole[3], {.stop = 2})) == Values(6, 0));
    }
  }
}

TEST_CASE("on_rule: of a rule that adds to sums, what functions replace or drop is replaced or dropped") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor a = tensor({1, 2}, {.dtype = dtype, .requires_grad = true});
    const Tensor b = tensor({3, 4}, {.dtype = dtype, .requires_grad = true});
    const auto with = [&](const std::function<void(const RuleCall&)>& after) {
      a.clear_grad();
      b.clear_grad();
      const Tensor y = checkpoint([](const Tensor& u, const Tensor& v) { return u * v; }, a, b);
      on_rule(y, {.after = after});
      (sum(y) + sum(a * 100) + sum(b * 1000)).backward();
    };
    with([](const RuleCall& call) { call.gradients[1] = call.gradients[1] * 10; });
    CHECK(values(a.grad()) == Values{103, 104});
    CHECK(values(b.grad()) == Values{1010, 1020});
    with([](const RuleCall& call) { call.gradients[0] = Tensor(); });
    CHECK(values(a.grad()) == Values{100, 100});
    CHECK(values(b.grad()) == Values{1001, 1002});
    const Tensor empty = zeros({0, 3}, {.dtype = dtype, .requires_grad = true});
    const Tensor cut = slice(empty, {.axis = 1, .stop = 2});
    Shape shape;
    on_rule(cut, {.after = [&](const RuleCall& call) { shape = call.gradients[0].shape(); }});
    (sum(cut) + sum(empty)).backward();
    CHECK(shape == Shape{0, 3});
  }
}
