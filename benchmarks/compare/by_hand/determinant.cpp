// A determinant by expansion along rows, and its gradient.

#include <bit>

#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/objectives.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// The minor of a set S of columns is that of the last |S| rows, and is computed once:
///   minor(S) = the sum over S's columns j of (-1)^(columns of S before j) a[n - |S|, j] minor(S without j).
/// A set is a word, whose lowest bits are the place in a register. What a higher column contributes is a
/// register of minors times one of coefficients, because |S| and so the row differ by lane; the lowest
/// columns are numbers one by one.
class Determinant final : public Workload {
 public:
  explicit Determinant(std::int64_t n)
      : n_(static_cast<std::size_t>(n)),
        a_(numbers(1, n * n)),
        da_(a_.size()),
        minors_(std::size_t{1} << n_),
        g_(minors_.size()),
        coefficients_((n_ + 1) * n_ * width),
        dcoefficients_(coefficients_.size()) {}

  void step() override {
    fill_coefficients();
    for (std::size_t block = 0; block < minors_.size() / width; ++block) forward(block);
    result_ = minors_.back();
    std::fill(g_.begin(), g_.end(), 0.0F);
    std::fill(dcoefficients_.begin(), dcoefficients_.end(), 0.0F);
    g_.back() = 1;
    for (std::size_t block = minors_.size() / width; block-- > 0;) back(block);
    collect();
  }
  std::vector<Values> outputs() override { return {{result_}, da_}; }

 private:
  static constexpr std::size_t width = Lane::width;
  static constexpr std::size_t low = std::countr_zero(width);  // columns in a register's places

  static constexpr float sign_of(std::size_t columns_before) { return columns_before % 2 == 0 ? 1 : -1; }
  static std::size_t size_of(std::size_t set) { return static_cast<std::size_t>(std::popcount(set)); }

  /// Where the coefficients of column j stand for sets with `size` higher columns.
  [[nodiscard]] std::size_t place(std::size_t size, std::size_t j) const { return (size * n_ + j) * width; }

  /// a[n - |S|, j] with the sign of the lane's own columns before j. S is not empty and in the matrix.
  template <class F>
  void each_coefficient(const F& body) {
    for (std::size_t size = 0; size <= n_ - low; ++size) {
      for (std::size_t j = 0; j < n_; ++j) {
        for (std::size_t lane = 0; lane < width; ++lane) {
          const std::size_t all = size + size_of(lane);
          if (all == 0) continue;
          const std::size_t before = j < low ? lane & ((std::size_t{1} << j) - 1) : lane;
          body(place(size, j) + lane, (n_ - all) * n_ + j, sign_of(size_of(before)));
        }
      }
    }
  }
  void fill_coefficients() {
    each_coefficient(
        [&](std::size_t to, std::size_t from, float sign) { coefficients_[to] = sign * a_[from]; });
  }
  void collect() {
    std::fill(da_.begin(), da_.end(), 0.0F);
    each_coefficient(
        [&](std::size_t from, std::size_t to, float sign) { da_[to] += sign * dcoefficients_[from]; });
  }

  /// Calls body(the block without the column, the column's coefficients, sign) for each higher column.
  template <class F>
  void each_higher(std::size_t block, const F& body) {
    const std::size_t size = size_of(block);
    float sign = 1;
    for (std::size_t rest = block; rest != 0; rest &= rest - 1, sign = -sign) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(rest));
      body((block ^ (std::size_t{1} << bit)) * width, place(size, low + bit), sign);
    }
  }

  void forward(std::size_t block) {
    Lane sum(0.0F);
    each_higher(block, [&](std::size_t from, std::size_t at, float sign) {
      sum = fma(Lane::load(coefficients_.data() + at) * sign, Lane::load(minors_.data() + from), sum);
    });
    float m[width];
    sum.store(m);
    if (block == 0) m[0] = 1;
    const float* c = coefficients_.data() + place(size_of(block), 0);
#pragma GCC unroll 16
    for (std::size_t lane = 1; lane < width; ++lane) {
#pragma GCC unroll 4
      for (std::size_t j = 0; j < low; ++j)
        if ((lane >> j & 1U) != 0) m[lane] += c[j * width + lane] * m[lane ^ (std::size_t{1} << j)];
    }
    Lane::load(m).store(minors_.data() + block * width);
  }

  void back(std::size_t block) {
    float g[width];
    Lane::load(g_.data() + block * width).store(g);
    const std::size_t at_low = place(size_of(block), 0);
    const float* c = coefficients_.data() + at_low;
#pragma GCC unroll 16
    for (std::size_t lane = width; lane-- > 1;) {
#pragma GCC unroll 4
      for (std::size_t j = 0; j < low; ++j)
        if ((lane >> j & 1U) != 0) g[lane ^ (std::size_t{1} << j)] += c[j * width + lane] * g[lane];
    }
    const Lane all = Lane::load(g);
    float* dc = dcoefficients_.data() + at_low;
    const float* m = minors_.data() + block * width;
#pragma GCC unroll 4
    for (std::size_t j = 0; j < low; ++j) {
#pragma GCC unroll 16
      for (std::size_t lane = 1; lane < width; ++lane)
        if ((lane >> j & 1U) != 0) dc[j * width + lane] += g[lane] * m[lane ^ (std::size_t{1} << j)];
    }
    each_higher(block, [&](std::size_t from, std::size_t at, float sign) {
      const Lane signed_g = all * sign;
      const auto add = [](float* to, Lane x, Lane y) { fma(x, y, Lane::load(to)).store(to); };
      add(dcoefficients_.data() + at, signed_g, Lane::load(minors_.data() + from));
      add(g_.data() + from, signed_g, Lane::load(coefficients_.data() + at));
    });
  }

  std::size_t n_;
  Values a_, da_, minors_, g_;
  Values coefficients_, dcoefficients_;  // [columns above the lowest, column, lane]
  float result_ = 0;
};

}  // namespace

void add_determinant(Families& kinds) {
  kinds["det"] = [](const Name& name, float) { return std::make_unique<Determinant>(name.numbers().at(0)); };
}

}  // namespace bench
