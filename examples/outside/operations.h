#pragma once

#include <xtgrad/autograd/tensor.h>

#include <utility>
#include <vector>

// Four operations that the library has not got.

/// The sign of x; the gradient passes as if nothing had been rounded.
[[nodiscard]] xtgrad::Tensor straight_through(const xtgrad::Tensor& x);

/// c[0] + c[1] x + c[2] x^2 + ... element by element, of float32 or float64.
[[nodiscard]] xtgrad::Tensor polynomial(const xtgrad::Tensor& x, std::vector<double> coefficients);

/// The sine and the cosine of x, computed together, of float32 or float64.
[[nodiscard]] std::pair<xtgrad::Tensor, xtgrad::Tensor> sincos(const xtgrad::Tensor& x);

/// The Airy function Ai and its derivative Ai', by somebody else's C code; for |x| up to 5, of float64.
[[nodiscard]] std::pair<xtgrad::Tensor, xtgrad::Tensor> airy(const xtgrad::Tensor& x);
