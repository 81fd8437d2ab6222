// The safetensors reader on any bytes, and on any header in front of some elements: what it takes it writes
// and reads again unchanged, all else throws IoError.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/safetensors.h"

using namespace xtgrad;

namespace {

void read(std::string_view bytes) {
  Safetensors contents;
  try {
    contents = decode_safetensors(bytes, "input");
  } catch (const IoError&) {
    return;
  }
  const std::string written = encode_safetensors(contents);
  const Safetensors again = decode_safetensors(written, "written");
  if (again.tensors.size() != contents.tensors.size()) std::abort();
  if (again.metadata.size() != contents.metadata.size()) std::abort();
  if (encode_safetensors(again) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read(bytes);
  const std::uint64_t length = size;
  const std::string header = std::string(reinterpret_cast<const char*>(&length), 8).append(bytes);
  for (const std::size_t data_bytes : {0U, 4U, 24U}) read(header + std::string(data_bytes, '\1'));
  return 0;
}
