// The CIFAR-10 reader on any bytes: whole records with labels 0 to 9 become a data set, all else throws
// IoError. libFuzzer's inputs are mostly shorter than a record, so the input's bytes also stand for whole
// records.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/byte_reader.h"
#include "xtgrad/datasets/cifar_records.h"

using namespace xtgrad;
using namespace xtgrad::datasets::detail;

namespace {

/// Number of records; -1 if they are refused.
std::int64_t read_records(std::span<const std::byte> bytes) {
  try {
    ByteReader reader("cifar_fuzz", bytes, "input");
    Cifar10Records records;
    read_cifar10_records(reader, records);
    return cifar10_dataset("cifar_fuzz", std::move(records), {}, true, std::nullopt).size();
  } catch (const IoError&) {
    return -1;
  }
}

/// Records whose labels are the input's bytes, the last one cut to `keep` bytes.
void read_made_records(std::span<const std::byte> labels, std::size_t keep) {
  std::vector<std::byte> file;
  bool good = !labels.empty() && keep == cifar10_record_bytes;
  for (const std::byte label : labels) {
    file.insert(file.end(), cifar10_record_bytes, label);
    good = good && std::to_integer<int>(label) < 10;
  }
  if (!file.empty()) file.resize(file.size() - cifar10_record_bytes + keep);
  // The first two bytes could make it a gzip file, which it is not.
  if (file.size() > 1 && file[0] == std::byte{0x1f}) return;
  const std::int64_t expected = good ? static_cast<std::int64_t>(labels.size()) : -1;
  if (read_records(file) != expected) std::abort();
}

void read_class_names(std::span<const std::byte> bytes) {
  try {
    ByteReader reader("cifar_fuzz", bytes, "input");
    if (read_cifar10_class_names(reader).size() != 10) std::abort();
  } catch (const IoError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  read_records(bytes);
  read_class_names(bytes);
  const auto few = bytes.first(size < 8 ? size : 8);
  read_made_records(few, cifar10_record_bytes);
  // One byte of the last record is as little as can be there, and one fewer than all the most that is wrong.
  for (const std::size_t keep : {std::size_t{1}, cifar10_record_bytes - 1}) read_made_records(few, keep);
  return 0;
}
