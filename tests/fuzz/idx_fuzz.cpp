// The IDX reader on any bytes: it returns a tensor with as many elements as there were, or throws IoError.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/byte_reader.h"
#include "xtgrad/datasets/idx_file.h"

using namespace xtgrad;

namespace {

void read_tensor(std::span<const std::byte> bytes) {
  try {
    datasets::detail::ByteReader reader("idx_fuzz", bytes, "input");
    (void)datasets::detail::read_idx(reader, {});
  } catch (const IoError&) {
  }
}

/// The first byte says where the labels end and the images begin.
void read_dataset(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const auto choice = std::to_integer<std::size_t>(bytes[0]);
  bytes = bytes.subspan(1);
  const std::size_t cut = bytes.size() < choice ? bytes.size() : choice;
  try {
    datasets::detail::ByteReader labels("idx_fuzz", bytes.first(cut), "labels");
    datasets::detail::ByteReader images("idx_fuzz", bytes.subspan(cut), "images");
    const datasets::Dataset data = datasets::detail::idx_dataset(
        images, labels, {.classes = 10, .first_label = 1, .transposed = choice % 2 == 1});
    if (data.class_counts().size() != 10) std::abort();
  } catch (const IoError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  read_tensor(bytes);
  read_dataset(bytes);
  return 0;
}
