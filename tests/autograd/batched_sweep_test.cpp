#include "xtgrad/autograd/batched_sweep.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr std::int64_t many = 24;  // so many rows that one sweep is listed for all

Tensor drawn(const Shape& shape, std::uint64_t seed, Dtype dtype = float64) {
  Random random(seed);
  return randn(shape, random, {.dtype = dtype});
}

std::vector<Tensor> row_by_row(const Pullback& pullback, std::span<const Tensor> cotangents) {
  std::vector<std::vector<Tensor>> rows(pullback.inputs().size());
  const auto given =
      std::find_if(cotangents.begin(), cotangents.end(), [](const Tensor& each) { return each.defined(); });
  for (std::int64_t i = 0; i < given->size(0); ++i) {
    std::vector<Tensor> row;
    for (const Tensor& each : cotangents) row.push_back(each.defined() ? Tensor(each[i]) : Tensor());
    const std::vector<Tensor> gradients = pullback(row);
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      if (gradients[k].defined()) rows[k].push_back(gradients[k]);
    }
  }
  std::vector<Tensor> all;
  for (const std::vector<Tensor>& each : rows) all.push_back(each.empty() ? Tensor() : stack(each));
  return all;
}

void check_rows(const Pullback& pullback, std::span<const Tensor> cotangents) {
  const std::vector<Tensor> got = pullback.batched(cotangents);
  const std::vector<Tensor> expected = row_by_row(pullback, cotangents);
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    REQUIRE(got[i].defined() == expected[i].defined());
    if (got[i].defined()) CHECK(same_bits(got[i], expected[i]));
  }
}

Tensor layered(const Tensor& x, const Tensor& w) { return matmul(w, tanh(matmul(w, reshape(x, {4, 1})))); }

TEST_CASE("a pullback of rows has the bits of a sweep a row") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor w = drawn({4, 4}, 1, dtype), x = drawn({4}, 2, dtype);
    const Tensor index = tensor({2, 0}, {.dtype = int64});
    const auto f = [](const Tensor& a, const Tensor& b, const Tensor& which) {
      const Tensor y = layered(a, b);
      return std::vector<Tensor>{y, index_select(exp(a), 0, which), argmax(a, 0), sum(a) * 2};
    };
    const Pullback pullback = vjp(f, {x, w, index});
    for (const std::int64_t rows : {1, 3, 24, 40}) {
      CAPTURE(rows);
      const std::vector<Tensor> all{drawn({rows, 4, 1}, 3, dtype), drawn({rows, 2}, 4, dtype), Tensor(),
                                    drawn({rows}, 5, dtype)};
      check_rows(pullback, all);
      const NoGrad no_history;
      check_rows(pullback, all);
      check_rows(pullback, std::vector<Tensor>{Tensor(), all[1], Tensor(), Tensor()});
    }
    const std::vector<Tensor> none =
        pullback.batched({zeros({0, 4, 1}, {.dtype = dtype}), Tensor(), Tensor(), Tensor()});
    CHECK(none[0].shape() == Shape{0, 4});
    CHECK(none[1].shape() == Shape{0, 4, 4});
    CHECK(!none[2].defined());
  }
}

TEST_CASE("a batched sweep runs a rule twice at most: for the list, and for all rows") {
  const Tensor x = drawn({many}, 1);
  const auto count = [](const auto& run, std::string_view name) {
    detail::Tracer tracer;
    run();
    return std::ranges::count_if(tracer.trace().steps,
                                 [&](const auto& step) { return step.primitive->name().starts_with(name); });
  };
  const NoGrad no_history;
  const auto f = [](const Tensor& at) { return cumsum(exp(at)); };
  CHECK(count([&] { static_cast<void>(jacobian(f, x)); }, "cumsum") == 3);  // with the forward's own
}

TEST_CASE("batched sweeps can be differentiated: in inputs, cotangents and what is captured") {
  const auto f = [](std::span<const Tensor> in) {
    const Pullback pullback = vjp([&](const Tensor& x) { return layered(x, in[1]); }, in[0]);
    return std::vector<Tensor>{pullback.batched(in[2])};
  };
  const std::vector<Tensor> inputs{drawn({4}, 1), drawn({4, 4}, 2), drawn({many, 4, 1}, 3)};
  CHECK_NOTHROW(require_grads(f, inputs));
  const auto g = [](std::span<const Tensor> in) {
    return std::vector<Tensor>{jacobian([&](const Tensor& x) { return tanh(x * in[1]); }, in[0])};
  };
  const std::vector<Tensor> wide{drawn({many}, 1), drawn({many}, 2)};
  CHECK_NOTHROW(require_grads(g, wide));
  const NoGrad no_history;
  CHECK(!g(wide)[0].requires_grad());
}

TEST_CASE("rows of what cannot be listed are swept one by one") {
  const Tensor x = drawn({many}, 1);
  const auto by_number = [](const Tensor& at) {
    return custom_vjp([](const Tensor& in) { return square(in); },
                      [](const Tensor& in, const Tensor&, const Tensor& g) {
                        return g * in * (sum(g).item() > 0 ? 2 : -2);
                      },
                      at);
  };
  const Pullback read = vjp(by_number, x);
  const Tensor rows = drawn({many, many}, 2);
  check_rows(read, std::span(&rows, 1));
  int calls = 0;
  const auto hooked = [&](const Tensor& at) {
    const Tensor h = exp(at);
    static_cast<void>(on_gradient(h, [&](const Tensor& g) {
      ++calls;
      return g * calls;
    }));
    return h * h;
  };
  static_cast<void>(vjp(hooked, x).batched(rows));
  CHECK(calls >= many);
  // Eight dimensions leave no room for rows inside, but for those of the result.
  const auto deep = [](const Tensor& at) {
    return reshape(exp(reshape(at, {many, 1, 1, 1, 1, 1, 1, 1})), {many});
  };
  const Pullback of_deep = vjp(deep, x);
  check_rows(of_deep, std::span(&rows, 1));
  const Tensor y = drawn({2, 1, 1, 1, 1, 1, 1, 3}, 1);
  CHECK(jacobian([&](const Tensor& at) { return y * at; }, tensor(2, {.dtype = float64})).shape() ==
        y.shape());
}

TEST_CASE("a Jacobian of many and large rows has the bits of sweeps, too") {
  const Tensor x = drawn({130}, 1);
  const auto f = [](const Tensor& at) { return sin(at) * at; };
  const Pullback pullback = vjp(f, x);
  std::vector<Tensor> rows;
  const Tensor units = eye(130, std::nullopt, {.dtype = float64});
  for (std::int64_t i = 0; i < 130; ++i) rows.push_back(pullback(units[i]));
  CHECK(same_bits(jacobian(f, x), stack(rows)));
  CHECK(same_bits(pullback.batched(units), stack(rows)));
}

TEST_CASE("batched sweeps: errors") {
  const Pullback pullback = vjp(
      [](const Tensor& a, const Tensor& b) {
        return std::vector<Tensor>{a * b, a};
      },
      {ones({3}), ones({3})});
  const auto message = [&](const std::vector<Tensor>& given) {
    return message_of<Error>([&] { static_cast<void>(pullback.batched(given)); });
  };
  CHECK(message({ones({2, 3})}) == "vjp: got 1 cotangents, it needs 2");
  CHECK(message({ones({2, 3}), ones({4, 3})}) ==
        "vjp: cotangent 1 has shape [4, 3], it needs rows of [3], 2 as the others");
  CHECK(message({ones({}), Tensor()}) == "vjp: cotangent 0 has shape [], it needs rows of [3]");
  CHECK(message({ones({2, 3}, {.dtype = float64}), Tensor()}) ==
        "vjp: cotangent 0 is float64, it needs float32");
  CHECK(message({Tensor(), Tensor()}) == "vjp: no cotangent is given, so there is no number of rows");
  CHECK(message_of<ValueError>([&] {
          static_cast<void>(pullback.batched(ones({2, 3})));
        }) == "vjp: the function has 2 inputs and 2 outputs; pass a span of cotangents");
}

TEST_CASE("batched sweeps: a rule in which a rule of one's own holds on to the cotangent is swept by rows") {
  const auto f = [](const Tensor& t) {
    return custom_vjp([](const Tensor& u) { return u * sum(u * u); },
                      [](const Tensor& u, const Tensor&, const Tensor& g) {
                        const Tensor c = g.detach();
                        const Tensor product = custom_vjp(
                            [c](const Tensor& v) { return sum(c * v); },
                            [c](const Tensor&, const Tensor&, const Tensor& h) { return h * c; }, u);
                        return g * sum(u * u) + 2 * u * product;
                      },
                      t);
  };
  for (const std::int64_t n : {19, 24}) {
    const Tensor v = arange(n, {}, {.dtype = float64}).set_requires_grad();
    const Tensor j = jacobian(f, v);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t k = 0; k < n; ++k) {
        const double size = static_cast<double>((n - 1) * n * (2 * n - 1) / 6);
        CHECK(j.at({i, k}) == 2.0 * static_cast<double>(i * k) + (i == k ? size : 0));
      }
    }
  }
}

}}  // namespace xtgrad::testing
