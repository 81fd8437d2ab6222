#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace xtgrad::inline v1::training::detail {

// TensorBoard's files: a sequence of records, each of which is a protocol buffer, an Event.
//
//   8 bytes   n, the length of the data, little-endian
//   4 bytes   masked CRC-32C of these
//   n bytes   data
//   4 bytes   masked CRC-32C of the data
//
// tensorflow/core/lib/io/record_writer.h and tensorflow/core/util/event.proto describe them.

/// CRC-32C (Castagnoli), polynomial 0x1EDC6F41.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);
/// As the records hold it: rotated and shifted, so that the sum of data that hold sums is a good one.
[[nodiscard]] std::uint32_t masked_crc32c(std::string_view bytes);
/// Data with what a record has around them.
[[nodiscard]] std::string framed(std::string_view data);

/// A protocol buffer under construction; fields have their numbers.
class Message {
 public:
  void add_integer(int field, std::int64_t value);
  void add_double(int field, double value);
  void add_float(int field, float value);
  void add_bytes(int field, std::string_view bytes);  ///< text and other messages, too
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void add_varint(std::uint64_t value);
  void add_key(int field, int wire_type);

  std::string bytes_;
};

}  // namespace xtgrad::v1::training::detail
