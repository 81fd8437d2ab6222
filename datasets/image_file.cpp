#include "xtgrad/datasets/image_file.h"

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/foreign_file.h"
#include "xtgrad/autograd/io/on_behalf.h"
#include "xtgrad/datasets/exif.h"
#include "xtgrad/datasets/jpeg_file.h"
#include "xtgrad/datasets/png_file.h"
#include "xtgrad/datasets/raw_image.h"

namespace xtgrad::inline v1::datasets {
namespace {

/// Brightness of a colour, 0 to 255, in 16-bit steps: the weights of ITU-R BT.601, as other libraries have
/// them.
std::uint8_t grey_of(const std::uint8_t* pixel) {
  return static_cast<std::uint8_t>((19595U * pixel[0] + 38470U * pixel[1] + 7471U * pixel[2] + 32768U) >>
                                   16U);
}

/// The planes of an image, with as many channels as are asked for.
Tensor to_planes(const detail::RawImage& image, std::int64_t wanted) {
  const bool has_color = image.channels >= 3;
  const std::size_t channels = wanted == 0 ? image.channels : static_cast<std::size_t>(wanted);
  const std::size_t area = image.height * image.width;
  std::vector<std::uint8_t> planes(channels * area);
  for (std::size_t i = 0; i < area; ++i) {
    const std::uint8_t* pixel = image.bytes.data() + i * image.channels;
    for (std::size_t c = 0; c < channels; ++c) {
      std::uint8_t value = pixel[has_color || wanted == 0 ? c : 0];
      if (wanted == 1 && has_color) value = grey_of(pixel);
      planes[c * area + i] = value;
    }
  }
  const auto size = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  return from_span(std::span<const std::uint8_t>(planes),
                   {size(channels), size(image.height), size(image.width)}, {.dtype = uint8});
}

Tensor decode(std::string_view function, std::string_view bytes, std::string_view name,
              const ReadImageOptions& options) {
  if (options.channels != 0 && options.channels != 1 && options.channels != 3)
    throw ValueError(fmt::format("{}: channels must be 0, 1 or 3: got {}", function, options.channels));
  if (options.max_pixels < 1)
    throw ValueError(fmt::format("{}: max_pixels must be 1 or more: got {}", function, options.max_pixels));
  const detail::ImageSource source{function, name, bytes, static_cast<std::uint64_t>(options.max_pixels)};
  if (const bool is_png = detail::is_png(bytes); is_png || detail::is_jpeg(bytes)) {
    detail::RawImage image = is_png ? detail::read_png(source) : detail::read_jpeg(source);
    if (options.upright) image = detail::upright(std::move(image), detail::exif_orientation(bytes));
    return to_planes(image, options.channels);
  }
  std::string kind = xtgrad::detail::stand_in_kind(bytes);
  if (kind.empty()) kind = xtgrad::detail::text_kind(bytes);
  if (!kind.empty()) source.fail("this is " + kind);
  std::string found;
  for (const char byte : bytes.substr(0, 4))
    found += fmt::format(" {:02x}", static_cast<unsigned char>(byte));
  source.fail(bytes.empty() ? "the file is empty: a PNG or JPEG image was expected"
                            : fmt::format("neither PNG nor JPEG: it begins with{}", found));
}

/// The image with its channels side by side, as bytes.
detail::RawImage to_raw(std::string_view function, const Tensor& image) {
  const Shape shape = image.defined() ? image.shape() : Shape{0};
  const bool flat = shape.rank() == 2;
  if (!flat && !(shape.rank() == 3 && (shape[0] == 1 || shape[0] == 3))) {
    throw ShapeError(fmt::format("{}: an image must be [h, w], [1, h, w] or [3, h, w]: got {}", function,
                                 to_string(shape)));
  }
  constexpr std::int64_t most = 1000000;  // a side, to libpng
  const std::int64_t height = shape[shape.rank() - 2];
  const std::int64_t width = shape.back();
  if (height < 1 || width < 1 || height > most || width > most) {
    throw ShapeError(
        fmt::format("{}: an image has 1 to {} pixels a side: got {}", function, most, to_string(shape)));
  }
  detail::RawImage raw{.channels = flat ? 1 : static_cast<std::size_t>(shape[0]),
                       .height = static_cast<std::size_t>(height),
                       .width = static_cast<std::size_t>(width)};
  const std::size_t area = raw.height * raw.width;
  raw.bytes.resize(raw.channels * area);
  const auto fill = [&](const auto& byte_of) {
    for (std::size_t c = 0; c < raw.channels; ++c) {
      for (std::size_t i = 0; i < area; ++i) raw.bytes[i * raw.channels + c] = byte_of(c * area + i);
    }
  };
  if (image.dtype() == uint8) {
    const auto data = image.data<std::uint8_t>();
    fill([&](std::size_t i) { return data[i]; });
  } else if (is_floating(image.dtype())) {
    const Tensor doubles = image.detach().to(float64);
    const auto data = doubles.data<double>();
    fill([&](std::size_t i) {
      if (!(data[i] >= 0 && data[i] <= 1))
        throw ValueError(
            fmt::format("{}: floating elements must be in [0, 1]: element {} is {}", function, i, data[i]));
      return static_cast<std::uint8_t>(std::lround(255 * data[i]));
    });
  } else {
    throw DtypeError(
        fmt::format("{}: an image must be uint8 or floating: got {}", function, to_string(image.dtype())));
  }
  return raw;
}

}  // namespace

Tensor read_image(const std::string& path, const ReadImageOptions& options) {
  return decode("read_image", xtgrad::detail::read_file("read_image", path, {}), path, options);
}

Tensor decode_image(std::string_view bytes, std::string_view source, const ReadImageOptions& options) {
  return decode("decode_image", bytes, source, options);
}

void write_png(const std::string& path, const Tensor& image) {
  const std::string bytes = detail::png_bytes("write_png", to_raw("write_png", image));
  xtgrad::detail::write_file_atomically("write_png", path, bytes);
}

std::string encode_png(const Tensor& image) {
  return detail::png_bytes("encode_png", to_raw("encode_png", image));
}

}  // namespace xtgrad::v1::datasets
