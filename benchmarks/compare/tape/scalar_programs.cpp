// Options priced one at a time, an oscillator and an LSTM of one unit, on the tape.

#include <array>
#include <vector>

#include "benchmarks/compare/common/inputs.h"
#include "benchmarks/compare/tape/on_tape.h"

namespace bench {
namespace {

Values joined(Values a, const Values& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class Options final : public OnTape {
 public:
  explicit Options(std::int64_t count)
      : OnTape(joined(numbers(1, count, 80, 120), numbers(2, count, 0.1, 0.4))) {}
  Var function(std::vector<Var>& leaves) override {
    const std::size_t count = leaves.size() / 2;
    const auto normal = [](Var x) { return (erf(x * 0.70710678F) + 1.0F) * 0.5F; };
    Var total = tape_.variable(0);
    for (std::size_t i = 0; i < count; ++i) {
      const Var s = leaves[i], v = leaves[count + i];
      const Var d = (log(s * (1 / 95.0F)) + (v * v * 0.5F + 0.03F)) / v;
      total = total + (s * normal(d) - normal(d - v) * 92.19233F);
    }
    return total * 0.001F;
  }
  /// Gradients as the two tensors that the other engines have.
  std::vector<Values> outputs() override {
    std::vector<Values> all{{result_}, {}, {}};
    for (std::size_t i = 0; i < entered_.size(); ++i)
      all[i < entered_.size() / 2 ? 1 : 2].push_back((*gradients_)[entered_[i].at]);
    return all;
  }
};

class Oscillator final : public OnTape {
 public:
  explicit Oscillator(std::int64_t steps) : OnTape({1, 0.5F, 1.5F}), steps_(steps) {}
  Var function(std::vector<Var>& leaves) override {
    constexpr float h = 0.05F;
    Var y = leaves[0], v = leaves[1];
    const Var mu = leaves[2];
    const auto slope = [&](Var at, Var speed) { return mu * (at * at * -1.0F + 1.0F) * speed - at; };
    for (std::int64_t i = 0; i < steps_; ++i) {
      const Var a1 = slope(y, v);
      const Var v2 = v + a1 * (h / 2), a2 = slope(y + v * (h / 2), v2);
      const Var v3 = v + a2 * (h / 2), a3 = slope(y + v2 * (h / 2), v3);
      const Var v4 = v + a3 * h, a4 = slope(y + v3 * h, v4);
      y = y + (v + (v2 + v3) * 2.0F + v4) * (h / 6);
      v = v + (a1 + (a2 + a3) * 2.0F + a4) * (h / 6);
    }
    return y + v;
  }

 private:
  std::int64_t steps_;
};

class Lstm final : public OnTape {
 public:
  explicit Lstm(std::int64_t length) : OnTape(numbers(1, 12)), inputs_(numbers(2, length)) {}
  Var function(std::vector<Var>& w) override {
    const auto sigmoid = [this](Var z) { return tape_.variable(1) / (exp(z * -1.0F) + 1.0F); };
    Var h = tape_.variable(0), c = tape_.variable(0);
    for (const float x : inputs_) {
      std::array<Var, 4> z{};
      for (std::size_t k = 0; k < 4; ++k) z[k] = w[3 * k] * x + w[3 * k + 1] * h + w[3 * k + 2];
      c = sigmoid(z[0]) * c + sigmoid(z[1]) * tanh(z[2]);
      h = sigmoid(z[3]) * tanh(c);
    }
    return h;
  }

 private:
  Values inputs_;
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
