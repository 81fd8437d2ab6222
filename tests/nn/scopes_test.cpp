// Scopes around models that end in another order than they began.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/on_forward.h"
#include "xtgrad/nn/sequential.h"

using namespace xtgrad;
using namespace nn_test;

TEST_CASE("OnForward: the functions that live are called, the innermost first, whatever order they end in") {
  nn::Linear layer{2, 2};
  const Tensor x = ones({1, 2});
  std::string seen;
  const auto called = [&] {
    seen.clear();
    static_cast<void>(layer(x));
    return seen;
  };
  const auto look = [&](char letter) {
    return nn::OnForward::CallFunction([&seen, letter](const nn::ForwardCall&) { seen += letter; });
  };
  std::optional<nn::OnForward> a, b, c;
  a.emplace(look('a'));
  b.emplace(look('b'));
  c.emplace(look('c'));
  CHECK(called() == "cba");
  a.reset();
  CHECK(called() == "cb");
  a.emplace(look('a'));
  CHECK(called() == "acb");
  c.reset();
  CHECK(called() == "ab");
  b.reset();
  a.reset();
  CHECK(called().empty());
  CHECK_FALSE(nn::OnForward::any());
}

TEST_CASE("OnForward: a function may end its own scope, and others, while it runs") {
  nn::Linear layer{2, 2};
  const Tensor x = ones({1, 2});
  int outer_calls = 0, calls = 0;
  std::optional<nn::OnForward> outer, once;
  outer.emplace([&](const nn::ForwardCall&) { ++outer_calls; });
  once.emplace([&](const nn::ForwardCall&) {
    ++calls;
    once.reset();
  });
  static_cast<void>(layer(x));
  static_cast<void>(layer(x));
  CHECK(calls == 1);
  CHECK(outer_calls == 2);
  once.emplace([&](const nn::ForwardCall&) { outer.reset(); });
  static_cast<void>(layer(x));
  CHECK(outer_calls == 2);  // ended before its turn
}

TEST_CASE("OnForward: an empty function is refused where it is given") {
  CHECK_THROWS_WITH_AS(nn::OnForward look(nn::OnForward::CallFunction{}), "OnForward: the function is empty",
                       ValueError);
  CHECK_THROWS_WITH_AS(nn::OnForward look(nn::OnForward::Function{}), "OnForward: the function is empty",
                       ValueError);
  CHECK_FALSE(nn::OnForward::any());
}

TEST_CASE(
    "WithParameters: the values of the innermost scope that lives, and in the end the parameter's own") {
  nn::Parameter w(tensor({1.0}));
  const std::vector<nn::ParameterRef> cells{w.cell()};
  const auto value = [&] { return w.tensor().item(); };
  const std::vector<Tensor> two{tensor({2.0})}, three{tensor({3.0})};
  std::optional<nn::WithParameters> a, b;
  a.emplace(cells, two);
  b.emplace(cells, three);
  CHECK(value() == 3);
  a.reset();
  CHECK(value() == 3);
  b.reset();
  CHECK(value() == 1);
  // One twice in a scope: the last value, and then none of them.
  const std::vector<nn::ParameterRef> twice{w.cell(), w.cell()};
  const std::vector<Tensor> both{tensor({4.0}), tensor({5.0})};
  a.emplace(twice, both);
  CHECK(value() == 5);
  a.reset();
  CHECK(value() == 1);
}

TEST_CASE(
    "deeply nested containers are listed, run, copied and destroyed, or refused before the stack ends") {
  const auto nested = [](int depth) {
    nn::Sequential inner{nn::Linear{1, 1}};
    for (int i = 1; i < depth; ++i) {
      nn::Sequential outer;
      outer.add(std::move(inner));
      inner = std::move(outer);
    }
    return inner;
  };
  nn::Sequential some = nested(500);
  CHECK(some.named_parameters().size() == 2);
  CHECK(some(ones({1, 1})).numel() == 1);
  const nn::Sequential copy = some;
  CHECK(copy.parameters()[0] != some.parameters()[0]);
  {
    nn::Sequential deep = nested(200'000);
    const char* const message = "the modules are nested too deeply";
    CHECK_THROWS_WITH_AS(static_cast<void>(deep.parameters()), doctest::Contains(message), ValueError);
    CHECK_THROWS_WITH_AS(static_cast<void>(deep.state_dict()), doctest::Contains(message), ValueError);
    CHECK_THROWS_WITH_AS(deep.eval(), doctest::Contains(message), ValueError);
    CHECK_THROWS_WITH_AS(nn::Sequential(std::as_const(deep)), doctest::Contains(message), ValueError);
    CHECK_THROWS_WITH_AS(static_cast<void>(deep(ones({1, 1}))), doctest::Contains(message), ValueError);
  }
  CHECK(some.named_parameters().size() == 2);  // nothing of the refusals is left
}
