// Chains and trees of numbers and a pendulum, with their derivatives written out.

#include <array>
#include <cmath>

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// The lanes' tanh of one number: a third of the time of libm's.
float tanh_of(float x) {
  float out[Lane::width];
  tanh(Lane(x)).store(out);
  return out[0];
}

class Chain final : public Workload {
 public:
  void step() override {
    y_[0] = start_;
    for (std::size_t i = 1; i <= length; ++i) y_[i] = tanh_of(y_[i - 1] * 1.01F);
    float g = 1;
    for (std::size_t i = length; i > 0; --i) g *= (1 - y_[i]) * (1 + y_[i]) * 1.01F;
    gradient_ = g;
  }
  std::vector<Values> outputs() override { return {{y_[length]}, {gradient_}}; }

 private:
  static constexpr std::size_t length = 500;
  float start_ = numbers(1, 1, 0.4, 0.6)[0];
  std::array<float, length + 1> y_{};
  float gradient_ = 0;
};

class Tree final : public Workload {
 public:
  void step() override {
    // Level after level in one array: the parents of nodes 2i and 2i + 1 of a level follow it.
    std::size_t at = 0;
    bool product = false;
    for (std::size_t n = leaves; n > 1; at += n, n /= 2, product = !product) {
      const float* from = values_.data() + at;
      float* to = values_.data() + at + n;
      if (product) {
        for (std::size_t i = 0; i < n / 2; ++i) to[i] = from[2 * i] * from[2 * i + 1];
      } else {
        for (std::size_t i = 0; i < n / 2; ++i) to[i] = from[2 * i] + from[2 * i + 1];
      }
    }
    gradients_[at] = 1;
    for (std::size_t n = 2; n <= leaves; n *= 2) {
      product = !product;
      const float* g = gradients_.data() + at;
      at -= n;
      const float* x = values_.data() + at;
      float* dx = gradients_.data() + at;
      if (product) {
        for (std::size_t i = 0; i < n / 2; ++i) {
          dx[2 * i] = g[i] * x[2 * i + 1];
          dx[2 * i + 1] = g[i] * x[2 * i];
        }
      } else {
        for (std::size_t i = 0; i < n / 2; ++i) dx[2 * i] = dx[2 * i + 1] = g[i];
      }
    }
  }
  std::vector<Values> outputs() override {
    std::vector<Values> all{{values_[2 * leaves - 2]}};
    for (std::size_t i = 0; i < leaves; ++i) all.push_back({gradients_[i]});
    return all;
  }

 private:
  static constexpr std::size_t leaves = 1024;
  static Values start() {
    Values values = numbers(1, leaves, 0.4, 0.6);
    values.resize(2 * leaves);
    return values;
  }
  Values values_ = start();
  Values gradients_ = Values(2 * leaves);
};

class LeavesInTurn final : public Workload {
 public:
  void step() override {
    float total = x_[0] * x_[0];
    for (std::size_t i = 1; i < x_.size(); ++i) total += x_[i] * x_[i];
    for (std::size_t i = 0; i < x_.size(); ++i) gradient_[i] = x_[i] + x_[i];
    total_ = total;
  }
  std::vector<Values> outputs() override {
    std::vector<Values> all{{total_}};
    for (const float g : gradient_) all.push_back({g});
    return all;
  }

 private:
  Values x_ = numbers(1, 256);
  Values gradient_ = Values(256);
  float total_ = 0;
};

class Pendulum final : public Workload {
 public:
  void step() override {
    float speed = 0;
    float cost = 0;
    angles_[0] = 3;
    for (std::size_t t = 0; t < length; ++t) {
      const float torque = torques_[t];
      speed += (sines_[t] * 9.81F - speed * 0.1F + torque) * 0.05F;
      angles_[t + 1] = angles_[t] + speed * 0.05F;
      sine_and_cosine(t + 1);
      cost += torque * torque * 0.001F - cosines_[t + 1];
    }
    cost_ = cost - cosines_[length] * 10 + speed * speed;
    float to_speed = 2 * speed;
    float to_angle = sines_[length] * 10;
    for (std::size_t t = length; t-- > 0;) {
      to_angle += sines_[t + 1];
      to_speed += to_angle * 0.05F;
      const float to_force = to_speed * 0.05F;
      gradient_[t] = to_force + torques_[t] * 0.002F;
      to_angle += to_force * 9.81F * cosines_[t];
      to_speed -= to_force * 0.1F;
    }
  }
  std::vector<Values> outputs() override { return {{cost_}, gradient_}; }

 private:
  static constexpr std::size_t length = 100;

  void sine_and_cosine(std::size_t t) {
    sines_[t] = std::sin(angles_[t]);
    cosines_[t] = std::cos(angles_[t]);
  }

  Values torques_ = numbers(1, length);
  Values gradient_ = Values(length);
  std::array<float, length + 1> angles_{};
  std::array<float, length + 1> sines_{std::sin(3.0F)};
  std::array<float, length + 1> cosines_{std::cos(3.0F)};
  float cost_ = 0;
};

template <class Of>
std::unique_ptr<Workload> make(const Name& /*name*/, float /*rate*/) {
  return std::make_unique<Of>();
}

}  // namespace

void add_scalars(Families& families) {
  families["chain_0d"] = make<Chain>;
  families["tree_0d"] = make<Tree>;
  families["leaves_256"] = make<LeavesInTurn>;
  families["pendulum"] = make<Pendulum>;
}

}  // namespace bench
