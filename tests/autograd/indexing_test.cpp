// x[i], x[index] and x[mask].
#include <doctest/doctest.h>

#include <type_traits>
#include <utility>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/capture.h"

namespace xtgrad::inline v1::testing { namespace {

template <class X, class I>
concept Indexable = requires(const X& x, const I& i) {
  x[i];
};
static_assert(Indexable<Tensor, int> && Indexable<Tensor, std::size_t> && Indexable<Tensor, Tensor>);
static_assert(!Indexable<Tensor, double> && !Indexable<Tensor, bool>);
// What looks like a change of x would be one of a handle that nobody has.
static_assert(!std::is_assignable_v<decltype(std::declval<Tensor&>()[0]), Tensor>);

TEST_CASE("an entry by its number, from either end") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  CHECK(values(x[1]) == std::vector<double>{4, 5, 6});
  CHECK(values(x[-2]) == std::vector<double>{1, 2, 3});
  CHECK(x[1][2].item() == 6);
  CHECK(x[1][-1].shape() == Shape{});
  CHECK(message_of<ShapeError>([&] { return x[2]; }) ==
        "operator[]: index 2 is out of range: axis 0 of [2, 3] has size 2");
  CHECK(message_of<ShapeError>([&] { return x[0][0][0]; }) ==
        "operator[]: a 0-d tensor has no entries; item() is its number");
  CHECK(message_of<ValueError>([&] { return Tensor()[0]; }).find("the handle is empty") != std::string::npos);
}

TEST_CASE("entries by an index of any shape") {
  const Tensor x = tensor({{1, 2}, {3, 4}, {5, 6}});
  CHECK(values(x[tensor({2, 0}, {.dtype = int64})]) == std::vector<double>{5, 6, 1, 2});
  CHECK(x[tensor({{2, 0, 1}}, {.dtype = int32})].shape() == Shape{1, 3, 2});
  CHECK(values(x[tensor(1, {.dtype = int64})]) == std::vector<double>{3, 4});
  CHECK(message_of<DtypeError>([&] { return x[ones({2})]; }) ==
        "operator[]: the index must be int64, int32 or bool, got float32");
  CHECK(message_of<ShapeError>([] { return ones({})[zeros({1}, {.dtype = int64})]; }) ==
        "operator[]: a 0-d tensor has no entries: x is [], the index is [1]");
}

TEST_CASE("entries by a mask of x's first axes") {
  const Tensor x = tensor({{1, 2}, {3, 4}, {5, 6}});
  CHECK(values(x[x > 2.5]) == std::vector<double>{3, 4, 5, 6});
  const Tensor rows = x[tensor({true, false, true}, {.dtype = boolean})];
  CHECK(rows.shape() == Shape{2, 2});
  CHECK(values(rows) == std::vector<double>{1, 2, 5, 6});
  CHECK(x[x > 9].shape() == Shape{0});
  CHECK(ones({})[tensor(true, {.dtype = boolean})].shape() == Shape{1});
  CHECK(message_of<ShapeError>([&] {
          return x[tensor({true, false}, {.dtype = boolean})];
        }) == "operator[]: a mask must have the sizes of x's first axes: x is [3, 2], the mask is [2]");
}

TEST_CASE("gradients go back to the entries that were read") {
  const Tensor x = tensor({{1, 2}, {3, 4}, {5, 6}}, {.requires_grad = true});
  sum(x[1] * 10 + x[tensor({1, 2}, {.dtype = int64})] +
      sum(x[tensor({false, false, true}, {.dtype = boolean})]))
      .backward();
  CHECK(values(x.grad()) == std::vector<double>{0, 0, 21, 21, 5, 5});
}

TEST_CASE("a mask that a captured function computes is refused by name, one from outside is not") {
  const Tensor x = tensor({1, -2, 3});
  CHECK(message_of<GraphError>([&] {
          return capture([](const Tensor& a) { return a[a > 0]; }, x);
        }).starts_with("capture: operator[]() reads a tensor that the function computes as a C++ number"));
  const Tensor mask = tensor({true, false, true}, {.dtype = boolean});
  auto f = capture([&](const Tensor& a) { return a[mask] + a[0]; }, x);
  CHECK(values(f(tensor({5, 6, 7}))) == std::vector<double>{10, 12});
}

}}  // namespace xtgrad::v1::testing
