#include "xtgrad/datasets/decode.h"

#include <cstddef>
#include <utility>

#include "xtgrad/autograd/new_tensor.h"

namespace xtgrad::inline v1::datasets::detail {

namespace {

using xtgrad::detail::Array;

template <class T>
void decode_as(const std::uint8_t* bytes, std::int64_t count, bool unit_range, T* numbers) {
  if (unit_range) {
    // A division, not a product with 1 / 255, which is rounded.
    for (std::int64_t i = 0; i < count; ++i) numbers[i] = static_cast<T>(bytes[i]) / T{255};
  } else {
    for (std::int64_t i = 0; i < count; ++i) numbers[i] = static_cast<T>(bytes[i]);
  }
}

}  // namespace

void decode(const std::uint8_t* bytes, std::int64_t count, const Pixels& pixels, void* numbers) {
  xtgrad::detail::visit_floating(pixels.dtype, [&]<class T>(T) {
    decode_as(bytes, count, pixels.unit_range, static_cast<T*>(numbers));
  });
}

Tensor decoded_rows(std::string_view function, const Tensor& bytes, const Pixels& pixels,
                    const RowChoice& rows) {
  Shape shape = bytes.shape();
  shape[0] = rows.count;
  Array out = xtgrad::detail::new_array(function, shape, pixels.dtype, false);
  const std::int64_t row_size = rows.count == 0 ? 0 : shape.numel() / rows.count;
  const auto* from = xtgrad::detail::array_of(bytes).data<std::uint8_t>();
  auto* to = out.mutable_data<std::byte>();
  if (rows.order == nullptr) {
    decode(from + rows.first * row_size, rows.count * row_size, pixels, to);
  } else {
    const auto row_bytes = static_cast<std::size_t>(row_size) * item_size(pixels.dtype);
    for (std::int64_t i = 0; i < rows.count; ++i, to += row_bytes) {
      decode(from + rows[i] * row_size, row_size, pixels, to);
    }
  }
  return xtgrad::detail::make_constant(std::move(out));
}

Tensor numbers_of(std::string_view function, const Dataset& data) {
  const Tensor& stored = data.stored_inputs();
  return data.pixels() ? decoded_rows(function, stored, *data.pixels(), {.count = data.size()}) : stored;
}

}  // namespace xtgrad::v1::datasets::detail
