#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/long_sum.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// Numbers 0, 1, ... for the places that get more than a few terms each, so that long sums are kept for these
/// alone: a table may have millions of rows of which a batch has dozens.
class BusyPlaces {
 public:
  BusyPlaces(const std::int64_t* index, std::int64_t count, std::int64_t stride, std::int64_t size) {
    if (size > 4 * count) {  // a hash table: cells of places that differ
      while ((std::uint64_t{1} << (64 - shift_)) < 2 * static_cast<std::uint64_t>(count)) --shift_;
      owners_.resize(std::size_t{1} << (64 - shift_), std::int64_t{-1});
    }
    const std::size_t cells = owners_.empty() ? static_cast<std::size_t>(size) : owners_.size();
    ScratchVector<std::uint8_t> terms(cells, std::uint8_t{0});
    std::uint8_t most = 0;
    for (std::int64_t a = 0; a < count; ++a) {
      std::uint8_t& of_cell = terms[own_cell(index[a * stride])];
      of_cell = static_cast<std::uint8_t>(of_cell + static_cast<int>(of_cell <= few_terms));
      most = std::max(most, of_cell);
    }
    if (most <= few_terms) return;
    numbers_.resize(cells);
    for (std::size_t cell = 0; cell < numbers_.size(); ++cell) {
      const bool busy = terms[cell] > few_terms;
      numbers_[cell] = busy ? static_cast<std::int32_t>(places_.size()) : -1;
      if (busy) places_.push_back(owners_.empty() ? static_cast<std::int64_t>(cell) : owners_[cell]);
    }
  }

  [[nodiscard]] const ScratchVector<std::int64_t>& places() const { return places_; }
  /// The number of a place of the index, or -1.
  [[nodiscard]] std::int32_t operator[](std::int64_t place) const {
    std::size_t cell = first_cell(place);
    while (!owners_.empty() && owners_[cell] != place) cell = (cell + 1) % owners_.size();
    return numbers_[cell];
  }

 private:
  [[nodiscard]] std::size_t first_cell(std::int64_t place) const {
    constexpr std::uint64_t golden = 0x9E3779B97F4A7C15U;  // 2^64 / 1.618..., whose multiples lie apart
    const auto key = static_cast<std::uint64_t>(place);
    return static_cast<std::size_t>(owners_.empty() ? key : key * golden >> shift_);
  }
  std::size_t own_cell(std::int64_t place) {
    std::size_t cell = first_cell(place);
    if (owners_.empty()) return cell;
    while (owners_[cell] != place && owners_[cell] != -1) cell = (cell + 1) % owners_.size();
    owners_[cell] = place;
    return cell;
  }

  int shift_ = 60;
  ScratchVector<std::int64_t> owners_;   // of the cells; empty where a place is its own cell
  ScratchVector<std::int32_t> numbers_;  // of the cells
  ScratchVector<std::int64_t> places_;
};

}  // namespace xtgrad::v1::detail
