#pragma once

#include <string_view>

#include "xtgrad/datasets/raw_image.h"

namespace xtgrad::inline v1::datasets::detail {

[[nodiscard]] bool is_jpeg(std::string_view bytes);

/// Throws IoError for what is no whole JPEG file of grey or colour, or in a build without libjpeg.
[[nodiscard]] RawImage read_jpeg(const ImageSource& source);

}  // namespace xtgrad::v1::datasets::detail
