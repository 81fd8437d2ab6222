#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

/// A hyperparameter: a number, or a 0-d floating tensor, through which derivatives of a recorded step flow.
/// As a number does, a tensor takes the dtype of the parameter that it is used on.
///
///   optim::SGDOptions fixed{.lr = 0.1};
///   Tensor lr = tensor(0.1, {.requires_grad = true});
///   optim::SGDOptions learnt{.lr = lr};
class Hyper {
 public:
  /// No value yet: the default of a hyperparameter that is required.
  Hyper() = default;
  Hyper(double number)
      : number_(number), is_set_(true) {}  // NOLINT(google-explicit-constructor): is a number
  /// Throws ShapeError unless the tensor is 0-d, DtypeError unless it is floating.
  Hyper(const Tensor& tensor);  // NOLINT(google-explicit-constructor): is a number

  [[nodiscard]] bool is_set() const { return is_set_; }
  [[nodiscard]] bool is_tensor() const { return tensor_.defined(); }
  /// An empty handle for a number.
  [[nodiscard]] const Tensor& tensor() const& { return tensor_; }
  [[nodiscard]] Tensor tensor() const&& { return tensor_; }
  /// The number, or the tensor's value.
  [[nodiscard]] double value() const { return is_tensor() ? tensor_.item() : number_; }
  /// True for the number 0. A tensor of value 0 is another matter: its derivative need not be 0.
  [[nodiscard]] bool is_number_zero() const { return !is_tensor() && number_ == 0; }
  [[nodiscard]] bool requires_grad() const { return is_tensor() && tensor_.requires_grad(); }

 private:
  Tensor tensor_;
  double number_ = 0;
  bool is_set_ = false;
};

}}}  // namespace xtgrad::v1::optim
