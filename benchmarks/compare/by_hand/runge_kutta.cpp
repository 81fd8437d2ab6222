// A differential equation by Runge and Kutta's fourth-order method, and the adjoint of its steps.

#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/objectives.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// y_0' = x_0, y_i' = x_i y_(i-1), y(0) = 0; the last y at time 2. Each y stands behind a 1, so that the
/// slope is x times what is one place before; each cotangent stands before a 0.
class RungeKutta final : public Workload {
 public:
  RungeKutta(std::int64_t n, std::int64_t steps)
      : n_(n),
        steps_(steps),
        row_((n + 2 * lane_width - 1) / lane_width * lane_width),  // a lane before, the rest of a lane behind
        hx_(rows(1)),
        dhx_(rows(1)),
        stages_(rows(4 * steps + 1)),
        g_(rows(1)),
        w_(rows(4)),
        x_(numbers(1, n, 0.5625 * static_cast<double>(steps), 0.6875 * static_cast<double>(steps))),
        dx_(x_.size()) {
    for (std::int64_t k = 0; k <= 4 * steps; ++k) at(stages_, k)[-1] = 1;
  }

  void step() override {
    const float h = 2 / static_cast<float>(steps_);
    float* hx = at(hx_, 0);
    map(
        n_, hx, [h](Lane x) { return x * h; }, x_.data());
    for (std::int64_t s = 0; s < steps_; ++s) forward(s);
    back_all();
    map(
        n_, dx_.data(), [h](Lane d) { return d * h; }, at(dhx_, 0));
  }
  std::vector<Values> outputs() override { return {{at(stages_, 4 * steps_)[n_ - 1]}, dx_}; }

 private:
  [[nodiscard]] Values rows(std::int64_t count) const {
    return Values(static_cast<std::size_t>(count * row_ + lane_width));
  }
  [[nodiscard]] float* at(Values& rows, std::int64_t row) const {
    return rows.data() + row * row_ + lane_width;
  }

  /// Calls body(i) for each lane; elements behind the last are 0 or meet a 0.
  template <class F>
  void each_lane(const F& body) const {
    for (std::int64_t i = 0; i < n_; i += lane_width) body(i);
  }

  void forward(std::int64_t s) {
    const float* hx = at(hx_, 0);
    const float* y = at(stages_, 4 * s);
    float* next[] = {at(stages_, 4 * s + 1), at(stages_, 4 * s + 2), at(stages_, 4 * s + 3),
                     at(stages_, 4 * s + 4)};
    const auto slope = [&](const float* of, std::int64_t i) {
      return Lane::load(hx + i) * Lane::load(of + i - 1);
    };
    // The sum of slopes waits in the next step's row.
    each_lane([&](std::int64_t i) {
      const Lane k = slope(y, i);
      fma(k, Lane(0.5F), Lane::load(y + i)).store(next[0] + i);
      fma(k, Lane(1 / 6.0F), Lane::load(y + i)).store(next[3] + i);
    });
    for (int stage = 0; stage < 2; ++stage) {
      each_lane([&](std::int64_t i) {
        const Lane k = slope(next[stage], i);
        fma(k, Lane(stage == 0 ? 0.5F : 1.0F), Lane::load(y + i)).store(next[stage + 1] + i);
        fma(k, Lane(1 / 3.0F), Lane::load(next[3] + i)).store(next[3] + i);
      });
    }
    // Its own last slope reads the third stage alone.
    each_lane([&](std::int64_t i) {
      fma(slope(next[2], i), Lane(1 / 6.0F), Lane::load(next[3] + i)).store(next[3] + i);
    });
  }

  void back_all() {
    std::fill(g_.begin(), g_.end(), 0.0F);
    std::fill(dhx_.begin(), dhx_.end(), 0.0F);
    at(g_, 0)[n_ - 1] = 1;
    for (std::int64_t s = steps_; s-- > 0;) back(s);
  }

  /// Of a stage's slope k = hx * shifted(stage): dk is the share of the step's cotangent and of the next
  /// stage's; w = hx dk, one place further, is the stage's.
  void back(std::int64_t s) {
    const float* hx = at(hx_, 0);
    float* g = at(g_, 0);
    float* dhx = at(dhx_, 0);
    float* w[] = {at(w_, 0), at(w_, 1), at(w_, 2), at(w_, 3)};
    const auto stage = [&](int k) { return at(stages_, 4 * s + k); };
    const auto pass = [&](int k, float of_step, float of_next) {
      each_lane([&](std::int64_t i) {
        Lane dk = Lane::load(g + i) * of_step;
        if (k < 3) dk = fma(Lane::load(w[k + 1] + i + 1), Lane(of_next), dk);
        (Lane::load(hx + i) * dk).store(w[k] + i);
        fma(dk, Lane::load(stage(k) + i - 1), Lane::load(dhx + i)).store(dhx + i);
      });
    };
    pass(3, 1 / 6.0F, 0);
    pass(2, 1 / 3.0F, 1);
    pass(1, 1 / 3.0F, 0.5F);
    pass(0, 1 / 6.0F, 0.5F);
    each_lane([&](std::int64_t i) {
      const auto from = [&](int k) { return Lane::load(w[k] + i + 1); };
      (Lane::load(g + i) + ((from(0) + from(1)) + (from(2) + from(3)))).store(g + i);
    });
  }

  std::int64_t n_, steps_, row_;
  Values hx_, dhx_;
  Values stages_;  // y and three stages, step by step
  Values g_, w_;
  Values x_, dx_;
};

}  // namespace

void add_runge_kutta(Families& kinds) {
  kinds["ode"] = [](const Name& name, float) {
    return std::make_unique<RungeKutta>(name.numbers().at(0), name.numbers().at(1));
  };
}

}  // namespace bench
