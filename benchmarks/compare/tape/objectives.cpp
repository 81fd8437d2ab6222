// Objectives of the public benchmarks that are made of single numbers, family `ad`.

#include <algorithm>
#include <bit>

#include "benchmarks/compare/common/inputs.h"
#include "benchmarks/compare/tape/on_tape.h"

namespace bench {
namespace {

/// A function of the elements of one array.
class OfArray : public OnTape {
 public:
  using OnTape::OnTape;
  std::vector<Values> outputs() override {
    Values gradient;
    for (const Var& leaf : entered_) gradient.push_back((*gradients_)[leaf.at]);
    return {{result_}, gradient};
  }
};

class LogSumExp final : public OfArray {
 public:
  explicit LogSumExp(std::int64_t n) : OfArray(numbers(1, n, -8, 8)) {}
  Var function(std::vector<Var>& x) override {
    // The largest is a number to the tape: what it adds it takes away.
    const float top = *std::max_element(leaves_.begin(), leaves_.end());
    Var sum = exp(x[0] - top);
    for (std::size_t i = 1; i < x.size(); ++i) sum = sum + exp(x[i] - top);
    return log(sum) + top;
  }
};

class RungeKutta final : public OfArray {
 public:
  RungeKutta(std::int64_t n, std::int64_t steps)
      : OfArray(numbers(1, n, 0.5625 * static_cast<double>(steps), 0.6875 * static_cast<double>(steps))),
        steps_(steps) {}

  Var function(std::vector<Var>& x) override {
    const float h = 2 / static_cast<float>(steps_);
    const std::size_t n = x.size();
    std::vector<Var>& y = rows_[0];
    y.assign(n, tape_.variable(0));
    const auto slope = [&](const std::vector<Var>& of, std::vector<Var>& k) {
      k.assign(1, x[0]);
      for (std::size_t i = 1; i < n; ++i) k.push_back(x[i] * of[i - 1]);
    };
    const auto moved = [&](const std::vector<Var>& k, float by) -> const std::vector<Var>& {
      rows_[5].clear();
      for (std::size_t i = 0; i < n; ++i) rows_[5].push_back(y[i] + k[i] * by);
      return rows_[5];
    };
    for (std::int64_t step = 0; step < steps_; ++step) {
      slope(y, rows_[1]);
      slope(moved(rows_[1], h / 2), rows_[2]);
      slope(moved(rows_[2], h / 2), rows_[3]);
      slope(moved(rows_[3], h), rows_[4]);
      for (std::size_t i = 0; i < n; ++i)
        y[i] = y[i] + (rows_[1][i] + (rows_[2][i] + rows_[3][i]) * 2 + rows_[4][i]) * (h / 6);
    }
    return y[n - 1];
  }

 private:
  std::int64_t steps_;
  std::vector<Var> rows_[6];  // y, four slopes, a stage
};

/// By expansion along rows; a set of columns is a word, and its minor that of as many last rows.
class Determinant final : public OfArray {
 public:
  explicit Determinant(std::int64_t n) : OfArray(numbers(1, n * n)), n_(static_cast<std::size_t>(n)) {}
  Var function(std::vector<Var>& a) override {
    minors_.assign(1, tape_.variable(1));
    for (std::size_t set = 1; set < std::size_t{1} << n_; ++set) {
      const Var* row = a.data() + (n_ - static_cast<std::size_t>(std::popcount(set))) * n_;
      const auto term = [&](std::size_t rest) {
        return row[std::countr_zero(rest)] * minors_[set ^ (rest & ~(rest - 1))];
      };
      Var sum = term(set);
      bool minus = true;
      for (std::size_t rest = set & (set - 1); rest != 0; rest &= rest - 1, minus = !minus)
        sum = minus ? sum - term(rest) : sum + term(rest);
      minors_.push_back(sum);
    }
    return minors_.back();
  }

 private:
  std::size_t n_;
  std::vector<Var> minors_;
};

}  // namespace

void add_objectives(Families& families) {
  families["ad"] = by_kind({
      {"lse", [](const Name& name, float) { return std::make_unique<LogSumExp>(name.numbers().at(0)); }},
      {"ode", [](const Name& name,
                 float) { return std::make_unique<RungeKutta>(name.numbers().at(0), name.numbers().at(1)); }},
      {"det", [](const Name& name, float) { return std::make_unique<Determinant>(name.numbers().at(0)); }},
  });
}

}  // namespace bench
