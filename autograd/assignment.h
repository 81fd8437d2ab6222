// x += y and the like.
#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/scalar.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// `x += y` is `x = x + y`: the handle gets the sum, with its history. A tensor's elements never change, so
// other handles on what x was keep it. Two things that assignment would let pass throw: a sum of another
// shape than x (ShapeError), and an x that is a leaf that wants a gradient (GraphError), for the handle would
// then be no leaf, and get none. An nn::Parameter does not compile on the left: `set_value` changes one.
Tensor& operator+=(Tensor& x, const Tensor& y);
Tensor& operator-=(Tensor& x, const Tensor& y);
Tensor& operator*=(Tensor& x, const Tensor& y);
Tensor& operator/=(Tensor& x, const Tensor& y);
Tensor& operator+=(Tensor& x, Scalar number);
Tensor& operator-=(Tensor& x, Scalar number);
Tensor& operator*=(Tensor& x, Scalar number);
Tensor& operator/=(Tensor& x, Scalar number);

}}  // namespace xtgrad::v1
