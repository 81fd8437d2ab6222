// Sums over many elements: a logarithm of exponentials, and least squares of a polynomial.

#include <cmath>

#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/objectives.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// log of the sum of e^x, by way of the largest; its gradient is the softmax.
class LogSumExp final : public Workload {
 public:
  explicit LogSumExp(std::int64_t n) : x_(numbers(1, n, -8, 8)), dx_(x_.size()) {}

  void step() override {
    const auto n = static_cast<std::int64_t>(x_.size());
    const float top = largest();
    Lane sums[4] = {Lane(0.0F), Lane(0.0F), Lane(0.0F), Lane(0.0F)};
    std::int64_t i = 0;
    for (; i + 4 * lane_width <= n; i += 4 * lane_width) {
#pragma GCC unroll 4
      for (std::int64_t k = 0; k < 4; ++k) {
        const Lane e = exp(Lane::load(x_.data() + i + k * lane_width) - top);
        sums[k] += e;
        e.store(dx_.data() + i + k * lane_width);
      }
    }
    float sum = sum_of((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; i < n; ++i) {
      const auto k = static_cast<std::size_t>(i);
      sum += dx_[k] = std::exp(x_[k] - top);
    }
    result_ = top + std::log(sum);
    map(
        n, dx_.data(), [share = 1 / sum](Lane e) { return e * share; }, dx_.data());
  }
  std::vector<Values> outputs() override { return {{result_}, dx_}; }

 private:
  [[nodiscard]] float largest() const {
    const auto n = static_cast<std::int64_t>(x_.size());
    Lane tops[4] = {Lane(x_[0]), Lane(x_[0]), Lane(x_[0]), Lane(x_[0])};
    std::int64_t i = 0;
    for (; i + 4 * lane_width <= n; i += 4 * lane_width) {
#pragma GCC unroll 4
      for (std::int64_t k = 0; k < 4; ++k) {
        const Lane x = Lane::load(x_.data() + i + k * lane_width);
        tops[k] = where(x > tops[k], x, tops[k]);
      }
    }
    float all[4 * Lane::width];
    for (std::size_t k = 0; k < 4; ++k) tops[k].store(all + k * Lane::width);
    float top = *std::max_element(all, all + 4 * Lane::width);
    for (; i < n; ++i) top = std::max(top, x_[static_cast<std::size_t>(i)]);
    return top;
  }

  Values x_, dx_;
  float result_ = 0;
};

/// Half the squared distance of a polynomial of `count` coefficients to the sign, at n points in [-1, 1]. Of
/// a point nothing is kept: value, residual and the powers of the gradient are in registers.
template <std::size_t count>
class LeastSquares final : public Workload {
 public:
  explicit LeastSquares(std::int64_t n) : n_(n), x_(numbers(1, count)), dx_(count) {}

  void step() override {
    Lane x[count], sums[count], squares(0.0F);
    for (std::size_t j = 0; j < count; ++j) {
      x[j] = Lane(x_[j]);
      sums[j] = Lane(0.0F);
    }
    float first[Lane::width];
    for (std::size_t k = 0; k < Lane::width; ++k) first[k] = static_cast<float>(k);
    const Lane counted = Lane::load(first);
    const auto step = 2 / static_cast<float>(n_ - 1);
    for (std::int64_t i = 0; i < n_; i += lane_width) {
      const Lane at = counted + static_cast<float>(i);
      const Lane t = at * step - 1;
      Lane y = x[count - 1];
      for (std::size_t j = count - 1; j-- > 0;) y = fma(y, t, x[j]);
      Lane power = where(at < static_cast<float>(n_), y - sign(t), 0);  // the residual, times t^j
      squares = fma(power, power, squares);
      for (std::size_t j = 0; j < count; ++j) {
        sums[j] += power;
        power *= t;
      }
    }
    result_ = sum_of(squares) / 2;
    for (std::size_t j = 0; j < count; ++j) dx_[j] = sum_of(sums[j]);
  }
  std::vector<Values> outputs() override { return {{result_}, dx_}; }

 private:
  std::int64_t n_;
  Values x_, dx_;
  float result_ = 0;
};

}  // namespace

void add_sums(Families& kinds) {
  kinds["lse"] = [](const Name& name, float) { return std::make_unique<LogSumExp>(name.numbers().at(0)); };
  kinds["llsq"] = [](const Name& name, float) -> std::unique_ptr<Workload> {
    if (name.numbers().at(1) != 8) return nullptr;
    return std::make_unique<LeastSquares<8>>(name.numbers().at(0));
  };
}

}  // namespace bench
