#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/datasets/byte_reader.h"
#include "xtgrad/datasets/cifar.h"

namespace xtgrad::inline v1::datasets::detail {

inline constexpr std::size_t cifar10_record_bytes = 1 + 3 * 32 * 32;

/// The records of one file or of several, checked. In blocks rather than in one piece: none is ever copied in
/// order to grow, and each is freed as soon as it is converted.
struct Cifar10Records {
  std::vector<std::vector<std::byte>> blocks;
  std::size_t count = 0;
  std::string files;  // their names, for messages
};

/// Adds the content of a file: at least one record, all of them whole, with labels 0 to 9. What is wrong is
/// told before more than a block of what follows it has been read.
void read_cifar10_records(ByteReader& reader, Cifar10Records& records);

/// The ten lines of a batches.meta.txt.
std::vector<std::string> read_cifar10_class_names(ByteReader& reader);

/// The data set of checked records.
Dataset cifar10_dataset(std::string_view function, Cifar10Records records,
                        std::vector<std::string> class_names, bool unit_range, std::optional<Dtype> dtype);

}  // namespace xtgrad::v1::datasets::detail
