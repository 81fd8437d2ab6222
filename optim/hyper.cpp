#include "xtgrad/optim/hyper.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::optim {

Hyper::Hyper(const Tensor& tensor) : tensor_(tensor), is_set_(true) {
  if (tensor.rank() != 0) {
    throw ShapeError(
        fmt::format("Hyper: a hyperparameter is a number or a 0-d tensor: got a tensor of shape {}",
                    to_string(tensor.shape())));
  }
  if (!is_floating(tensor.dtype())) {
    throw DtypeError(
        fmt::format("Hyper: a hyperparameter is a number, or a tensor of float32 or float64: got {}",
                    to_string(tensor.dtype())));
  }
}

}  // namespace xtgrad::v1::optim
