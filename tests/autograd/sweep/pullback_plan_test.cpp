// That a Pullback finds once, not row by row, which nodes a sweep to its inputs has to pass.
#include <doctest/doctest.h>

#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/transforms.h"

using namespace xtgrad;

namespace {

thread_local long requests = 0;

/// How often the pool is asked for memory.
template <class F>
long requests_of(F f) {
  requests = 0;
  detail::set_pool_fault_hook([](detail::PoolRequest request) {
    requests += request == detail::PoolRequest::block ? 1 : 0;
    return false;
  });
  f();
  detail::set_pool_fault_hook(nullptr);
  return requests;
}

/// The captured w, through so many operations that no way to x leads along: only who looks for one passes
/// them.
UnaryTensorFunction with_side_branch(const Tensor& w, int length) {
  return [w, length](const Tensor& x) {
    Tensor side = w;
    for (int i = 0; i < length; ++i) side = tanh(side);
    return x * side;
  };
}

}  // namespace

TEST_CASE("a pullback's rows do not look for the way again") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor w = full({3}, 0.5, {.dtype = dtype, .requires_grad = true});
    const Tensor x = full({3}, 2, {.dtype = dtype});
    const NoGrad no_grad;  // so that a row is a plain sweep
    std::vector<long> by_row, to_plan;
    for (const int length : {1, 1000}) {
      const UnaryTensorFunction f = with_side_branch(w, length);
      const Pullback warm = vjp(f, x);
      const Tensor g = ones({3}, {.dtype = dtype});
      static_cast<void>(warm(g));
      const long first = requests_of([&] { static_cast<void>(warm(g)); });
      for (int row = 0; row < 3; ++row) {
        CHECK(requests_of([&] { static_cast<void>(warm(g)); }) == first);
      }
      by_row.push_back(first);
      const Tensor variable = full({3}, 2, {.dtype = dtype, .requires_grad = true});
      const long to_record = requests_of([&] {
        const EnableGrad record;
        static_cast<void>(f(variable));
      });
      to_plan.push_back(requests_of([&] { static_cast<void>(vjp(f, x)); }) - to_record);
    }
    CHECK(by_row[0] == by_row[1]);
    CHECK(by_row[0] > 0);
    CHECK(to_plan[1] > to_plan[0]);  // a row that planned would show
  }
}

TEST_CASE("all rows of a jacobian follow the plan that was made before the first") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = full({4}, 0.5, {.dtype = dtype});
    int rows = 0;
    // A sweep that frees the graph while the first row runs: nobody could plan from then on.
    const UnaryTensorFunction f = [&](const Tensor& v) {
      const Tensor y = exp(v);
      on_rule(y, {.after = [&rows, loss = sum(y)](const RuleCall&) {
                if (++rows == 1) loss.backward();
              }});
      return y * 2.0;
    };
    const Tensor j = jacobian(f, x);
    CHECK(rows >= 4);
    CHECK(testing::same_bits(j, eye(4, {}, {.dtype = dtype}) * exp(x) * 2.0));
  }
}
