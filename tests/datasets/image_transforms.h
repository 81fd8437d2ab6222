#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/sample_transform.h"

namespace xtgrad::inline v1::testing {

/// The elements, as doubles.
inline std::vector<double> numbers_of(const Tensor& x) {
  const Tensor wide = x.to(float64);
  return {wide.data<double>().begin(), wide.data<double>().end()};
}

/// One image [c, h, w] after a transform that draws from `random`.
inline Tensor after(const datasets::SampleTransform& transform, const Tensor& image, Random& random) {
  const Shape shape = transform.output_shape(image.shape());
  Tensor result;
  const auto run = [&]<class T>(T) {
    std::vector<T> out(static_cast<std::size_t>(shape.numel()), T{77});
    const std::vector<T> in(image.data<T>().begin(), image.data<T>().end());
    transform(datasets::SampleView(in.data(), image.shape(), image.dtype()),
              datasets::SampleTarget(out.data(), shape, image.dtype()), random);
    result = from_span(std::span<const T>(out), shape, {.dtype = image.dtype()});
  };
  if (image.dtype() == float32) run(float{});
  if (image.dtype() == float64) run(double{});
  if (image.dtype() == uint8) run(std::uint8_t{});
  if (image.dtype() == int64) run(std::int64_t{});
  return result;
}

inline Tensor after(const datasets::SampleTransform& transform, const Tensor& image, std::uint64_t seed = 0) {
  Random random(seed);
  return after(transform, image, random);
}

}  // namespace xtgrad::testing
