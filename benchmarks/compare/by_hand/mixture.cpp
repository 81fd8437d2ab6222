// The log-likelihood of a mixture of Gaussians with a Wishart prior, and its gradient.

#include <cmath>
#include <numbers>
#include <utility>

#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/objectives.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// Component k has a weight alpha, a center mu and a triangle Q, e^q on its diagonal and l below, column by
/// column; the likelihood is of z = Q (x - mu). A register holds as many points of d numbers each. z is
/// computed twice, once for the probabilities p of the components and once, row of Q by row, for the sums of
/// p z and p z x, all of which are in registers.
template <std::size_t d>
class Mixture final : public Workload {
 public:
  Mixture(std::int64_t points, std::int64_t components)
      : n_(points),
        stride_((points + lane_width - 1) / lane_width * lane_width),
        count_(static_cast<std::size_t>(components)),
        alpha_(numbers(1, components)),
        mu_(numbers(2, components * std::int64_t{d})),
        q_(numbers(3, components * std::int64_t{d})),
        l_(numbers(4, components * std::int64_t{below})),
        dalpha_(alpha_.size()),
        dmu_(mu_.size()),
        dq_(q_.size()),
        dl_(l_.size()),
        columns_(d * static_cast<std::size_t>(stride_)),
        p_(count_ * static_cast<std::size_t>(stride_)),
        main_(count_ * Lane::width),
        parts_(count_) {
    const Values x = numbers(5, points * std::int64_t{d});
    for (std::size_t i = 0; i < static_cast<std::size_t>(points); ++i)
      for (std::size_t j = 0; j < d; ++j) columns_[j * static_cast<std::size_t>(stride_) + i] = x[i * d + j];
  }

  void step() override {
    for (std::size_t k = 0; k < count_; ++k) prepare(k);
    const double likelihood = probabilities();
    for (std::size_t k = 0; k < count_; ++k) gradients(k);
    result_ = static_cast<float>(likelihood - static_cast<double>(n_) * weights() + prior());
  }
  std::vector<Values> outputs() override { return {{result_}, dalpha_, dmu_, dq_, dl_}; }

 private:
  static constexpr std::size_t below = d * (d - 1) / 2;

  /// What of a component does not depend on the points.
  struct Part {
    float q[d][d];   // row by row
    float shift[d];  // Q mu
    float constant;  // alpha and the logarithm of Q's determinant
  };

  /// Calls body(row, column, place in l).
  template <class F>
  static void each_below(const F& body) {
    std::size_t place = 0;
    for (std::size_t column = 0; column < d; ++column)
      for (std::size_t row = column + 1; row < d; ++row) body(row, column, place++);
  }

  void prepare(std::size_t k) {
    Part& part = parts_[k];
    part.constant = alpha_[k];
    for (std::size_t j = 0; j < d; ++j) {
      part.q[j][j] = std::exp(q_[k * d + j]);
      part.constant += q_[k * d + j];
    }
    each_below([&](std::size_t row, std::size_t column, std::size_t place) {
      part.q[row][column] = l_[k * below + place];
    });
    for (std::size_t j = 0; j < d; ++j) {
      part.shift[j] = 0;
      for (std::size_t i = 0; i <= j; ++i) part.shift[j] += part.q[j][i] * mu_[k * d + i];
    }
  }

  /// p of each component and point, and the sum over points of the logarithm of their sum before division.
  double probabilities() {
    Lane sum(0.0F);
    for (std::int64_t i = 0; i < stride_; i += lane_width) {
      Lane x[d];
      for (std::size_t j = 0; j < d; ++j)
        x[j] = Lane::load(columns_.data() + static_cast<std::int64_t>(j) * stride_ + i);
      Lane top(-1e30F);
      for (std::size_t k = 0; k < count_; ++k) {
        const Part& part = parts_[k];
        Lane square(0.0F);
#pragma GCC unroll 10
        for (std::size_t j = 0; j < d; ++j) {
          Lane z(-part.shift[j]);
#pragma GCC unroll 10
          for (std::size_t c = 0; c <= j; ++c) z = fma(x[c], Lane(part.q[j][c]), z);
          square = fma(z, z, square);
        }
        const Lane main = fma(square, Lane(-0.5F), Lane(part.constant));
        top = where(main > top, main, top);
        main.store(main_.data() + k * Lane::width);
      }
      Lane all(0.0F);
      for (std::size_t k = 0; k < count_; ++k) {
        const Lane e = exp(Lane::load(main_.data() + k * Lane::width) - top);
        all += e;
        e.store(main_.data() + k * Lane::width);
      }
      float place[Lane::width];
      for (std::size_t c = 0; c < Lane::width; ++c) place[c] = static_cast<float>(c);
      const auto inside = Lane::load(place) < static_cast<float>(n_ - i);
      const Lane share = where(inside, 1 / all, 0);
      for (std::size_t k = 0; k < count_; ++k)
        (Lane::load(main_.data() + k * Lane::width) * share).store(p_row(k) + i);
      sum += where(inside, top + log(all), 0);
    }
    return sum_of(sum);
  }

  float* p_row(std::size_t k) { return p_.data() + static_cast<std::int64_t>(k) * stride_; }

  /// dq[row, 0 .. row] and the sum of p z of that row.
  template <std::size_t row>
  float row_gradient(std::size_t k, float* dq) {
    const Part& part = parts_[k];
    const float* p = p_row(k);
    Lane sums[row + 1], all(0.0F);
    for (Lane& sum : sums) sum = Lane(0.0F);
    for (std::int64_t i = 0; i < stride_; i += lane_width) {
      Lane x[row + 1], z(-part.shift[row]);
#pragma GCC unroll 10
      for (std::size_t c = 0; c <= row; ++c) {
        x[c] = Lane::load(columns_.data() + static_cast<std::int64_t>(c) * stride_ + i);
        z = fma(x[c], Lane(part.q[row][c]), z);
      }
      const Lane w = z * Lane::load(p + i);
      all += w;
#pragma GCC unroll 10
      for (std::size_t c = 0; c <= row; ++c) sums[c] = fma(x[c], w, sums[c]);
    }
    const float w = sum_of(all);
    for (std::size_t c = 0; c <= row; ++c) dq[c] = mu_[k * d + c] * w - sum_of(sums[c]);
    return w;
  }

  void gradients(std::size_t k) {
    const Part& part = parts_[k];
    float dq[d][d], w[d];
    [&]<std::size_t... rows>(std::index_sequence<rows...>) {
      ((w[rows] = row_gradient<rows>(k, dq[rows])), ...);
    }
    (std::make_index_sequence<d>());
    const float share = total(
        stride_, [](Lane p) { return p; }, p_row(k));
    dalpha_[k] = share;
    for (std::size_t j = 0; j < d; ++j) {
      float sum = 0;
      for (std::size_t row = j; row < d; ++row) sum += part.q[row][j] * w[row];
      dmu_[k * d + j] = sum;
      dq_[k * d + j] = share + (dq[j][j] - part.q[j][j]) * part.q[j][j];
    }
    each_below([&](std::size_t row, std::size_t column, std::size_t place) {
      dl_[k * below + place] = dq[row][column] - part.q[row][column];
    });
  }

  /// The logarithm of the sum of e^alpha; its derivatives, times the number of points, go to dalpha.
  double weights() {
    double sum = 0;
    for (const float a : alpha_) sum += std::exp(a);
    for (std::size_t k = 0; k < count_; ++k)
      dalpha_[k] -= static_cast<float>(static_cast<double>(n_) * std::exp(alpha_[k]) / sum);
    return std::log(sum);
  }

  /// The prior's logarithm for gamma = 1 and m = 0, and the likelihood's constant. Its derivatives are in
  /// those of q and l already.
  [[nodiscard]] double prior() const {
    double squares = 0;
    for (const Part& part : parts_) {
      for (std::size_t row = 0; row < d; ++row)
        for (std::size_t c = 0; c <= row; ++c) squares += part.q[row][c] * part.q[row][c];
    }
    constexpr double degrees = d + 1;
    double one = -degrees * d * 0.5 * std::numbers::ln2 - 0.25 * d * (d - 1) * std::log(std::numbers::pi);
    for (std::size_t j = 0; j < d; ++j) one -= std::lgamma((degrees - static_cast<double>(j)) / 2);
    return static_cast<double>(count_) * one - squares / 2 -
           static_cast<double>(n_) * d * 0.5 * std::log(2 * std::numbers::pi);
  }

  std::int64_t n_, stride_;
  std::size_t count_;
  Values alpha_, mu_, q_, l_, dalpha_, dmu_, dq_, dl_;
  Values columns_, p_, main_;
  std::vector<Part> parts_;
  float result_ = 0;
};

}  // namespace

void add_mixture(Families& kinds) {
  kinds["gmm"] = [](const Name& name, float) -> std::unique_ptr<Workload> {
    const std::vector<std::int64_t> sizes = name.numbers();
    if (sizes.at(1) != 10) return nullptr;
    return std::make_unique<Mixture<10>>(sizes.at(0), sizes.at(2));
  };
}

}  // namespace bench
