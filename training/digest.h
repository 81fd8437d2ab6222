#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace xtgrad::inline v1::training::detail {

inline constexpr std::uint64_t digest_start = 0xcbf29ce484222325;

/// A number that other bytes are unlikely to have: FNV-1a, but by words of 8 bytes, so that it keeps up with
/// the disk; zeros fill the last word, and the length comes after it. Against accidents, not against attacks.
[[nodiscard]] inline std::uint64_t digest(std::span<const std::byte> bytes,
                                          std::uint64_t start = digest_start) {
  constexpr std::uint64_t prime = 0x100000001b3;
  std::uint64_t hash = start;
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::uint64_t word = 0;
    const std::size_t count = std::min(sizeof word, bytes.size() - at);
    std::memcpy(&word, bytes.data() + at, count);
    hash = (hash ^ word) * prime;
    // The product carries upwards alone: without this a word's high bits would never reach the low ones.
    hash ^= hash >> 32;
    at += count;
  }
  return (hash ^ bytes.size()) * prime;
}

}  // namespace xtgrad::v1::training::detail
