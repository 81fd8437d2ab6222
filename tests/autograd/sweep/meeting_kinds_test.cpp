// Two threads whose graphs share nodes of every kind: both are right, or one is refused. Run under the thread
// sanitizer too.
#include <doctest/doctest.h>

#include <algorithm>
#include <barrier>
#include <cmath>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/implicit.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

constexpr int rounds = 30;

using Trunk = Tensor (*)(const Tensor&);
struct Kind {
  const char* name;
  Trunk trunk;  // of four elements, to any number of them
};

Tensor constant(const Tensor& like, const Shape& shape, double value) {
  return full(shape, value, {.dtype = like.dtype()});
}

const Kind kinds[] = {
    {"split",
     [](const Tensor& x) {
       const std::vector<Tensor> pieces = split(tanh(x), 2);
       return concat({pieces[0] * pieces[1], pieces[1]});
     }},
    {"sort",
     [](const Tensor& x) {
       const Tensor sorted = sort(tanh(x)).values;
       return sorted * sorted;
     }},
    {"topk", [](const Tensor& x) { return topk(tanh(x), 3).values; }},
    {"checkpoint",
     [](const Tensor& x) { return checkpoint([](const Tensor& t) { return tanh(exp(t) * t); }, tanh(x)); }},
    {"checkpoint within a checkpoint",
     [](const Tensor& x) {
       return checkpoint(
           [](const Tensor& t) {
             return checkpoint([](const Tensor& u) { return sort(u).values * u; }, tanh(t));
           },
           tanh(x));
     }},
    {"checkpoint of two outputs",
     [](const Tensor& x) {
       const auto [a, b] = checkpoint([](const Tensor& t) { return std::pair(exp(t), tanh(t)); }, tanh(x));
       return a * b;
     }},
    {"custom_vjp",
     [](const Tensor& x) {
       return custom_vjp([](const Tensor& v) { return v * v; },
                         [](const Tensor& v, const Tensor&, const Tensor& g) { return g * v * 2; }, tanh(x));
     }},
    {"batch_norm",
     [](const Tensor& x) {
       const Tensor y = batch_norm(reshape(tanh(x), {4, 1}), constant(x, {1}, 1), constant(x, {1}, 1));
       return y * y;  // the sum of y's own squares is the same for every x
     }},
    {"slices of one tensor",
     [](const Tensor& x) {
       const Tensor y = tanh(x);
       Tensor total = slice(y, {.start = 0, .stop = 2});
       for (int i = 0; i < 5; ++i) total = total + slice(y, {.start = 1, .stop = 3});
       return total;
     }},
    {"concat of 40",
     [](const Tensor& x) {
       const Tensor y = tanh(x);
       std::vector<Tensor> parts;
       for (int i = 0; i < 40; ++i) parts.push_back(tanh(y));
       return concat(parts);
     }},
    {"fixed_point",
     [](const Tensor& x) {
       return fixed_point([](const Tensor& u, const Tensor& a) { return cos(u * a); }, constant(x, {4}, 0),
                          tanh(x));
     }},
    {"max_pool2d",
     [](const Tensor& x) {
       return max_pool2d(reshape(tanh(x), {1, 1, 2, 2}), {.kernel = 2});
     }},
    {"retain_grad",
     [](const Tensor& x) {
       Tensor y = tanh(x);
       y.retain_grad();
       return exp(y);
     }},
    {"hooks",
     [](const Tensor& x) {
       const Tensor y = tanh(x);
       on_gradient(y, [](const Tensor& g) { return g * 1.0; });
       on_rule(y, {.after = [](const RuleCall&) {}});
       return exp(y);
     }},
};

Tensor leaf(Dtype dtype) { return tensor({0.3, -0.4, 0.9, 0.5}, {.dtype = dtype, .requires_grad = true}); }

Tensor loss_of(const Tensor& trunk, double factor) { return sum(trunk * trunk * factor); }

/// "" if the sweep came through, else what its GraphError says.
template <class F>
std::string swept(F sweep) {
  try {
    sweep();
    return "";
  } catch (const GraphError& error) {
    return error.what();
  }
}

void check_error(const std::string& error) {
  if (error.empty()) return;
  CAPTURE(error);
  CHECK(error.find("pass {.keep_graph = true} to the first one") != std::string::npos);
}

/// `factor` times the gradient of the loss of factor 1, up to roundings of the dtype.
void check_multiple(const Tensor& got, double factor, const std::vector<double>& once, Dtype dtype) {
  if (factor == 0) {
    CHECK_FALSE(got.defined());
    return;
  }
  REQUIRE(got.defined());
  double largest = 0;
  for (const double each : once) largest = std::max(largest, std::abs(factor * each));
  const double rounding = dtype == float32 ? 1e-5 : 1e-12;
  const std::vector<double> elements = testing::values(got);
  for (std::size_t i = 0; i < once.size(); ++i) {
    CHECK(std::abs(elements[i] - factor * once[i]) <= rounding * largest);
  }
}

/// Both threads hold one loss each, and nothing else holds the trunk.
void meet_once(Trunk trunk, Dtype dtype, bool one_keeps, const std::vector<double>& once) {
  const Tensor x = leaf(dtype);
  Tensor shared = trunk(x);
  Tensor doubled = loss_of(shared, 2);
  Tensor tripled = loss_of(shared, 3);
  shared = Tensor();
  std::barrier start(2);
  std::string first, second;
  Tensor kept;
  std::thread other([&, mine = std::move(doubled)]() mutable {
    start.arrive_and_wait();
    first = swept([&] {
      if (one_keeps) {
        kept = grad({mine}, {x}, {.keep_graph = true})[0];
      } else {
        mine.backward();
      }
    });
    mine = Tensor();
  });
  start.arrive_and_wait();
  second = swept([&] { tripled.backward(); });
  tripled = Tensor();
  other.join();
  check_error(first);
  check_error(second);
  CHECK((first.empty() || second.empty()));
  check_multiple(x.grad(), (second.empty() ? 3 : 0) + (first.empty() && !one_keeps ? 2 : 0), once, dtype);
  check_multiple(kept, one_keeps && first.empty() ? 2 : 0, once, dtype);
}

}  // namespace

TEST_CASE("two threads sweep graphs that share nodes of every kind") {
  for (const Kind& kind : kinds) {
    const std::string name = kind.name;
    CAPTURE(name);
    for (const Dtype dtype : {float32, float64}) {
      CAPTURE(to_string(dtype));
      std::vector<double> once;
      {
        const Tensor x = leaf(dtype);
        loss_of(kind.trunk(x), 1).backward();
        once = testing::values(x.grad());
      }
      const std::int64_t at_start = detail::pool_stats().live_blocks;
      for (int round = 0; round < rounds; ++round) meet_once(kind.trunk, dtype, round % 3 == 1, once);
      CHECK(detail::pool_stats().live_blocks == at_start);
    }
  }
}
