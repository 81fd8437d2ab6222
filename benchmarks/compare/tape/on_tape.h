#pragma once

#include <utility>

#include "benchmarks/compare/common/workload.h"
#include "benchmarks/compare/tape/tape.h"

namespace bench {

using Var = Tape::Var;

void add_objectives(Families& families);
void add_scalar_programs(Families& families);

/// A function of numbers that are entered first.
class OnTape : public Workload {
 public:
  explicit OnTape(Values leaves) : leaves_(std::move(leaves)) {}

  void step() override {
    tape_.clear();
    entered_.clear();
    for (const float x : leaves_) entered_.push_back(tape_.variable(x));
    const Var y = function(entered_);
    result_ = y.value;
    gradients_ = &tape_.backward(y);
  }

  std::vector<Values> outputs() override {
    std::vector<Values> all{{result_}};
    for (const Var& leaf : entered_) all.push_back({(*gradients_)[leaf.at]});
    return all;
  }

 protected:
  virtual Var function(std::vector<Var>& leaves) = 0;

  Tape tape_;
  Values leaves_;
  std::vector<Var> entered_;
  const std::vector<float>* gradients_ = nullptr;
  float result_ = 0;
};

}  // namespace bench
