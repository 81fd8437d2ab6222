// A training step of a network that solves a differential equation.

#include <array>
#include <cmath>
#include <numbers>

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/product.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// u'' = -pi^2 sin(pi x) by 1-32-32-1, tanh, Adam. A layer's values, first and second derivatives in x are
/// three blocks of rows of one matrix: those of its input times its weights are a single product.
class Pinn final : public Workload {
 public:
  Pinn(std::int64_t points, float rate)
      : points_(points),
        rate_(rate),
        x_(numbers(1, points, 0, 1)),
        force_(x_.size()),
        a1_(static_cast<std::size_t>(3 * points * n)),
        z2_(a1_.size()),
        g2_(a1_.size()),
        ga1_(a1_.size()) {
    for (std::size_t i = 0; i < x_.size(); ++i)
      force_[i] =
          std::numbers::pi_v<float> * std::numbers::pi_v<float> * std::sin(std::numbers::pi_v<float> * x_[i]);
  }

  void step() override {
    first_layer();
    product(CblasNoTrans, CblasTrans, 3 * points_, n, n, a1_.data(), w2_.value.data(), z2_.data());
    second_layer();
    product(CblasTrans, CblasNoTrans, n, n, 3 * points_, g2_.data(), a1_.data(), w2_.gradient.data());
    product(CblasNoTrans, CblasNoTrans, 3 * points_, n, n, g2_.data(), w2_.value.data(), ga1_.data());
    back_first_layer();
    ++steps_;
    for (Learnt* p : all()) adam(*p, steps_, rate_);
  }
  std::vector<Values> outputs() override {
    std::vector<Values> outputs{{loss_}};
    for (const Learnt* p : all()) outputs.push_back(p->gradient);
    return outputs;
  }

 private:
  static constexpr std::int64_t n = 32;
  static constexpr std::int64_t parts = n / lane_width;

  std::array<Learnt*, 6> all() { return {&w1_, &b1_, &w2_, &b2_, &w3_, &b3_}; }
  static Lane at(const Values& of, std::int64_t i) { return Lane::load(of.data() + i); }
  [[nodiscard]] std::int64_t block() const { return points_ * n; }

  void first_layer() {
    for (std::int64_t p = 0; p < points_; ++p) {
      for (std::int64_t i = 0; i < n; i += lane_width) {
        const Lane w = at(w1_.value, i),
                   a = tanh(fma(w, Lane(x_[static_cast<std::size_t>(p)]), at(b1_.value, i)));
        const Lane slope = (1 - a) * (1 + a) * w;
        float* to = a1_.data() + p * n + i;
        a.store(to);
        slope.store(to + block());
        (-2 * a * slope * w).store(to + 2 * block());
      }
    }
  }

  /// The loss, and the cotangents of the second layer's three products. Its values and slopes enter the loss
  /// by its second derivatives alone.
  void second_layer() {
    Lane gb[parts], gw[parts];
    for (std::int64_t k = 0; k < parts; ++k) gb[k] = gw[k] = Lane(0.0F);
    const float share = 1 / static_cast<float>(points_);
    float loss = 0;
    for (std::int64_t p = 0; p < points_; ++p) {
      Lane a[parts], bend[parts], sum(0.0F);
      const auto z = [&](std::int64_t order, std::int64_t k) {
        return at(z2_, order * block() + p * n + k * lane_width);
      };
      for (std::int64_t k = 0; k < parts; ++k) {
        a[k] = tanh(z(0, k) + at(b2_.value, k * lane_width));
        const Lane dz = z(1, k);
        bend[k] = (1 - a[k]) * (1 + a[k]) * (z(2, k) - 2 * a[k] * dz * dz);
        sum = fma(bend[k], at(w3_.value, k * lane_width), sum);
      }
      const float rest = sum_of(sum) + force_[static_cast<std::size_t>(p)];
      loss += rest * rest;
      const Lane g(2 * share * rest);
      for (std::int64_t k = 0; k < parts; ++k) {
        gw[k] = fma(g, bend[k], gw[k]);
        const Lane gbend = g * at(w3_.value, k * lane_width), slope = (1 - a[k]) * (1 + a[k]), dz = z(1, k);
        float* to = g2_.data() + p * n + k * lane_width;
        const Lane gz = -2 * slope * gbend * fma(a[k], z(2, k), (slope - 2 * a[k] * a[k]) * dz * dz);
        gz.store(to);
        (-4 * a[k] * slope * dz * gbend).store(to + block());
        (slope * gbend).store(to + 2 * block());
        gb[k] += gz;
      }
    }
    for (std::int64_t k = 0; k < parts; ++k) {
      gb[k].store(b2_.gradient.data() + k * lane_width);
      gw[k].store(w3_.gradient.data() + k * lane_width);
    }
    loss_ = loss * share;
  }

  /// What is bent in the first layer has slope w and no bend of its own.
  void back_first_layer() {
    for (std::int64_t i = 0; i < n; i += lane_width) {
      Lane gb(0.0F), gw(0.0F);
      const Lane w = at(w1_.value, i);
      for (std::int64_t p = 0; p < points_; ++p) {
        const auto g = [&](std::int64_t order) { return at(ga1_, order * block() + p * n + i); };
        const Lane a = at(a1_, p * n + i), slope = (1 - a) * (1 + a);
        const Lane ga = g(0) - 2 * a * w * g(1) - 2 * (slope - 2 * a * a) * w * w * g(2);
        const Lane gz = slope * ga;
        gb += gz;
        gw += gz * x_[static_cast<std::size_t>(p)] + slope * (g(1) - 4 * a * w * g(2));
      }
      gb.store(b1_.gradient.data() + i);
      gw.store(w1_.gradient.data() + i);
    }
  }

  static Learnt learnt(std::uint64_t stream, std::int64_t count, double bound) {
    return Learnt(numbers(stream, count, -bound, bound));
  }

  std::int64_t points_;
  float rate_;
  int steps_ = 0;
  float loss_ = 0;
  Values x_, force_;
  Values a1_, z2_, g2_, ga1_;  // [value, slope and bend; point; number]
  Learnt w1_ = learnt(10, n, 1), b1_ = learnt(11, n, 1), w2_ = learnt(12, n*n, std::sqrt(1 / 32.0)),
         b2_ = learnt(13, n, std::sqrt(1 / 32.0)), w3_ = learnt(14, n, std::sqrt(1 / 32.0)),
         b3_ = learnt(15, 1, std::sqrt(1 / 32.0));  // nothing comes to the last
};

}  // namespace

void add_pinn(Families& families) {
  families["pinn_step"] = [](const Name& name, float rate) {
    return std::make_unique<Pinn>(name.numbers().at(0), rate);
  };
}

}  // namespace bench
