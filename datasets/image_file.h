#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

// Images as files: PNG by libpng, JPEG by libjpeg. In a build without one of them its files are refused with
// an error that says which is missing.
//
//   Tensor photo = datasets::read_image("cat.jpg", {.channels = 3});          // uint8 [3, h, w]
//   datasets::write_png("small.png", photo.to(float32) / 255);

struct ReadImageOptions {
  /// 1: grey, 3: red, green, blue; what else a file has is converted, and its alpha is dropped. 0: the
  /// channels that the file has, 1 to 4, the last of 2 or 4 being alpha.
  std::int64_t channels = 0;
  std::int64_t max_pixels = std::int64_t{1} << 27;  ///< IoError for a larger image
  /// Turned and mirrored as the file's Exif orientation says, which is how viewers show a photograph; false
  /// for the pixels as they are stored.
  bool upright = true;
};

/// An image file, PNG or JPEG as its first bytes say, as uint8 [channels, height, width]. PNG of grey or
/// colour, with a palette, with alpha, of 1 to 16 bits (which become 8), interlaced or not; JPEG of grey or
/// colour. Throws IoError, which names the file, if it is no such image, ends too early, is damaged or too
/// large: what it claims about its size brings no memory that its length cannot fill. ValueError for other
/// channels than 0, 1 and 3.
[[nodiscard]] Tensor read_image(const std::string& path, const ReadImageOptions& options = {});

/// The same from the bytes of a file, which messages call `source`.
[[nodiscard]] Tensor decode_image(std::string_view bytes, std::string_view source,
                                  const ReadImageOptions& options = {});

/// Writes an image, [h, w] or [1, h, w] in grey, [3, h, w] in red, green and blue, as a PNG file of 8 bits,
/// whole or not at all. Elements are uint8, or floating from 0 to 1, rounded to 255 steps. The same tensor
/// gives the same bytes, with one version of libpng. Throws ShapeError for other shapes or an empty image,
/// DtypeError for other dtypes, ValueError for an element outside [0, 1], IoError if the file can't be
/// written or there is no libpng.
void write_png(const std::string& path, const Tensor& image);

/// The bytes of such a file.
[[nodiscard]] std::string encode_png(const Tensor& image);

}}}  // namespace xtgrad::v1::datasets
