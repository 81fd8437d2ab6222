#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/from_values.h"
#include "xtgrad/autograd/multinomial.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/autograd/scalar.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/tensor_options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

[[nodiscard]] Tensor zeros(const Shape& shape, const TensorOptions& options = {});
[[nodiscard]] Tensor ones(const Shape& shape, const TensorOptions& options = {});
[[nodiscard]] Tensor full(const Shape& shape, Scalar value, const TensorOptions& options = {});
[[nodiscard]] Tensor zeros_like(const Tensor& x);
[[nodiscard]] Tensor ones_like(const Tensor& x);
/// Of x's shape and dtype, which must hold the value.
[[nodiscard]] Tensor full_like(const Tensor& x, Scalar value);

struct ArangeOptions {
  Scalar start = 0;
  Scalar step = 1;  ///< not 0
};
/// start, start + step, ... up to but without `stop`; int64 unless the options say another dtype. Exact where
/// start and step are integers, over the whole range of int64. Throws DtypeError for an element that the
/// dtype does not hold.
[[nodiscard]] Tensor arange(Scalar stop, const ArangeOptions& range = {}, const TensorOptions& options = {});
/// `count` numbers evenly spaced from `first` to `last`, both included. Exact where they all are integers,
/// over the whole range of int64. Throws DtypeError for an element that the dtype does not hold.
[[nodiscard]] Tensor linspace(Scalar first, Scalar last, std::int64_t count,
                              const TensorOptions& options = {});
/// Identity matrix [n, m], m = n if absent.
[[nodiscard]] Tensor eye(std::int64_t n, std::optional<std::int64_t> m = std::nullopt,
                         const TensorOptions& options = {});

/// One-hot rows: int64 or int32 labels [...] to [..., classes]. Throws ValueError for a label out of range.
[[nodiscard]] Tensor one_hot(const Tensor& labels, std::int64_t classes, const TensorOptions& options = {});

}}  // namespace xtgrad::v1
