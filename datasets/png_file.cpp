#include "xtgrad/datasets/png_file.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

#ifdef XTGRAD_HAS_LIBPNG
#include <png.h>

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
  // Deflate makes at most 1032 bytes of one, and a byte is at most eight pixels.
  source.check_size(handle.image.width, handle.image.height, 1032 * 8);
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
