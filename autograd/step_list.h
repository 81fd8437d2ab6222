#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// Lists everything that this thread computes while in scope, rules included: each step is a primitive with
/// its attributes, operands and results. Holds on to all values, so nothing is overwritten meanwhile.
///
///   StepList steps;
///   steps.set_name("x", x);
///   Tensor y = tanh(x);
///   std::cout << steps.text();  // %1 = tanh(x)  float32 [4]
class StepList {
 public:
  [[nodiscard("a scope ends with its statement unless it has a name")]] StepList();
  ~StepList();
  StepList(const StepList&) = delete;
  StepList& operator=(const StepList&) = delete;

  /// Says that a tensor is an input of what comes, and what it is called.
  void set_name(std::string_view name, const Tensor& tensor);
  /// One line a step, so far; those that a `custom_vjp` function ran end in its name.
  [[nodiscard]] std::string text() const;
  /// Runs the steps again, on memory that is filled with 0xFF before, and returns what differs: values with
  /// other bits, shapes and dtypes that `infer` gives otherwise, and values that neither a step made nor
  /// `set_name` named. Empty if all is well.
  [[nodiscard]] std::string run_again() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}}  // namespace xtgrad::v1
