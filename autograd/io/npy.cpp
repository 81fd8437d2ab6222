#include "xtgrad/autograd/io/npy.h"

#include <fmt/format.h>

#include <limits>
#include <new>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/elements.h"
#include "xtgrad/autograd/io/memory_budget.h"
#include "xtgrad/autograd/io/npy_header.h"
#include "xtgrad/autograd/io/on_behalf.h"

namespace xtgrad::inline v1 {
namespace {

constexpr std::string_view loading = "load_npy";
constexpr ReadLimits no_limits{.max_bytes = std::numeric_limits<std::uint64_t>::max()};

}  // namespace

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

namespace {

Tensor decode(std::string_view bytes, std::string_view source, const detail::MemoryBudget& budget) {
  try {
    return detail::decode_npy_bytes(bytes, budget);
  } catch (const IoError& error) {
    detail::throw_about(loading, source, {detail::FileFormat::npy, bytes}, error);
  } catch (const std::bad_alloc&) {
    detail::throw_does_not_fit(loading, source);
  }
}

}  // namespace

Tensor decode_npy(std::string_view bytes, std::string_view source) {
  return decode(bytes, source, detail::MemoryBudget(no_limits));
}

void save_npy(const std::string& path, const Tensor& tensor) {
  detail::write_file_atomically("save_npy", path, encode_npy(tensor));
}

Tensor load_npy(const std::string& path, const ReadLimits& limits) {
  const std::string bytes = detail::read_file(loading, path, limits);
  detail::MemoryBudget budget(limits);
  budget.take(bytes.size());
  return decode(bytes, path, budget);
}

}  // namespace xtgrad::v1
