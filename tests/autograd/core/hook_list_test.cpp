// Functions on tensors that throw, come and go while they run, and how long they live.
#include "xtgrad/autograd/core/hook_list.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using xtgrad::testing::values;
using Values = std::vector<double>;

TEST_CASE("what a hook throws leaves the sweep, which has stored nothing, and its node whole") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  const Tensor z = tensor({1, 2}, {.requires_grad = true});
  const auto fail = [](const Tensor&) -> Tensor { throw std::runtime_error("mine"); };
  const auto check = [&](const Tensor& at, bool by_grad, bool by_rule) {
    const Tensor h = at.defined() ? at : x * z;
    const Tensor y = sum(h * x + z);
    Hook hook = by_rule ? on_rule(h, {.after = [&](const RuleCall& call) { fail(call.cotangent); }})
                        : on_gradient(h, fail);
    const auto sweep = [&] {
      if (by_grad) {
        static_cast<void>(grad({y}, {x, z}));
      } else {
        y.backward();
      }
    };
    CHECK_THROWS_WITH_AS(sweep(), "mine", std::runtime_error);
    hook.remove();
    CHECK_FALSE(x.grad().defined());
    CHECK_FALSE(z.grad().defined());
    if (!at.defined()) CHECK(values(grad({sum(h)}, {x})[0]) == Values{1, 2});  // h is whole
  };
  check(Tensor(), false, false);
  check(Tensor(), true, false);
  check(Tensor(), false, true);
  check(Tensor(), true, true);
  check(x, false, false);
  check(x, true, false);
  CHECK(is_recording());
}

TEST_CASE("a hook may remove itself and others, and add some, while it runs") {
  const Tensor x = full({}, 1, {.requires_grad = true});
  std::vector<int> order;
  Hook self, second;
  self = on_gradient(x, [&](const Tensor&) {
    order.push_back(1);
    self.remove();
    second.remove();
    on_gradient(x, [&](const Tensor&) {
      order.push_back(3);
      return Tensor();
    });
    return Tensor();
  });
  second = on_gradient(x, [&](const Tensor&) {
    order.push_back(2);
    return Tensor();
  });
  (x * 2).backward();
  CHECK(order == std::vector<int>{1});
  (x * 2).backward();
  CHECK(order == std::vector<int>{1, 3});
}

TEST_CASE("a hook may sweep another graph") {
  const Tensor x = full({}, 3, {.requires_grad = true});
  const Tensor h = x * 2;
  on_gradient(h, [](const Tensor& g) {
    const EnableGrad record;
    const Tensor v = full({}, 5, {.requires_grad = true});
    return g * grad({square(v)}, {v})[0];
  });
  h.backward();
  CHECK(x.grad().item() == 20);
}

TEST_CASE("threads that sweep graphs with a common leaf each call its hooks") {
  const Tensor x = full({}, 3, {.requires_grad = true});
  std::atomic<int> calls{0};
  on_gradient(x, [&](const Tensor& g) {
    ++calls;
    return g * 2;
  });
  constexpr int rounds = 200;
  const auto work = [&] {
    for (int i = 0; i < rounds; ++i) (x * 5).backward();
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(calls == 2 * rounds);
  CHECK(x.grad().item() == 2 * rounds * 10);
}

TEST_CASE("hooks live as long as the node, and no longer") {
  const auto alive = std::make_shared<int>(0);
  Hook hook;
  {
    const Tensor x = full({}, 1, {.requires_grad = true});
    Tensor y;
    {
      const Tensor h = x * 2;
      hook = on_gradient(h, [alive](const Tensor&) {
        ++*alive;
        return Tensor();
      });
      y = h * 3;
    }
    CHECK(hook.active());  // h has no handle any more
    y.backward();
    CHECK(*alive == 1);
  }
  CHECK_FALSE(hook.active());
  CHECK(alive.use_count() == 1);
  hook.remove();
  // One that holds its own tensor, until it is removed.
  {
    const Tensor h = full({}, 1, {.requires_grad = true}) * 2;
    hook = on_gradient(h, [alive, h](const Tensor&) { return h; });
  }
  CHECK(alive.use_count() == 2);
  hook.remove();
  CHECK(alive.use_count() == 1);
}
