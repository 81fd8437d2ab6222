#include "xtgrad/datasets/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/new_tensor.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/file_array.h"
#include "xtgrad/datasets/idx_file.h"

namespace xtgrad::inline v1::datasets {

namespace detail {

namespace {

using xtgrad::detail::Array;
using xtgrad::detail::make_constant;

/// The element of `bytes` at `index`, where Bits is the unsigned number that stores a Stored.
template <class Stored, class Bits>
Stored load(const std::byte* bytes, std::size_t index) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof(Bits); ++i) {
    bits = bits << 8 | std::to_integer<std::uint64_t>(bytes[index * sizeof(Bits) + i]);
  }
  return std::bit_cast<Stored>(static_cast<Bits>(bits));
}

template <class Stored, class Bits, class T>
void convert(std::span<const std::byte> bytes, T* out) {
  const std::size_t count = bytes.size() / sizeof(Bits);
  // Signed bytes are numbers here.
  // NOLINTNEXTLINE(bugprone-signed-char-misuse)
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<T>(load<Stored, Bits>(bytes.data(), i));
}

template <class T>
void convert(IdxType type, std::span<const std::byte> bytes, T* out) {
  switch (type) {
    case IdxType::ubyte:
      return convert<std::uint8_t, std::uint8_t>(bytes, out);
    case IdxType::byte:
      return convert<std::int8_t, std::uint8_t>(bytes, out);
    case IdxType::int16:
      return convert<std::int16_t, std::uint16_t>(bytes, out);
    case IdxType::int32:
      return convert<std::int32_t, std::uint32_t>(bytes, out);
    // The caller has refused integer dtypes for these two: not every number would fit.
    case IdxType::float32:
      return convert<float, std::uint32_t>(bytes, out);
    case IdxType::float64:
      return convert<double, std::uint64_t>(bytes, out);
  }
}

/// Throws about the first float64 that would become infinite in the dtype; infinities of the file may stay.
void check_fits(Dtype dtype, const ByteReader& reader, const IdxHeader& header,
                std::span<const std::byte> elements) {
  if (xtgrad::detail::holds(dtype, std::numeric_limits<double>::max())) return;
  const std::size_t count = elements.size() / sizeof(double);
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = load<double, std::uint64_t>(elements.data(), i);
    if (xtgrad::detail::holds(dtype, value)) continue;
    reader.fail(header.bytes + i * sizeof(double), fmt::format("{}", value), fits_float32);
  }
}

bool holds_integers(IdxType type) { return type != IdxType::float32 && type != IdxType::float64; }

Dtype natural_dtype(IdxType type) {
  if (holds_integers(type)) return int64;
  return type == IdxType::float32 ? float32 : float64;
}

/// What the elements of a file may become.
using IdxDtypes = xtgrad::detail::ElementTypes<std::uint8_t, std::int32_t, std::int64_t, float, double>;

/// False where the dtype, an integer one or bool, lacks some element that a file of the type may have.
bool holds_all(Dtype dtype, IdxType type) {
  if (is_floating(dtype)) return true;
  if (dtype == uint8) return type == IdxType::ubyte;
  return is_integer(dtype) && holds_integers(type);
}

/// Labels counted from 0; the reader stands at the elements.
Array read_labels(ByteReader& reader, const IdxHeader& header, const IdxDatasetOptions& options,
                  std::int64_t classes) {
  const std::vector<std::byte> elements = read_idx_elements(reader, header);
  Array labels = new_file_array(reader.function(), reader.name(), header.shape, int64);
  auto* label = labels.mutable_data<std::int64_t>();
  convert(header.type, elements, label);
  const auto count = static_cast<std::size_t>(labels.numel());
  const std::int64_t last = options.first_label + (classes - 1);
  for (std::size_t row = 0; row < count; ++row) {
    if (label[row] < options.first_label || label[row] > last) {
      reader.fail(header.bytes + row * item_size(header.type),
                  fmt::format("label {} in row {}", label[row], row),
                  fmt::format("{} to {}, for {} classes", options.first_label, last, classes));
    }
    label[row] -= options.first_label;
  }
  return labels;
}

/// Copies the file's pixels, with rows for columns if need be. `shape` is that of the result.
void copy_images(std::span<const std::byte> bytes, const Shape& shape, bool transposed, std::uint8_t* out) {
  if (!transposed) {
    std::transform(bytes.begin(), bytes.end(), out,
                   [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    return;
  }
  const auto height = static_cast<std::size_t>(shape[shape.rank() - 2]);
  const auto width = static_cast<std::size_t>(shape.back());
  const std::size_t pixels = height * width;
  for (std::size_t image = 0; image < bytes.size(); image += pixels) {  // no bytes, no turn
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        *out++ = std::to_integer<std::uint8_t>(bytes[image + x * height + y]);
      }
    }
  }
}

/// Shape of the inputs; the file's own sizes are [n, h, w] or [n, ...].
Shape inputs_shape(const IdxHeader& header, bool transposed) {
  Shape shape = header.shape;
  if (transposed) std::swap(shape[shape.rank() - 1], shape[shape.rank() - 2]);
  if (shape.rank() == 3) return {shape[0], 1, shape[1], shape[2]};
  return shape;
}

void check_images_header(ByteReader& images, const IdxHeader& header, const IdxDatasetOptions& options,
                         const std::optional<ImageSize>& expected) {
  if (header.type != IdxType::ubyte) {
    images.fail(2, fmt::format("elements of type {}", name_of(header.type)), "images of unsigned bytes");
  }
  const std::size_t least = options.transposed ? 3 : 2;
  if (header.shape.rank() < least) {
    images.fail(3, fmt::format("sizes {}", to_string(header.shape)),
                options.transposed ? "images [n, w, h]" : "images [n, ...]");
  }
  if (expected) {
    const Shape& shape = header.shape;
    if (shape.rank() != 3 || shape[1] != expected->height || shape[2] != expected->width) {
      images.fail(3, fmt::format("sizes {}", to_string(shape)),
                  fmt::format("images [n, {}, {}]", expected->height, expected->width));
    }
  }
}

void check_labels_header(ByteReader& labels, const IdxHeader& header, const ByteReader& images,
                         const IdxHeader& images_header) {
  if (!holds_integers(header.type)) {
    labels.fail(2, fmt::format("elements of type {}", name_of(header.type)), "labels that are integers");
  }
  if (header.shape.rank() != 1) {
    labels.fail(3, fmt::format("sizes {}", to_string(header.shape)), "labels [n]");
  }
  if (header.shape[0] != images_header.shape[0]) {
    labels.fail(4, fmt::format("{} labels", header.shape[0]),
                fmt::format("{}, one for each image of {}", images_header.shape[0], images.name()));
  }
}

std::int64_t count_classes(std::string_view function, const IdxDatasetOptions& options) {
  const auto names = static_cast<std::int64_t>(options.class_names.size());
  if (options.classes == 0 && names == 0) {
    throw ValueError(fmt::format("{}: classes is missing: set .classes or .class_names", function));
  }
  // No IDX label has more bits, and sums of two such numbers cannot overflow.
  constexpr std::int64_t most = std::int64_t{1} << 32;
  if (options.classes > most || options.first_label > most || options.first_label < -most) {
    throw ValueError(fmt::format("{}: classes and first_label must fit the labels' 32 bits: got {} and {}",
                                 function, options.classes, options.first_label));
  }
  if (options.classes == 0) return names;
  require_at_least(function, "classes", options.classes, 1);
  if (names != 0 && names != options.classes) {
    throw ValueError(fmt::format("{}: class_names must be one for each class: got {} for {}", function, names,
                                 options.classes));
  }
  return options.classes;
}

}  // namespace

Tensor read_idx(ByteReader& reader, const ReadIdxOptions& options) {
  const IdxHeader header = read_idx_header(reader);
  const Dtype dtype = options.dtype.value_or(natural_dtype(header.type));
  if (!holds_all(dtype, header.type)) {
    throw DtypeError(fmt::format("{}: {} cannot hold the elements of {}, which are of type {}",
                                 reader.function(), to_string(dtype), reader.name(), name_of(header.type)));
  }
  const std::vector<std::byte> elements = read_idx_elements(reader, header);
  if (header.type == IdxType::float64) check_fits(dtype, reader, header, elements);
  Array array = new_file_array(reader.function(), reader.name(), header.shape, dtype);
  xtgrad::detail::visit_listed<IdxDtypes>(
      dtype, [&](auto zero) { convert(header.type, elements, array.mutable_data<decltype(zero)>()); });
  return make_constant(std::move(array));
}

Dataset idx_dataset(ByteReader& images, ByteReader& labels, const IdxDatasetOptions& options,
                    const std::optional<ImageSize>& expected) {
  const Dtype dtype = inputs_dtype(images.function(), options.dtype);
  const std::int64_t classes = count_classes(images.function(), options);
  // All that can be wrong with the small parts comes first: the pixels take longest.
  const IdxHeader images_header = read_idx_header(images);
  check_images_header(images, images_header, options, expected);
  const IdxHeader labels_header = read_idx_header(labels);
  check_labels_header(labels, labels_header, images, images_header);
  Array labels_array = read_labels(labels, labels_header, options, classes);

  const std::vector<std::byte> pixels = read_idx_elements(images, images_header);
  Array inputs = new_file_array(images.function(), images.name(),
                                inputs_shape(images_header, options.transposed), uint8);
  copy_images(pixels, inputs.shape, options.transposed, inputs.mutable_data<std::uint8_t>());
  return Dataset({.inputs = make_constant(std::move(inputs)),
                  .labels = make_constant(std::move(labels_array)),
                  .classes = classes,
                  .class_names = options.class_names,
                  .pixels = Pixels{.unit_range = options.unit_range, .dtype = dtype}});
}

}  // namespace detail

Tensor read_idx(const std::string& path, const ReadIdxOptions& options) {
  detail::ByteReader reader("read_idx", path);
  return detail::read_idx(reader, options);
}

Dataset idx_dataset(const IdxDatasetOptions& options) {
  const auto require = [](const std::string& path, std::string_view option) {
    if (path.empty())
      throw ValueError(fmt::format("idx_dataset: {} is missing: set .{} to a file", option, option));
  };
  require(options.images, "images");
  require(options.labels, "labels");
  detail::ByteReader images("idx_dataset", options.images);
  detail::ByteReader labels("idx_dataset", options.labels);
  return detail::idx_dataset(images, labels, options);
}

}  // namespace xtgrad::v1::datasets
