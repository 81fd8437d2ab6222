#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/parameter.h"

namespace xtgrad::inline v1::optim::detail {

struct LossAndGradient {
  double loss;
  Tensor gradient;  // [n]; empty where the loss is not finite
};

/// A loss, which is computed from parameters, as a function of one vector, these parameters' elements; in
/// float64 if a parameter is, else float32.
class Objective {
 public:
  /// `function` is what the user called, for errors. The loss must outlive it.
  Objective(std::string_view function, std::vector<nn::ParameterRef> parameters,
            const Callable<Tensor()>& loss);

  [[nodiscard]] Tensor x() const;
  void set_x(const Tensor& x);
  /// At x. Records, whatever the caller does; leaves the parameters' own gradients as they are. Throws
  /// ShapeError for a loss of several elements, and GraphError for one that nothing was recorded of, or that
  /// reaches a parameter that nobody looks after.
  LossAndGradient evaluate();
  /// As `evaluate`; throws ValueError, too, for a loss or gradient that is not finite.
  LossAndGradient evaluate_finite();
  /// Calls of the loss so far.
  [[nodiscard]] std::int64_t evaluations() const { return evaluations_; }

 private:
  [[nodiscard]] std::vector<Tensor> leaves() const;

  std::string_view function_;
  std::vector<nn::ParameterRef> parameters_;
  const Callable<Tensor()>& loss_;
  Dtype dtype_;
  std::int64_t evaluations_ = 0;
};

/// The largest absolute value of an element; 0 where there is none.
[[nodiscard]] double largest_element(const Tensor& x);

}  // namespace xtgrad::v1::optim::detail
