// A program as data: it can be run, printed, and changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tests/random_programs/rows.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::random_programs {

/// One step. Its operands are numbers of values: leaves first, then what the steps before it made.
struct Step {
  const Row* row = nullptr;
  std::vector<std::size_t> operands;
  std::int64_t axis = 0;
  std::int64_t n = 1;
  std::int64_t k = 0;
  double p = 1;
  Shape shape = {};
};

struct Program {
  std::vector<Tensor> leaves;  ///< of float64, bool or int64
  std::vector<Step> steps;
  std::vector<std::size_t> outputs;  ///< floating values, whose weighted sums are added up

  [[nodiscard]] std::size_t values() const { return leaves.size() + steps.size(); }
};

[[nodiscard]] Tensor run_step(const Step& step, std::span<const Tensor> values, Dtype dtype);

/// Given each floating value that a step made, with its number; what it returns stands in for it.
using OnValue = std::function<Tensor(std::size_t, const Tensor&)>;
/// All values, of leaves whose floating ones are of `dtype`.
[[nodiscard]] std::vector<Tensor> run(const Program& program, std::span<const Tensor> leaves, Dtype dtype,
                                      const OnValue& on_value = {});
/// Of all values: the sum of the outputs' weighted sums, 0-d.
[[nodiscard]] Tensor loss_of(const Program& program, std::span<const Tensor> values);
/// The leaves, the floating ones of `dtype` and, where wanted, variables.
[[nodiscard]] std::vector<Tensor> leaves_of(const Program& program, Dtype dtype, bool variables);
/// Those of the tensors that are floating.
[[nodiscard]] std::vector<Tensor> floating_of(std::span<const Tensor> tensors);

/// Without steps and leaves that no output depends on.
[[nodiscard]] Program pruned(const Program& program);

/// The step's expression with the names of values in it.
[[nodiscard]] std::string expression(const Program& program, const Step& step, bool python);
/// A C++ program that prints the loss and the gradients, as hexadecimal numbers.
[[nodiscard]] std::string to_cpp(const Program& program);
/// One line a value, for messages.
[[nodiscard]] std::string to_text(const Program& program);

}  // namespace xtgrad::random_programs
