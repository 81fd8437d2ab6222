// Sums of products over named or paired axes, and products of vectors.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// The sum of the products of two vectors [n], 0-d.
[[nodiscard]] Tensor dot(const Tensor& a, const Tensor& b);
/// All products of an element of a [m] and one of b [n], [m, n].
[[nodiscard]] Tensor outer(const Tensor& a, const Tensor& b);

struct TensordotOptions {
  Dims axes_a = {};  ///< axes of a that are summed over ...
  Dims axes_b = {};  ///< ... each with the one of b at its place in the list
};
/// Sums of products over pairs of axes; what is left of a comes before what is left of b.
[[nodiscard]] Tensor tensordot(const Tensor& a, const Tensor& b, const TensordotOptions& options);
/// The same over the last `count` axes of a, with the first ones of b.
[[nodiscard]] Tensor tensordot(const Tensor& a, const Tensor& b, std::int64_t count);

/// Einstein's sums: `einsum("bij,bjk->bik", {a, b})` multiplies matrices. Each axis has a letter; what is not
/// in the output is summed over, a letter twice in one operand is its diagonal, "..." stands for axes that
/// broadcast. Without
/// "->" the output has the letters that appear once, in alphabetical order. Operands are multiplied in pairs,
/// the cheapest first.
[[nodiscard]] Tensor einsum(std::string_view equation, std::span<const Tensor> operands);
[[nodiscard]] Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands);

/// Kronecker's product: b times each element of a, in its place. Of up to 4 dimensions, missing ones are 1.
[[nodiscard]] Tensor kron(const Tensor& a, const Tensor& b);
/// The cross product of vectors of 3 elements along an axis; a and b broadcast.
[[nodiscard]] Tensor cross(const Tensor& a, const Tensor& b, std::int64_t axis = -1);

struct VanderOptions {
  std::optional<std::int64_t> powers = std::nullopt;  ///< as many as x has elements in a row if absent
  bool decreasing = false;                            ///< the highest power first
};
/// Vandermonde's matrix, the powers 1, x, x^2, ... of each element of x [..., n], [..., n, powers].
[[nodiscard]] Tensor vander(const Tensor& x, const VanderOptions& options = {});

}}  // namespace xtgrad::v1
