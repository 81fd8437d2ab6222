// Logic of masks, and of the bits of integers.
#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// None has a gradient; operands broadcast, and share a dtype.

// Of any dtype, giving bool: true is what is not 0, NaN included.
[[nodiscard]] Tensor logical_and(const Tensor& a, const Tensor& b);  ///< true where both are
[[nodiscard]] Tensor logical_or(const Tensor& a, const Tensor& b);   ///< true where one is, or both
[[nodiscard]] Tensor logical_xor(const Tensor& a, const Tensor& b);  ///< true where one is, and not the other
[[nodiscard]] Tensor logical_not(const Tensor& x);                   ///< true where x is 0

// Of bool, element by element, and of integers, bit by bit, giving the same dtype; others throw DtypeError.
[[nodiscard]] Tensor bitwise_and(const Tensor& a, const Tensor& b);  ///< a & b
[[nodiscard]] Tensor bitwise_or(const Tensor& a, const Tensor& b);   ///< a | b
[[nodiscard]] Tensor bitwise_xor(const Tensor& a, const Tensor& b);  ///< a ^ b
[[nodiscard]] Tensor bitwise_not(const Tensor& x);                   ///< ~x, and of bool the other value
/// x times 2^count, without the bits that leave the 64, of int64; 0 for counts above 63. Throws ValueError
/// for a negative count.
[[nodiscard]] Tensor left_shift(const Tensor& x, const Tensor& count);
/// x over 2^count, rounded down, of int64; 0 or -1 for counts above 63. Throws ValueError for a negative
/// count.
[[nodiscard]] Tensor right_shift(const Tensor& x, const Tensor& count);

inline Tensor operator&(const Tensor& a, const Tensor& b) { return bitwise_and(a, b); }
inline Tensor operator|(const Tensor& a, const Tensor& b) { return bitwise_or(a, b); }
inline Tensor operator^(const Tensor& a, const Tensor& b) { return bitwise_xor(a, b); }
inline Tensor operator~(const Tensor& x) { return bitwise_not(x); }
inline Tensor operator!(const Tensor& x) { return logical_not(x); }

}}  // namespace xtgrad::v1
