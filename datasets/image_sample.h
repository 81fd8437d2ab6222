#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/size2d.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::datasets::detail {

// What the transforms of images check and draw.

/// Throws ShapeError unless a sample is [c, h, w].
void require_image(std::string_view function, const Shape& sample);

/// The same, and that h and w are at least 1.
void require_pixels(std::string_view function, const Shape& sample);

/// Throws ValueError unless a result has at least one pixel.
void require_size(std::string_view function, const Size2d& size);

/// Throws ValueError unless 0 < low <= high, both finite.
void require_range(std::string_view function, std::string_view option, const std::array<double, 2>& range);

/// The same of parts of an area, `scale`: positive, and at most 1.
void require_scale(std::string_view function, const std::array<double, 2>& scale);

/// Throws ValueError unless there is a value, and all are finite.
void require_channel_values(std::string_view function, std::string_view option,
                            std::span<const double> values);

/// Throws ShapeError unless there is one value, or one for each channel of a sample.
void require_channels(std::string_view function, std::string_view option, std::size_t values,
                      const Shape& sample);

/// Throws ValueError unless a probability is in [0, 1].
void require_probability(std::string_view function, double p);

/// Throws DtypeError unless a sample is floating.
void require_floating(std::string_view function, Dtype dtype);

/// Throws DtypeError unless a sample is floating or uint8.
void require_numbers(std::string_view function, Dtype dtype);

/// A number uniform in a range; one draw.
[[nodiscard]] double uniform_in(const std::array<double, 2>& range, Random& random);

/// A number whose logarithm is uniform in that of a range; one draw.
[[nodiscard]] double log_uniform_in(const std::array<double, 2>& range, Random& random);

}  // namespace xtgrad::v1::datasets::detail
