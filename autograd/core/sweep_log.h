#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace xtgrad::inline v1::detail {

/// Which sweeps added to a gradient since it was cleared: runs of numbers that follow each other, of which
/// the last 16 are kept. Sweeps that do not come to the gradient tear a run.
class SweepLog {
 public:
  void add(std::uint64_t sweep) {
    if (count_ > 0) {
      Run& last = runs_[(count_ - 1) % capacity];
      if (last.end == sweep) {
        ++last.end;
        return;
      }
    }
    runs_[count_++ % capacity] = {sweep, sweep + 1};
  }
  void clear() { count_ = 0; }

  /// True if some sweep is in both.
  [[nodiscard]] bool meets(const SweepLog& other) const {
    for (std::size_t i = 0; i < kept(); ++i) {
      for (std::size_t k = 0; k < other.kept(); ++k) {
        if (runs_[i].begin < other.runs_[k].end && other.runs_[k].begin < runs_[i].end) return true;
      }
    }
    return false;
  }

 private:
  static constexpr std::size_t capacity = 16;
  struct Run {
    std::uint64_t begin;
    std::uint64_t end;  // exclusive
  };

  [[nodiscard]] std::size_t kept() const { return std::min(count_, capacity); }

  std::array<Run, capacity> runs_{};
  std::size_t count_ = 0;  // so far
};

}  // namespace xtgrad::v1::detail
