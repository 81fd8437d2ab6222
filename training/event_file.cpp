#include "xtgrad/training/event_file.h"

#include <array>
#include <bit>
#include <cstddef>

namespace xtgrad::inline v1::training::detail {
namespace {

/// Unsigned integers as bytes, the lowest first.
template <class T>
void append_little_endian(std::string& bytes, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
}

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  constexpr std::uint32_t reversed_polynomial = 0x82f63b78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? reversed_polynomial : 0);
    table[byte] = crc;
  }
  return table;
}();

enum WireType { varint = 0, fixed64 = 1, delimited = 2, fixed32 = 5 };

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) crc = crc_table[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  constexpr std::uint32_t offset = 0xa282ead8;
  return std::rotr(crc32c(bytes), 15) + offset;
}

std::string framed(std::string_view data) {
  std::string record;
  append_little_endian(record, static_cast<std::uint64_t>(data.size()));
  append_little_endian(record, masked_crc32c(record));
  record += data;
  append_little_endian(record, masked_crc32c(data));
  return record;
}

void Message::add_varint(std::uint64_t value) {
  constexpr std::uint64_t more = 0x80;
  while (value >= more) {
    bytes_ += static_cast<char>((value & (more - 1)) | more);
    value >>= 7;
  }
  bytes_ += static_cast<char>(value);
}

void Message::add_key(int field, int wire_type) {
  add_varint((static_cast<std::uint64_t>(field) << 3) | static_cast<std::uint64_t>(wire_type));
}

void Message::add_integer(int field, std::int64_t value) {
  add_key(field, varint);
  add_varint(static_cast<std::uint64_t>(value));
}

void Message::add_double(int field, double value) {
  add_key(field, fixed64);
  append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value));
}

void Message::add_float(int field, float value) {
  add_key(field, fixed32);
  append_little_endian(bytes_, std::bit_cast<std::uint32_t>(value));
}

void Message::add_bytes(int field, std::string_view bytes) {
  add_key(field, delimited);
  add_varint(bytes.size());
  bytes_ += bytes;
}

}  // namespace xtgrad::v1::training::detail
