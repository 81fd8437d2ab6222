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

Random random_of(std::uint64_t seed, std::uint64_t stream) {
  Random samples(seed);
  samples.set_state(seed, stream);
  return samples.split();
}

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
  for (std::int64_t i = 0; i < rows.count; ++i, place += to_bytes) {
    Random random = random_of(seed, rows.stream(i));
    const void* sample = source + static_cast<std::size_t>(rows[i]) * from_bytes;
    if (pixels) {
      decode(static_cast<const std::uint8_t*>(sample), from.numel(), *pixels, numbers.data());
      sample = numbers.data();
    }
    transform(SampleView(sample, from, dtype), SampleTarget(place, to, dtype), random);
  }
  return xtgrad::detail::make_constant(std::move(out));
}

Tensor transform_sample(std::string_view function, const Tensor& sample, const std::optional<Pixels>& pixels,
                        const SampleTransform& transform, std::uint64_t seed, std::uint64_t stream) {
  Random random = random_of(seed, stream);
  return transform_sample(function, sample, pixels, transform, random);
}

Tensor transform_sample(std::string_view function, const Tensor& sample, const std::optional<Pixels>& pixels,
                        const SampleTransform& transform, Random& random) {
  const Dtype dtype = pixels ? pixels->dtype : sample.dtype();
  const Shape& from = sample.shape();
  const Shape to = transform.output_shape(from);
  Array out = xtgrad::detail::new_array(function, to, dtype, false);
  const void* elements = xtgrad::detail::array_of(sample).data<std::byte>();
  const BufferRef numbers = pixels ? BufferRef::allocate(xtgrad::detail::bytes_of(from, dtype)) : BufferRef();
  if (pixels) {
    decode(static_cast<const std::uint8_t*>(elements), from.numel(), *pixels, numbers.data());
    elements = numbers.data();
  }
  transform(SampleView(elements, from, dtype), SampleTarget(out.mutable_data<std::byte>(), to, dtype),
            random);
  return xtgrad::detail::make_constant(std::move(out));
}

}  // namespace xtgrad::v1::datasets::detail
