// Objectives of a few operations, or of many on short tensors.

#include <bit>

#include "benchmarks/compare/xtgrad/objectives.h"

namespace bench {
namespace {

using xtgrad::Tensor;

std::unique_ptr<Workload> log_sum_exp(const Name& name, float /*rate*/) {
  const Tensor x = leaf(1, {name.numbers().at(0)}, -8, 8);
  return std::make_unique<Differentiated>(std::vector{x}, [=] { return logsumexp(x); });
}

/// Half the squared distance of a polynomial to the sign, at n points in [-1, 1].
std::unique_ptr<Workload> least_squares(const Name& name, float /*rate*/) {
  const std::int64_t n = name.numbers().at(0), count = name.numbers().at(1);
  const Tensor x = leaf(1, {1, count});
  return std::make_unique<Differentiated>(std::vector{x}, [=] {
    const Tensor t = xtgrad::linspace(-1, 1, n, {.dtype = xtgrad::Dtype::float32});
    std::vector<Tensor> powers{ones_like(t)};
    for (std::int64_t j = 1; j < count; ++j) powers.push_back(powers.back() * t);
    return sum(square(sign(t) - matmul(x, stack(powers)))) / 2;
  });
}

/// y_0' = x_0, y_i' = x_i y_(i-1), y(0) = 0; the last y at time 2, by Runge and Kutta. The y stand behind
/// a 1.
std::unique_ptr<Workload> runge_kutta(const Name& name, float /*rate*/) {
  const std::int64_t n = name.numbers().at(0), steps = name.numbers().at(1);
  const auto scale = static_cast<double>(steps);
  const Tensor x = leaf(1, {n}, 0.5625 * scale, 0.6875 * scale);
  return std::make_unique<Differentiated>(std::vector{x}, [=] {
    const Tensor hx = x * (2 / scale);
    const auto slope = [&](const Tensor& y) { return pad(hx * slice(y, {.stop = n}), {.low = 1}); };
    Tensor y = pad(xtgrad::ones({1}), {.high = n});
    for (std::int64_t step = 0; step < steps; ++step) {
      const Tensor k1 = slope(y);
      const Tensor k2 = slope(y + k1 * 0.5);
      const Tensor k3 = slope(y + k2 * 0.5);
      const Tensor k4 = slope(y + k3);
      y = y + (k1 + (k2 + k3) * 2 + k4) / 6;
    }
    return reshape(slice(y, {.start = n}), {});
  });
}

/// What a level of the expansion reads: for each set of columns, its columns, and its place without each of
/// them in the level below.
struct Level {
  Tensor columns, below;  // [size * sets]
  Tensor signs;           // [size, 1]
  std::int64_t sets = 0;
};

std::vector<Level> levels_of(std::int64_t n) {
  std::vector<std::int64_t> place(std::size_t{1} << n);
  std::vector<Level> levels;
  for (std::int64_t size = 1; size <= n; ++size) {
    std::vector<std::vector<std::int64_t>> columns(static_cast<std::size_t>(size)), below(columns);
    std::int64_t sets = 0;
    for (std::size_t set = 0; set < place.size(); ++set) {
      if (std::popcount(set) != size) continue;
      place[set] = sets++;
      std::size_t k = 0;
      for (std::size_t rest = set; rest != 0; rest &= rest - 1, ++k) {
        columns[k].push_back(std::countr_zero(rest));
        below[k].push_back(place[set & ~(rest & ~(rest - 1))]);
      }
    }
    Values signs;
    std::vector<std::int64_t> all_columns, all_below;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      signs.push_back(k % 2 == 0 ? 1.0F : -1.0F);
      all_columns.insert(all_columns.end(), columns[k].begin(), columns[k].end());
      all_below.insert(all_below.end(), below[k].begin(), below[k].end());
    }
    levels.push_back({xtgrad::from_vector(all_columns), xtgrad::from_vector(all_below),
                      xtgrad::from_span(signs, {size, 1}), sets});
  }
  return levels;
}

/// A determinant by expansion along rows, over minors that are shared: those of the last k rows at once.
std::unique_ptr<Workload> determinant(const Name& name, float /*rate*/) {
  const std::int64_t n = name.numbers().at(0);
  const Tensor a = leaf(1, {n, n});
  return std::make_unique<Differentiated>(std::vector{a}, [a, levels = levels_of(n)] {
    std::vector<Tensor> rows = unbind(a);
    Tensor minors = xtgrad::ones({1});
    for (const Level& level : levels) {
      const Tensor terms = gather(rows.back(), 0, level.columns) * gather(minors, 0, level.below);
      minors = sum(reshape(terms, {-1, level.sets}) * level.signs, {.axes = 0});
      rows.pop_back();
    }
    return reshape(minors, {});
  });
}

}  // namespace

void add_scalar_objectives(Families& kinds) {
  kinds["lse"] = log_sum_exp;
  kinds["llsq"] = least_squares;
  kinds["ode"] = runge_kutta;
  kinds["det"] = determinant;
}

}  // namespace bench
