// The npy reader on any bytes, and on any header in front of the elements that it describes: what it takes it
// writes and reads again unchanged, all else throws IoError.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/npy.h"
#include "xtgrad/autograd/io/npy_header.h"

using namespace xtgrad;

namespace {

/// True if the reader takes the bytes.
bool read(std::string_view bytes) {
  Tensor tensor;
  try {
    tensor = decode_npy(bytes, "input");
  } catch (const IoError&) {
    return false;
  }
  const std::string written = encode_npy(tensor);
  const Tensor again = decode_npy(written, "written");
  if (again.dtype() != tensor.dtype() || again.shape() != tensor.shape()) std::abort();
  if (encode_npy(again) != written) std::abort();
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read(bytes);
  if (size > 0xffff) return 0;
  std::string file = "\x93NUMPY";
  file.append({1, 0, static_cast<char>(size & 0xff), static_cast<char>(size >> 8)}).append(bytes);
  try {
    const std::optional<detail::NpyHeader> header = detail::parse_npy_header(file);
    if (!header || header->data_bytes > 4096) return 0;
    // The right number of elements is taken, and no other.
    file.append(header->data_bytes, '\1');
    if (!read(file) || read(file + '\1')) std::abort();
  } catch (const IoError&) {
  }
  return 0;
}
