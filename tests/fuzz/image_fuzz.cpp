// The readers of PNG and JPEG on any bytes: what they take has the channels that were asked for, and what
// becomes a PNG file is read again unchanged; all else throws IoError.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/image_file.h"

using namespace xtgrad;

namespace {

void read(std::string_view bytes, std::int64_t channels) {
  // Small enough that a slow image is no mistake of the reader.
  const datasets::ReadImageOptions options{.channels = channels, .max_pixels = 1 << 18};
  try {
    const Tensor image = datasets::decode_image(bytes, "input", options);
    if (channels != 0 && image.size(0) != channels) std::abort();
    if (image.size(0) != 1 && image.size(0) != 3) return;
    const Tensor again = datasets::decode_image(datasets::encode_png(image), "written");
    const auto before = image.data<std::uint8_t>();
    const auto after = again.data<std::uint8_t>();
    if (again.shape() != image.shape() || !std::ranges::equal(before, after)) std::abort();
  } catch (const IoError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const std::int64_t channels : {0, 1, 3}) read(bytes, channels);
  return 0;
}
