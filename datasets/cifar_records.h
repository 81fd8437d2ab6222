#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/datasets/byte_reader.h"
#include "xtgrad/datasets/cifar.h"

namespace xtgrad {
inline namespace v1 {
namespace datasets {
namespace detail {

inline constexpr std::size_t cifar10_record_bytes = 1 + 3 * 32 * 32;

/// The content of a file, checked: at least one record, all of them whole, with labels 0 to 9.
std::vector<std::byte> read_cifar10_records(ByteReader& reader);

/// The ten lines of a batches.meta.txt.
std::vector<std::string> read_cifar10_class_names(ByteReader& reader);

/// The data set of checked records; frees each file's once they are converted.
Dataset cifar10_dataset(std::string_view function, std::vector<std::vector<std::byte>> files,
                        std::vector<std::string> class_names, bool unit_range, std::optional<Dtype> dtype);

}  // namespace detail
}  // namespace datasets
}  // namespace v1
}  // namespace xtgrad
