#include "xtgrad/autograd/io/npy.h"

#include <fmt/format.h>

#include <optional>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/elements.h"
#include "xtgrad/autograd/io/npy_header.h"
#include "xtgrad/autograd/io/on_behalf.h"

namespace xtgrad::inline v1 {
std::string encode_npy(const Tensor& tensor) {
  if (!tensor.defined()) throw ValueError("save_npy: the tensor is an empty handle");
  constexpr std::size_t alignment = 64;  // of the elements, for those who map the file
  const Shape& shape = tensor.shape();
  const std::string_view comma = shape.rank() == 1 ? "," : "";  // Python's tuple of one
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                  detail::npy_kind_of(detail::element_of(tensor.dtype())), fmt::join(shape, ", "), comma);
  // Magic, version and length are 10 bytes; rank 8 at most keeps the header short enough for version 1.0.
  constexpr std::size_t before = 10;
  const std::size_t total = (before + header.size() + 1 + alignment - 1) / alignment * alignment;
  header.resize(total - before - 1, ' ');
  header += '\n';
  const auto length = static_cast<unsigned>(header.size());
  const std::string_view elements = detail::bytes_of_elements(tensor);

  std::string bytes = "\x93NUMPY";
  bytes.reserve(total + elements.size());
  bytes.append({1, 0, static_cast<char>(length & 0xff), static_cast<char>(length >> 8)});
  return bytes.append(header).append(elements);
}

Tensor decode_npy(std::string_view bytes, std::string_view source) {
  try {
    return detail::decode_npy_bytes(bytes);
  } catch (const IoError& error) {
    throw IoError(fmt::format("load_npy: {}: {}", source, error.what()));
  }
}

void save_npy(const std::string& path, const Tensor& tensor) {
  detail::write_file_atomically("save_npy", path, encode_npy(tensor));
}

Tensor load_npy(const std::string& path, const ReadLimits& limits) {
  return decode_npy(detail::read_file("load_npy", path, limits), path);
}

}  // namespace xtgrad::v1
