#include "xtgrad/datasets/transform_rows.h"

#include <cstddef>
#include <span>
#include <utility>

#include "xtgrad/autograd/new_tensor.h"
#include "xtgrad/datasets/decode.h"

namespace xtgrad::inline v1::datasets::detail {

namespace {

using xtgrad::detail::Array;
using xtgrad::detail::BufferRef;

Shape sample_shape_of(const Tensor& inputs) {
  return Shape(std::span<const std::int64_t>(inputs.shape().begin() + 1, inputs.shape().end()));
}

}  // namespace

Tensor transform_rows(std::string_view function, const Tensor& x, const std::optional<Pixels>& pixels,
                      const RowChoice& rows, const SampleTransform& transform, std::uint64_t seed) {
  const Dtype dtype = pixels ? pixels->dtype : x.dtype();
  const Shape from = sample_shape_of(x);
  const Shape to = transform.output_shape(from);
  Shape shape;
  shape.push_back(rows.count);
  for (const std::int64_t size : to) shape.push_back(size);
  Array out = xtgrad::detail::new_array(function, shape, dtype, false);

  const std::size_t from_bytes = xtgrad::detail::bytes_of(from, x.dtype());
  const std::size_t to_bytes = xtgrad::detail::bytes_of(to, dtype);
  // The numbers of one sample after the other, where it is stored as bytes.
  const BufferRef numbers = pixels ? BufferRef::allocate(xtgrad::detail::bytes_of(from, dtype)) : BufferRef();
  const auto* source = xtgrad::detail::array_of(x).data<std::byte>();
  auto* place = out.mutable_data<std::byte>();
  Random samples(seed);
  for (std::int64_t i = 0; i < rows.count; ++i, place += to_bytes) {
    const std::int64_t row = rows[i];
    samples.set_state(seed, static_cast<std::uint64_t>(row));
    Random random = samples.split();
    const void* sample = source + static_cast<std::size_t>(row) * from_bytes;
    if (pixels) {
      decode(static_cast<const std::uint8_t*>(sample), from.numel(), *pixels, numbers.data());
      sample = numbers.data();
    }
    transform(SampleView(sample, from, dtype), SampleTarget(place, to, dtype), random);
  }
  return xtgrad::detail::make_constant(std::move(out));
}

}  // namespace xtgrad::v1::datasets::detail
