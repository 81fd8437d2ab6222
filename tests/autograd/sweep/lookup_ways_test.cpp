// Where somebody sees a leaf's gradient, or the sum on its way there, lookups give it whole; and what fails
// leaves it as it was.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/memory.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/autograd/step_list.h"

using namespace xtgrad;
using xtgrad::testing::same_bits;
using xtgrad::testing::values;

namespace {

const Shape tall{1 << 15, 16};

/// A leaf with a gradient, and two lookups in it.
struct Table {
  explicit Table(Dtype dtype) : start(randn(tall, random, {.dtype = dtype})), w(start * 0.5) {
    w.set_requires_grad();
    reset();
  }
  void reset() const { w.set_grad(start * 1); }
  [[nodiscard]] Tensor rows() const { return gather(w, 0, index); }
  /// The slice is the later one.
  [[nodiscard]] Tensor loss_of(const Tensor& rows) const {
    return sum(square(rows)) + sum(sin(slice(w, {.stop = 7})));
  }
  [[nodiscard]] Tensor loss() const { return loss_of(rows()); }
  /// What backward of `loss` makes of the gradient.
  [[nodiscard]] Tensor want() const {
    const Tensor handle = w.grad();
    const Tensor gradient = grad(loss(), w);
    return handle + gradient;
  }

  Random random{3};
  Tensor index = broadcast_to(tensor({{4}, {30000}, {4}, {5}}, {.dtype = int64}), {4, 16});
  Tensor start;
  Tensor w;
};

template <class F>
void for_each_dtype(F check) {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    check(Table(dtype));
  }
}

bool is_whole(const Table& table, const std::function<void()>& sweep) {
  reset_peak_memory();
  const std::int64_t before = memory_in_use();
  sweep();
  const auto bytes = static_cast<std::int64_t>(item_size(table.w.dtype())) * table.w.numel();
  return peak_memory() - before >= bytes;
}

}  // namespace

TEST_CASE("a handle on the gradient, on it detached or on its elements keeps what it has") {
  for_each_dtype([](const Table& table) {
    const Tensor want = table.want();
    const Tensor loss = table.loss();
    const Tensor given = table.start * 1;
    table.w.set_grad(given);  // a handle of the caller's
    loss.backward({.keep_graph = true});
    CHECK(same_bits(given, table.start));
    CHECK(same_bits(table.w.grad(), want));
    table.reset();
    const Tensor detached = table.w.grad().detach();
    loss.backward({.keep_graph = true});
    CHECK(same_bits(detached, table.start));
    CHECK(same_bits(table.w.grad(), want));
    table.reset();
    const Tensor flat = reshape(table.w.grad(), {table.w.numel()});
    loss.backward({.keep_graph = true});
    CHECK(same_bits(flat, reshape(table.start, {table.w.numel()})));
    CHECK(same_bits(table.w.grad(), want));
    table.reset();
    CHECK_FALSE(is_whole(table, [&] { loss.backward(); }));
    CHECK(same_bits(table.w.grad(), want));
  });
}

TEST_CASE("functions on the leaf and on its lookups see whole gradients, and change no bit") {
  for_each_dtype([](const Table& table) {
    const Tensor want = table.want();
    const Tensor part = grad(table.loss(), table.w);
    Tensor seen;
    Hook hook = on_gradient(table.w, [&seen](const Tensor& g) {
      seen = g;
      return Tensor();
    });
    table.loss().backward();
    hook.remove();
    CHECK(same_bits(seen, part));
    CHECK(same_bits(table.w.grad(), want));

    table.reset();
    hook = on_accumulated(table.w, [&seen](const Tensor& g) { seen = g * 1; });
    table.loss().backward();
    hook.remove();
    CHECK(same_bits(seen, want));
    CHECK(same_bits(table.w.grad(), want));

    table.reset();
    const Tensor rows = table.rows();
    on_rule(rows, {.after = [&seen](const RuleCall& call) { seen = call.gradients[0]; }});
    table.loss_of(rows).backward();
    CHECK(seen.shape() == tall);
    CHECK(same_bits(table.w.grad(), want));
  });
}

TEST_CASE("what functions do to the gradient in the middle of a sweep counts") {
  for_each_dtype([](const Table& table) {
    const Tensor want = table.want();
    const Tensor part = grad(table.loss(), table.w);
    // Its node is older than the lookups, so they have been passed when the function is called.
    const Tensor x = ones({3}, {.dtype = table.w.dtype(), .requires_grad = true});
    const auto sweep = [&](const std::function<void()>& f) {
      table.reset();
      const Tensor early = x * 2;
      on_gradient(early, [&f](const Tensor&) {
        f();
        return Tensor();
      });
      (table.loss() + sum(early)).backward();
    };
    Tensor handle;
    sweep([&] { handle = table.w.grad(); });
    CHECK(same_bits(handle, table.start));
    CHECK(same_bits(table.w.grad(), want));
    handle = Tensor();
    sweep([&] { table.w.clear_grad(); });
    CHECK(same_bits(table.w.grad(), part));
    sweep([&] { table.w.set_grad(table.start * 2); });
    CHECK(same_bits(table.w.grad(), table.start * 2 + part));
    sweep([&] { on_gradient(table.w, [](const Tensor& g) { return g * 0; }); });
    CHECK(values(table.w.grad()) == values(table.start));
    // A leaf's function comes after all rules.
    on_gradient(x, [&](const Tensor&) {
      handle = table.w.grad();
      return Tensor();
    });
    table.reset();
    (table.loss() + sum(x)).backward();
    CHECK(same_bits(handle, table.start));
  });
}

TEST_CASE("watchers see lookups' gradients as they are without a gradient before") {
  for_each_dtype([](const Table& table) {
    const Tensor want = table.want();
    {
      const StepList steps;
      table.loss().backward();
      const std::string text = steps.text();
      CHECK(text.find("scatter_add") != std::string::npos);
      CHECK(text.find("at_places") == std::string::npos);
    }
    CHECK(same_bits(table.w.grad(), want));
    table.reset();
    {
      const NanGuard guard;
      table.loss().backward();
    }
    CHECK(same_bits(table.w.grad(), want));
    table.reset();
    {
      const Profile profile;
      table.loss().backward();
    }
    CHECK(same_bits(table.w.grad(), want));
  });
}

TEST_CASE("a recorded sweep adds lookups' gradients so that they have derivatives") {
  for_each_dtype([](const Table& table) {
    const Tensor want = table.want();
    table.loss().backward({.create_graph = true});
    CHECK(same_bits(table.w.grad(), want));
    // d/dw of the sum of 2 w and cos w: 2 for each time that a row was looked up.
    const Tensor second = grad(sum(table.w.grad()), table.w);
    CHECK(second.at({4, 3}) == doctest::Approx(4 - std::sin(table.w.at({4, 3}))).epsilon(1e-6));
    CHECK(second.at({30000, 0}) == 2);
    CHECK(second.at({9, 0}) == 0);
    // What has a history is not written into.
    const Tensor before = table.w.grad() * 1;
    const Tensor part = grad(table.loss(), table.w);
    table.loss().backward();
    CHECK(same_bits(table.w.grad(), before + part));
    table.w.clear_grad();
  });
}

TEST_CASE("a sweep that fails after lookups leaves the gradients of all leaves as they were") {
  for_each_dtype([](const Table& table) {
    const Tensor want = table.want();
    const Tensor x = ones({3}, {.dtype = table.w.dtype(), .requires_grad = true});
    const Tensor early = x * 2;
    Hook hook = on_gradient(early, [](const Tensor&) -> Tensor { throw std::runtime_error("no"); });
    CHECK_THROWS_AS((table.loss() + sum(early)).backward(), std::runtime_error);
    hook.remove();
    CHECK(same_bits(table.w.grad(), table.start));
    CHECK_FALSE(x.grad().defined());
    // When the first gradients are about to be stored.
    hook = on_gradient(x, [](const Tensor&) -> Tensor { throw std::runtime_error("no"); });
    CHECK_THROWS_AS((table.loss() + sum(x)).backward(), std::runtime_error);
    CHECK(same_bits(table.w.grad(), table.start));
    hook.remove();
    (table.loss() + sum(x)).backward();
    CHECK(same_bits(table.w.grad(), want));
    CHECK(values(x.grad()) == std::vector<double>{1, 1, 1});
  });
}

TEST_CASE("a leaf that is frozen in the middle of a sweep gets no gradient of lookups") {
  for_each_dtype([](const Table& table) {
    const Tensor x = ones({3}, {.dtype = table.w.dtype(), .requires_grad = true});
    const Tensor early = x * 2;
    Tensor w = table.w;
    on_gradient(early, [&w](const Tensor&) {
      w.set_requires_grad(false);
      return Tensor();
    });
    (table.loss() + sum(early)).backward();
    CHECK(same_bits(w.grad(), table.start));
    CHECK(values(x.grad()) == std::vector<double>{2, 2, 2});
  });
}

TEST_CASE("lookups in two leaves, swept twice, and one that keeps its own gradient") {
  for_each_dtype([](const Table& table) {
    const Table other(table.w.dtype());
    const Tensor want = table.want() + grad(table.loss(), table.w);
    const Tensor rows = table.rows();
    rows.retain_grad();
    const Tensor loss = table.loss_of(rows) + other.loss();
    CHECK_FALSE(is_whole(table, [&] { loss.backward({.keep_graph = true}); }));
    CHECK_FALSE(is_whole(table, [&] { loss.backward(); }));
    CHECK(same_bits(table.w.grad(), want));
    CHECK(same_bits(other.w.grad(), want));
    CHECK(same_bits(rows.grad(), table.rows() * 2 * 2));
  });
}
