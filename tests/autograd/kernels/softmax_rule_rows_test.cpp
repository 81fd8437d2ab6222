// The rules of softmax and log_softmax look for what to count from, and have the bits of rows that add up the
// one cotangent which it is, or none, among zeros.
#include "xtgrad/autograd/kernels/levels/softmax_rule_rows.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "xtgrad/autograd/random.h"

namespace {

using namespace xtgrad;
using namespace xtgrad::detail;

template <LaneFloat T>
void softmax_vjp_by_sums(const RowIn<T>& g, const RowIn<T>& y, std::int64_t n, const RowOut<T>& out) {
  Lane<T> firsts(T(0));
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    firsts += where(dominates(y.load(i, count, 0)), g.load(i, count, 0), 0);
  });
  const T first = sum_of(firsts);  // of one
  RowSum<T> sum;
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    sum.add((g.load(i, count, first) - first) * y.load(i, count, 0));
  });
  const T dot = static_cast<T>(sum.total());
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    out.store(y.load(i, count, 0) * ((g.load(i, count, 0) - first) - dot), i, count);
  });
}

template <LaneFloat T>
void log_softmax_vjp_by_sums(const RowIn<T>& g, const RowIn<T>& y, std::int64_t n, const RowOut<T>& out) {
  Lane<T> firsts(T(0));
  RowSum<T> followers;
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    const Lane<T> own = g.load(i, count, 0);
    const Mask<T> first = log_dominates(y.load(i, count, minus_infinity<T>));
    firsts += where(first, own, 0);
    followers.add(where(first, 0, own));
  });
  const T first = sum_of(firsts);
  const Lane<T> rest(static_cast<T>(followers.total()));
  for_each_lane<T>(n, [&](std::int64_t i, std::int64_t count) {
    const Lane<T> own = g.load(i, count, 0);
    out.store(log_softmax_gradient(own, exp_both(y.load(i, count, 0)), rest + (first - own)), i, count);
  });
}

template <class T>
using Rule = void (*)(const RowIn<T>&, const RowIn<T>&, std::int64_t, const RowOut<T>&);

template <class T>
std::vector<T> run(Rule<T> rule, const std::vector<T>& g, const std::vector<T>& y) {
  const std::size_t n = g.size();
  std::vector<T> out(n);
  rule({g.data(), g.data() + n}, {y.data(), y.data() + n}, static_cast<std::int64_t>(n),
       {out.data(), out.data() + n});
  return out;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// Probabilities: one is `largest`, and the others share what is left.
template <class T>
void check_rows(double largest, Random& random) {
  for (const std::size_t n : {2, 3, 7, 8, 10, 16, 17, 33, 100, 300}) {
    std::vector<T> g, y, log_y;
    for (std::size_t i = 0; i < n; ++i) {
      g.push_back(static_cast<T>(random.next_uniform() - 0.5));
      const double p = i == n / 2 ? largest : (1 - largest) / static_cast<double>(n - 1);
      y.push_back(static_cast<T>(p));
      log_y.push_back(static_cast<T>(std::log(p)));
    }
    g[0] = T(-0.0);
    CAPTURE(n);
    CAPTURE(largest);
    CHECK(same_bits(run<T>(softmax_vjp_row<T>, g, y), run<T>(softmax_vjp_by_sums<T>, g, y)));
    CHECK(same_bits(run<T>(log_softmax_vjp_row<T>, g, log_y), run<T>(log_softmax_vjp_by_sums<T>, g, log_y)));
  }
}

}  // namespace

TEST_CASE("the rules of softmax have the bits of sums with what they count from") {
  Random random(7);
  for (const double largest : {0.02, 0.3, 0.5, 0.62, 0.625, 0.626, 0.7, 0.999, 1 - 0x1p-30}) {
    check_rows<float>(largest, random);
    check_rows<double>(largest, random);
  }
}
