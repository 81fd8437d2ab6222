#include "xtgrad/datasets/cifar_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/new_tensor.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/file_array.h"

namespace xtgrad::inline v1::datasets::detail {

namespace {

using xtgrad::detail::Array;
using xtgrad::detail::make_constant;

constexpr std::int64_t classes = 10;
constexpr std::size_t block_bytes = 256 * cifar10_record_bytes;

}  // namespace

void read_cifar10_records(ByteReader& reader, Cifar10Records& records) {
  for (bool at_end = false; !at_end;) {
    const std::uint64_t offset = reader.offset();
    std::vector<std::byte> block = reader.read_at_most(block_bytes);
    at_end = block.size() < block_bytes;
    for (std::size_t begin = 0; begin < block.size(); begin += cifar10_record_bytes) {
      if (const auto label = std::to_integer<int>(block[begin]); label >= classes) {
        const std::uint64_t at = offset + begin;
        reader.fail(at, fmt::format("label {} in record {}", label, at / cifar10_record_bytes), "0 to 9");
      }
    }
    records.blocks.push_back(std::move(block));
  }
  const std::uint64_t end = reader.offset();
  if (end == 0) reader.fail(0, "the end of the content", "records of 3073 bytes");
  const std::uint64_t whole = end / cifar10_record_bytes;
  if (const std::uint64_t rest = end % cifar10_record_bytes; rest != 0) {
    reader.fail(end, fmt::format("the end of the content after {} bytes of record {}", rest, whole),
                "whole records of 3073 bytes");
  }
  records.count += whole;
  if (!records.files.empty()) records.files += ", ";
  records.files += reader.name();
}

std::vector<std::string> read_cifar10_class_names(ByteReader& reader) {
  // Ten short words; whatever is longer is another file.
  std::array<std::byte, 4096> buffer;
  const std::size_t count = reader.read(buffer);
  if (count == buffer.size()) reader.fail(count, "yet more text", "ten class names, one a line");
  std::string_view text(reinterpret_cast<const char*>(buffer.data()), count);

  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t offset = count - text.size();
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (std::any_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; })) {
      reader.fail(offset, "a line with control characters", "a class name");
    }
    if (std::find(names.begin(), names.end(), line) != names.end()) {
      reader.fail(offset, fmt::format("the class name '{}' again", line), "ten different ones");
    }
    names.emplace_back(line);
  }
  if (names.size() != classes)
    reader.fail(count, fmt::format("{} class names", names.size()), "10, one a line");
  return names;
}

Dataset cifar10_dataset(std::string_view function, Cifar10Records records,
                        std::vector<std::string> class_names, bool unit_range, std::optional<Dtype> dtype) {
  const auto n = static_cast<std::int64_t>(records.count);
  const Pixels pixels{.unit_range = unit_range, .dtype = inputs_dtype(function, dtype)};
  Array inputs = new_file_array(function, records.files, {n, 3, 32, 32}, uint8);
  Array labels = new_file_array(function, records.files, {n}, int64);
  auto* label = labels.mutable_data<std::int64_t>();
  auto* image = inputs.mutable_data<std::byte>();
  for (std::vector<std::byte>& bytes : records.blocks) {
    for (std::size_t begin = 0; begin < bytes.size(); begin += cifar10_record_bytes) {
      const auto record = std::span(bytes).subspan(begin, cifar10_record_bytes);
      *label++ = std::to_integer<std::int64_t>(record[0]);
      image = std::copy(record.begin() + 1, record.end(), image);
    }
    bytes = {};
  }
  return Dataset({.inputs = make_constant(std::move(inputs)),
                  .labels = make_constant(std::move(labels)),
                  .classes = classes,
                  .class_names = std::move(class_names),
                  .pixels = pixels});
}

}  // namespace xtgrad::v1::datasets::detail
