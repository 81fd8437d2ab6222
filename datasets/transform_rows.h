#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "xtgrad/datasets/dataset.h"
#include "xtgrad/datasets/sample_transform.h"

namespace xtgrad::inline v1::datasets::detail {

/// Rows of a tensor: order[first], order[first + 1] and so on, or first, first + 1 and so on without `order`.
struct RowChoice {
  std::int64_t first = 0;
  std::int64_t count = 0;
  const std::int64_t* order = nullptr;
  bool repeats = false;  ///< a row may be there several times, and is to be another one each time

  [[nodiscard]] std::int64_t operator[](std::int64_t i) const {
    return order != nullptr ? order[first + i] : first + i;
  }
  /// Number of the generator that row i draws from.
  [[nodiscard]] std::uint64_t stream(std::int64_t i) const {
    return static_cast<std::uint64_t>(repeats ? first + i : (*this)[i]);
  }
};

/// The generator number `stream` of `seed`.
[[nodiscard]] Random random_of(std::uint64_t seed, std::uint64_t stream);

/// A new tensor of the transformed rows of x; each draws from a generator of its own, of `seed`. With
/// `pixels`, x is uint8 and the transform is given the numbers that its bytes stand for.
[[nodiscard]] Tensor transform_rows(std::string_view function, const Tensor& x,
                                    const std::optional<Pixels>& pixels, const RowChoice& rows,
                                    const SampleTransform& transform, std::uint64_t seed);

/// The same of one sample, [...], that draws from the generator number `stream`.
[[nodiscard]] Tensor transform_sample(std::string_view function, const Tensor& sample,
                                      const std::optional<Pixels>& pixels, const SampleTransform& transform,
                                      std::uint64_t seed, std::uint64_t stream);
/// The same, that draws from `random`.
[[nodiscard]] Tensor transform_sample(std::string_view function, const Tensor& sample,
                                      const std::optional<Pixels>& pixels, const SampleTransform& transform,
                                      Random& random);

}  // namespace xtgrad::v1::datasets::detail
