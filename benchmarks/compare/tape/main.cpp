// The engine tape of the comparison: workloads of single numbers on a tape of some sixty lines.

#include <cmath>

#include "benchmarks/compare/common/inputs.h"
#include "benchmarks/compare/common/long_chain.h"
#include "benchmarks/compare/common/serve.h"
#include "benchmarks/compare/tape/on_tape.h"

namespace bench { namespace {

using Var = Tape::Var;

class Chain final : public OnTape {
 public:
  Chain() : OnTape(numbers(1, 1, 0.4, 0.6)) {}
  Var function(std::vector<Var>& leaves) override {
    Var y = leaves[0];
    for (int i = 0; i < 500; ++i) y = tanh(y * 1.01F);
    return y;
  }
};

class Tree final : public OnTape {
 public:
  Tree() : OnTape(numbers(1, 1024, 0.4, 0.6)) {}
  Var function(std::vector<Var>& leaves) override {
    level_ = leaves;
    bool product = false;
    for (std::size_t half = level_.size() / 2; half > 0; half /= 2, product = !product) {
      for (std::size_t i = 0; i < half; ++i)
        level_[i] = product ? level_[2 * i] * level_[2 * i + 1] : level_[2 * i] + level_[2 * i + 1];
    }
    return level_[0];
  }

 private:
  std::vector<Var> level_;
};

class LeavesInTurn final : public OnTape {
 public:
  LeavesInTurn() : OnTape(numbers(1, 256)) {}
  Var function(std::vector<Var>& leaves) override {
    Var total = leaves[0] * leaves[0];
    for (std::size_t i = 1; i < leaves.size(); ++i) total = total + leaves[i] * leaves[i];
    return total;
  }
};

class Pendulum final : public OnTape {
 public:
  Pendulum() : OnTape(numbers(1, 100)) {}
  Var function(std::vector<Var>& leaves) override {
    Var angle = tape_.variable(3);
    Var speed = tape_.variable(0);
    Var cost = tape_.variable(0);
    for (const Var torque : leaves) {
      speed = speed + (sin(angle) * 9.81F - speed * 0.1F + torque) * 0.05F;
      angle = angle + speed * 0.05F;
      cost = cost + torque * torque * 0.001F - cos(angle);
    }
    return cost - cos(angle) * 10 + speed * speed;
  }
  /// The gradient as one tensor, as the other engines have it.
  std::vector<Values> outputs() override {
    std::vector<Values> all{{result_}, {}};
    for (const Var& leaf : entered_) all[1].push_back((*gradients_)[leaf.at]);
    return all;
  }
};

/// Building a chain, or sweeping it; freeing a tape is nothing.
class LongChain final : public Workload {
 public:
  LongChain(Part part, std::int64_t length) : part_(part), length_(length) {}

  [[nodiscard]] bool needs_before_step() const override { return true; }
  void before_step() override {
    tape_.clear();
    if (part_ == Part::sweep) build();
  }
  void step() override {
    if (part_ == Part::sweep) {
      gradient_ = tape_.backward(end_)[0];
    } else {
      build();
    }
  }
  std::vector<Values> outputs() override { return {{part_ == Part::sweep ? gradient_ : end_.value}}; }

 private:
  void build() {
    end_ = tape_.variable(start_);
    for (std::int64_t i = 0; i < length_; ++i) end_ = end_ + 1e-7F;
  }

  Part part_;
  std::int64_t length_;
  float start_ = numbers(1, 1, 0.4, 0.6)[0];
  float gradient_ = 0;
  Tape tape_;
  Var end_{};
};

/// 2-16-16-1 with tanh, squared error and Adam, number by number.
class TinyMlp final : public OnTape {
 public:
  TinyMlp(std::int64_t batch, float rate)
      : OnTape(parameters()),
        first_(leaves_.size()),
        second_(leaves_.size()),
        x_(numbers(1, 2 * batch)),
        target_(numbers(2, batch)),
        rate_(rate) {}

  void step() override {
    OnTape::step();
    ++steps_;
    const auto scaled = static_cast<float>(rate_ / (1 - std::pow(0.9, steps_)));
    const auto root = static_cast<float>(std::sqrt(1 - std::pow(0.999, steps_)));
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      const float g = (*gradients_)[entered_[i].at];
      first_[i] = 0.9F * first_[i] + 0.1F * g;
      second_[i] = 0.999F * second_[i] + 0.001F * g * g;
      leaves_[i] -= scaled * first_[i] / (std::sqrt(second_[i]) / root + 1e-8F);
    }
  }

  std::vector<Values> outputs() override {
    std::vector<Values> all{{result_}};
    std::size_t next = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      for (const std::size_t count : {sizes[k] * sizes[k + 1], sizes[k + 1]}) {
        Values& values = all.emplace_back();
        for (std::size_t i = 0; i < count; ++i) values.push_back((*gradients_)[entered_[next++].at]);
      }
    }
    return all;
  }

  Var function(std::vector<Var>& leaves) override {
    Var loss = tape_.variable(0);
    const auto share = 1 / static_cast<float>(target_.size());
    for (std::size_t row = 0; row < target_.size(); ++row) {
      layer_ = {tape_.variable(x_[2 * row]), tape_.variable(x_[2 * row + 1])};
      const Var* next = leaves.data();
      for (std::size_t k = 0; k < 3; ++k) {
        const Var* weight = next;
        const Var* bias = weight + sizes[k] * sizes[k + 1];
        next = bias + sizes[k + 1];
        above_.clear();
        for (std::size_t j = 0; j < sizes[k + 1]; ++j) {
          Var z = bias[j];
          for (std::size_t i = 0; i < sizes[k]; ++i) z = z + weight[j * sizes[k] + i] * layer_[i];
          above_.push_back(k == 2 ? z : tanh(z));
        }
        std::swap(layer_, above_);
      }
      const Var d = layer_[0] - tape_.variable(target_[row]);
      loss = loss + d * d * share;
    }
    return loss;
  }

 private:
  static constexpr std::size_t sizes[] = {2, 16, 16, 1};

  static Values parameters() {
    Values all;
    for (std::size_t k = 0; k < 3; ++k) {
      const double bound = 1 / std::sqrt(static_cast<double>(sizes[k]));
      for (const std::size_t part : {std::size_t{0}, std::size_t{1}}) {
        const std::size_t count = part == 0 ? sizes[k] * sizes[k + 1] : sizes[k + 1];
        const Values values = numbers(10 + 2 * k + part, static_cast<std::int64_t>(count), -bound, bound);
        all.insert(all.end(), values.begin(), values.end());
      }
    }
    return all;
  }

  Values first_, second_, x_, target_;
  float rate_;
  int steps_ = 0;
  std::vector<Var> layer_, above_;
};

Families families() {
  Families all{{"graph_build", long_chain<LongChain, Part::build>},
               {"graph_build_sweep", long_chain<LongChain, Part::sweep>},
               {"chain_0d", [](const Name&, float) { return std::make_unique<Chain>(); }},
               {"tree_0d", [](const Name&, float) { return std::make_unique<Tree>(); }},
               {"leaves_256", [](const Name&, float) { return std::make_unique<LeavesInTurn>(); }},
               {"pendulum", [](const Name&, float) { return std::make_unique<Pendulum>(); }},
               {"tiny_mlp_adam", [](const Name& name, float rate) {
                  return std::make_unique<TinyMlp>(name.numbers().at(0), rate);
                }}};
  add_objectives(all);
  add_scalar_programs(all);
  return all;
}

}  // namespace
}  // namespace bench

int main() {
  return bench::serve({.name = "tape", .version = COMPARE_VERSION, .families = bench::families()});
}
