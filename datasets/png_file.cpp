#include "xtgrad/datasets/png_file.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

#ifdef XTGRAD_HAS_LIBPNG
#include <png.h>

#include <cstddef>
#include <cstdint>
#endif

namespace xtgrad::inline v1::datasets::detail {

bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }

#ifdef XTGRAD_HAS_LIBPNG

namespace {

/// libpng's own handle, whose functions leave a message where others of it would jump.
struct Handle {
  Handle() { image.version = PNG_IMAGE_VERSION; }
  ~Handle() { ::png_image_free(&image); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  png_image image = {};
};

/// Deflate makes at most 1032 bytes of one. `bytes` are a file whose first chunk is known to be right.
std::uint64_t most_pixels_per_byte(std::string_view bytes) {
  const auto number = [&](std::size_t at) { return static_cast<std::uint64_t>(bytes[at]); };
  const std::uint64_t depth = number(24);
  const std::uint64_t kind = number(25);  // 2: in colour, 4: with alpha; a palette has one number a pixel
  const std::uint64_t numbers =
      kind == PNG_COLOR_TYPE_PALETTE ? 1 : ((kind & 2U) != 0 ? 3 : 1) + ((kind & 4U) != 0 ? 1 : 0);
  return std::uint64_t{1032} * 8 / (depth * numbers);
}

/// Throws if the last call failed.
void check(int done, const Handle& handle, const ImageSource& source) {
  if (done == 0 || PNG_IMAGE_FAILED(handle.image))
    source.fail(
        fmt::format("the PNG image is damaged or ends too early: libpng says \"{}\"", handle.image.message));
}

}  // namespace

RawImage read_png(const ImageSource& source) {
  Handle handle;
  check(::png_image_begin_read_from_memory(&handle.image, source.bytes.data(), source.bytes.size()), handle,
        source);
  source.check_size(handle.image.width, handle.image.height, most_pixels_per_byte(source.bytes));
  // Numbers of 16 bits are on the curve of those of 8 unless the file says another, and palettes are
  // resolved.
  handle.image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  handle.image.format &= ~static_cast<png_uint_32>(PNG_FORMAT_FLAG_COLORMAP | PNG_FORMAT_FLAG_LINEAR);
  handle.image.format &= PNG_FORMAT_FLAG_ALPHA | PNG_FORMAT_FLAG_COLOR;
  RawImage image{.channels = PNG_IMAGE_SAMPLE_CHANNELS(handle.image.format),
                 .height = handle.image.height,
                 .width = handle.image.width};
  image.bytes.resize(image.channels * image.height * image.width);
  check(::png_image_finish_read(&handle.image, nullptr, image.bytes.data(), 0, nullptr), handle, source);
  return image;
}

std::string png_bytes(std::string_view function, const RawImage& image) {
  Handle handle;
  handle.image.width = static_cast<png_uint_32>(image.width);
  handle.image.height = static_cast<png_uint_32>(image.height);
  handle.image.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(handle.image), '\0');
  png_alloc_size_t size = bytes.size();
  if (::png_image_write_to_memory(&handle.image, bytes.data(), &size, 0, image.bytes.data(), 0, nullptr) == 0)
    throw IoError(fmt::format("{}: libpng writes no image of {} x {} pixels: {}", function, image.width,
                              image.height, handle.image.message));
  bytes.resize(size);
  return bytes;
}

#else

namespace {

[[noreturn]] void fail(std::string_view function) {
  throw IoError(fmt::format(
      "{}: this library was built without libpng: install libpng-dev and configure again", function));
}

}  // namespace

RawImage read_png(const ImageSource& source) { fail(source.function); }

std::string png_bytes(std::string_view function, const RawImage&) { fail(function); }

#endif

}  // namespace xtgrad::v1::datasets::detail
