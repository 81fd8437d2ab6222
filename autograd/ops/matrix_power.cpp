#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/matrices.h"

namespace xtgrad::inline v1 {

// By squaring, as many products as n has binary digits, and ones among them.
Tensor matrix_power(const Tensor& a, std::int64_t n) {
  detail::check_square(detail::OpId::matrix_power, detail::array_of(a));
  if (n == 0) return broadcast_to(eye(a.size(-1), std::nullopt, {.dtype = a.dtype()}), a.shape());
  if (n == 1) return alias(a);
  Tensor square = n < 0 ? inverse(a) : a;
  Tensor result;
  // The size of the least int64 is no int64.
  for (std::uint64_t rest = n < 0 ? -static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);;) {
    if ((rest & 1U) != 0) result = result.defined() ? matmul(result, square) : square;
    rest >>= 1U;
    if (rest == 0) return result;
    square = matmul(square, square);
  }
}

}  // namespace xtgrad::v1
