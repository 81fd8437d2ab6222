// Options priced one at a time, an oscillator and an LSTM of one unit, with their derivatives written out.

#include <array>
#include <cmath>
#include <vector>

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/common/inputs.h"
#include "xtgrad/autograd/kernels/levels/lanes_math.h"
#include "xtgrad/autograd/kernels/levels/lanes_special.h"

namespace bench {
namespace {

/// A lane of options at a time.
class Options final : public Workload {
 public:
  explicit Options(std::int64_t count)
      : count_(count),
        spots_(numbers(1, count, 80, 120)),
        volatilities_(numbers(2, count, 0.1, 0.4)),
        to_spots_(spots_.size()),
        to_volatilities_(spots_.size()),
        prices_(spots_.size()) {}

  void step() override {
    const auto normal = [](Lane x) { return (erf(x * Lane(0.70710678F)) + Lane(1.0F)) * Lane(0.5F); };
    const auto density = [](Lane x) { return exp(x * x * Lane(-0.5F)) * Lane(0.3989423F * 0.001F); };
    const auto d_of = [](Lane s, Lane v) {
      return (log(s * Lane(1 / 95.0F)) + (v * v * Lane(0.5F) + Lane(0.03F))) / v;
    };
    const float *s = spots_.data(), *v = volatilities_.data();
    map(
        count_, prices_.data(),
        [&](Lane spot, Lane volatility) {
          const Lane d = d_of(spot, volatility);
          return spot * normal(d) - normal(d - volatility) * Lane(92.19233F);
        },
        s, v);
    map(
        count_, to_spots_.data(),
        [&](Lane spot, Lane volatility) {
          const Lane d = d_of(spot, volatility);
          const Lane to_d = spot * density(d) - density(d - volatility) * Lane(92.19233F);
          return normal(d) * Lane(0.001F) + to_d / (volatility * spot);
        },
        s, v);
    map(
        count_, to_volatilities_.data(),
        [&](Lane spot, Lane volatility) {
          const Lane d = d_of(spot, volatility);
          const Lane second = density(d - volatility) * Lane(92.19233F);
          const Lane to_d = spot * density(d) - second;
          return second + to_d * (Lane(1.0F) - d / volatility);
        },
        s, v);
    total_ = total(
                 count_, [](Lane x) { return x; }, prices_.data()) *
             0.001F;
  }
  std::vector<Values> outputs() override { return {{total_}, to_spots_, to_volatilities_}; }

 private:
  std::int64_t count_;
  Values spots_, volatilities_, to_spots_, to_volatilities_, prices_;
  float total_ = 0;
};

class Oscillator final : public Workload {
 public:
  explicit Oscillator(std::int64_t steps) : at_(static_cast<std::size_t>(steps)) {}

  void step() override {
    float y = 1, v = 0.5F;
    for (State& state : at_) {
      Stages& s = stages_;
      state = {y, v};
      follow(state, s);
      y += (s.v[0] + (s.v[1] + s.v[2]) * 2 + s.v[3]) * (h / 6);
      v += (s.a[0] + (s.a[1] + s.a[2]) * 2 + s.a[3]) * (h / 6);
    }
    result_ = y + v;
    float to_y = 1, to_v = 1;
    to_mu_ = 0;
    for (std::size_t i = at_.size(); i-- > 0;) back(at_[i], to_y, to_v);
    to_y_ = to_y;
    to_v_ = to_v;
  }
  std::vector<Values> outputs() override { return {{result_}, {to_y_}, {to_v_}, {to_mu_}}; }

 private:
  static constexpr float h = 0.05F, mu = 1.5F;
  struct State {
    float y, v;
  };
  /// Where the four slopes of a step are taken, and what they are.
  struct Stages {
    std::array<float, 4> y, v, a;
  };

  static float slope(float y, float v) { return mu * (1 - y * y) * v - y; }
  static void follow(const State& from, Stages& s) {
    constexpr std::array<float, 4> part{0, h / 2, h / 2, h};
    for (std::size_t k = 0; k < 4; ++k) {
      s.y[k] = k == 0 ? from.y : from.y + s.v[k - 1] * part[k];
      s.v[k] = k == 0 ? from.v : from.v + s.a[k - 1] * part[k];
      s.a[k] = slope(s.y[k], s.v[k]);
    }
  }
  void back(const State& from, float& to_y, float& to_v) {
    constexpr std::array<float, 4> part{0, h / 2, h / 2, h};
    constexpr std::array<float, 4> share{h / 6, h / 3, h / 3, h / 6};
    Stages s;
    follow(from, s);
    float by_y = to_y, by_v = to_v;  // of the step's beginning
    std::array<float, 4> g_v, g_a;
    for (std::size_t k = 0; k < 4; ++k) {
      g_v[k] = to_y * share[k];
      g_a[k] = to_v * share[k];
    }
    for (std::size_t k = 4; k-- > 0;) {
      const float curve = 1 - s.y[k] * s.y[k];
      to_mu_ += g_a[k] * curve * s.v[k];
      const float g_y = g_a[k] * (-2 * mu * s.y[k] * s.v[k] - 1);
      g_v[k] += g_a[k] * mu * curve;
      by_y += g_y;
      by_v += g_v[k];
      if (k == 0) break;
      g_v[k - 1] += g_y * part[k];
      g_a[k - 1] += g_v[k] * part[k];
    }
    to_y = by_y;
    to_v = by_v;
  }

  std::vector<State> at_;
  Stages stages_{};
  float result_ = 0, to_y_ = 0, to_v_ = 0, to_mu_ = 0;
};

class Lstm final : public Workload {
 public:
  explicit Lstm(std::int64_t length) : inputs_(numbers(2, length)), at_(inputs_.size()) {}

  void step() override {
    float h = 0, c = 0;
    for (std::size_t t = 0; t < at_.size(); ++t) {
      Moment& m = at_[t];
      m.h = h;
      m.c = c;
      std::array<float, Lane::width> z{};
      for (std::size_t k = 0; k < 4; ++k) z[k] = w_[3 * k] * inputs_[t] + w_[3 * k + 1] * h + w_[3 * k + 2];
      // Three sigmoids and a hyperbolic tangent, by the tangents of one lane.
      for (const std::size_t k : {0, 1, 3}) z[k] *= 0.5F;
      std::array<float, Lane::width> y;
      tanh(Lane::load(z.data())).store(y.data());
      for (const std::size_t k : {0, 1, 3}) y[k] = 0.5F + 0.5F * y[k];
      for (std::size_t k = 0; k < 4; ++k) m.gate[k] = y[k];
      c = m.gate[0] * c + m.gate[1] * m.gate[2];
      m.tanh_c = std::tanh(c);
      h = m.gate[3] * m.tanh_c;
    }
    result_ = h;
    back();
  }
  std::vector<Values> outputs() override {
    std::vector<Values> all{{result_}};
    for (const float g : gradient_) all.push_back({g});
    return all;
  }

 private:
  struct Moment {
    std::array<float, 4> gate;
    float h, c, tanh_c;
  };

  void back() {
    gradient_.fill(0);
    float to_h = 1, to_c = 0;
    for (std::size_t t = at_.size(); t-- > 0;) {
      const Moment& m = at_[t];
      const auto& [f, i, g, o] = m.gate;
      to_c += to_h * o * (1 - m.tanh_c * m.tanh_c);
      const std::array<float, 4> to_z{to_c * m.c * f * (1 - f), to_c * g * i * (1 - i),
                                      to_c * i * (1 - g * g), to_h * m.tanh_c * o * (1 - o)};
      to_h = 0;
      for (std::size_t k = 0; k < 4; ++k) {
        gradient_[3 * k] += to_z[k] * inputs_[t];
        gradient_[3 * k + 1] += to_z[k] * m.h;
        gradient_[3 * k + 2] += to_z[k];
        to_h += to_z[k] * w_[3 * k + 1];
      }
      to_c *= f;
    }
  }

  Values w_ = numbers(1, 12);
  Values inputs_;
  std::vector<Moment> at_;
  std::array<float, 12> gradient_{};
  float result_ = 0;
};

template <class Of>
std::unique_ptr<Workload> make(const Name& name, float /*rate*/) {
  return std::make_unique<Of>(name.numbers().at(0));
}

}  // namespace

void add_scalar_programs(Families& families) {
  families["options_0d"] = make<Options>;
  families["oscillator_0d"] = make<Oscillator>;
  families["lstm_0d"] = make<Lstm>;
}

}  // namespace bench
