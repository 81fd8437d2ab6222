#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace training_test {

// A reader of event files that shares no code with their writer.

/// CRC-32C bit by bit: the remainder of the message, reversed, by the polynomial 0x1EDC6F41.
inline std::uint32_t slow_crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool in = ((static_cast<unsigned char>(c) >> bit) & 1) != 0;
      const bool out = (crc & 1) != 0;
      crc = (crc >> 1) ^ (in != out ? 0x82f63b78U : 0U);
    }
  }
  return crc ^ 0xffffffff;
}

/// The data of each record. Throws where a sum or the length is wrong.
inline std::vector<std::string> records_of(std::string_view file) {
  const auto number = [&](std::size_t at, std::size_t size) {
    if (at + size > file.size()) throw std::runtime_error("the file ends in a record");
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value * 256 + static_cast<unsigned char>(file[at + i]);
    return value;
  };
  const auto check = [&](std::size_t at, std::string_view summed) {
    const std::uint32_t crc = slow_crc32c(summed);
    const std::uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
    if (number(at, 4) != masked) throw std::runtime_error("a sum is wrong");
  };
  std::vector<std::string> records;
  for (std::size_t at = 0; at < file.size();) {
    const std::uint64_t length = number(at, 8);
    check(at + 8, file.substr(at, 8));
    const std::string_view data = file.substr(at + 12, length);
    check(at + 12 + length, data);
    records.emplace_back(data);
    at += 16 + length;
  }
  return records;
}

/// A protocol buffer: the values of each field, numbers as their bits.
struct Fields {
  std::map<int, std::vector<std::uint64_t>> numbers;
  std::map<int, std::vector<std::string>> texts;

  explicit Fields(std::string_view bytes) {
    std::size_t at = 0;
    const auto fixed = [&](std::size_t size) {
      std::uint64_t value = 0;
      for (std::size_t i = size; i-- > 0;) value = value * 256 + static_cast<unsigned char>(bytes.at(at + i));
      at += size;
      return value;
    };
    const auto varint = [&] {
      std::uint64_t value = 0;
      for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes.at(at++));
        value |= static_cast<std::uint64_t>(byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.size()) {
      const std::uint64_t key = varint();
      const int field = static_cast<int>(key >> 3);
      switch (key & 7) {
        case 0:
          numbers[field].push_back(varint());
          break;
        case 1:
          numbers[field].push_back(fixed(8));
          break;
        case 5:
          numbers[field].push_back(fixed(4));
          break;
        case 2: {
          const std::uint64_t length = varint();
          if (at + length > bytes.size()) throw std::runtime_error("a field ends after its message");
          texts[field].emplace_back(bytes.substr(at, length));
          at += length;
          break;
        }
        default:
          throw std::runtime_error("a wire type that is not in use");
      }
    }
  }

  [[nodiscard]] double real(int field) const {
    double value = 0;
    std::memcpy(&value, &numbers.at(field).at(0), sizeof value);
    return value;
  }
};

/// The numbers of a packed field of doubles.
inline std::vector<double> unpacked(const std::string& bytes) {
  std::vector<double> values(bytes.size() / sizeof(double));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(double));
  return values;
}

}  // namespace training_test
