// The npz reader on any bytes: what it takes it writes and reads again unchanged, all else throws IoError.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/npz.h"

using namespace xtgrad;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<NamedTensor> tensors;
  try {
    tensors = decode_npz({reinterpret_cast<const char*>(data), size}, "input",
                         {.max_bytes = std::uint64_t{1} << 20});
  } catch (const IoError&) {
    return 0;
  }
  const std::string written = encode_npz(tensors);
  if (encode_npz(decode_npz(written, "written")) != written) std::abort();
  return 0;
}
