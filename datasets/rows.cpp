#include "xtgrad/datasets/rows.h"

#include <cstddef>
#include <cstring>
#include <utility>

#include "xtgrad/autograd/new_tensor.h"

namespace xtgrad::inline v1::datasets::detail {

namespace {

using xtgrad::detail::Array;
using xtgrad::detail::array_of;
using xtgrad::detail::make_constant;

/// Uninitialised, of x's dtype and shape but for the number of rows.
Array array_for_rows(std::string_view function, const Tensor& x, std::int64_t rows) {
  Shape shape = x.shape();
  shape[0] = rows;
  return xtgrad::detail::new_array(function, shape, x.dtype(), false);
}

std::size_t row_bytes(const Tensor& x) {
  std::size_t bytes = item_size(x.dtype());
  for (std::size_t dim = 1; dim < x.rank(); ++dim) bytes *= static_cast<std::size_t>(x.shape()[dim]);
  return bytes;
}

}  // namespace

Tensor copy_rows(std::string_view function, const Tensor& x, std::span<const std::int64_t> rows) {
  Array out = array_for_rows(function, x, static_cast<std::int64_t>(rows.size()));
  const std::size_t bytes = row_bytes(x);
  const auto* from = array_of(x).data<std::byte>();
  auto* to = out.mutable_data<std::byte>();
  for (const std::int64_t row : rows) {
    std::memcpy(to, from + static_cast<std::size_t>(row) * bytes, bytes);
    to += bytes;
  }
  return make_constant(std::move(out));
}

Tensor copy_row_range(std::string_view function, const Tensor& x, std::int64_t first, std::int64_t count) {
  Array out = array_for_rows(function, x, count);
  const std::size_t bytes = row_bytes(x);
  std::memcpy(out.mutable_data<std::byte>(),
              array_of(x).data<std::byte>() + static_cast<std::size_t>(first) * bytes,
              static_cast<std::size_t>(count) * bytes);
  return make_constant(std::move(out));
}

}  // namespace xtgrad::v1::datasets::detail
